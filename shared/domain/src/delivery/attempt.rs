//! An attempt: one POST of a delivery, and what it came to.

use serde::{Deserialize, Serialize};

use crate::event::hops::HOPS_HEADER;
use crate::timestamp::Timestamp;

/// What an attempt came to. A receiver's failure is one of these, never an error of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The receiver answered 2xx.
    Accepted,
    /// The receiver answered 429: it asks to be left alone for a while.
    Throttled,
    /// The receiver answered 5xx.
    ServerError,
    /// The receiver answered anything else, such as a redirect or another 4xx.
    Rejected,
    /// The receiver answered 410: it wants no more.
    Gone,
    /// There was no whole answer in time.
    TimedOut,
    /// There was no connection, no TLS, no address, or an answer that is not HTTP.
    Unreachable,
    /// The address rules do not allow the receiver's address; nothing was sent.
    Blocked,
    /// The event cannot be written as the profile says: nothing was sent.
    Unsendable,
}

impl Outcome {
    /// Returns the outcome that an answer's status means.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted,
            410 => Self::Gone,
            429 => Self::Throttled,
            500..=599 => Self::ServerError,
            _ => Self::Rejected,
        }
    }

    /// Returns the word by which JSON and the logs name the outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Rejected => "rejected",
            Self::Gone => "gone",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Blocked => "blocked",
            Self::Unsendable => "unsendable",
        }
    }
}

/// What a receiver answered, capped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status of the answer, 100 to 999.
    pub status: u16,
    /// The headers, capped in number and size, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's beginning, as text; what is not UTF-8 is replaced.
    pub excerpt: String,
}

impl Response {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// One POST, made: what came of it, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResult {
    /// What the attempt came to.
    pub outcome: Outcome,
    /// Why, where there was no answer: never a payload or a secret.
    pub detail: Option<String>,
    /// The answer, where there was one.
    pub response: Option<Response>,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub ended_at: Timestamp,
}

impl SendResult {
    /// Makes the result of an attempt that could not be written, so that nothing was sent.
    pub fn unsendable(detail: String, now: Timestamp) -> Self {
        let (outcome, detail) = (Outcome::Unsendable, Some(detail));
        Self { outcome, detail, response: None, started_at: now, ended_at: now }
    }

    /// Whether the receiver has ended a chain of deliveries, as [`Problem::looped`] says it. The status alone does
    /// not tell: some hosts answer it while they are overloaded.
    ///
    /// [`Problem::looped`]: crate::problem::Problem::looped
    pub fn has_looped(&self) -> bool {
        let answer = self.response.as_ref().filter(|response| response.status == 508);
        answer.is_some_and(|response| response.header(HOPS_HEADER).is_some())
    }

    /// How long the receiver asked to be left alone, in seconds.
    pub fn retry_after_s(&self) -> Option<u64> {
        let value = self.response.as_ref()?.header("retry-after")?.trim();
        value
            .parse()
            .ok()
            .or_else(|| Timestamp::parse_http_date(value).map(|at| at.wait_s(self.ended_at)))
    }
}

/// An attempt as its delivery's log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number of the attempt, from 1, over all rounds of the delivery.
    pub number: u32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// The milliseconds from its start until its outcome was known.
    pub duration_ms: u64,
    /// What the attempt came to.
    pub outcome: Outcome,
    /// The answer's status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u16>,
    /// The beginning of the answer's body, at most [`crate::limits::EXCERPT_CHARS_MAX`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_excerpt: Option<String>,
    /// Why there was no answer, without a payload or a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When the next one was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// Whether the body held values that JavaScript would change, where its profile has receivers that
    /// write it anew before they verify.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inexact: bool,
}

impl Attempt {
    /// Makes the log's entry of an attempt.
    pub fn of(
        number: u32,
        sent: &SendResult,
        next_attempt_at: Option<Timestamp>,
        inexact: bool,
    ) -> Self {
        let excerpt = sent.response.as_ref().map(|response| response.excerpt.clone());
        Self {
            number,
            started_at: sent.started_at,
            duration_ms: sent.ended_at.since_ms(sent.started_at),
            outcome: sent.outcome,
            response_status: sent.response.as_ref().map(|response| response.status),
            response_excerpt: excerpt.filter(|text| !text.is_empty()),
            detail: sent.detail.clone(),
            next_attempt_at,
            inexact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(value: &str) -> Option<u64> {
        let response = Response {
            status: 503,
            headers: vec![("retry-after".into(), value.into())],
            excerpt: String::new(),
        };
        let at = Timestamp::parse_rfc3339("1994-11-06T08:49:00Z").unwrap();
        SendResult {
            outcome: Outcome::ServerError,
            detail: None,
            response: Some(response),
            started_at: at,
            ended_at: at,
        }
        .retry_after_s()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 120 "), Some(120));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(retry_after("Sunday, 06-Nov-94 08:49:37 GMT"), Some(37));
        assert_eq!(retry_after("Sun Nov  6 08:49:37 1994"), Some(37));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:37 GMT"), Some(0));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-1"), None);
    }

    #[test]
    fn every_status_has_an_outcome() {
        let of = Outcome::of_status;
        assert_eq!(of(204), Outcome::Accepted);
        assert_eq!(of(302), Outcome::Rejected);
        assert_eq!(of(404), Outcome::Rejected);
        assert_eq!(of(410), Outcome::Gone);
        assert_eq!(of(429), Outcome::Throttled);
        assert_eq!(of(503), Outcome::ServerError);
    }

    #[test]
    fn an_attempt_keeps_what_was_answered_if_anything_was() {
        let sent = |excerpt: &str| SendResult {
            outcome: Outcome::Rejected,
            detail: None,
            response: Some(Response {
                status: 400,
                headers: Vec::new(),
                excerpt: excerpt.to_owned(),
            }),
            started_at: Timestamp::from_ms(1_000),
            ended_at: Timestamp::from_ms(1_250),
        };
        let kept = |excerpt| Attempt::of(1, &sent(excerpt), None, false);
        assert_eq!(kept("no such path").response_excerpt.as_deref(), Some("no such path"));
        assert_eq!(kept("").response_excerpt, None);
        assert_eq!((kept("").duration_ms, kept("").response_status), (250, Some(400)));
    }
}
