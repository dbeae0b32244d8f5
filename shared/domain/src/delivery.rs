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
mod key;
pub mod message;
pub mod priority;
pub mod retry;
mod round;
mod status;

pub use guard::{Guard, StatusName, WriteResult};
pub use key::{DeliveryKey, shard};
pub use round::Round;
pub use status::{CancelledReason, End, FailedReason, OpenState, Status, lease_until};

use crate::clock::Jump;
use crate::delivery::attempt::Attempt;
use crate::delivery::priority::Priority;
use crate::delivery::retry::{Next, RetryPolicy};
use crate::id::Ticket;
use crate::limits::{
    CLOCK_STEP_MS_MAX, EARLINESS_MS_MAX, EVENT_RETENTION_S, FUNCTION_TIMEOUT_S, LEASE_S,
    LOG_ATTEMPTS_MAX, PARK_AT_RECEIVE, WAIT_BY_VISIBILITY_S_MAX, WATCH_DUE_AFTER_S,
};
use crate::timestamp::Timestamp;

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
    pub fn unless_stored(self, row: Option<Self>) -> Self {
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
        let planned = self.open().map_or(now, |open| open.next_at);
        // What is held now could be attempted now. A later time is that of an event which was accepted before the clock
        // was set back, and of which nothing was planned yet.
        let next_at = if planned > now.plus_ms(EARLINESS_MS_MAX) { now } else { planned };
        let due_at = next_at.max(now);
        let open =
            OpenState { next_at, holder: None, due_at, claims: 0, taken_at: None, held: true };
        Self { status: Status::Open(open), ..self }
    }

    /// Returns the row with all that is planned moved by so many milliseconds, since the clock that it was planned by
    /// has jumped by as much.
    #[must_use]
    pub fn moved(mut self, by_ms: i64) -> Self {
        if let Status::Open(open) = &mut self.status {
            open.next_at = open.next_at.moved_ms(by_ms);
            open.due_at = open.due_at.moved_ms(by_ms);
            open.taken_at = open.taken_at.map(|at| at.moved_ms(by_ms));
        }
        self
    }

    /// Returns what came of a message anew that was received before the clock jumped, with by how many milliseconds it
    /// is moved: what its attempt planned, by as much as the clock jumped after the attempt. `recorded` are the
    /// attempts of the stored row. None where it made no attempt: what else was planned is judged anew instead.
    pub fn plan_anew(self, recorded: u32, jump: Jump, now: Timestamp) -> Option<(Self, i64)> {
        let attempt = self.log.last().filter(|_| self.attempts > recorded)?;
        // A result is recorded within the time of an invocation: one that seems to be further away was planned by the
        // clock before the jump.
        let ended_at = attempt.started_at.plus_ms(attempt.duration_ms);
        let apart_ms = now.diff_ms(ended_at).unsigned_abs();
        let is_old = apart_ms > FUNCTION_TIMEOUT_S * 1_000 + CLOCK_STEP_MS_MAX;
        let by_ms = if is_old { jump.by_ms } else { 0 };
        Some((self.moved(by_ms), by_ms))
    }

    /// Returns the row, opened again for a time, as it is if that was planned before the clock jumped.
    #[must_use]
    pub fn reopened_for(self, at: Timestamp) -> Self {
        let by_ms = self.open().map_or(0, |open| at.diff_ms(open.next_at));
        if by_ms.unsigned_abs() > CLOCK_STEP_MS_MAX { self.moved(by_ms) } else { self }
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
        // A row without a holder has no watch: nothing may have been planned of it, since its event was accepted.
        let watch = self.open().filter(|open| open.holder.is_some()).map(|open| open.due_at);
        let due_at = watch
            .filter(|&due_at| due_at >= next_at.plus_s(LEASE_S))
            .unwrap_or_else(|| next_at.plus_s(WATCH_DUE_AFTER_S));
        OpenState { next_at, holder: Some(holder), due_at, claims: 0, taken_at: None, held: false }
    }
}

#[cfg(test)]
mod tests;
