//! Waiting for what can be told, as long as it takes and no longer.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use crate::fixtures::nap;

/// Milliseconds between the first two looks; each later pause is twice as long, up to [`PAUSE_MAX_MS`].
const PAUSE_MIN_MS: u64 = 2;
const PAUSE_MAX_MS: u64 = 250;

/// Looks again and again until what is waited for is there, and answers with it. `look` says what it sees
/// instead, and the last of that is the panic's message once `within` is over.
pub async fn eventually<T, Sight: Debug>(
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, Sight>,
) -> T {
    let began = Instant::now();
    let mut pause_ms = PAUSE_MIN_MS;
    loop {
        match look().await {
            Ok(there) => return there,
            Err(seen) => {
                let waited = began.elapsed();
                assert!(waited < within, "not within {within:?}: {seen:?}");
            }
        }
        nap(pause_ms).await;
        pause_ms = (pause_ms * 2).min(PAUSE_MAX_MS);
    }
}

/// The same of a condition without words of its own.
pub async fn eventually_true(within: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually(within, async || if holds().await { Ok(()) } else { Err(what) }).await;
}
