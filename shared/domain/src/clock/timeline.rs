//! A wall clock against the time that has passed.

use serde::{Deserialize, Serialize};

use super::{Jump, Jumps};
use crate::limits::{CLOCK_STEP_MS_MAX, DOWN_BELIEVED_S_MAX};
use crate::timestamp::Timestamp;

/// The time that one process goes by. It follows the wall clock, but for a jump: that it follows only once
/// everything that was planned by the old time has been moved by as much ([`Timeline::follow`]). Until then it goes
/// on as time passes, so that nothing is judged by one time and was planned by another.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What the wall clock showed, and how much time had passed by then, since an instant that does not matter.
    anchor: (Timestamp, u64),
    jumps: Jumps,
}

/// What the last process on a store saw of its clock, for the next one to compare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// What the clock showed.
    pub at: Timestamp,
    /// Which start of the machine it was, and how many milliseconds had passed since, where the machine tells.
    pub uptime: Option<(String, u64)>,
    /// Every jump so far.
    pub jumps: Jumps,
}

impl LastSeen {
    /// Returns the jump that lies between what was seen last and now, and whether it is known: where the machine has
    /// not been started anew, it tells how much time has passed. Where it has been, nobody knows how long it was
    /// off, and a clock that was set back is known by that alone. Of a long absence a day is believed to have
    /// passed: what is owed does not expire by what is not known.
    pub fn jump_until(
        &self,
        now: Timestamp,
        uptime: Option<&(String, u64)>,
    ) -> Option<(Jump, bool)> {
        let passed_ms =
            self.uptime.as_ref().zip(uptime).and_then(|((boot, before), (same, after))| {
                if boot == same { after.checked_sub(*before) } else { None }
            });
        let (expected, is_known) = match passed_ms {
            Some(passed_ms) => (self.at.plus_ms(passed_ms), true),
            None if now < self.at => (self.at, true),
            None => (now.min(self.at.plus_s(DOWN_BELIEVED_S_MAX)), false),
        };
        jump_from(expected, now).map(|jump| (jump, is_known))
    }
}

impl Timeline {
    /// Begins at what the wall clock shows, with the jumps that are known from before.
    pub fn new(wall: Timestamp, passed_ms: u64, jumps: Jumps) -> Self {
        Self { anchor: (wall, passed_ms), jumps }
    }

    /// Returns the time: what the wall clock shows, unless it has jumped and that is not followed yet.
    pub fn now(&self, wall: Timestamp, passed_ms: u64) -> Timestamp {
        let expected = self.expected(passed_ms);
        if jump_from(expected, wall).is_some() { expected } else { wall }
    }

    /// Returns the jump that is not followed yet. The anchor stays where it was, so that many small steps in one
    /// direction are a jump as well, in the end.
    pub fn pending(&self, wall: Timestamp, passed_ms: u64) -> Option<Jump> {
        jump_from(self.expected(passed_ms), wall)
    }

    /// Follows a jump: from now on the time is what the wall clock shows.
    pub fn follow(&mut self, jump: Jump) {
        let (wall, passed_ms) = self.anchor;
        self.anchor = (wall.moved_ms(jump.by_ms), passed_ms);
        self.jumps.add(jump);
    }

    /// Counts time as passed that the process could not see pass, since the machine slept.
    pub fn slept(&mut self, ms: u64) {
        self.anchor.0 = self.anchor.0.plus_ms(ms);
    }

    /// Returns the jumps so far.
    pub fn jumps(&self) -> &Jumps {
        &self.jumps
    }

    fn expected(&self, passed_ms: u64) -> Timestamp {
        let (wall, before) = self.anchor;
        wall.plus_ms(passed_ms.saturating_sub(before))
    }
}

/// The jump from the time that is expected to the one that is shown; none where they differ by a small step.
fn jump_from(expected: Timestamp, shown: Timestamp) -> Option<Jump> {
    let by_ms = shown.diff_ms(expected);
    (by_ms.unsigned_abs() > CLOCK_STEP_MS_MAX).then_some(Jump { to: shown, by_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Timestamp = Timestamp::from_ms(1_790_000_000_000);
    const DAYS_40_MS: i64 = 40 * 86_400_000;

    #[test]
    fn a_small_step_is_followed_and_a_jump_waits_until_it_is_followed() {
        let mut timeline = Timeline::new(BEGAN, 500, Jumps::default());
        let step = BEGAN.plus_ms(1_000 + CLOCK_STEP_MS_MAX);
        assert_eq!(timeline.now(step, 1_500), step);
        assert_eq!(timeline.pending(step, 1_500), None);
        for by_ms in [DAYS_40_MS, -DAYS_40_MS] {
            let passed_ms = 60_500;
            let expected = timeline.now(BEGAN.plus_s(60), passed_ms);
            let wall = expected.moved_ms(by_ms);
            assert_eq!(timeline.now(wall, passed_ms), expected, "as time has passed");
            let jump = timeline.pending(wall, passed_ms).unwrap();
            assert_eq!(jump, Jump { to: wall, by_ms });
            timeline.follow(jump);
            assert_eq!(timeline.now(wall, passed_ms), wall);
            assert_eq!(timeline.pending(wall.plus_s(9), passed_ms + 9_000), None);
            timeline = Timeline::new(BEGAN, 500, Jumps::default());
        }
    }

    #[test]
    fn small_steps_in_one_direction_are_a_jump_in_the_end() {
        let timeline = Timeline::new(BEGAN, 0, Jumps::default());
        let wall = BEGAN.plus_ms(CLOCK_STEP_MS_MAX / 2);
        assert_eq!(timeline.pending(wall, 0), None);
        assert!(timeline.pending(wall.plus_ms(CLOCK_STEP_MS_MAX), 0).is_some());
    }

    #[test]
    fn a_machine_that_slept_has_not_jumped() {
        let mut timeline = Timeline::new(BEGAN, 0, Jumps::default());
        timeline.slept(3_600_000);
        assert_eq!(timeline.pending(BEGAN.plus_s(3_600), 5), None);
    }

    #[test]
    fn a_store_tells_the_next_process_whether_the_clock_has_jumped() {
        let boot = |name: &str, ms| Some((name.to_owned(), ms));
        let seen = LastSeen { at: BEGAN, uptime: boot("a", 1_000), jumps: Jumps::default() };
        let known = |now: Timestamp, uptime: &Option<(String, u64)>| {
            seen.jump_until(now, uptime.as_ref()).map(|(jump, is_known)| (jump.by_ms, is_known))
        };
        assert_eq!(known(BEGAN.plus_s(60), &boot("a", 61_000)), None);
        let ahead = BEGAN.plus_s(60).moved_ms(DAYS_40_MS);
        assert_eq!(known(ahead, &boot("a", 61_000)), Some((DAYS_40_MS, true)));
        assert_eq!(known(ahead, &boot("a", 3_456_061_000)), None, "it was off for 40 days");
        assert_eq!(known(BEGAN.minus_s(60), &boot("b", 5)), Some((-60_000, true)));
        assert_eq!(known(BEGAN.plus_s(DOWN_BELIEVED_S_MAX), &None), None);
        let unknown = 1_000 * i64::try_from(DOWN_BELIEVED_S_MAX).unwrap();
        assert_eq!(known(ahead, &boot("b", 5)), Some((DAYS_40_MS + 60_000 - unknown, false)));
    }
}
