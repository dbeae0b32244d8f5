//! How often API keys call: counted in windows of ten seconds, in one place for all instances, which
//! an instance asks for many requests at a time.
//!
//! Of each window an instance lets a hundredth pass unasked, so that a key that is used now and then
//! costs no call. A key's bound is therefore exact to one percent for each instance that serves it.

use std::sync::{Mutex, PoisonError};

use crate::bounded_map::BoundedMap;
use crate::flow_control::rate::TokenRequest;
use crate::id::ApiKeyId;
use crate::limits::RATE_WINDOW_S;
use crate::timestamp::Timestamp;

/// The number of keys that are counted at the same time. When there are more, counting begins anew.
const KEYS_MAX: usize = 10_000;
/// The share of a window's requests that an instance lets pass without asking the store: one in so
/// many.
const UNASKED: u32 = 100;
/// The share of a window's requests that an instance asks the store for at a time: one in so many.
/// More would let one instance hoard them, fewer would cost more writes.
const SHARE: u32 = 20;
/// The least number of seconds between two notes of a key's use.
const NOTED_S: u64 = 60;

/// The requests of each key that this instance has let pass in the running window.
#[derive(Debug)]
pub struct Throttle(Mutex<BoundedMap<ApiKeyId, Use>>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Mutex::new(BoundedMap::new(KEYS_MAX)))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    window: u64,
    /// The number of requests that may still pass without asking the store.
    left: u32,
    /// Whether the window is used up.
    is_over: bool,
    noted_at: Timestamp,
}

/// The answer to whether one more request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The request may pass.
    Granted,
    /// The request may not pass, nor may any other in this window.
    Refused,
    /// The store is to be asked for these; [`Throttle::record_grant`] takes its answer.
    Ask(TokenRequest),
}

impl Throttle {
    /// Whether one more request of a key may pass now.
    pub fn ask(&self, key: &ApiKeyId, max_per_second: u32, now: Timestamp) -> Admission {
        let most = max_per_second.saturating_mul(u32::try_from(RATE_WINDOW_S).unwrap_or(u32::MAX));
        let window = now.seconds() / RATE_WINDOW_S;
        self.with(key, |found| {
            if found.window != window {
                let left = (most / UNASKED).max(1);
                *found = Use { window, left, is_over: false, ..*found };
            }
            if found.is_over {
                return Admission::Refused;
            }
            if let Some(left) = found.left.checked_sub(1) {
                found.left = left;
                return Admission::Granted;
            }
            Admission::Ask(TokenRequest { window, count: (most / SHARE).max(1), most })
        })
    }

    /// Takes the store's answer, and says whether the request that asked may pass.
    pub fn record_grant(&self, key: &ApiKeyId, wanted: TokenRequest, granted: u32) -> bool {
        self.with(key, |found| {
            // An answer may come after its window has ended. Its tokens are void then and must not
            // count for the next window.
            if found.window == wanted.window {
                found.left = found.left.saturating_add(granted.saturating_sub(1));
                found.is_over = granted == 0 && found.left == 0;
            }
            granted > 0
        })
    }

    /// Whether a key's use must be noted now, at most once a minute. The answer `true` counts as
    /// noted.
    pub fn is_use_to_be_noted(&self, key: &ApiKeyId, now: Timestamp) -> bool {
        self.with(key, |found| {
            // A use that was noted later than now was noted by a clock that was ahead.
            let is_due = now >= found.noted_at.plus_s(NOTED_S) || found.noted_at > now;
            if is_due {
                found.noted_at = now;
            }
            is_due
        })
    }

    fn with<T>(&self, key: &ApiKeyId, work: impl FnOnce(&mut Use) -> T) -> T {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(keys.get_or_insert_with(key.clone(), Use::default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_004_000);

    fn key() -> ApiKeyId {
        "key_1".parse().unwrap()
    }

    #[test]
    fn a_hundredth_passes_unasked_and_then_a_twentieth_is_asked_for() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            assert_eq!(throttle.ask(&key(), 100, NOW), Admission::Granted);
        }
        let Admission::Ask(wanted) = throttle.ask(&key(), 100, NOW) else { panic!("unasked") };
        assert_eq!((wanted.window, wanted.count, wanted.most), (100, 50, 1_000));
        assert!(throttle.record_grant(&key(), wanted, 50));
        for _ in 0..49 {
            assert_eq!(throttle.ask(&key(), 100, NOW), Admission::Granted);
        }
        assert_eq!(throttle.ask(&key(), 100, NOW), Admission::Ask(wanted));
        assert!(!throttle.record_grant(&key(), wanted, 0));
        assert_eq!(throttle.ask(&key(), 100, NOW), Admission::Refused, "and asks no more");
        let next = Timestamp::from_ms(1_010_000);
        assert_eq!(throttle.ask(&key(), 100, next), Admission::Granted, "a window anew");
    }

    #[test]
    fn an_answer_of_the_window_before_changes_nothing() {
        let throttle = Throttle::default();
        assert_eq!(throttle.ask(&key(), 1, NOW), Admission::Granted);
        let Admission::Ask(wanted) = throttle.ask(&key(), 1, NOW) else { panic!("unasked") };
        let next = Timestamp::from_ms(1_010_000);
        assert_eq!(throttle.ask(&key(), 1, next), Admission::Granted);
        assert!(!throttle.record_grant(&key(), wanted, 0));
        assert!(matches!(throttle.ask(&key(), 1, next), Admission::Ask(_)));
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let throttle = Throttle::default();
        let at = |s| throttle.is_use_to_be_noted(&key(), NOW.plus_s(s));
        assert_eq!([at(0), at(1), at(59), at(60), at(61)], [true, false, false, true, false]);
    }
}
