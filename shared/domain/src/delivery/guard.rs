//! The conditions under which a delivery's row may be written. A store renders them in its own
//! language; [`Guard::allows`] is what each rendering must mean, and the contract suite compares.
//!
//! A row is written whole, and a guard on `event_accepted_at`, the status and `attempts` is enough
//! for that: nothing else can have changed since the row was read but what a claim sets (`holder`,
//! `due_at`, `claims`), and every guarded write sets those anyway.

use super::{Delivery, Status};
use crate::timestamp::Timestamp;

/// A condition on the row as it is before a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Before attempt 1 is recorded: there is no row, one of an earlier `event_accepted_at`, or an
    /// open one without an attempt. The last is left by a cancel, a replay or a hold that came
    /// before the first receive.
    FirstAttempt {
        /// When the event was accepted: the row must be of it, not of another event of its id.
        event_accepted_at: Timestamp,
    },
    /// Before a later attempt is recorded: the row is open and has exactly so many recorded
    /// attempts, so that each attempt is recorded once.
    NextAttempt {
        /// When the event was accepted: the row must be of it, not of another event of its id.
        event_accepted_at: Timestamp,
        /// The number of recorded attempts that the row must have.
        attempts: u32,
    },
    /// There must be no row: for what a person does to a delivery of which nothing was recorded.
    Absent,
    /// The row must be as it was read, as far as it matters to a replay, a cancel or an expunge. It may be what is left
    /// of an earlier event of the same id, which has expired.
    Seen {
        /// When the event of the row that was read was accepted.
        event_accepted_at: Timestamp,
        /// The status that the row must have, whatever its data.
        status: StatusName,
        /// The number of recorded attempts that the row must have.
        attempts: u32,
    },
}

/// A status without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusName {
    /// The delivery is still owed.
    Open,
    /// The receiver has accepted the delivery.
    Delivered,
    /// The delivery was given up.
    Failed,
    /// The delivery is no longer owed, without having been given up.
    Cancelled,
}

impl StatusName {
    /// Returns the word by which the stores and the API know the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<&Status> for StatusName {
    fn from(status: &Status) -> Self {
        match status {
            Status::Open(_) => Self::Open,
            Status::Delivered => Self::Delivered,
            Status::Failed(_) => Self::Failed,
            Status::Cancelled(_) => Self::Cancelled,
        }
    }
}

/// What became of a conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteResult {
    /// The row was written.
    Done,
    /// Nothing was written, since the condition did not hold. The row that is there is returned, if
    /// there is one. It does not follow that another was faster: the write may be our own, repeated
    /// after its answer was lost.
    Refused(Option<Box<Delivery>>),
}

impl Guard {
    /// Returns the condition for recording attempt `number`, or for ending, holding or parking a
    /// delivery before that attempt.
    pub fn for_attempt(event_accepted_at: Timestamp, number: u32) -> Self {
        match number.saturating_sub(1) {
            0 => Self::FirstAttempt { event_accepted_at },
            attempts => Self::NextAttempt { event_accepted_at, attempts },
        }
    }

    /// Returns the condition for writing over a row that was read as this, or as none, by whoever makes no attempt: no
    /// result that is recorded meanwhile is lost by it.
    pub fn unchanged_since(row: Option<&Delivery>) -> Self {
        row.map_or(Self::Absent, |row| Self::Seen {
            event_accepted_at: row.event_accepted_at,
            status: StatusName::from(&row.status),
            attempts: row.attempts,
        })
    }

    /// Whether the row that is stored, or that there is none, allows the write.
    pub fn allows(&self, row: Option<&Delivery>) -> bool {
        let Some(row) = row else {
            return match self {
                Self::FirstAttempt { .. } | Self::Absent => true,
                Self::NextAttempt { .. } | Self::Seen { .. } => false,
            };
        };
        let is_open = row.open().is_some();
        match *self {
            Self::FirstAttempt { event_accepted_at } => {
                row.event_accepted_at < event_accepted_at
                    || (row.event_accepted_at == event_accepted_at && is_open && row.attempts == 0)
            }
            Self::NextAttempt { event_accepted_at, attempts } => {
                row.event_accepted_at == event_accepted_at && is_open && row.attempts == attempts
            }
            Self::Absent => false,
            Self::Seen { event_accepted_at, status, attempts } => {
                row.event_accepted_at == event_accepted_at
                    && StatusName::from(&row.status) == status
                    && row.attempts == attempts
            }
        }
    }
}
