//! Cancels a delivery: one that is still owed ends because a person asks for it.

use waxseal_domain::delivery::{CancelledReason, Delivery, DeliveryKey, End, Guard, WriteResult};
use waxseal_domain::limits::CANCEL_TRIES_MAX;
use waxseal_domain::problem::Problem;

use crate::ports::{DeliveryStore, Engine, EngineError};
use crate::refusal::Refusal;
use crate::replay::{OwedDelivery, find_owed};

/// Ends a delivery that is still owed, and returns its row. The problem is 404 where there is no
/// such delivery and 409 where it is final.
pub async fn cancel<E: Engine>(engine: &E, key: &DeliveryKey) -> Result<Delivery, Refusal> {
    let OwedDelivery { stored, event, .. } = find_owed(engine, key).await?;
    // A result that is recorded meanwhile stays in the log, and the cancel goes on from it. The message stays in the
    // queue and drops itself when it finds the row final.
    let pending = event.pending(&key.endpoint);
    let ended = rewrite(engine, &pending, stored, |row| {
        row.open()?;
        Some(row.end(End::Cancelled(CancelledReason::Requested)))
    });
    match ended.await? {
        Some(row) => Ok(row),
        None => Err(Problem::conflict("the delivery is final already").into()),
    }
}

/// Writes what `change` makes of a delivery's row, over the row that it was made of and no other: where another writer
/// was faster, `change` is made of what that one wrote. Returns the row as it was written; none where `change` makes
/// nothing of it. `pending` is the delivery of which nothing was recorded, and `stored` what was read under its key.
pub(crate) async fn rewrite<E: Engine>(
    engine: &E,
    pending: &Delivery,
    mut stored: Option<Delivery>,
    change: impl Fn(Delivery) -> Option<Delivery>,
) -> Result<Option<Delivery>, EngineError> {
    let mut written = None;
    for _ in 0..CANCEL_TRIES_MAX {
        // The SDK may repeat a write that had worked: the row that refuses it is the one that was written.
        if written.is_some() && stored == written {
            return Ok(written);
        }
        let Some(after) = change(pending.clone().unless_stored(stored.clone())) else {
            return Ok(None);
        };
        let guard = Guard::unchanged_since(stored.as_ref());
        match engine.store().record_attempt(guard, &after).await? {
            WriteResult::Done => return Ok(Some(after)),
            WriteResult::Refused(found) => stored = found.map(|row| *row),
        }
        written = Some(after);
    }
    Err(EngineError::conflict("change delivery", "its row was changed again and again"))
}
