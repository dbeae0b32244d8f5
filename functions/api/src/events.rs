//! Events: what was accepted, and what became of it.

use waxseal_adapters::http::{self, Request};
use waxseal_api_types::event::DeliveryBrief;
use waxseal_api_types::{self as api, List};
use waxseal_domain::delivery::Delivery;
use waxseal_domain::expunge::expunge;
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::link::is_good;
use waxseal_domain::ports::{Clock as _, Engine, EngineError, EventRow, EventStore as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;

use crate::{Answer, Call, Refusal};

pub(crate) async fn expunged<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
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
    if !is_good(engine, &tenant, &id, expires, &signature).await? {
        return Err(Problem::bad_link().into());
    }
    let row = engine.store().event(&tenant, &id).await?.ok_or_else(Problem::not_found)?;
    if row.event.expunged {
        return Err(Problem::gone("the event's payload was expunged").into());
    }
    Ok(http::json(200, &api::Event::of(&row.event).map_err(unwritable)?))
}

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let now = call.engine.clock().now();
    let page = call.engine.store().events_by_time(call.tenant, &call.page()?, now).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in &page.items {
        items.push(api::Event::received(&row.event, row.born, None).map_err(unwritable)?);
    }
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}

pub(crate) async fn one<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    let found = call.engine.store().event_with_deliveries(call.tenant, &id).await?;
    let now = call.engine.clock().now();
    let (row, rows) =
        found.filter(|(row, _)| row.expires_at() > now).ok_or_else(Problem::not_found)?;
    let deliveries = briefs(&row, &rows, now);
    let event =
        api::Event::received(&row.event, row.born, Some(&deliveries)).map_err(unwritable)?;
    Ok(http::json(200, &event))
}

/// The deliveries of an event: by their rows, and as pending where they have none.
fn briefs(row: &EventRow, rows: &[Delivery], now: Timestamp) -> Vec<DeliveryBrief> {
    let mut briefs = Vec::with_capacity(row.targets.len());
    for target in &row.targets {
        let key = row.delivery_key(target);
        let found = rows.iter().find(|found| found.key == key && found.born == row.born);
        briefs.push(match found {
            Some(delivery) => DeliveryBrief::of(delivery, now),
            None => DeliveryBrief::pending(&row.pending(target), now),
        });
    }
    briefs
}

fn unwritable(error: serde_json::Error) -> Refusal {
    Refusal::Ours(EngineError::new("write answer", error))
}
