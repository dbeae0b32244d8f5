//! A delivery: one event owed to one endpoint. Its row, and how the row changes.
//!
//! No row means pending. Every open row has a `due_at`: the sweep looks at it then, so a lost
//! message is never a lost delivery. Transitions are functions here; [`Guard`] is the condition
//! under which a store may write their result.

pub mod attempt;
pub mod authorization;
pub mod dispatch;
mod guard;
pub mod judge;
pub mod message;
pub mod priority;
pub mod retry;
mod round;

pub use guard::{Guard, StatusName, WriteResult};
pub use round::Round;

use serde::{Deserialize, Serialize};

use crate::delivery::attempt::Attempt;
use crate::delivery::priority::Priority;
use crate::delivery::retry::{Next, RetryPolicy};
use crate::id::{DeliveryId, EndpointId, EventId, TenantName, Ticket};
use crate::limits::{
    DUE_SHARDS, EVENT_RETENTION_S, LEASE_S, LEASE_S_MAX, LOG_ATTEMPTS_MAX, PARK_AT_RECEIVE,
    PARKED_DUE_BEFORE_S, WAIT_BY_VISIBILITY_S_MAX, WATCH_DUE_AFTER_S,
};
use crate::timestamp::Timestamp;

/// Names a delivery by its tenant, event and endpoint. It is the idempotency key of every step of a
/// delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryKey {
    /// The tenant whose event it is.
    pub tenant: TenantName,
    /// The event that is owed.
    pub event: EventId,
    /// The endpoint that the event is owed to.
    pub endpoint: EndpointId,
}

impl DeliveryKey {
    /// Returns the id under which receivers and the API know the delivery.
    pub fn id(&self) -> DeliveryId {
        DeliveryId { endpoint: self.endpoint.clone(), event: self.event.clone() }
    }

    /// Returns the delivery's shard of the due index, 0 to [`DUE_SHARDS`] − 1. It follows from the
    /// id, so that a row never moves to another shard.
    pub fn due_shard(&self) -> u32 {
        shard(&self.id().to_string(), DUE_SHARDS)
    }
}

/// Spreads texts evenly over so many shards, by FNV-1a. The result is stored in keys, so it must be
/// the same on every machine and in every version.
pub fn shard(text: &str, shards: u32) -> u32 {
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % shards
}

/// The stored row of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The delivery that the row belongs to.
    pub key: DeliveryKey,
    /// When the event was accepted. It tells the event from an earlier one of the same id, which
    /// has expired.
    pub event_accepted_at: Timestamp,
    /// How urgent it is, and so which queue its messages take.
    pub priority: Priority,
    /// What is owed still, or how the delivery ended.
    pub status: Status,
    /// The number of recorded attempts, over all rounds. It never decreases, so a condition on it
    /// lets each attempt be recorded once.
    pub attempts: u32,
    /// The value of `attempts` when the current round began.
    pub attempts_before_round: u32,
    /// Keeps the last attempts, at most [`LOG_ATTEMPTS_MAX`], oldest first.
    pub log: Vec<Attempt>,
}

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

/// What must be done with the message once the row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The message has nothing left to do and is removed.
    Done,
    /// The message comes again at this time.
    VisibleAt(Timestamp),
}

/// The message that drives the delivery just now.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The ticket of the message that drives the delivery.
    pub ticket: Ticket,
    /// How often the message was received.
    pub receives: u32,
}

impl Delivery {
    /// Makes a delivery in the state that one without a row has.
    pub fn pending(key: DeliveryKey, event_accepted_at: Timestamp, priority: Priority) -> Self {
        let open = OpenState {
            next_at: event_accepted_at,
            holder: None,
            due_at: event_accepted_at,
            claims: 0,
            taken_at: None,
            held: false,
        };
        Self {
            key,
            event_accepted_at,
            priority,
            status: Status::Open(open),
            attempts: 0,
            attempts_before_round: 0,
            log: Vec::new(),
        }
    }

    /// Returns the stored row if it is of this event, and otherwise this pending delivery. An
    /// expired event of the same id may have left a row behind, which does not count.
    #[must_use]
    pub fn or_row(self, row: Option<Self>) -> Self {
        row.filter(|row| row.event_accepted_at == self.event_accepted_at).unwrap_or(self)
    }

    /// Returns the API's word for the status.
    pub fn status_word(&self) -> &'static str {
        match (&self.status, self.attempts) {
            (Status::Open(_), 0) => "pending",
            (Status::Open(_), _) => "retrying",
            (Status::Delivered, _) => "delivered",
            (Status::Failed(_), _) => "failed",
            (Status::Cancelled(_), _) => "cancelled",
        }
    }

    /// Returns the word of JSON and of the stores for why the delivery ended; none while it is open
    /// or was delivered.
    pub fn reason_word(&self) -> Option<String> {
        let word = match &self.status {
            Status::Open(_) | Status::Delivered => return None,
            Status::Failed(reason) => serde_json::to_value(reason),
            Status::Cancelled(reason) => serde_json::to_value(reason),
        };
        word.expect("a reason is a word").as_str().map(str::to_owned)
    }

    /// Returns the state of a delivery that is still owed; none once it is final.
    pub fn open(&self) -> Option<&OpenState> {
        match &self.status {
            Status::Open(open) => Some(open),
            Status::Delivered | Status::Failed(_) | Status::Cancelled(_) => None,
        }
    }

    /// Returns when the first attempt of the round began; none before it. The log may not go back
    /// so far: then it is when the event was accepted, so that a window ends too early rather than
    /// never.
    pub fn round_began(&self) -> Option<Timestamp> {
        let first =
            self.log.iter().find(|attempt| attempt.number == self.attempts_before_round + 1);
        let fallback =
            (self.attempts > self.attempts_before_round).then_some(self.event_accepted_at);
        first.map(|attempt| attempt.started_at).or(fallback)
    }

    /// Returns the place within its round of an attempt that begins now.
    pub fn round(&self, number: u32, policy: &RetryPolicy, now: Timestamp) -> Round {
        let before = self.log.iter().find(|attempt| attempt.number + 1 == number);
        Round {
            attempt: number - self.attempts_before_round,
            attempts_max: u32::try_from(policy.delays_s.len()).unwrap_or(u32::MAX) + 1,
            began_at: self.round_began().unwrap_or(now),
            reason: before
                .filter(|_| number > self.attempts_before_round + 1)
                .map(|attempt| attempt.outcome),
        }
    }

    /// Returns when the row may be removed; never while it is open, or a delivery that waits for
    /// long would be lost.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.open().is_none().then(|| self.event_accepted_at.plus_s(EVENT_RETENTION_S))
    }

    /// Whether its endpoint's list of deliveries in trouble holds it: all but those that succeeded
    /// at the first attempt, which saves their writes to that index.
    pub fn is_listed(&self) -> bool {
        self.status != Status::Delivered || self.attempts > 1
    }

    /// Returns the row after an attempt, and what must be done with the message.
    #[must_use]
    pub fn after_attempt(
        mut self,
        turn: &Turn,
        attempt: Attempt,
        next: Next,
    ) -> (Self, Settlement) {
        self.attempts = attempt.number;
        let (status, settlement) = match next {
            Next::Done => (Status::Delivered, Settlement::Done),
            Next::GiveUp => (Status::Failed(FailedReason::Exhausted), Settlement::Done),
            Next::Unsendable => (Status::Failed(FailedReason::Unsendable), Settlement::Done),
            Next::DisableEndpoint => (Status::Failed(FailedReason::Gone), Settlement::Done),
            Next::RetryAt(next_at) => {
                let ended_at = attempt.started_at.plus_ms(attempt.duration_ms);
                let short = next_at.since_ms(ended_at) <= WAIT_BY_VISIBILITY_S_MAX * 1_000;
                if short && turn.receives < PARK_AT_RECEIVE {
                    let open = self.wait(next_at, turn.ticket.clone());
                    (Status::Open(open), Settlement::VisibleAt(next_at))
                } else {
                    (Status::Open(OpenState::park(next_at)), Settlement::Done)
                }
            }
        };
        self.status = status;
        self.keep(attempt);
        (self, settlement)
    }

    /// Returns the row parked until a time, without an attempt. It has no holder: the sweep sends a
    /// new message.
    #[must_use]
    pub fn park(self, next_at: Timestamp) -> Self {
        Self { status: Status::Open(OpenState::park(next_at)), ..self }
    }

    /// Returns the row held by its endpoint's gate, without an attempt. It is due in the gate's own
    /// part of the index, so that a dead endpoint's backlog never stands before others in the
    /// sweep.
    #[must_use]
    pub fn hold(self, now: Timestamp) -> Self {
        let next_at = self.open().map_or(now, |open| open.next_at);
        let due_at = next_at.max(now);
        let open =
            OpenState { next_at, holder: None, due_at, claims: 0, taken_at: None, held: true };
        Self { status: Status::Open(open), ..self }
    }

    /// Returns the row ended without an attempt.
    #[must_use]
    pub fn end(self, end: End) -> Self {
        let status = match end {
            End::Failed(reason) => Status::Failed(reason),
            End::Cancelled(reason) => Status::Cancelled(reason),
        };
        Self { status, ..self }
    }

    /// Returns the row without what receivers answered.
    #[must_use]
    pub fn without_answers(mut self) -> Self {
        for attempt in &mut self.log {
            attempt.response_excerpt = None;
        }
        self
    }

    /// Returns the row opened again for a replay, held by a new message, and in a new round if it
    /// was final. It is due at the end of a lease, so that the sweep sends a message if a crash
    /// keeps this one from being sent.
    #[must_use]
    pub fn reopen(self, ticket: Ticket, now: Timestamp) -> Self {
        let attempts_before_round =
            if self.open().is_some() { self.attempts_before_round } else { self.attempts };
        let due_at = now.plus_s(LEASE_S);
        let open = OpenState {
            next_at: now,
            holder: Some(ticket),
            due_at,
            claims: 1,
            taken_at: None,
            held: false,
        };
        Self { status: Status::Open(open), attempts_before_round, ..self }
    }

    /// Adds an attempt to the log, which keeps the last ones.
    pub fn keep(&mut self, attempt: Attempt) {
        self.log.push(attempt);
        let excess = self.log.len().saturating_sub(LOG_ATTEMPTS_MAX);
        self.log.drain(..excess);
    }

    /// Makes the state of a row whose message waits in the queue. The row keeps its place in the
    /// due index if that is late enough, so that a short wait changes no index.
    fn wait(&self, next_at: Timestamp, holder: Ticket) -> OpenState {
        let watch = self.open().map(|open| open.due_at);
        let due_at = watch
            .filter(|&due_at| due_at >= next_at.plus_s(LEASE_S))
            .unwrap_or_else(|| next_at.plus_s(WATCH_DUE_AFTER_S));
        OpenState { next_at, holder: Some(holder), due_at, claims: 0, taken_at: None, held: false }
    }
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
    fn park(next_at: Timestamp) -> Self {
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

#[cfg(test)]
mod tests;
