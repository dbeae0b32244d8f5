//! Carries out what is decided of a message that makes no attempt now.

use std::time::Duration;

use waxseal_domain::delivery::judge::Verdict;
use waxseal_domain::delivery::message::ReceivedMessage;
use waxseal_domain::delivery::{Delivery, Guard, Settlement, WriteResult};
use waxseal_domain::event::Event;
use waxseal_domain::limits::{PARK_AT_RECEIVE, SHORTAGE_WAIT_S_MAX, WAIT_BY_VISIBILITY_S_MAX};

use super::Disposition;
use crate::announce::announce_failure;
use crate::ports::{Clock as _, Engine, EngineError, FailureKind, Queue as _};

/// Puts off an attempt that we could not make. Our own shortage may outlast a message's receives, and a message
/// that comes too often is taken for one that crashes us; so the delivery then rests, and the sweep sends
/// another. Every other failure, and the first of these, only has the message come again.
pub(super) async fn put_off<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
    row: Delivery,
    error: EngineError,
) -> Result<Disposition, EngineError> {
    if error.kind() != FailureKind::Shortage || received.receives < PARK_AT_RECEIVE {
        return Err(error);
    }
    let (tenant, delivery) = (&received.message.tenant, received.message.key().id());
    tracing::error!(%tenant, %delivery, %error, "our own shortage: the delivery rests");
    let again_at = engine.clock().now().plus_s(SHORTAGE_WAIT_S_MAX);
    follow(engine, received, Some(row), Verdict::Park(again_at)).await
}

/// Finishes a message that has nothing to do. A crash may have come between the record of a failure
/// and its notice, so a failed delivery is announced here again; its id makes that a duplicate.
pub(super) async fn drop_message<E: Engine>(
    engine: &E,
    row: Option<Delivery>,
    event: Option<Event>,
) -> Result<Disposition, EngineError> {
    if let (Some(row), Some(event)) = (row, event) {
        announce_failure(engine, &row, &event).await?;
    }
    Ok(Disposition::Done)
}

/// Carries out a verdict that makes no attempt now: writes what it asks of the row, and says what
/// becomes of the message.
pub(super) async fn follow<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
    row: Option<Delivery>,
    verdict: Verdict,
) -> Result<Disposition, EngineError> {
    let event_accepted_at = received.message.event_accepted_at;
    let row = received.message.pending().unless_stored(row);
    let guard = Guard::for_attempt(event_accepted_at, row.attempts + 1);
    let after = match verdict {
        Verdict::Drop => return Ok(Disposition::Done),
        Verdict::Wait(at) => {
            let wait_s = at.wait_s(engine.clock().now()).min(WAIT_BY_VISIBILITY_S_MAX);
            engine.queue().wait(&received.receipt, Duration::from_secs(wait_s)).await?;
            return Ok(Disposition::Again);
        }
        // One invocation never makes a second POST: there is no time for it, and the message comes
        // again and is judged anew.
        Verdict::Attempt(_) | Verdict::ClaimThenAttempt(_) => return Ok(Disposition::Again),
        Verdict::Park(at) => row.park(at),
        Verdict::Hold => row.hold(engine.clock().now()),
        Verdict::End(end) => row.end(end),
    };
    match engine.record_and_settle(guard, &after, received, Settlement::Done).await? {
        WriteResult::Done => Ok(Disposition::Done),
        // The row was changed since it was read. It is not known who was
        // faster, so the message is kept and judged by the new row.
        WriteResult::Refused(_) => Ok(Disposition::Again),
    }
}
