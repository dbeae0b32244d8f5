//! Replays a delivery: it is sent once more because a person asks for it, whatever its state.

use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::{Delivery, DeliveryKey, Guard, WriteResult};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::subscription::Candidate;
use waxseal_domain::problem::Problem;

use crate::ports::{Clock, ConfigStore, DeliveryStore, Engine, EventRow, MaxAge};
use crate::refusal::Refusal;

/// Sends a delivery once more, whatever its state, and returns its new row. The problem is 409
/// where the endpoint no longer wants the event, or where the delivery was changed at the same
/// time.
pub async fn replay<E: Engine>(engine: &E, key: &DeliveryKey) -> Result<Delivery, Refusal> {
    replay_after(engine, key, 0).await
}

/// Replays a delivery as [`replay`] does, but `delay_s` seconds from now. A queue delays for 15
/// minutes at most.
pub async fn replay_after<E: Engine>(
    engine: &E,
    key: &DeliveryKey,
    delay_s: u32,
) -> Result<Delivery, Refusal> {
    let OwedDelivery { stored, row, event } = find_owed(engine, key).await?;
    let endpoint = engine.store().endpoint(&key.tenant, &key.endpoint, MaxAge::NOW).await?;
    may_replay(endpoint.as_deref(), &event)?;
    let now = engine.clock().now();
    let at = now.plus_s(u64::from(delay_s));
    let ticket = engine.ticket();
    // Under the row exactly as it was read: had its last attempt just been recorded, this write
    // would undo that result. What an earlier event of this id left behind is written over.
    let guard = Guard::unchanged_since(stored.as_ref());
    let before = row.unwrap_or_else(|| event.pending(&key.endpoint));
    let message = Message::reissue(key, event.event_accepted_at, ticket.clone(), now)
        .with_priority(before.priority);
    let message = Message { delay_s, ..message };
    // The row is opened first, under the due index, and the message is sent after it. If a crash
    // comes between, the row is due in two minutes and the sweep sends a message.
    let after = before.reopen(ticket, at);
    match engine.reopen_and_enqueue(guard, &after, message).await? {
        WriteResult::Done => Ok(after),
        WriteResult::Refused(_) => {
            Err(Problem::conflict("the delivery was changed at the same time").into())
        }
    }
}

/// A delivery that a person names.
pub(crate) struct OwedDelivery {
    /// The row that is stored under its key, which may be of an earlier event of the same id.
    pub(crate) stored: Option<Delivery>,
    /// Its own row; none where nothing was recorded of it.
    pub(crate) row: Option<Delivery>,
    /// The event that is owed.
    pub(crate) event: EventRow,
}

/// Finds a delivery by its key. The problem is 404 where the event does not exist or is not owed to the endpoint.
pub(crate) async fn find_owed<E: Engine>(
    engine: &E,
    key: &DeliveryKey,
) -> Result<OwedDelivery, Refusal> {
    let (stored, event) = engine.store().delivery_and_event(key).await?;
    let Some(event) = event.filter(|event| event.targets.contains(&key.endpoint)) else {
        return Err(Problem::not_found().into());
    };
    let row = stored.clone().filter(|row| row.event_accepted_at == event.event_accepted_at);
    Ok(OwedDelivery { stored, row, event })
}

fn may_replay(endpoint: Option<&Endpoint>, event: &EventRow) -> Result<(), Problem> {
    if event.event.expunged {
        return Err(Problem::conflict("the event's payload was expunged"));
    }
    let Some(endpoint) = endpoint else {
        return Err(Problem::conflict("the endpoint is deleted"));
    };
    if !endpoint.is_enabled() {
        return Err(Problem::conflict("the endpoint is disabled: enable it first"));
    }
    let wants = endpoint.subscription.wants(&Candidate::new(&event.event));
    let is_wanted = wants.map_err(|fault| {
        Problem::conflict(format!("the event cannot be read: {}", fault.detail))
    })?;
    if !is_wanted {
        return Err(Problem::conflict("the endpoint's subscription does not want this event"));
    }
    Ok(())
}
