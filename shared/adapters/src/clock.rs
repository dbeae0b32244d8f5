//! Tells the time: by the system's clock, or by one that a test can set ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock;

/// The system's clock and the runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        // A clock that stands before 1970 reads 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(Duration::from_millis(at.since_ms(self.now()))).await;
    }
}

/// The system's clock, ahead of it by as long as it was moved. An embedded engine and all its parts share one,
/// so that a test need not wait for what is due in an hour; nobody else moves it.
#[derive(Clone, Debug, Default)]
pub struct MovableClock {
    /// Where it stands by itself; none where it goes with the system's.
    standing_at: Option<Timestamp>,
    ahead_ms: Arc<AtomicU64>,
    moved: Arc<Notify>,
}

impl MovableClock {
    /// A clock that stands, but for being moved: what happens by it is the same each time.
    pub fn standing_at(at: Timestamp) -> Self {
        Self { standing_at: Some(at), ..Self::default() }
    }

    /// Moves it ahead, for all who share it. Who waits for a time that has come now waits no longer.
    pub fn advance(&self, by: Duration) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.moved.notify_waiters();
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let base = self.standing_at.unwrap_or_else(|| SystemClock.now());
        base.plus_ms(self.ahead_ms.load(Ordering::Relaxed))
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let moved = self.moved.notified();
            let left_ms = at.since_ms(self.now());
            if left_ms == 0 {
                return;
            }
            let _moved = tokio::time::timeout(Duration::from_millis(left_ms), moved).await;
        }
    }
}
