//! Endpoints: configured, changed, tested, their secrets rotated.

mod changes;
mod recovery;
mod secrets;
mod test_event;
mod view;

use waxseal_adapters::http;
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState, Health};
use waxseal_domain::id::EndpointId;
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{ENDPOINTS_PER_TENANT_MAX, PAGE_MAX};
use waxseal_domain::link::ensure_key;
use waxseal_domain::ports::{
    Clock as _, ConfigStore as _, DeliveryStore as _, Engine, GateStore as _, KeyVault as _,
    PageRequest, Tenant,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::SecretContext;
use waxseal_domain::subscription::Subscription;

use self::changes::Changes;
use self::secrets::Shown;
use self::view::{Created, EndpointView};
use crate::deliveries::DeliveryView;
use crate::{Answer, Call, List, Refusal};

/// Changes of one endpoint at the same time: each is tried so often.
const TRIES_MAX: usize = 3;

/// Every path under `…/endpoints`.
pub(crate) async fn answer<E: Engine>(call: Call<'_, E>, method: &str, path: &[&str]) -> Answer {
    let [id, action @ ..] = path else {
        return match method {
            "POST" => create(call).await,
            "GET" => list(call).await,
            _ => Err(Problem::method_not_allowed().into()),
        };
    };
    let id: EndpointId = id.parse().map_err(|_| Problem::not_found())?;
    match (method, action) {
        ("GET", []) => {
            let endpoint = find(&call, &id).await?;
            let gate = call.engine.store().gate(call.tenant, &id, 0).await?;
            let profile = Profile::of(call.engine, &endpoint).await?;
            let view = EndpointView::of(&endpoint, &profile).with_gate(gate.as_ref());
            Ok(http::json(200, &view))
        }
        ("PATCH", []) => patch(call, &id).await,
        ("DELETE", []) => delete(call, &id).await,
        ("POST", ["test"]) => test_event::send(call, &id).await,
        ("POST", ["rotate-secret"]) => secrets::rotate(call, &id).await,
        ("POST", ["enable"]) => {
            change(&call, &id, |endpoint, _| Endpoint { state: EndpointState::Enabled, ..endpoint })
                .await
        }
        ("POST", ["disable"]) => {
            change(&call, &id, |endpoint, now| endpoint.disabled(DisabledReason::Requested, now))
                .await
        }
        ("POST", ["recover"]) => recovery::recovered(call, &id).await,
        ("GET", ["deliveries"]) => deliveries(call, &id).await,
        (_, [] | ["test" | "rotate-secret" | "enable" | "disable" | "recover" | "deliveries"]) => {
            Err(Problem::method_not_allowed().into())
        }
        _ => Err(Problem::not_found().into()),
    }
}

async fn create<E: Engine>(call: Call<'_, E>) -> Answer {
    let Call { engine, request, tenant } = call;
    let name = Changes::profile_name(request, STANDARD)?;
    let profile = Profile::find(engine, &name).await?;
    let rules = engine.address_rules();
    let changes = Changes::read(request, rules, tenant, profile.as_deref(), true)?;
    let profile = profile.ok_or_else(Problem::not_found)?;
    let ping = http::query(request, "ping") != Some("false");
    let now = engine.clock().now();
    engine.store().create_tenant(&Tenant { name: tenant.clone(), created_at: now }).await?;
    let existing = engine.store().endpoints(tenant, 0).await?.unwrap_or_default();
    has_room(&existing.iter().collect::<Vec<_>>(), &profile)?;
    let id = EndpointId::from_entropy(engine.entropy());
    let wanted = changes.secret.clone();
    let made = secrets::seal(engine, tenant, &id, &profile, wanted).await?;
    let (sealed, shown) =
        made.map_or((None, Shown::default()), |made| (Some(made.sealed), made.shown));
    if profile.envelope.shorten.is_some() {
        ensure_key(engine, tenant).await?;
    }
    let blank = Endpoint {
        id,
        tenant: tenant.clone(),
        url: String::new(),
        name: None,
        subscription: Subscription::default(),
        profile: name,
        secrets: sealed.into_iter().collect(),
        retry: None,
        timeout_ms: None,
        max_per_second: None,
        headers: std::collections::BTreeMap::new(),
        state: EndpointState::Enabled,
        health: Health::Unverified,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let endpoint = changes.apply(blank, now);
    if !engine.store().put_endpoint(&endpoint, None).await? {
        return Err(Problem::conflict("the endpoint's new id is taken: try again").into());
    }
    let call = Call { engine, request, tenant };
    let ping = if ping { Some(test_event::ping(&call, &endpoint).await?) } else { None };
    let endpoint = find(&call, &endpoint.id).await?;
    let active_from = now.plus_s(engine.endpoints_settle_s());
    let view = EndpointView::of(&endpoint, &profile);
    Ok(http::json(201, &Created::of(view, shown, ping, active_from)))
}

/// 422 where the tenant, or the profile within it, has as many endpoints as it may.
fn has_room(existing: &[&Endpoint], profile: &Profile) -> Result<(), Problem> {
    if existing.len() >= ENDPOINTS_PER_TENANT_MAX {
        let detail = format!("the tenant has {ENDPOINTS_PER_TENANT_MAX} endpoints, its limit");
        return Err(Problem::unprocessable(vec![Fault::new("", &detail)]));
    }
    let same = existing.iter().filter(|endpoint| endpoint.profile == profile.name()).count();
    if same >= profile.endpoints_max {
        let most = profile.endpoints_max;
        let detail = format!("{} allows {most} endpoints, and the tenant has them", profile.name());
        return Err(Problem::unprocessable(vec![Fault::new("/profile", &detail)]));
    }
    Ok(())
}

/// 422 where an endpoint cannot take another profile: its secrets are of another form, or there is no
/// room.
async fn moves_to<E: Engine>(
    call: &Call<'_, E>,
    endpoint: &Endpoint,
    profile: &Profile,
) -> Result<(), Refusal> {
    let refuse = |detail: &str| Problem::unprocessable(vec![Fault::new("/profile", detail)]);
    let existing = call.engine.store().endpoints(call.tenant, 0).await?.unwrap_or_default();
    let others: Vec<&Endpoint> = existing.iter().filter(|one| one.id != endpoint.id).collect();
    has_room(&others, profile)?;
    if endpoint.secrets.is_empty() && !profile.dialect.secret_is_optional() {
        return Err(refuse("signs every delivery, and the endpoint has no secret").into());
    }
    let context = SecretContext::endpoint(call.tenant, &endpoint.id);
    for sealed in endpoint.live_secrets(call.engine.clock().now()) {
        let secret = call.engine.key_vault().open(&context, &sealed.sealed).await?;
        let text = secret.expose_text().unwrap_or_default();
        if let Err(fault) = profile.dialect.key(text) {
            let detail =
                format!("does not take the endpoint's secret, which {fault}: rotate it first");
            return Err(refuse(&detail).into());
        }
    }
    if profile.envelope.shorten.is_some() {
        ensure_key(call.engine, call.tenant).await?;
    }
    Ok(())
}

async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let page = call.page()?;
    let endpoints = call.engine.store().endpoints(call.tenant, 0).await?.unwrap_or_default();
    let from = page.cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let mut newest_first: Vec<&Endpoint> = endpoints.iter().collect();
    newest_first
        .sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    let mut items = Vec::new();
    for endpoint in newest_first.into_iter().skip(from).take(page.limit) {
        let profile = Profile::of(call.engine, endpoint).await?;
        items.push(EndpointView::of(endpoint, &profile));
    }
    let next = from + items.len();
    let cursor = (next < endpoints.len()).then(|| next.to_string());
    Ok(http::json(200, &List { items, cursor }))
}

async fn patch<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    let rules = call.engine.address_rules();
    let before = find(&call, id).await?;
    let name = Changes::profile_name(call.request, &before.profile)?;
    let profile = Profile::find(call.engine, &name).await?;
    let changes = Changes::read(call.request, rules, call.tenant, profile.as_deref(), false)?;
    if let Some(profile) = profile.filter(|_| name != before.profile) {
        moves_to(&call, &before, &profile).await?;
    }
    change(&call, id, |endpoint, now| changes.clone().apply(endpoint, now)).await
}

async fn delete<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    if call.engine.store().delete_endpoint(call.tenant, id).await? {
        Ok(http::no_content())
    } else {
        Err(Problem::not_found().into())
    }
}

/// An endpoint's deliveries. Those that succeeded at first, and those pending without a row, are
/// not listed here but with their events.
async fn deliveries<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    find(&call, id).await?;
    let wanted = http::query(call.request, "status");
    let known = ["pending", "retrying", "delivered", "failed", "cancelled"];
    if let Some(status) = wanted.filter(|status| !known.contains(status)) {
        let detail = format!("status must be one of {}, not {status}", known.join(", "));
        return Err(Problem::bad_request(detail).into());
    }
    let page = call.page()?;
    let now = call.engine.clock().now();
    let mut items = Vec::new();
    // A status that is rare must not make a page look at everything: a bounded number of rows.
    let look = PageRequest { limit: PAGE_MAX.max(page.limit), ..page.clone() };
    let found = call.engine.store().deliveries_by_endpoint(call.tenant, id, &look).await?;
    let mut cursor = found.cursor;
    for delivery in found.items {
        if items.len() == page.limit {
            break;
        }
        cursor = cursor.map(|_| format!("{}_{}", delivery.born.ms(), delivery.key.event));
        if wanted.is_none_or(|status| status == delivery.status_word()) {
            items.push(DeliveryView::of(&delivery, now));
        }
        if items.len() == page.limit {
            cursor = Some(format!("{}_{}", delivery.born.ms(), delivery.key.event));
        }
    }
    Ok(http::json(200, &List { items, cursor }))
}

pub(crate) async fn find<E: Engine>(
    call: &Call<'_, E>,
    id: &EndpointId,
) -> Result<std::sync::Arc<Endpoint>, Refusal> {
    let found = call.engine.store().endpoint(call.tenant, id, 0).await?;
    found.ok_or_else(|| Problem::not_found().into())
}

/// Reads, changes and writes an endpoint, again if another did so in between.
async fn change<E: Engine>(
    call: &Call<'_, E>,
    id: &EndpointId,
    change: impl Fn(Endpoint, waxseal_domain::timestamp::Timestamp) -> Endpoint,
) -> Answer {
    let endpoint = write(call, id, change).await?;
    let profile = Profile::of(call.engine, &endpoint).await?;
    Ok(http::json(200, &EndpointView::of(&endpoint, &profile)))
}

/// As [`change`], and answers with the endpoint.
pub(crate) async fn write<E: Engine>(
    call: &Call<'_, E>,
    id: &EndpointId,
    change: impl Fn(Endpoint, waxseal_domain::timestamp::Timestamp) -> Endpoint,
) -> Result<Endpoint, Refusal> {
    for _ in 0..TRIES_MAX {
        let before = find(call, id).await?;
        let now = call.engine.clock().now();
        let mut after = change(Endpoint::clone(&before), now);
        after.version = before.version + 1;
        after.updated_at = now;
        if call.engine.store().put_endpoint(&after, Some(before.version)).await? {
            return Ok(after);
        }
    }
    Err(Problem::conflict("the endpoint was changed at the same time: try again").into())
}
