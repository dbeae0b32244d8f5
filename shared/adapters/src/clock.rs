//! Tells the time by the system's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock;

/// The system's clock and the runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(Duration::from_millis(at.since_ms(self.now()))).await;
    }
}
