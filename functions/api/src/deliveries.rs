//! Deliveries: what was sent, when, what came back; replay and cancel.

use serde_json::json;
use waxseal_adapters::http::{self, Response};
use waxseal_api_types::{self as api, DeliveryStatus, List};
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::id::DeliveryId;
use waxseal_domain::limits::PAGE_MAX;
use waxseal_domain::problem::Problem;
use waxseal_flows::cancel::cancel;
use waxseal_flows::ports::{Clock as _, DeliveryStore as _, Engine, PageRequest};
use waxseal_flows::replay::replay;

use crate::OperationResult;
use crate::call::{CursorForm, TenantCall};
use crate::endpoints::find;
use crate::operation::{
    CURSOR, Description, Handler, LIMIT, MANAGE, Operation, Parameter, Success, json_of,
};

impl<E: Engine> Operation<E> {
    /// The operations on deliveries.
    pub(crate) const ON_DELIVERIES: &'static [Self] = &[
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(list(call, id))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/endpoints/{endpoint}/deliveries",
                id: "listDeliveries",
                summary: "List the deliveries of an endpoint that did not succeed at first",
                about: "Lists deliveries that failed at their first attempt or ended before it, the newest event \
                        first. Deliveries that succeeded at first, or that were not attempted yet, are shown \
                        with their events. A page can be empty and still have a `cursor`.",
                parameters: &[LIMIT, CURSOR, STATUS],
                answers: &[Success::json::<List<api::Delivery>>(
                    200,
                    "Returns a page of deliveries.",
                )],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(show(call, id))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/deliveries/{delivery}",
                id: "getDelivery",
                summary: "Get a delivery and its attempts",
                answers: &[Success::json::<api::Delivery>(200, "Returns the delivery.")
                    .with_example(|| json_of(&api::Delivery::example()))],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(replay_delivery(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/deliveries/{delivery}/replay",
                id: "replayDelivery",
                summary: "Send a delivery again",
                about: "Queues the delivery for a new round of attempts, whatever came of it before. It \
                        keeps its id, so that a receiver can recognise it.",
                answers: &[Success::json::<api::Delivery>(
                    202,
                    "Returns the delivery, which is queued.",
                )],
                problems: &[409, 410],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(cancel_delivery(call, id))),
            description: Description {
                line: "POST /v1/tenants/{tenant}/deliveries/{delivery}/cancel",
                id: "cancelDelivery",
                summary: "Cancel a delivery, so that no other attempt is made",
                about: "An attempt that is under way may still reach the receiver.",
                answers: &[Success::json::<api::Delivery>(
                    200,
                    "Returns the delivery, which is cancelled.",
                )],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
    ];
}

const STATUS: Parameter = Parameter::optional(
    "status",
    "Selects deliveries of this status.",
    || json!({"type": "string", "enum": DeliveryStatus::WORDS}),
);

async fn show<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let key = key(&call, id)?;
    let (row, event) = call.engine.store().delivery_and_event(&key).await?;
    let event = event
        .filter(|event| event.targets.contains(&key.endpoint))
        .ok_or_else(Problem::not_found)?;
    let row = row.filter(|row| row.event_accepted_at == event.event_accepted_at);
    let delivery = row.unwrap_or_else(|| event.pending(&key.endpoint));
    Ok(answer(&call, 200, &delivery))
}

async fn replay_delivery<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let delivery = replay(call.engine, &key(&call, id)?).await?;
    Ok(answer(&call, 202, &delivery))
}

async fn cancel_delivery<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let delivery = cancel(call.engine, &key(&call, id)?).await?;
    Ok(answer(&call, 200, &delivery))
}

/// Lists an endpoint's deliveries. Those that succeeded at first, and those pending without a row, are
/// not listed here but with their events.
async fn list<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let endpoint = find(&call, id).await?;
    let wanted = http::query(call.request, "status");
    let page = call.page(CursorForm::Event)?;
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
        cursor =
            cursor.map(|_| format!("{}_{}", delivery.event_accepted_at.ms(), delivery.key.event));
        if wanted.as_deref().is_none_or(|status| status == DeliveryStatus::from(&delivery).as_str())
        {
            items.push(api::Delivery::of(&delivery, now));
        }
        if items.len() == page.limit {
            cursor = Some(format!("{}_{}", delivery.event_accepted_at.ms(), delivery.key.event));
        }
    }
    Ok(http::json(200, &List { items, cursor }))
}

fn key<E: Engine>(call: &TenantCall<'_, E>, id: &str) -> Result<DeliveryKey, Problem> {
    let id: DeliveryId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(DeliveryKey { tenant: call.tenant.clone(), event: id.event, endpoint: id.endpoint })
}

fn answer<E: Engine>(call: &TenantCall<'_, E>, status: u16, delivery: &Delivery) -> Response {
    http::json(status, &api::Delivery::of(delivery, call.engine.clock().now()))
}
