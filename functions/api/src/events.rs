//! Events: what was accepted, and what became of it.

use serde::Serialize;
use serde_json::value::RawValue;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::delivery::Delivery;
use waxseal_domain::expunge::expunge;
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::OVERDUE_S;
use waxseal_domain::link::is_good;
use waxseal_domain::ports::{Clock as _, Engine, EventRow, EventStore as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;

use crate::{Answer, Call, List, Refusal};

/// `GET …/events` and `GET …/events/{id}`.
pub(crate) async fn answer<E: Engine>(call: Call<'_, E>, method: &str, path: &[&str]) -> Answer {
    match (method, path) {
        ("GET", []) => list(call).await,
        ("GET", [id]) => one(call, id).await,
        ("DELETE", [id, "content"]) => expunged(call, id).await,
        (_, [] | [_] | [_, "content"]) => Err(Problem::method_not_allowed().into()),
        _ => Err(Problem::not_found().into()),
    }
}

/// A delivery in its event's list.
#[derive(Serialize)]
struct DeliveryBrief {
    id: String,
    endpoint_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
    attempts: u32,
    next_attempt_at: Option<String>,
}

async fn expunged<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    if expunge(call.engine, call.tenant, &id).await? {
        Ok(http::no_content())
    } else {
        Err(Problem::not_found().into())
    }
}

/// `GET …/events/{id}/content?expires=&signature=`: what a link in a shortened body leads to. The link is
/// the key.
pub(crate) async fn content<E: Engine>(
    engine: &E,
    request: &Request,
    tenant: &str,
    id: &str,
) -> Answer {
    let tenant: TenantName = tenant.parse().map_err(|_| Problem::bad_link())?;
    let id: EventId = id.parse().map_err(|_| Problem::bad_link())?;
    let expires = http::query(request, "expires").and_then(|text| text.parse().ok());
    let signature = http::query(request, "signature");
    let (expires, signature) = expires.zip(signature).ok_or_else(Problem::bad_link)?;
    if !is_good(engine, &tenant, &id, expires, signature).await? {
        return Err(Problem::bad_link().into());
    }
    let row = engine.store().event(&tenant, &id).await?.ok_or_else(Problem::not_found)?;
    if row.event.expunged {
        return Err(Problem::gone("the event's payload was expunged").into());
    }
    Ok(http::json(200, &raw(row.event.view())?))
}

async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let now = call.engine.clock().now();
    let page = call.engine.store().events_by_time(call.tenant, &call.page()?, now).await?;
    let items: Result<Vec<Box<RawValue>>, Refusal> =
        page.items.iter().map(|row| merged(row, None, now)).collect();
    Ok(http::json(200, &List { items: items?, cursor: page.cursor }))
}

async fn one<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    let found = call.engine.store().event_with_deliveries(call.tenant, &id).await?;
    let now = call.engine.clock().now();
    let (row, rows) =
        found.filter(|(row, _)| row.expires_at() > now).ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &merged(&row, Some(&rows), now)?))
}

/// The event's own members, then `received_at` and, where asked for, `deliveries`: written behind
/// the event's text before its last brace, so that the payload's bytes stay as they came.
fn merged(
    row: &EventRow,
    rows: Option<&[Delivery]>,
    now: Timestamp,
) -> Result<Box<RawValue>, Refusal> {
    let mut text = row.event.view();
    text.pop();
    text.push_str(",\"received_at\":");
    text.push_str(&raw_of(&row.born.rfc3339())?);
    if let Some(rows) = rows {
        text.push_str(",\"deliveries\":");
        text.push_str(&raw_of(&briefs(row, rows, now))?);
    }
    text.push('}');
    raw(text)
}

fn briefs(row: &EventRow, rows: &[Delivery], now: Timestamp) -> Vec<DeliveryBrief> {
    let brief = |target| {
        let key = row.delivery_key(target);
        let found = rows.iter().find(|found| found.key == key && found.born == row.born);
        let pending = row.pending(target);
        let delivery = found.unwrap_or(&pending);
        let status = delivery.status_word();
        DeliveryBrief {
            id: delivery.key.id().to_string(),
            endpoint_id: delivery.key.endpoint.to_string(),
            status,
            overdue: status == "pending" && now >= row.born.plus_s(OVERDUE_S),
            attempts: delivery.attempts,
            next_attempt_at: found.and_then(Delivery::open).map(|open| open.next_at.rfc3339()),
        }
    };
    row.targets.iter().map(brief).collect()
}

fn raw(text: String) -> Result<Box<RawValue>, Refusal> {
    RawValue::from_string(text).map_err(|error| Refusal::Ours(unwritable(error)))
}

fn raw_of<T: Serialize>(value: &T) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::Ours(unwritable(error)))
}

fn unwritable(error: serde_json::Error) -> waxseal_domain::ports::EngineError {
    waxseal_domain::ports::EngineError::new("write answer", error)
}
