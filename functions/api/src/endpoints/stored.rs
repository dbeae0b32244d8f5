//! An endpoint as it is stored: found, and changed with its audit entry.

use std::sync::Arc;

use serde_json::Value;
use waxseal_api_types as api;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::EndpointId;
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::Profile;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::configure::AuditChange;
use waxseal_flows::ports::{Change, Clock as _, ConfigStore as _, Engine, EngineError, MaxAge};
use waxseal_flows::profiles::profile_of;

use crate::Refusal;
use crate::call::{TenantCall, audit_value};

/// Changes of one endpoint at the same time: each is tried so often.
pub(super) const TRIES_MAX: usize = 3;

/// The tenant's endpoint of that id, as it is now.
pub(crate) async fn find<E: Engine>(
    call: &TenantCall<'_, E>,
    id: &str,
) -> Result<Arc<Endpoint>, Refusal> {
    let id: EndpointId = id.parse().map_err(|_| Problem::not_found())?;
    let found = call.engine.store().endpoint(call.tenant, &id, MaxAge::NOW).await?;
    found.ok_or_else(|| Problem::not_found().into())
}

/// Reads, changes and writes an endpoint, again if another did so in between. What changes nothing is
/// not written.
pub(super) async fn write<E: Engine>(
    call: &TenantCall<'_, E>,
    id: &str,
    action: &'static str,
    change: impl Fn(Endpoint, Timestamp) -> Endpoint,
) -> Result<(Endpoint, Arc<Profile>), Refusal> {
    for _ in 0..TRIES_MAX {
        let before = find(call, id).await?;
        let profile = profile_of(call.engine, &before).await?;
        let now = call.engine.clock().now();
        let changed = change(Endpoint::clone(&before), now);
        let audit = audit_update(call, action, &before, &changed).await?;
        if audit.before == audit.after {
            return Ok((changed, profile));
        }
        let after = changed.next_version(now);
        if call.change(Change::PutEndpoint(&after), audit).await? {
            return Ok((after, profile));
        }
    }
    Err(Problem::conflict("the endpoint was changed at the same time: try again").into())
}

pub(super) async fn audit_update<'a, E: Engine>(
    call: &TenantCall<'_, E>,
    action: &'static str,
    before: &'a Endpoint,
    after: &Endpoint,
) -> Result<AuditChange<'a>, EngineError> {
    let (was, is) = (audit_view(call, before).await?, audit_view(call, after).await?);
    Ok(AuditChange { action, target: before.id.as_str(), before: Some(was), after: Some(is) })
}

pub(super) async fn audit_view<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
) -> Result<Value, EngineError> {
    let profile = profile_of(call.engine, endpoint).await?;
    Ok(audit_value(&api::Endpoint::of(endpoint, &profile)))
}
