//! The compiled schemas that are kept: by bytes, one for each owner, and no more of one tenant's than leaves room
//! for others.

use std::collections::HashMap;
use std::sync::Arc;

use waxseal_domain::event::catalogue::Schema;
use waxseal_domain::id::TenantName;
use waxseal_flows::ports::SchemaOwner;

use super::Compiled;

/// Bytes of all that is kept; where there is more, keeping begins anew. A schema of ordinary size takes a
/// quarter of a megabyte.
pub(super) const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of what is kept of one tenant.
pub(super) const BYTES_PER_TENANT_MAX: usize = BYTES_MAX / 4;

/// What a compiled schema is found by. There are few of Waxseal's own, and each is found by its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    EventType(TenantName, String),
    Waxseal(Schema),
}

impl Key {
    pub(super) fn of(owner: &SchemaOwner, schema: &Schema) -> Self {
        match owner {
            SchemaOwner::EventType(tenant, name) => Self::EventType(tenant.clone(), name.clone()),
            SchemaOwner::Waxseal => Self::Waxseal(schema.clone()),
        }
    }

    fn tenant(&self) -> Option<&TenantName> {
        match self {
            Self::EventType(tenant, _) => Some(tenant),
            Self::Waxseal(_) => None,
        }
    }
}

/// Compiled schemas by their owners.
#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: HashMap<Key, (Schema, Arc<Compiled>)>,
}

impl Kept {
    /// Returns the compiled schema of an owner; none where another of the owner's is kept.
    pub(super) fn get(&self, key: &Key, schema: &Schema) -> Option<Arc<Compiled>> {
        let (kept, compiled) = self.entries.get(key)?;
        (kept == schema).then(|| Arc::clone(compiled))
    }

    /// Keeps a compiled schema in place of its owner's last one.
    pub(super) fn keep(&mut self, key: Key, schema: Schema, compiled: Arc<Compiled>) {
        self.entries.remove(&key);
        if let Some(tenant) = key.tenant().cloned() {
            let is_own = |found: &Key| found.tenant() == Some(&tenant);
            if self.bytes_of(is_own) + compiled.bytes > BYTES_PER_TENANT_MAX {
                self.entries.retain(|found, _| !is_own(found));
            }
        }
        if self.bytes_of(|_| true) + compiled.bytes > BYTES_MAX {
            self.entries.clear();
        }
        self.entries.insert(key, (schema, compiled));
    }

    fn bytes_of(&self, is_meant: impl Fn(&Key) -> bool) -> usize {
        let meant = self.entries.iter().filter(|(key, _)| is_meant(key));
        meant.map(|(_, (_, compiled))| compiled.bytes).sum()
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes_of(|_| true)
    }
}
