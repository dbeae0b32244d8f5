//! A sweep: each minute, what is due in the index goes back on the queue, claimed first.
//!
//! A parked delivery comes back a little ahead of its time, with a delay, exact to a second. A claim
//! whose message is lost comes back when its lease ends.

mod gates;

use waxseal_domain::delivery::lease_until;
use waxseal_domain::limits::DUE_SHARDS;
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{Claim, Clock as _, DeliveryStore as _, Due, Engine, EngineError, Release};

/// Entries looked at in one turn of a shard.
const PAGE: usize = 100;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Deliveries put back on the queue.
    pub sent: usize,
    /// Held deliveries released by their gates.
    pub released: usize,
    /// Claims that another was faster with, or whose message is left to the next sweep.
    pub left: usize,
}

/// Sweeps all shards in turn, a page each, until nothing is due or `deadline` comes.
pub async fn sweep<E: Engine>(engine: &E, deadline: Timestamp) -> Result<Swept, EngineError> {
    let released = gates::review_due(engine, deadline).await?;
    let mut swept = Swept { released, ..Swept::default() };
    let mut shards: Vec<u32> = (0..DUE_SHARDS).collect();
    while !shards.is_empty() {
        let mut more = Vec::new();
        for shard in shards {
            let now = engine.clock().now();
            if now >= deadline {
                tracing::warn!(sent = swept.sent, "the sweep's time is up: the next goes on");
                return Ok(swept);
            }
            let page = engine.store().due(shard, now, PAGE).await?;
            for due in &page {
                if reissue(engine, due).await? {
                    swept.sent += 1;
                } else {
                    swept.left += 1;
                }
            }
            if page.len() == PAGE {
                more.push(shard);
            }
        }
        shards = more;
    }
    Ok(swept)
}

/// S2 and S3. Many claims in a row without a result mean that something is wrong with us.
async fn reissue<E: Engine>(engine: &E, due: &Due) -> Result<bool, EngineError> {
    if due.claims >= 6 {
        let (tenant, delivery) = (&due.key.tenant, due.key.id());
        tracing::error!(%tenant, %delivery, claims = due.claims, "claimed again and again");
    }
    let due_at = lease_until(engine.clock().now(), due.next_at, due.claims);
    let claim = Claim { ticket: engine.ticket(), due_at, taken_at: None };
    engine.claim_and_enqueue(due, claim, Release::default()).await
}
