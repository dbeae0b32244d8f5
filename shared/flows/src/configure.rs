//! Changes what is configured, writes the audit entry that tells of it, and announces that.
//!
//! The only way to a change: the store takes none without its entry.

use serde_json::Value;
use waxseal_domain::audit::Entry;
use waxseal_domain::notice::{Notice, operator_tenant};

use crate::announce::announce;
use crate::ports::{Change, ConfigStore as _, Engine, EngineError};

/// A change of what is configured, as the audit log tells it.
#[derive(Debug)]
pub struct AuditChange<'a> {
    /// A noun and a verb: `endpoint.updated`.
    pub action: &'static str,
    /// The id or name of what is changed.
    pub target: &'a str,
    /// The target as it was before the change; none where it was made.
    pub before: Option<Value>,
    /// The target as it is after the change; none where it was removed.
    pub after: Option<Value>,
}

/// Makes a change that `actor` asked for, with its entry in the audit log, and tells whoever
/// subscribes to that. The entry is in the log of the tenant that is changed; what belongs to the
/// whole deployment is in the log of the operator's own tenant. False where what is stored stands
/// in the way.
pub async fn configure<E: Engine>(
    engine: &E,
    actor: &str,
    change: Change<'_>,
    audit: AuditChange<'_>,
) -> Result<bool, EngineError> {
    let AuditChange { action, target, before, after } = audit;
    let tenant = change.tenant().cloned().unwrap_or_else(operator_tenant);
    let entry = Entry::new(engine.stamp(), &tenant, actor, action, target).from_to(before, after);
    let is_done = engine.store().change(change, &entry).await?;
    if is_done {
        announce(engine, &Notice::of_entry(&entry)).await?;
    }
    Ok(is_done)
}
