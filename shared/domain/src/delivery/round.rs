//! A round of a delivery: the attempts from its event, or from a replay, until it ends.

use crate::delivery::attempt::Outcome;
use crate::timestamp::Timestamp;

/// Which attempt it is, as receivers are told: counted anew in each round of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// From 1.
    pub attempt: u32,
    /// How many the retry policy allows.
    pub attempts_max: u32,
    /// When the first began.
    pub began_at: Timestamp,
    /// What the attempt before came to; none at the first.
    pub reason: Option<Outcome>,
}

impl Round {
    /// Of a test event: one attempt, now.
    pub fn single(now: Timestamp) -> Self {
        Self { attempt: 1, attempts_max: 1, began_at: now, reason: None }
    }
}
