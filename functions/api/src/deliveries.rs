//! Deliveries: what was sent, when, what came back; replay and cancel.

use waxseal_adapters::http::{self, Response};
use waxseal_api_types::{self as api, DeliveryStatus, List};
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::id::DeliveryId;
use waxseal_domain::limits::PAGE_MAX;
use waxseal_domain::ports::{Clock as _, DeliveryStore as _, Engine, PageRequest};
use waxseal_domain::problem::Problem;
use waxseal_domain::reissue::{cancel, replay};

use crate::endpoints::find;
use crate::{Answer, Call};

pub(crate) async fn one<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let key = key(&call, id)?;
    let (row, event) = call.engine.store().delivery_and_event(&key).await?;
    let event = event
        .filter(|event| event.targets.contains(&key.endpoint))
        .ok_or_else(Problem::not_found)?;
    let row = row.filter(|row| row.born == event.born);
    let delivery = row.unwrap_or_else(|| event.pending(&key.endpoint));
    Ok(shown(&call, 200, &delivery))
}

pub(crate) async fn replayed<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let delivery = replay(call.engine, &key(&call, id)?).await??;
    Ok(shown(&call, 202, &delivery))
}

pub(crate) async fn cancelled<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let delivery = cancel(call.engine, &key(&call, id)?).await??;
    Ok(shown(&call, 200, &delivery))
}

/// An endpoint's deliveries. Those that succeeded at first, and those pending without a row, are
/// not listed here but with their events.
pub(crate) async fn of_endpoint<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let endpoint = find(&call, id).await?;
    let wanted = http::query(call.request, "status");
    let page = call.page()?;
    let now = call.engine.clock().now();
    let mut items = Vec::new();
    // A status that is rare must not make a page look at everything: a bounded number of rows.
    let look = PageRequest { limit: PAGE_MAX.max(page.limit), ..page.clone() };
    let store = call.engine.store();
    let found = store.deliveries_by_endpoint(call.tenant, &endpoint.id, &look).await?;
    let mut cursor = found.cursor;
    for delivery in found.items {
        if items.len() == page.limit {
            break;
        }
        cursor = cursor.map(|_| format!("{}_{}", delivery.born.ms(), delivery.key.event));
        if wanted.as_deref().is_none_or(|status| status == DeliveryStatus::from(&delivery).as_str())
        {
            items.push(api::Delivery::of(&delivery, now));
        }
        if items.len() == page.limit {
            cursor = Some(format!("{}_{}", delivery.born.ms(), delivery.key.event));
        }
    }
    Ok(http::json(200, &List { items, cursor }))
}

fn key<E: Engine>(call: &Call<'_, E>, id: &str) -> Result<DeliveryKey, Problem> {
    let id: DeliveryId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(DeliveryKey { tenant: call.tenant.clone(), event: id.event, endpoint: id.endpoint })
}

fn shown<E: Engine>(call: &Call<'_, E>, status: u16, delivery: &Delivery) -> Response {
    http::json(status, &api::Delivery::of(delivery, call.engine.clock().now()))
}
