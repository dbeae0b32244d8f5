//! `deliver`: one message, at most one POST, its result recorded, the message settled.
//!
//! [`attempt`] is the spine. [`drive`] puts it where a panic or a hang of one message leaves the
//! others alone, and turns our own failures into a later try.

mod attempt;
mod gate;
mod pass;

use std::sync::Arc;
use std::time::Duration;

pub use attempt::attempt;
use waxseal_domain::message::Received;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, Engine, Queue as _};

/// What becomes of a message in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is done with, and to be removed.
    Done,
    /// It comes again: it must not be removed.
    Again,
}

/// Kept free at the end of an invocation for recording a result, in seconds.
const RECORD_S: u64 = 3;

/// Drives one message until `deadline`, apart from its neighbours.
pub async fn drive<E: Engine>(engine: &Arc<E>, received: Received, deadline: Timestamp) -> Settled {
    let now = engine.clock().now();
    let spine = {
        let (engine, received) = (Arc::clone(engine), received.clone());
        let post_by = deadline.minus_s(RECORD_S);
        async move { attempt(&*engine, &received, post_by, deadline).await }
    };
    let mut task = tokio::spawn(spine);
    let left = Duration::from_millis(deadline.since_ms(now));
    let failure = match tokio::time::timeout(left, &mut task).await {
        Ok(Ok(Ok(settled))) => return settled,
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(panic)) => panic.to_string(),
        Err(_) => {
            task.abort();
            "no end before the deadline".to_owned()
        }
    };
    let message = &received.message;
    let (tenant, delivery) = (&message.tenant, message.key().id());
    tracing::error!(%tenant, %delivery, failure, "our own failure: the message comes again");
    back_off(engine.as_ref(), &received).await;
    Settled::Again
}

/// Our own failure writes no row; the message waits ever longer, so that 20 receives span hours.
async fn back_off<E: Engine>(engine: &E, received: &Received) {
    let doubled = 5_u64.saturating_mul(1 << received.receives.min(10));
    if let Err(error) = engine.queue().wait(&received.receipt, doubled.min(900)).await {
        tracing::warn!(%error, "the message comes again at its queue's visibility");
    }
}
