//! Endpoints: configured, changed, tested, their secrets rotated.

mod auth;
mod changes;
mod created;
mod failures;
mod idempotency;
mod matching;
mod operations;
mod pause;
mod recovery;
mod sealed;
mod secrets;
mod stored;
mod test_event;
mod version;

use waxseal_adapters::http::{self, Response};
use waxseal_api_types::endpoint::{Breaker, ShownSecret};
use waxseal_api_types::{self as api, List};
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState, room};
use waxseal_domain::id::EndpointId;
use waxseal_domain::json::Fault;
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::SecretContext;
use waxseal_flows::configure::AuditChange;
use waxseal_flows::link::ensure_key;
use waxseal_flows::ports::{
    Change, Clock as _, ConfigStore as _, Engine, GateStore as _, KeyVault as _, MaxAge, PageBytes,
    Tenant, TenantEndpoints,
};
use waxseal_flows::profiles::{find_profile, profile_of};

use self::changes::Changes;
use self::created::answer_created;
use self::idempotency::Once;
use self::sealed::Sealed;
pub(crate) use self::stored::find;
use self::stored::{TRIES_MAX, audit_update, audit_view, is_same, write};
use self::version::{IfMatch, with_etag};
use crate::body::Body;
use crate::call::{CursorForm, TenantCall};
use crate::{OperationResult, Refusal};

/// Endpoints added to a tenant at the same time: each is tried so often.
const ADD_TRIES_MAX: usize = 30;

async fn create<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let TenantCall { engine, request, tenant, .. } = call;
    let once = Once::read(request, tenant)?;
    let mut body = Body::read(request)?;
    let name = Changes::profile_name(&mut body, STANDARD);
    let found = find_profile(engine, &name).await?;
    let changes = Changes::read(&mut body, engine.address_rules(), found.as_deref(), true);
    changes.check_kept_headers(&mut body, None);
    body.finish()?;
    let profile = found.ok_or_else(Problem::not_found)?;
    if let Some(answer) = once.repeat_answer(&call, &profile).await? {
        return Ok(answer);
    }
    ensure_tenant(&call).await?;
    let id = once.endpoint_id().unwrap_or_else(|| EndpointId::from_entropy(engine.entropy()));
    let made = secrets::seal(engine, tenant, &id, &profile, changes.secret.clone()).await?;
    let (secret, shown) =
        made.map_or((None, ShownSecret::default()), |made| (Some(made.sealed), made.shown));
    if profile.envelope.shorten.is_some() {
        ensure_key(engine, tenant).await?;
    }
    let blank = Endpoint {
        secrets: secret.into_iter().collect(),
        request_digest: once.digest(),
        ..Endpoint::new(id, tenant.clone(), name, engine.clock().now())
    };
    let sealed = Sealed::of(engine, &blank, &changes).await?;
    // Only now: a secret that is newer than its endpoint has been rotated.
    let now = engine.clock().now();
    let blank = Endpoint { created_at: now, updated_at: now, ..blank };
    let endpoint = changes.apply(blank, sealed, now);
    if !add(&call, &endpoint, &profile).await? {
        // Another request with the same key was faster.
        let answer = once.repeat_answer(&call, &profile).await?;
        return answer
            .ok_or_else(|| Problem::conflict("too many endpoints at once: try again").into());
    }
    let pings = http::query(request, "ping").as_deref() != Some("false");
    let ping = if pings { Some(test_event::ping(&call, &endpoint).await?) } else { None };
    let endpoint = find(&call, endpoint.id.as_str()).await?;
    Ok(answer_created(&call, &endpoint, &profile, shown, ping))
}

/// A tenant exists once the operator configures an endpoint in it.
async fn ensure_tenant<E: Engine>(call: &TenantCall<'_, E>) -> Result<(), Refusal> {
    if call.engine.store().endpoints(call.tenant, MaxAge::NOW).await?.is_some() {
        return Ok(());
    }
    let tenant = Tenant { name: call.tenant.clone(), created_at: call.engine.clock().now() };
    let audit = AuditChange {
        action: "tenant.created",
        target: call.tenant.as_str(),
        before: None,
        after: None,
    };
    call.change(Change::CreateTenant(&tenant), audit).await?;
    Ok(())
}

/// Adds an endpoint while there is room; false where its id is taken, or others are always faster.
async fn add<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    profile: &Profile,
) -> Result<bool, Refusal> {
    for _ in 0..ADD_TRIES_MAX {
        let tenant_endpoints =
            call.engine.store().endpoints(call.tenant, MaxAge::NOW).await?.unwrap_or_default();
        if tenant_endpoints.iter().any(|found| found.id == endpoint.id) {
            return Ok(false);
        }
        room::check_room(tenant_endpoints.iter(), profile).map_err(refuse)?;
        let after = Some(audit_view(endpoint, profile));
        let audit = AuditChange {
            action: "endpoint.created",
            target: endpoint.id.as_str(),
            before: None,
            after,
        };
        if call.change(Change::AddEndpoint(endpoint, tenant_endpoints.version), audit).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Answers 422 where an endpoint cannot take another profile: there is no room, or its secrets are of another
/// form.
async fn check_move<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    tenant_endpoints: &TenantEndpoints,
    profile: &Profile,
) -> Result<(), Refusal> {
    let others = tenant_endpoints.iter().filter(|one| one.id != endpoint.id);
    room::check_room(others, profile).map_err(refuse)?;
    let context = SecretContext::endpoint(call.tenant, &endpoint.id);
    let mut secrets = Vec::new();
    for sealed in endpoint.live_secrets(call.engine.clock().now()) {
        secrets.push(call.engine.key_vault().open(&context, &sealed.sealed).await?);
    }
    room::check_move(&secrets, profile).map_err(refuse)?;
    if profile.envelope.shorten.is_some() {
        ensure_key(call.engine, call.tenant).await?;
    }
    Ok(())
}

fn refuse(fault: Fault) -> Problem {
    Problem::unprocessable(vec![fault])
}

async fn list<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let page = call.page(CursorForm::Count)?;
    let tenant_endpoints =
        call.engine.store().endpoints(call.tenant, MaxAge::NOW).await?.unwrap_or_default();
    // `page` has refused a cursor that is no number.
    let from = page.cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let mut newest_first: Vec<&Endpoint> = tenant_endpoints.iter().collect();
    newest_first
        .sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    let (mut items, mut bytes) = (Vec::new(), PageBytes::default());
    for endpoint in newest_first.into_iter().skip(from).take(page.limit) {
        let profile = profile_of(call.engine, endpoint).await?;
        let view = api::Endpoint::of(endpoint, &profile);
        if !bytes.take(serde_json::to_vec(&view).map_or(0, |text| text.len())) {
            break;
        }
        items.push(view);
    }
    let next = from.saturating_add(items.len());
    let cursor = (next < tenant_endpoints.len()).then(|| next.to_string());
    Ok(http::json(200, &List { items, cursor }))
}

/// Answers with what only a single endpoint is shown with: its breaker, and its last failures.
async fn show<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let endpoint = find(&call, id).await?;
    let gate = call.engine.store().gate(call.tenant, &endpoint.id, MaxAge::NOW).await?;
    let profile = profile_of(call.engine, &endpoint).await?;
    let view = api::Endpoint {
        breaker: Some(Breaker::from(gate.as_ref())),
        recent_failures: Some(failures::recent_failures(&call, &endpoint.id).await?),
        ..api::Endpoint::of(&endpoint, &profile)
    };
    Ok(with_etag(http::json(200, &view), &endpoint))
}

async fn change<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let if_match = IfMatch::of(call.request);
    for _ in 0..TRIES_MAX {
        let before = find(&call, id).await?;
        let mut body = Body::read(call.request)?;
        let name = Changes::profile_name(&mut body, &before.profile);
        let found = find_profile(call.engine, &name).await?;
        let rules = call.engine.address_rules();
        let changes = Changes::read(&mut body, rules, found.as_deref(), false);
        changes.check_kept_headers(&mut body, Some(&before));
        body.finish()?;
        if_match.allows(&before)?;
        let profile = found.ok_or_else(Problem::not_found)?;
        let now = call.engine.clock().now();
        let sealed = Sealed::of(call.engine, &before, &changes).await?;
        let changed = changes.apply(Endpoint::clone(&before), sealed, now);
        if is_same(&before, &changed) {
            return Ok(answer_changed(&before, &profile));
        }
        let after = changed.next_version(now);
        let tenant_endpoints =
            call.engine.store().endpoints(call.tenant, MaxAge::NOW).await?.unwrap_or_default();
        let is_moved = name != before.profile;
        if is_moved {
            check_move(&call, &before, &tenant_endpoints, &profile).await?;
        }
        let change = if is_moved {
            Change::MoveEndpoint(&after, tenant_endpoints.version)
        } else {
            Change::PutEndpoint(&after)
        };
        let audit = audit_update(&call, "endpoint.updated", &before, &after).await?;
        if call.change(change, audit).await? {
            pause::release(call.engine, &before, &after).await;
            return Ok(answer_changed(&after, &profile));
        }
    }
    Err(Problem::conflict("the endpoint was changed at the same time: try again").into())
}

async fn delete<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let if_match = IfMatch::of(call.request);
    for _ in 0..TRIES_MAX {
        let endpoint = find(&call, id).await?;
        if_match.allows(&endpoint)?;
        let profile = profile_of(call.engine, &endpoint).await?;
        let before = Some(audit_view(&endpoint, &profile));
        let audit = AuditChange { action: "endpoint.deleted", target: id, before, after: None };
        if call.change(Change::RemoveEndpoint(&endpoint), audit).await? {
            return Ok(http::no_content());
        }
    }
    Err(Problem::conflict("the endpoint was changed at the same time: try again").into())
}

async fn enable<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let (endpoint, profile) = write(&call, id, "endpoint.enabled", |endpoint, _| Endpoint {
        state: EndpointState::Enabled,
        ..endpoint
    })
    .await?;
    Ok(answer_changed(&endpoint, &profile))
}

async fn disable<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let (endpoint, profile) = write(&call, id, "endpoint.disabled", |endpoint, now| {
        endpoint.disable(DisabledReason::Requested, now)
    })
    .await?;
    Ok(answer_changed(&endpoint, &profile))
}

fn answer_changed(endpoint: &Endpoint, profile: &Profile) -> Response {
    with_etag(http::json(200, &api::Endpoint::of(endpoint, profile)), endpoint)
}
