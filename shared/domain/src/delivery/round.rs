//! A round of a delivery: the attempts from its event, or from a replay, until it ends.

use crate::delivery::attempt::Outcome;
use crate::timestamp::Timestamp;

/// The place of an attempt within its round, as receivers are told it. A replay of a final delivery
/// begins a new round.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// The number of the attempt within its round, from 1.
    pub attempt: u32,
    /// The number of attempts that the retry policy allows in a round.
    pub attempts_max: u32,
    /// When the first attempt of the round began.
    pub began_at: Timestamp,
    /// The outcome of the attempt before; none at the first.
    pub reason: Option<Outcome>,
}

impl Round {
    /// Makes the round of a test event: a single attempt that begins now.
    pub fn single(now: Timestamp) -> Self {
        Self { attempt: 1, attempts_max: 1, began_at: now, reason: None }
    }
}
