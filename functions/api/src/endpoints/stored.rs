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
        if is_same(&before, &changed) {
            return Ok((changed, profile));
        }
        let audit = audit_update(call, action, &before, &changed).await?;
        let after = changed.next_version(now);
        if call.change(Change::PutEndpoint(&after), audit).await? {
            return Ok((after, profile));
        }
    }
    Err(Problem::conflict("the endpoint was changed at the same time: try again").into())
}

/// Whether an endpoint is stored as it was before.
pub(super) fn is_same(before: &Endpoint, after: &Endpoint) -> bool {
    let document = |endpoint| serde_json::to_string(endpoint).expect("an endpoint is JSON");
    document(before) == document(after)
}

pub(super) async fn audit_update<'a, E: Engine>(
    call: &TenantCall<'_, E>,
    action: &'static str,
    before: &'a Endpoint,
    after: &Endpoint,
) -> Result<AuditChange<'a>, EngineError> {
    let profile_before = profile_of(call.engine, before).await?;
    let profile_after = profile_of(call.engine, after).await?;
    let (was, is) = (audit_view(before, &profile_before), audit_view(after, &profile_after));
    Ok(AuditChange { action, target: before.id.as_str(), before: Some(was), after: Some(is) })
}

/// What the audit log keeps of an endpoint. What may be secret stands in it as it is stored, so that a change of
/// it is seen; the entry hides it.
pub(super) fn audit_view(endpoint: &Endpoint, profile: &Profile) -> Value {
    let mut view = audit_value(&api::Endpoint::of(endpoint, profile));
    if let Some(Value::Object(headers)) = view.get_mut("headers") {
        let stored = endpoint.headers.iter().chain(&endpoint.sealed_headers);
        headers.extend(stored.map(|(name, value)| (name.clone(), Value::from(value.as_str()))));
    }
    if let (Some(Value::Object(auth)), Some(credentials)) = (view.get_mut("auth"), &endpoint.auth) {
        auth.insert("secret".to_owned(), credentials.sealed().into());
    }
    view
}
