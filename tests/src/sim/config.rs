//! What is configured, and the key vault: as much of it as is needed on the path of an event.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    Change, ConfigStore, EngineError, KeyVault, MaxAge, Page, PageRequest, Setting, Tenant,
    TenantEndpoints, TenantVersion,
};

use super::broken::BrokenGuard;
use super::instance::Instance;
use super::world::State;

type StoreResult<T> = Result<T, EngineError>;

impl ConfigStore for Instance {
    async fn change(&self, change: Change<'_>, entry: &Entry) -> StoreResult<bool> {
        if let Some(tenant) = change.tenant() {
            self.list.lock().unwrap().remove(tenant);
        }
        if let Change::PutEndpoint(endpoint) | Change::RemoveEndpoint(endpoint) = change {
            self.copies.lock().unwrap().remove(&endpoint.id);
        }
        let changed = self.call("change configuration", true, |state, _| {
            let changed = state.change(change);
            if changed == Ok(true) {
                state.audit.push(entry.clone());
            }
            changed
        });
        Ok(changed.await?.unwrap_or_else(|kind| self.lacks(kind)))
    }

    async fn note_health(&self, _: &Endpoint) -> StoreResult<bool> {
        self.lacks("note_health")
    }

    async fn audit(&self, tenant: &TenantName, page: &PageRequest) -> StoreResult<Page<Entry>> {
        let begin = page.cursor.as_ref().map_or(0, |cursor| cursor.parse().unwrap());
        self.call("read audit log", true, |state, _| {
            let entries = state.audit.iter().rev().filter(|entry| entry.tenant == *tenant);
            let items: Vec<Entry> = entries.skip(begin).take(page.limit).cloned().collect();
            let cursor = (items.len() == page.limit).then(|| (begin + items.len()).to_string());
            Page { items, cursor }
        })
        .await
    }

    async fn event_types(&self, _: &TenantName, _: MaxAge) -> StoreResult<Arc<Vec<EventType>>> {
        self.lacks("event_types")
    }

    async fn tenants(&self, _: &PageRequest) -> StoreResult<Page<Tenant>> {
        self.lacks("tenants")
    }

    async fn endpoints(
        &self,
        tenant: &TenantName,
        max_age: MaxAge,
    ) -> StoreResult<Option<Arc<TenantEndpoints>>> {
        let now = self.world.now();
        if let Some((at, list)) = self.list.lock().unwrap().get(tenant)
            && now.since_ms(*at) < max_age.as_seconds() * 1_000
        {
            return Ok(Some(Arc::clone(list)));
        }
        let read = self.call("read endpoints", true, |state, _| {
            let version = *state.tenants.get(tenant)?;
            let endpoints = state.endpoints.values().filter(|one| one.tenant == *tenant);
            let endpoints = endpoints.cloned().collect();
            Some(Arc::new(TenantEndpoints { version, has_catalogue: false, endpoints }))
        });
        let found = read.await?;
        if let Some(found) = &found {
            self.list.lock().unwrap().insert(tenant.clone(), (now, Arc::clone(found)));
        }
        Ok(found)
    }

    async fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age: MaxAge,
    ) -> StoreResult<Option<Arc<Endpoint>>> {
        let now = self.world.now();
        if let Some((at, copy)) = self.copies.lock().unwrap().get(id)
            && now.since_ms(*at) < max_age.as_seconds() * 1_000
            && copy.tenant == *tenant
        {
            return Ok(Some(Arc::clone(copy)));
        }
        let read = self.call("read endpoint", true, |state, _| {
            state.endpoints.get(id).filter(|one| one.tenant == *tenant).cloned()
        });
        let mut found = read.await?;
        if self.world.is_broken(BrokenGuard::Pause)
            && let Some(found) = &mut found
        {
            found.paused_at = None;
        }
        let found = found.map(Arc::new);
        if let Some(found) = &found {
            self.copies.lock().unwrap().insert(id.clone(), (now, Arc::clone(found)));
        }
        Ok(found)
    }

    async fn api_key(&self, _: &str) -> StoreResult<Option<ApiKey>> {
        self.lacks("api_key")
    }

    async fn api_keys(&self, _: &TenantName) -> StoreResult<Vec<ApiKey>> {
        self.lacks("api_keys")
    }

    async fn note_key_use(&self, _: &ApiKeyId, _: Timestamp) -> StoreResult<()> {
        self.lacks("note_key_use")
    }

    async fn key_uses(&self, _: &[ApiKeyId]) -> StoreResult<HashMap<ApiKeyId, Timestamp>> {
        self.lacks("key_uses")
    }

    async fn source(
        &self,
        _: &TenantName,
        _: &SourceName,
        _: MaxAge,
    ) -> StoreResult<Option<Source>> {
        self.lacks("source")
    }

    async fn source_by_short_path(&self, _: &SourceName, _: MaxAge) -> StoreResult<Option<Source>> {
        self.lacks("source_by_short_path")
    }

    async fn sources(&self, _: &TenantName) -> StoreResult<Vec<Source>> {
        self.lacks("sources")
    }

    async fn setting(&self, _: Setting, _: &str, _: MaxAge) -> StoreResult<Option<Arc<str>>> {
        self.lacks("setting")
    }

    async fn settings(&self, _: Setting) -> StoreResult<Vec<(String, Arc<str>)>> {
        self.lacks("settings")
    }

    async fn keep_link_key(&self, _: &TenantName, _: &str) -> StoreResult<bool> {
        self.lacks("keep_link_key")
    }
}

impl State {
    /// Makes a change if what is stored is as it requires; whether it did. An error names a kind of
    /// change that is not implemented.
    fn change(&mut self, change: Change<'_>) -> Result<bool, &'static str> {
        Ok(match change {
            Change::CreateTenant(tenant) => {
                let is_new = !self.tenants.contains_key(&tenant.name);
                if is_new {
                    self.tenants.insert(tenant.name.clone(), TenantVersion::default());
                }
                is_new
            }
            Change::AddEndpoint(endpoint, version) => {
                let is_new = !self.endpoints.contains_key(&endpoint.id)
                    && self.tenants.get(&endpoint.tenant) == Some(&version);
                if is_new {
                    self.tenants.insert(endpoint.tenant.clone(), version.next());
                    self.endpoints.insert(endpoint.id.clone(), endpoint.clone());
                }
                is_new
            }
            Change::PutEndpoint(endpoint) => {
                let is_next = self.has_endpoint(endpoint, endpoint.version - 1);
                if is_next {
                    self.endpoints.insert(endpoint.id.clone(), endpoint.clone());
                }
                is_next
            }
            Change::RemoveEndpoint(endpoint) => {
                let is_same = self.has_endpoint(endpoint, endpoint.version);
                if is_same {
                    self.endpoints.remove(&endpoint.id);
                }
                is_same
            }
            Change::MoveEndpoint(..) => return Err("Change::MoveEndpoint"),
            Change::AddApiKey(_) => return Err("Change::AddApiKey"),
            Change::RemoveApiKey(_) => return Err("Change::RemoveApiKey"),
            Change::PutSource(_) => return Err("Change::PutSource"),
            Change::RemoveSource(_) => return Err("Change::RemoveSource"),
            Change::PutEventType(..) => return Err("Change::PutEventType"),
            Change::RemoveEventType(..) => return Err("Change::RemoveEventType"),
            Change::PutProfile(..) => return Err("Change::PutProfile"),
        })
    }

    /// Whether the endpoint is stored, is the same tenant's, and has this version.
    fn has_endpoint(&self, endpoint: &Endpoint, version: u64) -> bool {
        let stored = self.endpoints.get(&endpoint.id);
        stored.is_some_and(|one| one.tenant == endpoint.tenant && one.version == version)
    }
}

impl KeyVault for Instance {
    async fn seal(&self, context: &SecretContext, secret: &Secret) -> StoreResult<String> {
        Ok(seal(context, secret))
    }

    async fn open(&self, context: &SecretContext, sealed: &str) -> StoreResult<Secret> {
        let unreadable = || EngineError::unreadable("open secret", "it was sealed for another");
        let sealed = sealed.strip_prefix(&seal_begin(context)).ok_or_else(unreadable)?;
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| unreadable())?;
        Ok(Secret::new(bytes))
    }
}

/// Seals as far as a simulation must: it shows whose secret it is, and opens for nobody else.
pub(super) fn seal(context: &SecretContext, secret: &Secret) -> String {
    seal_begin(context) + &STANDARD_NO_PAD.encode(secret.expose())
}

fn seal_begin(context: &SecretContext) -> String {
    format!("{}#{}#{}#", context.purpose, context.tenant, context.owner)
}
