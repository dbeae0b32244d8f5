//! The queue's side: messages to `deliver`, what is due to `sweep`, and what keeps crashing to
//! `bury`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_domain::delivery::message::ReceivedMessage;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::limits::{FUNCTION_TIMEOUT_S, MESSAGE_RECEIVES_MAX};
use waxseal_flows::announce::announce_failure;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::ports::{Clock as _, Engine as _, EngineError};

/// The time between two sweeps. A sweep costs nothing here, so it runs more often than on AWS.
const SWEEP: Duration = Duration::from_secs(15);
/// The time between two looks at the clock: for so long the time goes on as before after a jump.
const LOOK: Duration = Duration::from_secs(1);

/// Drives the messages of one priority as they become visible, so many at a time, until told to
/// stop; then waits for those under way.
pub(crate) async fn deliver(
    engine: Arc<EmbeddedEngine>,
    priority: Priority,
    max_attempts: usize,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(max_attempts));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let received = tokio::select! {
            received = engine.queue().inbox(priority).receive() => received,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            if let Err(error) = handle(&engine, received).await {
                tracing::error!(%error, "a message comes again");
            }
            drop(place);
        });
    }
    let all = u32::try_from(max_attempts).unwrap_or(u32::MAX);
    let _places = places.acquire_many(all).await;
}

async fn handle(
    engine: &Arc<EmbeddedEngine>,
    received: ReceivedMessage,
) -> Result<(), EngineError> {
    let receipt = received.receipt.clone();
    if received.receives > MESSAGE_RECEIVES_MAX {
        waxseal_flows::bury::bury(engine.as_ref(), &received.message).await?;
        return engine.queue().remove(&receipt).await;
    }
    if received.message.check {
        // The message may be what ended the process before. Its receive is written before the
        // attempt, so that a message which keeps killing the process is buried in the end.
        engine.queue().write_receives(&receipt).await?;
    }
    let deadline = engine.clock().now().plus_s(FUNCTION_TIMEOUT_S);
    match drive(engine, received, deadline).await {
        Disposition::Done => engine.queue().remove(&receipt).await,
        Disposition::Again => Ok(()),
    }
}

/// Sweeps, and removes what has expired, until told to stop.
pub(crate) async fn sweep(engine: Arc<EmbeddedEngine>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        let deadline = engine.clock().now().plus_s(SWEEP.as_secs());
        if let Err(error) = waxseal_flows::sweep::sweep(engine.as_ref(), deadline).await {
            tracing::error!(%error, "the sweep goes on at its next turn");
        }
        if let Err(error) = expire(&engine).await {
            tracing::error!(%error, "expired events are left for the next turn");
        }
    }
}

/// Removes what has expired, and tells of deliveries that ended by it.
async fn expire(engine: &EmbeddedEngine) -> Result<(), EngineError> {
    for (delivery, event) in engine.expire().await? {
        announce_failure(engine, &delivery, &event.event).await?;
    }
    Ok(())
}

/// Follows the clock where it jumps, until told to stop.
pub(crate) async fn follow_clock(engine: Arc<EmbeddedEngine>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        if let Err(error) = engine.follow_clock().await {
            tracing::error!(%error, "the clock has jumped, and is not followed yet");
        }
    }
}
