//! Decides what follows an attempt's outcome: the delivery is done, tried again, given up, or its
//! endpoint is disabled.

use serde::{Deserialize, Serialize};

use crate::delivery::attempt::{Outcome, SendResult};
use crate::json::Fault;
use crate::limits::{DELAY_S, DELAYS_MAX, DELAYS_SUM_S_MAX, RETRY_AFTER_S_MAX, WINDOW_MARGIN_MS};
use crate::timestamp::Timestamp;

/// The delays after which a delivery is tried again. There is one attempt more than there are
/// delays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Seconds from the end of one attempt to the next.
    pub delays_s: Vec<u32>,
    /// Whether up to 10 % is added, so that many deliveries that failed at once do not all come
    /// back at once. An endpoint's own delays are kept exactly.
    #[serde(default)]
    pub jitter: bool,
    /// Seconds from the start of the first attempt within which all fall; a later one is pulled in, to
    /// [`WINDOW_MARGIN_MS`] before its end, or a tenth of the window where that is less. No bound where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The receiver accepted the delivery.
    Done,
    /// The delivery is tried again, not before this time.
    RetryAt(Timestamp),
    /// All delays are used up, or the window is over.
    GiveUp,
    /// The event cannot be written in the endpoint's contract, now or later.
    Unsendable,
    /// The receiver is a Waxseal that has ended a chain of deliveries with this one: its event's hops do not change.
    Looped,
    /// The receiver answered 410: the delivery ends and the endpoint is disabled.
    DisableEndpoint,
}

impl RetryPolicy {
    /// An endpoint's own policy: exact, without jitter. Names every delay that does not fit.
    pub fn of_delays(delays_s: &[u64], pointer: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if delays_s.len() > DELAYS_MAX {
            faults.push(Fault::new(pointer, &format!("has at most {DELAYS_MAX} delays")));
        }
        let mut delays = Vec::new();
        for (index, &delay) in delays_s.iter().take(DELAYS_MAX).enumerate() {
            match u32::try_from(delay).ok().filter(|s| DELAY_S.contains(s)) {
                Some(delay) => delays.push(delay),
                None => faults.push(Fault::new(
                    &format!("{pointer}/{index}"),
                    &format!("must be {} to {} seconds", DELAY_S.start(), DELAY_S.end()),
                )),
            }
        }
        if delays.iter().map(|&s| u64::from(s)).sum::<u64>() > DELAYS_SUM_S_MAX {
            let detail =
                format!("sums to over {DELAYS_SUM_S_MAX} seconds: events are not kept so long");
            faults.push(Fault::new(pointer, &detail));
        }
        if faults.is_empty() {
            Ok(Self { delays_s: delays, jitter: false, window_s: None })
        } else {
            Err(faults)
        }
    }

    /// What follows attempt `number` of a round, counted from 1, whose first attempt began at
    /// `round_began`.
    ///
    /// `chance` in 0 to 65,535 spreads the jitter, which only adds. `Retry-After` is never undercut,
    /// up to a day. Every outcome but accepted and gone is tried again, unless another attempt would end in the same
    /// way.
    pub fn after(
        &self,
        number: u32,
        round_began: Timestamp,
        sent: &SendResult,
        chance: u16,
    ) -> Next {
        match sent.outcome {
            Outcome::Accepted => return Next::Done,
            Outcome::Gone => return Next::DisableEndpoint,
            // The event and the contract do not change, so each further attempt would fail in the
            // same way.
            Outcome::Unsendable => return Next::Unsendable,
            Outcome::ServerError if sent.has_looped() => return Next::Looped,
            Outcome::Throttled
            | Outcome::ServerError
            | Outcome::Rejected
            | Outcome::TimedOut
            | Outcome::Unreachable
            | Outcome::Blocked => {}
        }
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(&delay_s) = self.delays_s.get(index) else { return Next::GiveUp };
        let delay_ms = u64::from(delay_s) * 1_000;
        let jitter_ms = if self.jitter { delay_ms / 10 * u64::from(chance) / 65_535 } else { 0 };
        // `Retry-After` can only put the next attempt off. It is bounded, so that a receiver's
        // mistake does not keep a delivery waiting for longer than its event is kept.
        let asked_ms = sent.retry_after_s().unwrap_or(0).min(RETRY_AFTER_S_MAX) * 1_000;
        let asked_at = sent.ended_at.plus_ms(asked_ms);
        let next_at = sent.ended_at.plus_ms(delay_ms + jitter_ms).max(asked_at);
        let Some(window_s) = self.window_s else { return Next::RetryAt(next_at) };
        let window_ms = u64::from(window_s) * 1_000;
        let end = round_began.plus_ms(window_ms - WINDOW_MARGIN_MS.min(window_ms / 10));
        // Nothing is left of the window, or the receiver asks for more than is left of it.
        if sent.ended_at >= end || asked_at > end {
            return Next::GiveUp;
        }
        Next::RetryAt(next_at.min(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::attempt::Response;

    const BEGAN: Timestamp = Timestamp::from_ms(0);

    fn answer(status: u16, retry_after: Option<&str>) -> SendResult {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        let headers = headers.into_iter().collect();
        SendResult {
            outcome: Outcome::of_status(status),
            detail: None,
            response: Some(Response { status, headers, excerpt: String::new() }),
            started_at: Timestamp::from_ms(0),
            ended_at: Timestamp::from_ms(10_000),
        }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy::of_delays(&[5, 300], "").unwrap()
    }

    fn at(ms: u64) -> Next {
        Next::RetryAt(Timestamp::from_ms(ms))
    }

    #[test]
    fn a_delay_counts_from_the_end_of_the_attempt_before() {
        assert_eq!(policy().after(1, BEGAN, &answer(503, None), 0), at(15_000));
        assert_eq!(policy().after(2, BEGAN, &answer(404, None), 0), at(310_000));
    }

    #[test]
    fn gives_up_after_the_last_delay() {
        assert_eq!(policy().after(3, BEGAN, &answer(503, None), 0), Next::GiveUp);
        assert_eq!(
            RetryPolicy::of_delays(&[], "").unwrap().after(1, BEGAN, &answer(500, None), 0),
            Next::GiveUp
        );
    }

    #[test]
    fn accepted_is_done_and_gone_disables() {
        assert_eq!(policy().after(1, BEGAN, &answer(200, None), 0), Next::Done);
        assert_eq!(policy().after(1, BEGAN, &answer(410, None), 0), Next::DisableEndpoint);
    }

    #[test]
    fn a_chain_that_was_ended_is_not_tried_again_and_a_host_that_is_overloaded_is() {
        let mut looped = answer(508, None);
        assert_eq!(policy().after(1, BEGAN, &looped, 0), at(15_000), "others answer 508 as well");
        let header = ("waxseal-hops".to_owned(), "4".to_owned());
        looped.response.as_mut().unwrap().headers.push(header);
        assert_eq!(policy().after(1, BEGAN, &looped, 0), Next::Looped);
        looped.response.as_mut().unwrap().status = 500;
        assert_eq!(policy().after(1, BEGAN, &looped, 0), at(15_000));
    }

    #[test]
    fn retry_after_is_never_undercut_and_bounded_by_a_day() {
        assert_eq!(policy().after(1, BEGAN, &answer(429, Some("60")), 0), at(70_000));
        assert_eq!(policy().after(1, BEGAN, &answer(429, Some("1")), 0), at(15_000));
        assert_eq!(policy().after(1, BEGAN, &answer(429, Some("9999999")), 0), at(86_410_000));
    }

    #[test]
    fn a_window_pulls_the_last_attempts_in_and_then_ends_the_round() {
        let policy = RetryPolicy { window_s: Some(100), ..policy() };
        assert_eq!(policy.after(1, BEGAN, &answer(503, None), 0), at(15_000));
        assert_eq!(policy.after(2, BEGAN, &answer(503, None), 0), at(98_000), "not 310 s");
        let mut late = answer(503, None);
        late.ended_at = Timestamp::from_ms(97_999);
        assert_eq!(policy.after(2, BEGAN, &late, 0), at(98_000));
        late.ended_at = Timestamp::from_ms(98_000);
        assert_eq!(policy.after(2, BEGAN, &late, 0), Next::GiveUp);
        let asks = |value| policy.after(1, BEGAN, &answer(429, Some(value)), 0);
        assert_eq!(asks("88"), at(98_000));
        assert_eq!(asks("89"), Next::GiveUp, "never earlier than asked");
        let brief = RetryPolicy { window_s: Some(1), ..policy };
        assert_eq!(
            brief.after(1, BEGAN, &answer(503, None), 0),
            Next::GiveUp,
            "no time for a second"
        );
    }

    #[test]
    fn jitter_only_adds_up_to_a_tenth() {
        let policy = RetryPolicy { jitter: true, ..policy() };
        assert_eq!(policy.after(2, BEGAN, &answer(500, None), 0), at(310_000));
        assert_eq!(policy.after(2, BEGAN, &answer(500, None), u16::MAX), at(340_000));
    }

    #[test]
    fn names_each_delay_that_does_not_fit() {
        let faults = RetryPolicy::of_delays(&[0, 5, 604_801], "/retry/delays_s").unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/retry/delays_s/0", "/retry/delays_s/2"]);
        assert!(RetryPolicy::of_delays(&[5; 101], "").is_err());
        assert!(RetryPolicy::of_delays(&[5; 100], "").is_ok());
        assert!(RetryPolicy::of_delays(&[604_800; 3], "").is_err());
        assert!(RetryPolicy::of_delays(&[604_800; 2], "").is_ok(), "fourteen days are kept");
    }
}
