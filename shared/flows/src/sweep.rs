//! Sweeps the due index, each minute: what is due is claimed and goes back on the queue.
//!
//! A parked delivery comes back a little ahead of its time, with a delay, exact to a second. A
//! claim whose message is lost comes back when its lease ends.

mod gates;

use waxseal_domain::delivery::lease_until;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::DUE_SHARDS;
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{
    Claim, Clock as _, DeliveryStore as _, Due, Engine, EngineError, FailureKind, Release,
};

/// The number of entries that one turn of a shard looks at.
const PAGE: usize = 100;

/// The figures of one sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepResult {
    /// The number of deliveries that were put back on the queue.
    pub sent: usize,
    /// The number of held deliveries that their gates released.
    pub released: usize,
    /// The number of due deliveries that were not put back, because another was faster or because
    /// no answer said that the message is queued. The next sweep looks at them again.
    pub left: usize,
}

/// Sweeps all shards in turn, a page each, until nothing is due or `deadline` comes.
pub async fn sweep<E: Engine>(engine: &E, deadline: Timestamp) -> Result<SweepResult, EngineError> {
    let released = gates::review_due(engine, deadline).await?;
    let mut swept = SweepResult { released, ..SweepResult::default() };
    // The shards take turns, a page each, so that a shard with a backlog does not keep the others
    // waiting.
    let mut shards: Vec<u32> = (0..DUE_SHARDS).collect();
    while !shards.is_empty() {
        let mut more = Vec::new();
        for shard in shards {
            let now = engine.clock().now();
            if now >= deadline {
                tracing::warn!(sent = swept.sent, "the sweep's time is up: the next goes on");
                return Ok(swept);
            }
            // Never ahead of time: an entry that is not yet due may be claimed, and to take it
            // would break its lease. The index may lag, so the claim below checks the row itself.
            let page = engine.store().due_deliveries(shard, now, PAGE).await?;
            let before = swept.sent;
            for due in &page {
                let reissued = pass_over(&due.key.tenant, reissue(engine, due).await)?;
                if reissued == Some(true) {
                    swept.sent += 1;
                } else {
                    swept.left += 1;
                }
            }
            // A page of which nothing was claimed would be read again, until the time is up.
            if page.len() == PAGE && swept.sent > before {
                more.push(shard);
            }
        }
        shards = more;
    }
    Ok(swept)
}

/// Passes over what a sweep meets of a tenant and cannot read: it answers none, and the log says what it is. One
/// row in another form must not keep the sweep from all others. Any other failure is one of the whole store, and
/// ends the sweep.
fn pass_over<T>(
    tenant: &TenantName,
    met: Result<T, EngineError>,
) -> Result<Option<T>, EngineError> {
    match met {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == FailureKind::Unreadable => {
            tracing::error!(%tenant, %error, "the sweep passes over what cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Takes steps S2 and S3 for one due delivery: claims the row and sends its message. Many claims in
/// a row without a result mean that something is wrong with us, and are logged.
async fn reissue<E: Engine>(engine: &E, due: &Due) -> Result<bool, EngineError> {
    if due.claims >= 6 {
        let (tenant, delivery) = (&due.key.tenant, due.key.id());
        tracing::error!(%tenant, %delivery, claims = due.claims, "claimed again and again");
    }
    let due_at = lease_until(engine.clock().now(), due.next_at, due.claims);
    let claim = Claim { ticket: engine.ticket(), due_at, taken_at: None };
    engine.claim_and_enqueue(due, claim, Release::default()).await
}
