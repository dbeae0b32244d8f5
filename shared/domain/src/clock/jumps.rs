//! How far a clock was moved, and ages in time that has passed.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::limits::CLOCK_JUMPS_MAX;
use crate::timestamp::Timestamp;

/// One move of a clock by more than time can have passed, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// What the clock showed after it.
    pub to: Timestamp,
    /// By how much it was moved, in milliseconds; negative where it was set back.
    pub by_ms: i64,
}

/// The jumps of a clock, in the order in which they happened; a bounded number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jumps(Vec<Jump>);

impl Jumps {
    /// Adds a jump. Where there are too many, the two oldest become one that makes nothing look older than it is.
    pub fn add(&mut self, jump: Jump) {
        self.0.push(jump);
        if self.0.len() > CLOCK_JUMPS_MAX {
            let oldest = self.0.remove(0);
            if let Some(next) = self.0.first_mut() {
                next.to = next.to.max(oldest.to);
                next.by_ms = next.by_ms.max(0).saturating_add(oldest.by_ms.max(0));
            }
        }
    }

    /// Returns the last jump; none where the clock has never jumped.
    pub fn last(&self) -> Option<Jump> {
        self.0.last().copied()
    }

    /// Returns how long ago something was written that the clock says was written at `since`, in time that has
    /// passed. It is never more than the clock says: of two readings the younger is taken, since what is too young
    /// is only kept for longer.
    pub fn age_ms(&self, since: Timestamp, now: Timestamp) -> u64 {
        now.since_ms(self.reckon(since))
    }

    /// Returns what a time that the clock told earlier is by the clock as it is set now: so much later as the clock was
    /// moved ahead since.
    pub fn reckon(&self, at: Timestamp) -> Timestamp {
        at.plus_ms(self.moved_since(at))
    }

    /// Returns the times of what is at least `age_s` old: each range holds its beginning and not its end.
    pub fn older_than(&self, age_s: u64, now: Timestamp) -> Vec<Range<Timestamp>> {
        let mut edges: Vec<Timestamp> = self.0.iter().map(|jump| jump.to).collect();
        edges.push(Timestamp::default());
        edges.sort_unstable();
        edges.dedup();
        let ends = edges.iter().skip(1).copied().chain([Timestamp::from_ms(u64::MAX)]);
        let ranges = edges.iter().zip(ends).map(|(&begin, end)| {
            // An age of exactly `age_s` counts.
            let latest = now.minus_s(age_s).minus_ms(self.moved_since(begin)).plus_ms(1);
            begin..end.min(latest)
        });
        ranges
            .filter(|range| range.start < range.end && now.since_ms(range.start) >= age_s * 1_000)
            .collect()
    }

    /// Returns a time before which nothing was written that is younger than `age_s`.
    pub fn earliest(&self, age_s: u64, now: Timestamp) -> Timestamp {
        let ahead = self.0.iter().map(|jump| u64::try_from(jump.by_ms).unwrap_or(0));
        now.minus_s(age_s).minus_ms(ahead.fold(0, u64::saturating_add))
    }

    /// By how much the clock was moved ahead after `since`, in milliseconds.
    fn moved_since(&self, since: Timestamp) -> u64 {
        let after = self.0.iter().filter(|jump| jump.to > since);
        let moved = after.fold(0_i64, |sum, jump| sum.saturating_add(jump.by_ms));
        u64::try_from(moved).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;

    fn day(number: u64) -> Timestamp {
        Timestamp::from_ms(number * DAY_MS)
    }

    fn jumps(all: &[(u64, i64)]) -> Jumps {
        let mut jumps = Jumps::default();
        for (to, by) in all {
            jumps.add(Jump { to: day(*to), by_ms: by * i64::try_from(DAY_MS).unwrap() });
        }
        jumps
    }

    #[test]
    fn a_jump_ahead_makes_nothing_older() {
        let ahead = jumps(&[(140, 40)]);
        assert_eq!(ahead.age_ms(day(99), day(141)), 2 * DAY_MS);
        assert_eq!(ahead.age_ms(day(140), day(141)), DAY_MS, "written after it");
        assert_eq!(Jumps::default().age_ms(day(99), day(141)), 42 * DAY_MS);
    }

    #[test]
    fn what_was_written_while_the_clock_was_behind_is_as_old_as_time_has_passed() {
        let mended = jumps(&[(60, -40), (101, 40)]);
        assert_eq!(mended.age_ms(day(60), day(102)), 2 * DAY_MS);
    }

    #[test]
    fn ahead_and_back_is_as_if_nothing_had_been() {
        let back = jumps(&[(140, 40), (101, -40)]);
        assert_eq!(back.age_ms(day(99), day(102)), 3 * DAY_MS);
        assert_eq!(back.age_ms(day(140), day(102)), 0, "written while it was ahead");
    }

    #[test]
    fn what_is_old_enough_is_what_has_the_age() {
        let days_of = |ranges: Vec<Range<Timestamp>>| {
            let days =
                ranges.iter().map(|range| (range.start.ms() / DAY_MS, range.end.ms() / DAY_MS));
            days.collect::<Vec<_>>()
        };
        let age_s = 35 * 86_400;
        assert_eq!(days_of(Jumps::default().older_than(age_s, day(100))), [(0, 65)]);
        let ahead = jumps(&[(140, 40)]);
        assert_eq!(days_of(ahead.older_than(age_s, day(141))), [(0, 66)], "of 141 less 40 and 35");
        assert_eq!(days_of(ahead.older_than(age_s, day(180))), [(0, 105), (140, 145)]);
        for jumps in [ahead, jumps(&[(60, -40), (101, 40)]), jumps(&[(140, 40), (101, -40)])] {
            let old = jumps.older_than(age_s, day(150));
            for born in 0..150 {
                let is_old = jumps.age_ms(day(born), day(150)) >= age_s * 1_000;
                assert_eq!(
                    old.iter().any(|range| range.contains(&day(born))),
                    is_old,
                    "{born} of {jumps:?}"
                );
            }
        }
    }

    #[test]
    fn of_too_many_jumps_none_is_forgotten_that_makes_younger() {
        let mut many = jumps(&[(140, 40)]);
        for _ in 0..CLOCK_JUMPS_MAX {
            many.add(Jump { to: day(141), by_ms: -1 });
        }
        assert_eq!(many.0.len(), CLOCK_JUMPS_MAX);
        assert!(many.age_ms(day(99), day(142)) <= 4 * DAY_MS);
    }
}
