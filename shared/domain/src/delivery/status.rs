//! What a delivery waits for, or how it ended.

use serde::{Deserialize, Serialize};

use crate::id::Ticket;
use crate::limits::{LEASE_S, LEASE_S_MAX, PARKED_DUE_BEFORE_S};
use crate::timestamp::Timestamp;

/// Whether a delivery is still owed, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The delivery is still owed, and waits for what [`OpenState`] says.
    Open(OpenState),
    /// The receiver has accepted the delivery.
    Delivered,
    /// The delivery was given up, for this reason.
    Failed(FailedReason),
    /// The delivery is no longer owed, for this reason, without having been given up.
    Cancelled(CancelledReason),
}

/// The state of a delivery that is still owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenState {
    /// No attempt before this.
    pub next_at: Timestamp,
    /// The ticket of the responsible message; none where it is parked.
    pub holder: Option<Ticket>,
    /// When the sweep must look.
    pub due_at: Timestamp,
    /// Claims since the last recorded result.
    pub claims: u32,
    /// Whether it is held by its endpoint's gate: it is due in that endpoint's own index.
    pub held: bool,
    /// When a late message took the row to drive it: others leave it alone for a while.
    pub taken_at: Option<Timestamp>,
}

/// Why a delivery was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedReason {
    /// The retry policy allows no further attempt.
    Exhausted,
    /// The endpoint answered 410.
    Gone,
    /// The endpoint is disabled.
    EndpointDisabled,
    /// The event cannot be written as the endpoint's profile says.
    Unsendable,
    /// The receiver is a Waxseal that has ended the chain of deliveries with this one.
    Looped,
    /// The event is about to expire, so that its payload may be gone at the next attempt.
    Expired,
    /// Waxseal crashed on it again and again, until the queue gave up.
    Crashed,
}

/// Why a delivery is no longer owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledReason {
    /// A person did it.
    Requested,
    /// The endpoint is deleted.
    EndpointDeleted,
    /// The endpoint's subscription was changed and no longer wants it.
    NotWanted,
    /// The event's payload was removed on request.
    Expunged,
}

/// How a delivery ends without an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The delivery is given up, for this reason.
    Failed(FailedReason),
    /// The delivery is no longer owed, for this reason.
    Cancelled(CancelledReason),
}

impl Status {
    /// Reads a final status from the words that a store kept.
    pub fn read_end(status: &str, reason: Option<&str>) -> Result<Self, serde_json::Error> {
        let reason = reason.unwrap_or_default();
        match status {
            "delivered" => Ok(Self::Delivered),
            "failed" => serde_json::from_value(reason.into()).map(Self::Failed),
            "cancelled" => serde_json::from_value(reason.into()).map(Self::Cancelled),
            _ => Err(serde::de::Error::custom(format_args!("no final status: {status}"))),
        }
    }
}

impl OpenState {
    pub(super) fn park(next_at: Timestamp) -> Self {
        let due_at = next_at.minus_s(PARKED_DUE_BEFORE_S);
        Self { next_at, holder: None, due_at, claims: 0, taken_at: None, held: false }
    }
}

/// Returns until when a claim holds: 2 minutes, doubled at each claim, at most 4 hours. With leases
/// that do not grow, a backlog would gain a message of each delivery every two minutes.
pub fn lease_until(now: Timestamp, next_at: Timestamp, claims: u32) -> Timestamp {
    let lease_s = LEASE_S.saturating_mul(1_u64.checked_shl(claims.min(16)).unwrap_or(u64::MAX));
    now.max(next_at).plus_s(lease_s.min(LEASE_S_MAX))
}
