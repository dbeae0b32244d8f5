//! Runs an attempt so that a panic or a hang of one message leaves the other messages of its batch
//! alone.

use std::sync::Arc;
use std::time::Duration;

use waxseal_domain::delivery::message::ReceivedMessage;
use waxseal_domain::limits::SHORTAGE_WAIT_S_MAX;
use waxseal_domain::timestamp::Timestamp;

use super::{Disposition, attempt};
use crate::ports::{Clock as _, Engine, FailureKind, Queue as _};

/// Seconds that are kept free at the end of an invocation, so that a result can still be recorded.
const RECORD_S: u64 = 3;
/// The longest wait after our own failure, in seconds, and the only one after a failure that does not pass by itself:
/// what cannot be read is not asked for again as if it had timed out.
const BACK_OFF_S_MAX: u64 = 900;

/// Attempts one message until `deadline`, in a task of its own. Whatever fails, the answer says
/// whether the message is to be removed.
pub async fn drive<E: Engine>(
    engine: &Arc<E>,
    received: ReceivedMessage,
    deadline: Timestamp,
) -> Disposition {
    let now = engine.clock().now();
    let attempted = {
        let (engine, received) = (Arc::clone(engine), received.clone());
        let post_by = deadline.minus_s(RECORD_S);
        async move { attempt(&*engine, &received, post_by, deadline).await }
    };
    // A task of its own, since a panic ends only its task. Without it the whole batch would end,
    // and the POSTs of the neighbours would go unrecorded and be made again.
    let mut task = tokio::spawn(attempted);
    let left = Duration::from_millis(deadline.since_ms(now));
    let (failure, kind) = match tokio::time::timeout(left, &mut task).await {
        Ok(Ok(Ok(settled))) => return settled,
        Ok(Ok(Err(error))) => (error.to_string(), error.kind()),
        Ok(Err(panic)) => (panic.to_string(), FailureKind::Unavailable),
        Err(_) => {
            task.abort();
            ("no end before the deadline".to_owned(), FailureKind::Unavailable)
        }
    };
    let message = &received.message;
    let (tenant, delivery) = (&message.tenant, message.key().id());
    tracing::error!(%tenant, %delivery, failure, "our own failure: the message comes again");
    let wait_s = back_off_s(kind, received.receives);
    // No row is written for our own failure: the delivery has not changed, and whether the store
    // works is just what is in doubt.
    if let Err(error) = engine.queue().wait(&received.receipt, Duration::from_secs(wait_s)).await {
        tracing::warn!(%error, "the message comes again at its queue's visibility");
    }
    Disposition::Again
}

/// How long a message waits after our own failure, which writes no row: ever longer, so that 20 receives span hours.
/// A shortage is mostly over within seconds, and a delivery rests before its receives are used up.
fn back_off_s(kind: FailureKind, receives: u32) -> u64 {
    let doubled = 1_u64 << receives.min(10);
    if kind == FailureKind::Shortage {
        doubled.min(SHORTAGE_WAIT_S_MAX)
    } else if kind.may_pass() {
        5_u64.saturating_mul(doubled).min(BACK_OFF_S_MAX)
    } else {
        BACK_OFF_S_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_receives_span_hours() {
        let wait_s = |receives| back_off_s(FailureKind::Unavailable, receives);
        assert_eq!([1, 2, 7, 8, 20].map(wait_s), [10, 20, 640, 900, 900]);
        assert!((1..20).map(wait_s).sum::<u64>() > 3 * 3_600);
    }

    #[test]
    fn a_shortage_is_tried_again_soon_and_what_does_not_pass_is_not() {
        let short_s = |receives| back_off_s(FailureKind::Shortage, receives);
        assert_eq!([1, 2, 5, 6, 14].map(short_s), [2, 4, 32, 60, 60]);
        assert_eq!(back_off_s(FailureKind::Denied, 1), BACK_OFF_S_MAX);
    }
}
