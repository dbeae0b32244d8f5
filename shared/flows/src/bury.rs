//! Buries a message: a delivery whose message the queue gave up on, because we kept crashing on it,
//! becomes a failed delivery.
//!
//! The row is written before the message may be removed, so a delivery is never lost here.

use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::{Delivery, End, FailedReason, Guard, WriteResult};

use crate::announce::announce_failure;
use crate::ports::{DeliveryStore as _, Engine, EngineError, EventRow};

/// What became of the delivery of a message that the queue gave up on. Either way the message may
/// be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuryResult {
    /// The delivery is now `failed` with the reason `crashed`.
    Crashed,
    /// The delivery is final, or another message is responsible for it. Nothing was written.
    NothingOwed,
}

/// Ends the delivery of a message that the queue gave up on, if that message was responsible for
/// it, and announces the failure. An `Err` means that the message must stay and come again.
///
/// Idempotent by (tenant, event, endpoint): a second time the delivery is final, and announcing it
/// again is a duplicate.
pub async fn bury<E: Engine>(engine: &E, message: &Message) -> Result<BuryResult, EngineError> {
    let (row, event) = engine.store().delivery_and_event(&message.key()).await?;
    // A dead letter does not mean that its delivery is lost: the sweep may have sent another
    // message since, which holds the row. To end that delivery here would take it from a message
    // that still works on it.
    let is_ours = row.as_ref().is_none_or(|row| {
        row.event_accepted_at < message.event_accepted_at
            || (row.event_accepted_at == message.event_accepted_at
                && row.open().is_some_and(|open| open.holder.as_ref() == Some(&message.ticket)))
    });
    if !is_ours {
        announce_stored(engine, row.as_ref(), event.as_ref()).await?;
        return Ok(BuryResult::NothingOwed);
    }
    let row = message.pending().unless_stored(row);
    let guard = Guard::for_attempt(message.event_accepted_at, row.attempts + 1);
    let ended = row.end(End::Failed(FailedReason::Crashed));
    match engine.store().record_attempt(guard, &ended).await? {
        WriteResult::Done => {
            let (tenant, delivery) = (&message.tenant, message.key().id());
            tracing::error!(%tenant, %delivery, "crashed: given up");
            announce_stored(engine, Some(&ended), event.as_ref()).await?;
            Ok(BuryResult::Crashed)
        }
        // The row was changed since it was read. An error keeps the message, which is looked at
        // again when it comes again.
        WriteResult::Refused(_) => {
            Err(EngineError::conflict("bury delivery", "its row was just changed"))
        }
    }
}

/// Announces a failure that is stored, since a crash may have come between its record and its
/// notice. A row and an event of different `event_accepted_at` are of two events that had the same
/// id, and are left alone.
async fn announce_stored<E: Engine>(
    engine: &E,
    row: Option<&Delivery>,
    event: Option<&EventRow>,
) -> Result<(), EngineError> {
    match row.zip(event).filter(|(row, event)| row.event_accepted_at == event.event_accepted_at) {
        Some((row, event)) => announce_failure(engine, row, &event.event).await,
        None => Ok(()),
    }
}
