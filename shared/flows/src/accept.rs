//! Accepts events: each is validated, stored once with the endpoints that it is owed to, and its
//! messages are queued. Only then is it acknowledged, so that a crash before that makes the sender
//! send it again.
//!
//! Called by `ingest` and by the receiver. The steps are I1 to I7 of the protocol.

mod decide;

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::value::{RawValue, to_raw_value};
use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::event::acceptance::{Acceptance, OwedDelivery};
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::event::{AcceptedEvent, Submission};
use waxseal_domain::id::{EndpointId, TenantName, base32};
use waxseal_domain::limits::{DUPLICATE_DELAY_S, ENDPOINT_COPY_INGEST_S};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;

use self::decide::{Decided, Decision, Room};
use crate::catalogue;
use crate::ports::{
    AcceptResult, Clock, ConfigStore, Engine, EngineError, EventRow, EventStore, MaxAge,
    TenantEndpoints,
};
use crate::refusal::Refusal;

/// Events of one request that are on their way at the same time.
const CONCURRENT: usize = 16;

/// Accepts events of one tenant, each on its own; the results are in the events' order. Payloads must
/// fit the schemas of the tenant's catalogue.
pub async fn accept_all<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    submissions: &[Submission],
) -> Result<Vec<Result<Acceptance, Refusal>>, Refusal> {
    let found = engine.store().endpoints(tenant, MaxAge::seconds(ENDPOINT_COPY_INGEST_S)).await?;
    let tenant_endpoints = found.ok_or_else(|| Refusal::Problem(Problem::not_found()))?;
    let catalogue = if tenant_endpoints.has_catalogue {
        engine.store().event_types(tenant, MaxAge::seconds(ENDPOINT_COPY_INGEST_S)).await?
    } else {
        Arc::default()
    };
    accept_each(engine, tenant, &tenant_endpoints, &catalogue, submissions).await
}

/// Accepts an event that Waxseal itself sends, such as a notice. It is not checked against the
/// schemas of the tenant's catalogue.
pub(crate) async fn accept_own<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    submission: Submission,
) -> Result<Vec<Result<Acceptance, Refusal>>, Refusal> {
    let found = engine.store().endpoints(tenant, MaxAge::seconds(ENDPOINT_COPY_INGEST_S)).await?;
    let tenant_endpoints = found.ok_or_else(|| Refusal::Problem(Problem::not_found()))?;
    accept_each(engine, tenant, &tenant_endpoints, &[], &[submission]).await
}

async fn accept_each<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoints: &Arc<TenantEndpoints>,
    catalogue: &[EventType],
    submissions: &[Submission],
) -> Result<Vec<Result<Acceptance, Refusal>>, Refusal> {
    let mut results = Vec::with_capacity(submissions.len());
    let mut room = Room::of(submissions);
    for chunk in submissions.chunks(CONCURRENT) {
        let mut checked = Vec::with_capacity(chunk.len());
        for decision in decide::decide(engine, tenant, endpoints, chunk, &mut room).await {
            // One after another: a tenant's checks wait for one another in any case.
            checked.push(check(engine, catalogue, decision).await);
        }
        results.extend(join_all(checked.into_iter().map(|one| accept(engine, one))).await);
    }
    Ok(results)
}

/// Checks an event against the schema of its type, and says who wants it.
async fn check<E: Engine>(
    engine: &E,
    catalogue: &[EventType],
    decision: Decision,
) -> Result<Owed, Refusal> {
    let Decided { accepted, at, wanting } = decision?;
    let hops = accepted.event.hops;
    if hops.is_over() {
        tracing::warn!(tenant = %accepted.event.tenant, %hops, "an event goes in a circle: its chain ends here");
        return Err(Refusal::Problem(Problem::looped(hops)));
    }
    let faults = catalogue::check(engine.schema_checker(), catalogue, &accepted.event).await?;
    if !faults.is_empty() {
        return Err(Refusal::Problem(Problem::unprocessable(faults)));
    }
    let targets = wanting.map_err(|undecided| Problem::unprocessable(vec![undecided.into()]))?;
    Ok(Owed { accepted, at, targets })
}

/// An event that is accepted once it is stored, and to whom it is owed then.
struct Owed {
    accepted: AcceptedEvent,
    at: Timestamp,
    targets: Vec<EndpointId>,
}

async fn accept<E: Engine>(engine: &E, owed: Result<Owed, Refusal>) -> Result<Acceptance, Refusal> {
    let Owed { accepted, at, targets } = owed?;
    let source = accepted.event.source.clone();
    match put(engine, accepted.clone(), targets.clone(), at).await? {
        (row, AcceptResult::Created) => Ok(acceptance(&row, false)),
        (row, AcceptResult::Exists(found)) if found.event.source == source => {
            acknowledge_duplicate(engine, &row, *found).await
        }
        // Another source of the tenant has used this id. The event is stored under an id that is
        // derived from its source and the sender's id: always the same one, so that a retry of the
        // sender finds it there and counts as a duplicate.
        _ => {
            let derived = AcceptedEvent { event: accepted.event.with_derived_id(), ..accepted };
            match put(engine, derived, targets, at).await? {
                (row, AcceptResult::Created) => Ok(acceptance(&row, false)),
                (row, AcceptResult::Exists(found)) => {
                    acknowledge_duplicate(engine, &row, *found).await
                }
            }
        }
    }
}

/// Takes steps I1 to I4 for one event id: writes the row and, if it is new, sends the messages.
async fn put<E: Engine>(
    engine: &E,
    accepted: AcceptedEvent,
    targets: Vec<EndpointId>,
    event_accepted_at: Timestamp,
) -> Result<(EventRow, AcceptResult), EngineError> {
    // An SDK may repeat a write that had worked and whose answer was lost. The repetition is
    // refused, and this number, found in the stored row, tells that the row is our own.
    let nonce = base32(engine.entropy());
    let AcceptedEvent { event, digest } = accepted;
    let row = EventRow { event, event_accepted_at, digest, targets, nonce, sent: false };
    let payload: Arc<RawValue> = to_raw_value(&row.event)
        .map_err(|error| EngineError::unreadable("serialise event", error))?
        .into();
    let priority = Priority::of(&row.event);
    let messages = row
        .targets
        .iter()
        .map(|target| {
            let (key, payload) = (row.delivery_key(target), Arc::clone(&payload));
            Message::first(&key, event_accepted_at, engine.ticket(), payload)
                .with_priority(priority)
        })
        .collect();
    let put = engine.accept(&row, messages).await?;
    Ok((row, put))
}

/// Answers for an event that was accepted before (I2): a conflict if its content differs, otherwise
/// the same acceptance, after sending the messages that were never sent (I5 to I7).
async fn acknowledge_duplicate<E: Engine>(
    engine: &E,
    new: &EventRow,
    found: EventRow,
) -> Result<Acceptance, Refusal> {
    if found.digest != new.digest {
        let detail = "an event of this source and id was accepted with other content";
        return Err(Refusal::Problem(Problem::conflict(detail)));
    }
    if !found.sent {
        send_missing(engine, &found).await?;
    }
    Ok(acceptance(&found, true))
}

async fn send_missing<E: Engine>(engine: &E, found: &EventRow) -> Result<(), EngineError> {
    let event = &found.event;
    // The row that the refused write brought may be old by now: another duplicate may just have
    // sent everything. So `sent` is read again, together with the deliveries' rows.
    let stored = engine.store().event_with_deliveries(&event.tenant, &event.id).await?;
    let Some((row, deliveries)) = stored.filter(|(row, _)| !row.sent) else { return Ok(()) };
    let has_row = |target: &EndpointId| {
        deliveries.iter().any(|have| {
            have.event_accepted_at == row.event_accepted_at && have.key.endpoint == *target
        })
    };
    let now = engine.clock().now();
    let missing: Vec<Message> = row
        .targets
        .iter()
        .filter(|target| !has_row(target))
        .map(|target| {
            let message = Message::reissue(
                &row.delivery_key(target),
                row.event_accepted_at,
                engine.ticket(),
                now,
            );
            // The first request may still be sending. By the time the delayed message arrives, its
            // messages have been delivered, and this one finds a row and drops itself.
            Message { delay_s: DUPLICATE_DELAY_S, ..message.with_priority(Priority::of(event)) }
        })
        .collect();
    // Every target has a row, so nothing is lost. `sent` stays false, and a later duplicate costs
    // the same reads and no write.
    if missing.is_empty() {
        return Ok(());
    }
    engine.enqueue(missing).await?;
    // Only now: were the row marked first, a crash here would leave targets to which nothing is
    // ever sent.
    engine.store().mark_sent(&row).await
}

fn acceptance(row: &EventRow, duplicate: bool) -> Acceptance {
    Acceptance {
        id: row.event.id.clone(),
        sender_id: row.event.sender_id.clone(),
        duplicate,
        deliveries: row
            .targets
            .iter()
            .map(|target| OwedDelivery {
                id: row.delivery_key(target).id(),
                endpoint_id: target.clone(),
            })
            .collect(),
    }
}
