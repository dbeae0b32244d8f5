//! The conditions under which a delivery's row may be written. A store renders them in its own
//! language; [`Guard::allows`] is what each rendering must mean, and the contract suite compares.

use super::{Delivery, Status};
use crate::timestamp::Timestamp;

/// A condition on the row as it is before a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Before recording attempt 1: no row, an earlier incarnation's, or an open one never tried.
    FirstAttempt {
        /// The event's incarnation.
        born: Timestamp,
    },
    /// Before recording a later attempt: open, with exactly so many recorded.
    NextAttempt {
        /// The event's incarnation.
        born: Timestamp,
        /// Attempts recorded before.
        attempts: u32,
    },
    /// No row.
    Absent,
    /// The row that was seen, as far as it matters to a replay.
    Seen {
        /// The event's incarnation.
        born: Timestamp,
        /// Its status.
        status: StatusName,
        /// Its attempts.
        attempts: u32,
    },
    /// No row, or an open one of this incarnation.
    NotFinal {
        /// The event's incarnation.
        born: Timestamp,
    },
}

/// A status without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusName {
    /// Still owed.
    Open,
    /// Taken.
    Delivered,
    /// Given up.
    Failed,
    /// No longer owed.
    Cancelled,
}

impl StatusName {
    /// As stored.
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
pub enum Written {
    /// It was done.
    Done,
    /// The row was another: this, or none. Not "someone else won": it may be our own write, whose
    /// answer was lost.
    Refused(Option<Box<Delivery>>),
}

impl Guard {
    /// For recording attempt `number`, or for ending or parking a delivery before it.
    pub fn for_attempt(born: Timestamp, number: u32) -> Self {
        match number.saturating_sub(1) {
            0 => Self::FirstAttempt { born },
            attempts => Self::NextAttempt { born, attempts },
        }
    }

    /// For replaying the row that was seen.
    pub fn seen(row: Option<&Delivery>) -> Self {
        row.map_or(Self::Absent, |row| Self::Seen {
            born: row.born,
            status: StatusName::from(&row.status),
            attempts: row.attempts,
        })
    }

    /// Whether the write may be done over this row.
    pub fn allows(&self, row: Option<&Delivery>) -> bool {
        let Some(row) = row else {
            return match self {
                Self::FirstAttempt { .. } | Self::Absent | Self::NotFinal { .. } => true,
                Self::NextAttempt { .. } | Self::Seen { .. } => false,
            };
        };
        let is_open = row.open().is_some();
        match *self {
            Self::FirstAttempt { born } => {
                row.born < born || (row.born == born && is_open && row.attempts == 0)
            }
            Self::NextAttempt { born, attempts } => {
                row.born == born && is_open && row.attempts == attempts
            }
            Self::Absent => false,
            Self::Seen { born, status, attempts } => {
                row.born == born
                    && StatusName::from(&row.status) == status
                    && row.attempts == attempts
            }
            Self::NotFinal { born } => row.born == born && is_open,
        }
    }
}
