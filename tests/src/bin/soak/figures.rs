//! What came of a soak: deliveries, latencies, and what was lost.

use std::time::{Duration, Instant};

use waxseal_tests::client::{Client, Session};
use waxseal_tests::fixtures::nap;
use waxseal_tests::poster::AcknowledgedEvent;
use waxseal_tests::receivers::{Ledger, Receivers};

/// After the load so long is waited for what is owed: a failing receiver's retries take a second each.
const SETTLE_MAX: Duration = Duration::from_mins(3);

/// What the soak came to.
pub struct SoakFigures {
    events: usize,
    repeated: u32,
    delivered: usize,
    /// Failed with a reason, as the API tells.
    failed: usize,
    posts: u64,
    twice: usize,
    /// From an event's request leaving the client to its first POST having come whole, sorted.
    latencies_ms: Vec<f64>,
    acknowledged_ms: Vec<f64>,
    settled: Duration,
    /// Acknowledged, and neither taken by a receiver nor failed.
    pub lost: Vec<String>,
}

impl SoakFigures {
    /// Waits until all is taken that was acknowledged, asks the API of the rest, and counts.
    pub async fn settle(
        client: &Client,
        receivers: &Receivers,
        acknowledged: &[AcknowledgedEvent],
        began: Instant,
    ) -> Self {
        let waiting = Instant::now();
        let mut left = receivers.look(|ledger| find_untaken(acknowledged, ledger));
        while !left.is_empty() && waiting.elapsed() < SETTLE_MAX {
            nap(500).await;
            left = receivers.look(|ledger| find_untaken(acknowledged, ledger));
        }
        let settled = began.elapsed();
        let (mut failed, mut lost) = (0, Vec::new());
        let mut session = Session::of(client);
        for (tenant, id) in left {
            let path = format!("/v1/tenants/{tenant}/deliveries/{id}");
            let (_, delivery) = session.try_call("GET", &path, "").await.unwrap();
            if delivery["status"] == "failed" && delivery["reason"].is_string() {
                failed += 1;
            } else {
                lost.push(delivery.to_string());
            }
        }
        let owed: usize = acknowledged.iter().map(|one| one.deliveries.len()).sum();
        receivers.look(|ledger| Self {
            events: acknowledged.len(),
            repeated: acknowledged.iter().map(|one| one.repeated).sum(),
            delivered: owed - failed - lost.len(),
            failed,
            posts: ledger.values().map(|arrival| u64::from(arrival.posts)).sum(),
            twice: ledger.values().filter(|arrival| arrival.taken > 1).count(),
            latencies_ms: latencies(acknowledged, ledger),
            acknowledged_ms: sort_ms(acknowledged.iter().map(|one| one.took)),
            settled,
            lost,
        })
    }

    /// As the rows of a table.
    pub fn print(&self, rate: u64, posting: Duration) {
        let Self { events, repeated, delivered, failed, posts, twice, .. } = self;
        let a_second = |count: f64| count / posting.as_secs_f64();
        let lossless = |count: usize| f64::from(u32::try_from(count).unwrap());
        println!("| soak of the embedded server | |\n| --- | --- |");
        println!("| load | {:.0} s at {rate} events/s |", posting.as_secs_f64());
        println!("| acknowledged | {events}, {:.0}/s |", a_second(lossless(*events)));
        println!("| posted again by the sender | {repeated} |");
        println!("| deliveries | {delivered} taken, {failed} failed, {} lost |", self.lost.len());
        println!("| taken more than once | {twice} |");
        let posts_a_second = a_second(f64::from(u32::try_from(*posts).unwrap()));
        println!("| POSTs, retries included | {posts}, {posts_a_second:.0}/s |");
        for (what, sorted) in [
            ("event in to 202", &self.acknowledged_ms),
            ("event in to first POST out", &self.latencies_ms),
        ] {
            let at = |per_cent: usize| sorted[(sorted.len() - 1) * per_cent / 100];
            println!("| {what}, p50 / p99 | {:.1} / {:.1} ms |", at(50), at(99));
        }
        let after = self.settled.saturating_sub(posting).as_secs_f64();
        println!("| settled after the load | {after:.1} s |");
    }
}

/// Tenant and id of what no receiver has taken.
fn find_untaken<'a>(
    acknowledged: &'a [AcknowledgedEvent],
    ledger: &Ledger,
) -> Vec<(&'a str, &'a str)> {
    let owed = acknowledged
        .iter()
        .flat_map(|one| one.deliveries.iter().map(|id| (one.tenant.as_str(), id.as_str())));
    owed.filter(|(_, id)| ledger.get(*id).is_none_or(|arrival| arrival.taken == 0)).collect()
}

fn latencies(acknowledged: &[AcknowledgedEvent], ledger: &Ledger) -> Vec<f64> {
    let arrivals = acknowledged.iter().flat_map(|one| {
        let came = one.deliveries.iter().filter_map(|id| ledger.get(id));
        came.map(|arrival| arrival.first.saturating_duration_since(one.posted))
    });
    sort_ms(arrivals)
}

/// Turns times into milliseconds, shortest first.
fn sort_ms(times: impl Iterator<Item = Duration>) -> Vec<f64> {
    let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1_000.0).collect();
    times.sort_by(f64::total_cmp);
    times
}
