//! A burial: what the queue gave up on, after crashes of our own, becomes a failed delivery.
//!
//! The row is written before the message may be removed, so a delivery is never lost here.

use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::{Delivery, End, FailedReason, Guard, Written};

use crate::announce::announce_failure;
use crate::ports::{DeliveryStore as _, Engine, EngineError, EventRow};

/// What became of a dead message. Its message may be removed after either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buried {
    /// Its delivery is `failed`, reason `crashed`.
    Crashed,
    /// Its delivery is another message's, or final: nothing to do.
    NothingOwed,
}

/// Ends the delivery of a dead message, if the message was responsible for it, and tells of it.
///
/// Idempotent by (tenant, event, endpoint): a second time the delivery is final, and telling it again
/// is telling it once.
pub async fn bury<E: Engine>(engine: &E, message: &Message) -> Result<Buried, EngineError> {
    let (row, event) = engine.store().delivery_and_event(&message.key()).await?;
    let is_ours = row.as_ref().is_none_or(|row| {
        row.born < message.born
            || (row.born == message.born
                && row.open().is_some_and(|open| open.holder.as_ref() == Some(&message.ticket)))
    });
    if !is_ours {
        announce_stored(engine, row.as_ref(), event.as_ref()).await?;
        return Ok(Buried::NothingOwed);
    }
    let row = message.pending().or_row(row);
    let guard = Guard::for_attempt(message.born, row.attempts + 1);
    let ended = row.ended(End::Failed(FailedReason::Crashed));
    match engine.store().record_attempt(guard, &ended).await? {
        Written::Done => {
            let (tenant, delivery) = (&message.tenant, message.key().id());
            tracing::error!(%tenant, %delivery, "crashed: given up");
            announce_stored(engine, Some(&ended), event.as_ref()).await?;
            Ok(Buried::Crashed)
        }
        // Changed under our hands: judged again when the message comes again.
        Written::Refused(_) => {
            Err(EngineError::conflict("bury delivery", "its row was just changed"))
        }
    }
}

/// A crash may have come between the record of a failure and its notice: both are of one incarnation.
async fn announce_stored<E: Engine>(
    engine: &E,
    row: Option<&Delivery>,
    event: Option<&EventRow>,
) -> Result<(), EngineError> {
    match row.zip(event).filter(|(row, event)| row.born == event.born) {
        Some((row, event)) => announce_failure(engine, row, &event.event).await,
        None => Ok(()),
    }
}
