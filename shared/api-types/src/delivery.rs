//! Deliveries: what was sent, when, and what came back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_domain::delivery::attempt;
use waxseal_domain::delivery::{self, Status};
use waxseal_domain::history::{DeliveryHistory, PastAttempt, Standing};
use waxseal_domain::limits::OVERDUE_S;
use waxseal_domain::timestamp::Timestamp;

use crate::EXAMPLE_TIME;
use crate::word::words;

words! {
    /// Tells where a delivery stands.
    pub enum DeliveryStatus {
        /// No attempt was made yet.
        Pending = "pending",
        /// Every attempt so far failed, and another one follows.
        Retrying = "retrying",
        /// The receiver accepted the delivery.
        Delivered = "delivered",
        /// Every attempt failed, and no other one follows.
        Failed = "failed",
        /// The delivery was given up before it succeeded or failed.
        Cancelled = "cancelled",
    }
}

impl From<&delivery::Delivery> for DeliveryStatus {
    fn from(delivery: &delivery::Delivery) -> Self {
        match (&delivery.status, delivery.attempts) {
            (Status::Open(_), 0) => Self::Pending,
            (Status::Open(_), _) => Self::Retrying,
            (Status::Delivered, _) => Self::Delivered,
            (Status::Failed(_), _) => Self::Failed,
            (Status::Cancelled(_), _) => Self::Cancelled,
        }
    }
}

words! {
    /// Tells what an attempt came to.
    pub enum Outcome {
        /// The receiver answered with a 2xx status.
        Accepted = "accepted",
        /// The receiver answered with status 429.
        Throttled = "throttled",
        /// The receiver answered with a 5xx status.
        ServerError = "server_error",
        /// The receiver answered with any other status, such as a redirect or a 4xx status.
        Rejected = "rejected",
        /// The receiver answered with status 410: it wants nothing more, and the endpoint is disabled.
        Gone = "gone",
        /// The receiver did not answer completely within the time-out.
        TimedOut = "timed_out",
        /// The receiver could not be reached, or did not answer in HTTP.
        Unreachable = "unreachable",
        /// The address of the receiver is one that must not be called.
        Blocked = "blocked",
        /// The event cannot be written as the endpoint's profile demands. Nothing was sent.
        Unsendable = "unsendable",
    }
}

impl From<attempt::Outcome> for Outcome {
    fn from(outcome: attempt::Outcome) -> Self {
        match outcome {
            attempt::Outcome::Accepted => Self::Accepted,
            attempt::Outcome::Throttled => Self::Throttled,
            attempt::Outcome::ServerError => Self::ServerError,
            attempt::Outcome::Rejected => Self::Rejected,
            attempt::Outcome::Gone => Self::Gone,
            attempt::Outcome::TimedOut => Self::TimedOut,
            attempt::Outcome::Unreachable => Self::Unreachable,
            attempt::Outcome::Blocked => Self::Blocked,
            attempt::Outcome::Unsendable => Self::Unsendable,
        }
    }
}

/// Describes a delivery: one event that is to reach one endpoint, with its attempts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Identifies the delivery, as `dlv_…`. Receivers get it with every attempt and replay, in the place that
    /// the profile names, and can recognise a repeated delivery by it.
    pub id: String,
    /// Identifies the event that is delivered.
    pub event_id: String,
    /// Identifies the endpoint that the event goes to.
    pub endpoint_id: String,
    /// Tells where the delivery stands.
    #[schemars(with = "String", extend("enum" = DeliveryStatus::WORDS))]
    pub status: DeliveryStatus,
    /// Tells why the delivery failed (`exhausted`, `gone`, `endpoint_disabled`, `unsendable`, `looped`, `expired`
    /// or `crashed`) or was cancelled (`requested`, `endpoint_deleted`, `not_wanted` or `expunged`). It is left
    /// out for other deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Is true where the delivery has been pending for more than 15 minutes. It is left out otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// Tells when the event was received.
    #[schemars(extend("format" = "date-time"))]
    pub event_received_at: String,
    /// Counts the attempts that were made.
    pub attempt_count: u32,
    /// Tells when the next attempt is due. It is null before the first attempt, and where none follows.
    #[schemars(extend("format" = "date-time"))]
    pub next_attempt_at: Option<String>,
    /// Lists the last attempts, at most ten, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Describes one attempt to deliver an event, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Numbers the attempts of a delivery, from 1.
    pub number: u32,
    /// Tells when the attempt began.
    #[schemars(extend("format" = "date-time"))]
    pub started_at: String,
    /// Tells how long the attempt took, in milliseconds.
    pub duration_ms: u64,
    /// Tells what the attempt came to.
    pub outcome: Outcome,
    /// Holds the HTTP status code of the receiver's response. It is null where there was no response.
    pub response_status: Option<u16>,
    /// Holds the beginning of the receiver's response body. It is null where there was no response.
    pub response_excerpt: Option<String>,
    /// Explains why there was no response. It is null where there was one.
    pub detail: Option<String>,
    /// Tells when this attempt said that the next one was due. It is null where none was to follow.
    #[schemars(extend("format" = "date-time"))]
    pub next_attempt_at: Option<String>,
    /// Is true where the body held numbers that a receiver written in JavaScript reads differently. It is
    /// left out otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inexact: bool,
}

impl Delivery {
    /// Shows a delivery as it is `now`.
    pub fn of(delivery: &delivery::Delivery, now: Timestamp) -> Self {
        let was_tried = delivery.attempts > 0;
        let next_at = delivery.open().filter(|_| was_tried).map(|open| open.next_at.rfc3339());
        Self {
            id: delivery.key.id().to_string(),
            event_id: delivery.key.event.to_string(),
            endpoint_id: delivery.key.endpoint.to_string(),
            status: DeliveryStatus::from(delivery),
            reason: delivery.reason_word(),
            overdue: is_overdue(delivery, now),
            event_received_at: delivery.event_accepted_at.rfc3339(),
            attempt_count: delivery.attempts,
            next_attempt_at: next_at,
            attempts: delivery.log.iter().map(Attempt::from).collect(),
        }
    }
}

/// Tells whether a delivery should have had its first attempt long ago.
pub(crate) fn is_overdue(delivery: &delivery::Delivery, now: Timestamp) -> bool {
    DeliveryStatus::from(delivery) == DeliveryStatus::Pending
        && now >= delivery.event_accepted_at.plus_s(OVERDUE_S)
}

impl DeliveryStatus {
    /// Tells where such a delivery stands, to whoever checks its history.
    pub fn standing(self) -> Standing {
        match self {
            Self::Pending | Self::Retrying => Standing::Open,
            Self::Delivered => Standing::Delivered,
            Self::Failed => Standing::Failed,
            Self::Cancelled => Standing::Cancelled,
        }
    }
}

impl Delivery {
    /// Tells what is known of the delivery to whoever checks its history; none where a time is none.
    pub fn history(&self) -> Option<DeliveryHistory> {
        let mut attempts = Vec::new();
        for attempt in &self.attempts {
            attempts.push(attempt.past()?);
        }
        Some(DeliveryHistory {
            id: self.id.clone(),
            accepted_at: Timestamp::parse_rfc3339(&self.event_received_at)?,
            standing: self.status.standing(),
            attempt_count: self.attempt_count,
            attempts: Some(attempts),
            silences: Vec::new(),
            posts: None,
        })
    }
}

impl Attempt {
    fn past(&self) -> Option<PastAttempt> {
        let next_at = match &self.next_attempt_at {
            None => None,
            Some(text) => Some(Timestamp::parse_rfc3339(text)?),
        };
        Some(PastAttempt {
            number: self.number,
            started_at: Timestamp::parse_rfc3339(&self.started_at)?,
            duration_ms: self.duration_ms,
            is_accepted: self.outcome == Outcome::Accepted,
            next_at,
        })
    }
}

impl From<&attempt::Attempt> for Attempt {
    fn from(attempt: &attempt::Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at.rfc3339(),
            duration_ms: attempt.duration_ms,
            outcome: attempt.outcome.into(),
            response_status: attempt.response_status,
            response_excerpt: attempt.response_excerpt.clone(),
            detail: attempt.detail.clone(),
            next_attempt_at: attempt.next_attempt_at.map(Timestamp::rfc3339),
            inexact: attempt.inexact,
        }
    }
}

impl Delivery {
    /// Shows one that failed once.
    pub fn example() -> Self {
        let next_attempt_at = Some("2026-11-21T12:01:00Z".to_owned());
        let attempt = Attempt {
            number: 1,
            started_at: EXAMPLE_TIME.to_owned(),
            duration_ms: 12,
            outcome: Outcome::ServerError,
            response_status: Some(503),
            response_excerpt: Some("busy".to_owned()),
            detail: None,
            next_attempt_at: next_attempt_at.clone(),
            inexact: false,
        };
        Self {
            id: "dlv_1_evt_1".to_owned(),
            event_id: "evt_1".to_owned(),
            endpoint_id: "ep_1".to_owned(),
            status: DeliveryStatus::Retrying,
            reason: None,
            overdue: false,
            event_received_at: EXAMPLE_TIME.to_owned(),
            attempt_count: 1,
            next_attempt_at,
            attempts: vec![attempt],
        }
    }
}
