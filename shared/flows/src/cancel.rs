//! A cancel: a delivery that is still owed ends because a person asks for it.

use waxseal_domain::delivery::{CancelledReason, Delivery, DeliveryKey, End, Guard, Written};
use waxseal_domain::problem::Problem;

use crate::ports::{DeliveryStore, Engine, EngineError};
use crate::replay::find_owed;

/// Ends a delivery that is still owed: 409 where it is final.
pub async fn cancel<E: Engine>(
    engine: &E,
    key: &DeliveryKey,
) -> Result<Result<Delivery, Problem>, EngineError> {
    let (row, event) = match find_owed(engine, key).await? {
        Ok(found) => found,
        Err(problem) => return Ok(Err(problem)),
    };
    let before = row.unwrap_or_else(|| event.pending(&key.endpoint));
    let after = before.ended(End::Cancelled(CancelledReason::Requested));
    let guard = Guard::NotFinal { born: event.born };
    Ok(match engine.store().record_attempt(guard, &after).await? {
        Written::Done => Ok(after),
        Written::Refused(_) => Err(Problem::conflict("the delivery is final already")),
    })
}
