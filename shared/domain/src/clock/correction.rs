//! A wall clock against a time that others tell.

use crate::limits::CLOCK_ERROR_MS_MAX;
use crate::timestamp::Timestamp;

/// By how much a machine's clock is wrong, as far as a time that is not its own has told. Many functions share one
/// store: each must go by the same time, whatever its own machine shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Correction {
    last: Option<Told>,
}

/// A time that was told.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// How much time had passed by then, since an instant that does not matter.
    passed_ms: u64,
    /// What was told.
    at: Timestamp,
    /// By how much our clock is ahead of it; 0 where the two differ by little.
    ahead_ms: i64,
}

impl Correction {
    /// Takes the time that an answer tells, and returns by how much our clock is ahead of it where that has changed.
    pub fn tell(&mut self, at: Timestamp, wall: Timestamp, passed_ms: u64) -> Option<i64> {
        let differs_ms = wall.diff_ms(at);
        // A date is told in whole seconds, and an answer takes its time: a small difference says nothing.
        let ahead_ms = if differs_ms.unsigned_abs() > CLOCK_ERROR_MS_MAX { differs_ms } else { 0 };
        let before_ms = self.ahead_ms();
        self.last = Some(Told { passed_ms, at, ahead_ms });
        (ahead_ms.abs_diff(before_ms) > CLOCK_ERROR_MS_MAX).then_some(ahead_ms)
    }

    /// Takes a time that has certainly come, as that at which a message was sent. It tells a clock that is behind;
    /// one that is ahead it does not tell.
    pub fn tell_at_least(&mut self, at: Timestamp, wall: Timestamp, passed_ms: u64) -> Option<i64> {
        if self.now(wall, passed_ms).plus_ms(CLOCK_ERROR_MS_MAX) >= at {
            return None;
        }
        self.tell(at, wall, passed_ms)
    }

    /// Returns the time: what our clock shows, less what it is known to be wrong by. It is never before the last
    /// time that was told and what has passed since: a clock that was set back after the last answer is seen by
    /// that. One that was set ahead is seen at the next answer, since a function that was frozen looks the same.
    pub fn now(&self, wall: Timestamp, passed_ms: u64) -> Timestamp {
        let Some(told) = self.last else { return wall };
        let shown = wall.moved_ms(-told.ahead_ms);
        let least = told.at.plus_ms(passed_ms.saturating_sub(told.passed_ms));
        if shown.plus_ms(CLOCK_ERROR_MS_MAX) < least { least } else { shown }
    }

    /// Returns by how much our clock is ahead, in milliseconds; 0 where it is right, or nothing was told.
    pub fn ahead_ms(&self) -> i64 {
        self.last.map_or(0, |told| told.ahead_ms)
    }

    /// Returns the earliest time that it can be now, by what was told; none where nothing was.
    pub fn least(&self, passed_ms: u64) -> Option<Timestamp> {
        self.last.map(|told| told.at.plus_ms(passed_ms.saturating_sub(told.passed_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUE: Timestamp = Timestamp::from_ms(1_790_000_000_000);
    const DAYS_40_MS: i64 = 40 * 86_400_000;

    #[test]
    fn a_clock_that_is_wrong_is_corrected_by_each_answer_and_told_once() {
        for wrong_ms in [DAYS_40_MS, -DAYS_40_MS] {
            let mut clock = Correction::default();
            let wall = TRUE.moved_ms(wrong_ms);
            assert_eq!(clock.now(wall, 0), wall, "nothing was told yet");
            assert_eq!(clock.tell(TRUE, wall, 0), Some(wrong_ms));
            assert_eq!(clock.now(wall.plus_s(5), 5_000), TRUE.plus_s(5));
            assert_eq!(clock.tell(TRUE.plus_s(6), wall.plus_s(6), 6_000), None, "told before");
            assert_eq!(clock.tell(TRUE.plus_s(7), TRUE.plus_s(7), 7_000), Some(0), "set right");
            assert_eq!(clock.now(TRUE.plus_s(8), 8_000), TRUE.plus_s(8));
        }
    }

    #[test]
    fn a_small_difference_corrects_nothing() {
        let mut clock = Correction::default();
        assert_eq!(clock.tell(TRUE, TRUE.plus_ms(CLOCK_ERROR_MS_MAX), 0), None);
        assert_eq!(clock.now(TRUE.plus_s(1), 1_000), TRUE.plus_s(1));
    }

    #[test]
    fn a_clock_that_is_set_back_between_two_answers_is_seen() {
        let mut clock = Correction::default();
        clock.tell(TRUE, TRUE, 0);
        assert_eq!(clock.now(TRUE.moved_ms(-DAYS_40_MS), 9_000), TRUE.plus_s(9));
        let frozen = TRUE.plus_s(3_600);
        assert_eq!(clock.now(frozen, 10), frozen, "a frozen function sees no time pass");
    }

    #[test]
    fn a_message_was_sent_before_now() {
        let mut clock = Correction::default();
        let behind = TRUE.moved_ms(-DAYS_40_MS);
        assert_eq!(clock.tell_at_least(TRUE, behind, 0), Some(-DAYS_40_MS));
        assert_eq!(clock.now(behind.plus_s(1), 1_000), TRUE.plus_s(1));
        assert_eq!(
            clock.tell_at_least(TRUE.minus_s(900), behind.plus_s(2), 2_000),
            None,
            "it has waited"
        );
    }
}
