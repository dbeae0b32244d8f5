//! Cancels a delivery: one that is still owed ends because a person asks for it.

use waxseal_domain::delivery::{CancelledReason, Delivery, DeliveryKey, End, Guard, WriteResult};
use waxseal_domain::problem::Problem;

use crate::ports::{DeliveryStore, Engine};
use crate::refusal::Refusal;
use crate::replay::find_owed;

/// Ends a delivery that is still owed, and returns its row. The problem is 404 where there is no
/// such delivery and 409 where it is final.
pub async fn cancel<E: Engine>(engine: &E, key: &DeliveryKey) -> Result<Delivery, Refusal> {
    let (row, event) = find_owed(engine, key).await?;
    let before = row.unwrap_or_else(|| event.pending(&key.endpoint));
    let after = before.end(End::Cancelled(CancelledReason::Requested));
    // The condition does not look at the number of attempts, so a cancel wins over an attempt that
    // is recorded at the same moment. The message stays in the queue and drops itself when it finds
    // the row final.
    let guard = Guard::NotFinal { event_accepted_at: event.event_accepted_at };
    match engine.store().record_attempt(guard, &after).await? {
        WriteResult::Done => Ok(after),
        WriteResult::Refused(_) => Err(Problem::conflict("the delivery is final already").into()),
    }
}
