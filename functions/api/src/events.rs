//! Events: what was accepted, and what became of it.

use serde_json::json;
use waxseal_adapters::http;
use waxseal_api_types::event::{self, AcceptedEvents, DeliveryBrief, NewEvent};
use waxseal_api_types::{Acceptance, Event, List};
use waxseal_domain::delivery::Delivery;
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::{EVENT_RETENTION_S, EVENTS_PER_REQUEST_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::expunge::expunge;
use waxseal_flows::link::is_good;
use waxseal_flows::ports::{Clock as _, Engine, EngineError, EventRow, EventStore as _};

use crate::call::{CursorForm, GlobalCall, TenantCall};
use crate::operation::{
    Access, Description, Handler, INGEST, Link, MANAGE, Operation, PAGE, Parameter, RequestBody,
    Success, json_of,
};
use crate::{OperationResult, Refusal};

impl<E: Engine> Operation<E> {
    /// The operations on events.
    pub(crate) const ON_EVENTS: &'static [Self] = &[
        Operation {
            handler: Handler::Elsewhere,
            description: Description {
                line: "POST /v1/tenants/{tenant}/events",
                id: "sendEvents",
                summary: "Send an event, or an array of up to 100 events",
                about: "Accepts a CloudEvent in structured, binary or batched mode, depending on the \
                        content type, or a plain object with a `type`. The answer is 202 once the event \
                        is stored durably and its deliveries are queued. Sending an event again with \
                        the same `source` and `id` is safe: deliveries that were made are not \
                        repeated, and the answer says `duplicate`. If its content differs, the answer is 409. An event whose \
                        `data` does not satisfy the schema of its type, or is too dear to check against it, \
                        is refused with 422. Each event of an array gets a result of its own.",
                body: Some(RequestBody::required(
                    "EventOrEvents",
                    event::new_events,
                    || json_of(&NewEvent::example()),
                )),
                answers: &[Success::json::<AcceptedEvents>(
                    202,
                    "Acknowledges the event. For an array, holds the results in the order of the events.",
                )
                .with_example(|| json_of(&Acceptance::example()))
                .with_links(&[EVENT_LINK, DELIVERY_LINK])],
                problems: &[409, 413, 415],
                ..Description::plain(INGEST)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(list(call))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/events",
                id: "listEvents",
                summary: "List the events of a tenant, newest first",
                about: "Lists events for 35 days after they were accepted. Their deliveries are left out: \
                        `getEvent` shows them.",
                parameters: PAGE,
                answers: &[Success::json::<List<Event>>(200, "Returns a page of events.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(show(call, id))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/events/{event}",
                id: "getEvent",
                summary: "Get an event and its deliveries",
                answers: &[Success::json::<Event>(200, "Returns the event.")
                    .with_example(|| json_of(&Event::example()))
                    .with_links(&[DELIVERY_LINK])],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Global(|call| Box::pin(show_content(call))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/events/{event}/content",
                id: "getEventContent",
                summary: "Follow the link of a shortened delivery to its event",
                about: "Some profiles limit how long a delivery may be. A delivery that would be longer \
                        carries a link to this operation in place of the payload. The link is signed \
                        and expires; it needs no API key.",
                parameters: &[
                    Parameter::required(
                        "expires",
                        "Tells when the link expires, in seconds since 1970.",
                        || json!({"type": "integer", "minimum": 0, "maximum": 253_402_300_799_u64}),
                    ),
                    Parameter::required("signature", "Holds the signature of the link.", || {
                        json!({"type": "string", "maxLength": 256})
                    }),
                ],
                answers: &[Success::json::<Event>(200, "Returns the event.")],
                problems: &[403, 404, 410],
                ..Description::plain(Access::Public)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, id| Box::pin(expunge_content(call, id))),
            description: Description {
                line: "DELETE /v1/tenants/{tenant}/events/{event}/content",
                id: "expungeEvent",
                summary: "Remove the payload of an event, and keep the record of it",
                about: "Removes the `data` of the event for good and cancels its open deliveries. The \
                        event and its deliveries can still be listed. An attempt that is under way may \
                        still reach its receiver.",
                answers: &[Success::empty("Confirms that the payload is removed.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Elsewhere,
            description: Description {
                line: "OPTIONS /v1/tenants/{tenant}/events",
                id: "allowSender",
                summary: "Ask whether events may be sent here",
                about: "Answers the validation handshake of the HTTP webhook specification of CloudEvents.",
                answers: &[Success::empty(
                    "Allows every sender that asks. Sending itself needs an API key.",
                )],
                problems: &[404],
                ..Description::plain(Access::Public)
            },
        },
    ];
}

const EVENT_LINK: Link =
    Link { pointer: "/id", parameter: "event", to: &["getEvent", "expungeEvent"] };
const DELIVERY_LINK: Link = Link {
    pointer: "/deliveries/0/id",
    parameter: "delivery",
    to: &["getDelivery", "replayDelivery", "cancelDelivery"],
};

const _: () = assert!(EVENTS_PER_REQUEST_MAX == 100, "sendEvents says so");

async fn expunge_content<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    if expunge(call.engine, call.tenant, &id).await? {
        Ok(http::no_content())
    } else {
        Err(Problem::not_found().into())
    }
}

/// Answers what a link in a shortened body leads to. The link is the key.
async fn show_content<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let GlobalCall { engine, request, path, .. } = call;
    let [tenant, id] = path else { return Err(Problem::not_found().into()) };
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
    Ok(http::json(200, &Event::of(&row.event).map_err(write_failure)?))
}

async fn list<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let now = call.engine.clock().now();
    let page = call
        .engine
        .store()
        .events_by_time(call.tenant, &call.page(CursorForm::Event)?, now)
        .await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in &page.items {
        items.push(Event::of_row(&row.event, row.event_accepted_at, None).map_err(write_failure)?);
    }
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}

async fn show<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    let found = call.engine.store().event_with_deliveries(call.tenant, &id).await?;
    let now = call.engine.clock().now();
    let (row, rows) = found.ok_or_else(Problem::not_found)?;
    // In time that has passed, whatever the clock shows; and not while something of it is owed.
    let accepted_at = call.engine.clock().reckon(row.event_accepted_at);
    let is_owed = rows.iter().any(|delivery| delivery.open().is_some());
    if accepted_at.plus_s(EVENT_RETENTION_S) <= now && !is_owed {
        return Err(Problem::not_found().into());
    }
    let deliveries = briefs(&row, &rows, now);
    let event = Event::of_row(&row.event, row.event_accepted_at, Some(&deliveries))
        .map_err(write_failure)?;
    Ok(http::json(200, &event))
}

/// The deliveries of an event: by their rows, and as pending where they have none.
fn briefs(row: &EventRow, rows: &[Delivery], now: Timestamp) -> Vec<DeliveryBrief> {
    let mut briefs = Vec::with_capacity(row.targets.len());
    for target in &row.targets {
        let key = row.delivery_key(target);
        let found = rows
            .iter()
            .find(|found| found.key == key && found.event_accepted_at == row.event_accepted_at);
        briefs.push(match found {
            Some(delivery) => DeliveryBrief::of(delivery, now),
            None => DeliveryBrief::pending(&row.pending(target), now),
        });
    }
    briefs
}

fn write_failure(error: serde_json::Error) -> Refusal {
    Refusal::Ours(EngineError::unreadable("write answer", error))
}
