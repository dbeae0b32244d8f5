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
use waxseal_domain::ports::{
    Clock as _, ConfigStore as _, DeliveryStore as _, Engine, GateStore as _, PageRequest, Tenant,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::STANDARD;
use waxseal_domain::subscription::Subscription;

use self::changes::Changes;
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
            Ok(http::json(200, &EndpointView::of(&endpoint).with_gate(gate.as_ref())))
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
    let changes = Changes::read(request, engine.address_rules(), tenant, true)?;
    let ping = http::query(request, "ping") != Some("false");
    let now = engine.clock().now();
    engine.store().create_tenant(&Tenant { name: tenant.clone(), created_at: now }).await?;
    let existing = engine.store().endpoints(tenant, 0).await?.map_or(0, |all| all.len());
    if existing >= ENDPOINTS_PER_TENANT_MAX {
        let detail = format!("the tenant has {ENDPOINTS_PER_TENANT_MAX} endpoints, its limit");
        return Err(Problem::unprocessable(vec![Fault::new("", &detail)]).into());
    }
    let id = EndpointId::from_entropy(engine.entropy());
    let (secret, sealed) = secrets::seal(engine, tenant, &id, changes.secret.clone()).await?;
    let blank = Endpoint {
        id,
        tenant: tenant.clone(),
        url: String::new(),
        name: None,
        subscription: Subscription { event_types: Vec::new(), filter: None },
        profile: STANDARD.name.to_owned(),
        secrets: vec![sealed],
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
    Ok(http::json(201, &Created::of(&endpoint, &secret, ping, active_from)))
}

async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let page = call.page()?;
    let endpoints = call.engine.store().endpoints(call.tenant, 0).await?.unwrap_or_default();
    let from = page.cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let mut newest_first: Vec<&Endpoint> = endpoints.iter().collect();
    newest_first
        .sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    let items: Vec<_> =
        newest_first.iter().skip(from).take(page.limit).map(|one| EndpointView::of(one)).collect();
    let next = from + items.len();
    let cursor = (next < endpoints.len()).then(|| next.to_string());
    Ok(http::json(200, &List { items, cursor }))
}

async fn patch<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    let rules = call.engine.address_rules();
    let changes = Changes::read(call.request, rules, call.tenant, false)?;
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
    Ok(http::json(200, &EndpointView::of(&endpoint)))
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
