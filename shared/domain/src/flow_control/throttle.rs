//! How often an owner may do what costs others: an API key's requests, a tenant's, a source's hooks, a tenant's
//! deliveries. Counted in windows of ten seconds, in one place for all instances, which an instance asks for many at a
//! time.
//!
//! Of each window an instance lets a hundredth pass unasked, so that an owner that does little costs no call. A
//! bound is therefore exact to one percent for each instance that serves its owner.

use std::sync::{Mutex, PoisonError};

use crate::bounded_map::BoundedMap;
use crate::flow_control::rate::{Rate, TokenRequest};
use crate::limits::RATE_WINDOW_S;
use crate::timestamp::Timestamp;

/// The number of owners that are counted at the same time. When there are more, counting begins anew.
const OWNERS_MAX: usize = 10_000;
/// The share of a window that an instance lets pass without asking the store: one in so many.
const UNASKED: u32 = 100;
/// The share of a window that an instance asks the store for at a time: one in so many.
/// More would let one instance hoard them, fewer would cost more writes.
const SHARE: u32 = 20;
/// The least number of seconds between two notes of a key's use.
const NOTED_S: u64 = 60;

/// What this instance has let pass of each owner in the running window. Owners have the names under which stores count
/// their tokens.
#[derive(Debug)]
pub struct Throttle(Mutex<BoundedMap<String, Use>>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Mutex::new(BoundedMap::new(OWNERS_MAX)))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    window: u64,
    /// How many may still pass without asking the store.
    left: u32,
    /// Whether the window is used up.
    is_over: bool,
    noted_at: Timestamp,
}

/// The answer to whether one more may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may pass.
    Granted,
    /// It may not pass, nor may any other in this window.
    Refused,
    /// The store is to be asked for these; [`Throttle::record_grant`] takes its answer.
    Ask(TokenRequest),
}

impl Throttle {
    /// Whether one more of an owner may pass now.
    pub fn ask(&self, whose: &str, rate: Rate, now: Timestamp) -> Admission {
        let most = rate.per_window();
        let window = now.seconds() / RATE_WINDOW_S;
        self.with(whose, |found| {
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

    /// Takes the store's answer, and says whether the one that asked may pass.
    pub fn record_grant(&self, whose: &str, wanted: TokenRequest, granted: u32) -> bool {
        self.with(whose, |found| {
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
    pub fn is_use_to_be_noted(&self, key: &str, now: Timestamp) -> bool {
        self.with(key, |found| {
            let is_due = now >= found.noted_at.plus_s(NOTED_S);
            if is_due {
                found.noted_at = now;
            }
            is_due
        })
    }

    fn with<T>(&self, whose: &str, work: impl FnOnce(&mut Use) -> T) -> T {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(owners.get_or_insert_with(whose.to_owned(), Use::default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_004_000);

    const KEY: &str = "key_1";
    const HUNDRED: Rate = Rate::per_second(100);
    const ONE: Rate = Rate::per_second(1);

    #[test]
    fn a_hundredth_passes_unasked_and_then_a_twentieth_is_asked_for() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            assert_eq!(throttle.ask(KEY, HUNDRED, NOW), Admission::Granted);
        }
        let Admission::Ask(wanted) = throttle.ask(KEY, HUNDRED, NOW) else { panic!("unasked") };
        assert_eq!((wanted.window, wanted.count, wanted.most), (100, 50, 1_000));
        assert!(throttle.record_grant(KEY, wanted, 50));
        for _ in 0..49 {
            assert_eq!(throttle.ask(KEY, HUNDRED, NOW), Admission::Granted);
        }
        assert_eq!(throttle.ask(KEY, HUNDRED, NOW), Admission::Ask(wanted));
        assert!(!throttle.record_grant(KEY, wanted, 0));
        assert_eq!(throttle.ask(KEY, HUNDRED, NOW), Admission::Refused, "and asks no more");
        let next = Timestamp::from_ms(1_010_000);
        assert_eq!(throttle.ask(KEY, HUNDRED, next), Admission::Granted, "a window anew");
    }

    #[test]
    fn an_answer_of_the_window_before_changes_nothing() {
        let throttle = Throttle::default();
        assert_eq!(throttle.ask(KEY, ONE, NOW), Admission::Granted);
        let Admission::Ask(wanted) = throttle.ask(KEY, ONE, NOW) else { panic!("unasked") };
        let next = Timestamp::from_ms(1_010_000);
        assert_eq!(throttle.ask(KEY, ONE, next), Admission::Granted);
        assert!(!throttle.record_grant(KEY, wanted, 0));
        assert!(matches!(throttle.ask(KEY, ONE, next), Admission::Ask(_)));
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let throttle = Throttle::default();
        let at = |s| throttle.is_use_to_be_noted(KEY, NOW.plus_s(s));
        assert_eq!([at(0), at(1), at(59), at(60), at(61)], [true, false, false, true, false]);
    }

    #[test]
    fn a_window_is_over_once_nothing_is_left_and_nothing_was_granted() {
        let throttle = Throttle::default();
        assert_eq!(throttle.ask(KEY, ONE, NOW), Admission::Granted);
        let Admission::Ask(wanted) = throttle.ask(KEY, ONE, NOW) else { panic!("unasked") };
        assert!(throttle.record_grant(KEY, wanted, 1), "the request that asked takes the token");
        assert_eq!(throttle.ask(KEY, ONE, NOW), Admission::Ask(wanted), "more may be granted");
        // Of two requests that asked at the same time, one was granted more than it took.
        assert!(throttle.record_grant(KEY, wanted, 2));
        assert!(!throttle.record_grant(KEY, wanted, 0));
        assert_eq!(throttle.ask(KEY, ONE, NOW), Admission::Granted, "what is left still passes");
    }
}
