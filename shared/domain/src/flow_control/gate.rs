//! The gate before an endpoint that is in trouble: its circuit breaker, and what paces it afterwards.
//!
//! An endpoint without trouble has none. While there is one, deliveries are *held*: their rows rest in
//! an index of the endpoint's own, cost no attempt, and are looked at by nobody but this gate's review,
//! which the sweep makes when the gate is due.
//!
//! | mode | deliver | the review |
//! | --- | --- | --- |
//! | none, closing | POSTs | releases stragglers; removes the gate 5 minutes after the last |
//! | open | holds all but the probe | sends the oldest held delivery as a probe |
//! | pacing | holds all but what is paced | releases at a bounded rate; none left: closing |
//!
//! Of a paused endpoint all is held whatever the mode, and the review releases nothing.
//!
//! Closing lingers since an instance may hold a delivery on a copy of the gate that is a minute old.

use serde::{Deserialize, Serialize};

use crate::delivery::attempt::{Outcome, SendResult};
use crate::delivery::message::Kind;
use crate::endpoint::{DisabledReason, Endpoint};
use crate::flow_control::rate::window_end;
use crate::id::{EndpointId, TenantName};
use crate::limits::{
    EARLINESS_MS_MAX, FAILING_S_MAX, GATE_LINGER_S, PACING_REVIEW_S, PAUSE_S_MAX,
    RETRY_AFTER_S_MAX, THROTTLE_DEFAULT_S,
};
use crate::timestamp::Timestamp;

/// A gate's row. Changed only if its `version` is still the one that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The tenant of the endpoint.
    pub tenant: TenantName,
    /// The endpoint before which the gate stands.
    pub endpoint: EndpointId,
    /// What the gate lets through.
    pub mode: Mode,
    /// The endpoint's version when the trouble was seen: an endpoint changed since is tried anew.
    pub endpoint_version: u64,
    /// When the gate last changed its mode.
    pub since: Timestamp,
    /// When the sweep reviews the gate next.
    pub due_at: Timestamp,
    /// The number of the gate's last change. A write over another version than the one read is
    /// refused.
    pub version: u64,
}

/// What a gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The circuit breaker is open, and only probes are let through.
    Open,
    /// Deliveries are let through at a bounded rate.
    Pacing,
    /// Everything is let through, and the gate is about to be removed.
    Closing,
}

/// What the sweep must do when it reviews a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Send the oldest held delivery as a probe.
    Probe,
    /// Release held deliveries at the endpoint's rate.
    Pace,
    /// Release what is held, or remove the gate if nothing is and it has lingered.
    Close,
    /// Leave what is held: the endpoint is paused.
    Wait,
    /// Disable the endpoint, which has been failing or paused for days, and release what is held,
    /// to be ended.
    GiveUp(DisabledReason),
}

impl Gate {
    /// Makes the gate that the circuit breaker opens. `before` is the gate as it was read.
    pub fn open_breaker(
        endpoint: &Endpoint,
        before: Option<&Self>,
        probe_s: u64,
        now: Timestamp,
    ) -> Self {
        Self::of(endpoint, before, Mode::Open, now, now.plus_s(probe_s))
    }

    /// Makes the gate of a receiver that asked to be left alone, reviewed after as long as it
    /// asked: 10 seconds to a day.
    pub fn slow_down(
        endpoint: &Endpoint,
        before: Option<&Self>,
        sent: &SendResult,
        now: Timestamp,
    ) -> Self {
        let asked_s =
            sent.retry_after_s().unwrap_or(0).clamp(THROTTLE_DEFAULT_S, RETRY_AFTER_S_MAX);
        // Counted from the answer; but from now where the clock was set back since.
        let answered_at = sent.ended_at.min(now);
        Self::of(endpoint, before, Mode::Pacing, answered_at, answered_at.plus_s(asked_s))
    }

    /// Makes the gate of an endpoint whose rate or slots are used up, or that is paused. Its first
    /// review is due when the next window of the rate begins.
    pub fn limit_rate(endpoint: &Endpoint, before: Option<&Self>, now: Timestamp) -> Self {
        Self::of(endpoint, before, Mode::Pacing, now, window_end(now))
    }

    /// Makes the gate of an endpoint of which no more is known than its name: it paces what it holds, from now on.
    pub fn release_all(tenant: TenantName, endpoint: EndpointId, now: Timestamp) -> Self {
        let (mode, endpoint_version, version) = (Mode::Pacing, 0, 1);
        Self { tenant, endpoint, mode, endpoint_version, since: now, due_at: now, version }
    }

    fn of(
        endpoint: &Endpoint,
        before: Option<&Self>,
        mode: Mode,
        now: Timestamp,
        due_at: Timestamp,
    ) -> Self {
        Self {
            tenant: endpoint.tenant.clone(),
            endpoint: endpoint.id.clone(),
            mode,
            endpoint_version: endpoint.version,
            since: now,
            due_at,
            version: before.map_or(1, |before| before.version + 1),
        }
    }

    /// Returns the gate in a mode, with the next review at `due_at`. `since` changes only with the
    /// mode.
    #[must_use]
    pub fn turn(&self, mode: Mode, now: Timestamp, due_at: Timestamp) -> Self {
        let since = if mode == self.mode { self.since } else { now };
        Self { mode, since, due_at, version: self.version + 1, ..self.clone() }
    }

    /// Returns the gate with all that is planned moved by so many milliseconds, since the clock that it was planned by
    /// has jumped by as much. A version of its own: what was read before is not written over it.
    #[must_use]
    pub fn moved(self, by_ms: i64) -> Self {
        Self {
            since: self.since.moved_ms(by_ms),
            due_at: self.due_at.moved_ms(by_ms),
            version: self.version + 1,
            ..self
        }
    }

    /// Whether the gate lets a message of this kind through to the endpoint as it is now.
    pub fn lets_through(&self, endpoint: &Endpoint, kind: Kind) -> bool {
        // The endpoint was changed after the trouble was seen, perhaps to end it: its new settings
        // are tried at once.
        if endpoint.version != self.endpoint_version {
            return true;
        }
        match self.mode {
            Mode::Closing => true,
            Mode::Open => kind == Kind::Probe,
            Mode::Pacing => kind != Kind::Normal,
        }
    }

    /// Whether the gate's review is due. A retry whose time has come need not wait for the sweep to
    /// make that review: it is sent at the pace at which the review would release it.
    pub fn is_ripe(&self, now: Timestamp) -> bool {
        self.mode == Mode::Pacing && now.plus_ms(EARLINESS_MS_MAX) >= self.due_at
    }

    /// Whether the breaker or a throttled answer may change the gate. An open gate is left to its
    /// probes and its review: a change here would put its next probe off each time.
    pub fn may_turn(&self) -> bool {
        self.mode != Mode::Open
    }

    /// Decides what the gate's review must do. What an endpoint that was changed or deleted holds
    /// is released at its rate.
    pub fn review(&self, endpoint: Option<&Endpoint>, now: Timestamp) -> Review {
        // A pause counts only while the endpoint is enabled: what a disabled endpoint holds is
        // released in any case, so that each delivery ends with a reason.
        let enabled = endpoint.filter(|found| found.is_enabled());
        if let Some(paused_at) = enabled.and_then(|found| found.paused_at) {
            // Counted from the later of the two: without a gate nothing waited for the endpoint,
            // and before the pause it was not the pause that kept it waiting.
            let is_over = now >= self.since.max(paused_at).plus_s(PAUSE_S_MAX);
            return if is_over { Review::GiveUp(DisabledReason::Paused) } else { Review::Wait };
        }
        let is_unchanged = endpoint.is_some_and(|found| found.version == self.endpoint_version);
        match self.mode {
            Mode::Closing => Review::Close,
            Mode::Open if is_unchanged && now >= self.since.plus_s(FAILING_S_MAX) => {
                Review::GiveUp(DisabledReason::Failing)
            }
            Mode::Open if is_unchanged => Review::Probe,
            Mode::Open | Mode::Pacing => Review::Pace,
        }
    }

    /// Whether the gate has been closing for so long that no instance can still hold a delivery on
    /// an old copy of it. Nobody would release what was held after the gate is gone.
    pub fn has_lingered(&self, now: Timestamp) -> bool {
        self.mode == Mode::Closing && now >= self.since.plus_s(GATE_LINGER_S)
    }

    /// Returns when the gate must be reviewed again after a review that released what it could.
    pub fn next_review(now: Timestamp) -> Timestamp {
        now.plus_s(PACING_REVIEW_S)
    }
}

/// Whether a receiver asks to be left alone: by 429, or by 503 with `Retry-After`.
pub fn is_throttled(sent: &SendResult) -> bool {
    let status = sent.response.as_ref().map(|response| response.status);
    sent.outcome == Outcome::Throttled || (status == Some(503) && sent.retry_after_s().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::attempt::Response;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn endpoint() -> Endpoint {
        serde_json::from_str(
            r#"{"id":"ep_1","tenant":"acme","url":"https://example.com/","profile":"standard",
                "subscription":{"event_types":["*"]},"secrets":[],"state":{"state":"enabled"},
                "health":"unverified","version":1,"created_at":0,"updated_at":0}"#,
        )
        .unwrap()
    }

    #[test]
    fn an_open_gate_holds_all_but_its_probe_until_the_endpoint_is_changed() {
        let mut endpoint = endpoint();
        let gate = Gate::open_breaker(&endpoint, None, 30, NOW);
        assert_eq!((gate.mode, gate.due_at, gate.version), (Mode::Open, NOW.plus_s(30), 1));
        let lets = |endpoint: &Endpoint| {
            [Kind::Normal, Kind::Probe, Kind::Paced].map(|kind| gate.lets_through(endpoint, kind))
        };
        assert_eq!(lets(&endpoint), [false, true, false]);
        assert_eq!(gate.review(Some(&endpoint), NOW), Review::Probe);
        endpoint.version += 1;
        assert_eq!(lets(&endpoint), [true, true, true]);
        assert_eq!(gate.review(Some(&endpoint), NOW), Review::Pace);
        assert_eq!(gate.review(None, NOW), Review::Pace);
    }

    #[test]
    fn after_days_it_gives_up() {
        let endpoint = endpoint();
        let gate = Gate::open_breaker(&endpoint, None, 30, NOW);
        let later = NOW.plus_s(FAILING_S_MAX);
        assert_eq!(gate.review(Some(&endpoint), later), Review::GiveUp(DisabledReason::Failing));
        let probed = gate.turn(Mode::Open, later, later.plus_s(30));
        assert_eq!(probed.since, NOW, "a probe does not begin the days anew");
    }

    #[test]
    fn a_paused_endpoint_waits_for_days_and_then_no_more() {
        let mut endpoint = endpoint();
        let gate = Gate::limit_rate(&endpoint, None, NOW);
        endpoint.paused_at = Some(NOW.minus_s(PAUSE_S_MAX));
        let over = NOW.plus_s(PAUSE_S_MAX);
        assert_eq!(gate.review(Some(&endpoint), over.minus_s(1)), Review::Wait);
        assert_eq!(gate.review(Some(&endpoint), over), Review::GiveUp(DisabledReason::Paused));
        endpoint.paused_at = Some(NOW.plus_s(1));
        assert_eq!(gate.review(Some(&endpoint), over), Review::Wait, "held before it was paused");
        let disabled = endpoint.clone().disable(DisabledReason::Paused, over).next_version(over);
        let later = over.plus_s(PAUSE_S_MAX);
        assert_eq!(gate.review(Some(&disabled), over), Review::Pace, "what it holds ends");
        assert_eq!(gate.review(Some(&disabled), later), Review::Pace, "disabled once, told once");
        endpoint.paused_at = None;
        assert_eq!(gate.review(Some(&endpoint), over), Review::Pace, "resumed");
    }

    #[test]
    fn a_throttled_answer_paces_from_when_it_says() {
        let answer = |status, value: Option<&str>| SendResult {
            outcome: Outcome::of_status(status),
            detail: None,
            response: Some(Response {
                status,
                headers: value.map(|v| ("retry-after".into(), v.into())).into_iter().collect(),
                excerpt: String::new(),
            }),
            started_at: NOW,
            ended_at: NOW,
        };
        assert!(is_throttled(&answer(429, None)) && is_throttled(&answer(503, Some("5"))));
        assert!(!is_throttled(&answer(503, None)) && !is_throttled(&answer(500, Some("5"))));
        let gate = Gate::slow_down(&endpoint(), None, &answer(429, Some("300")), NOW);
        assert_eq!((gate.mode, gate.due_at), (Mode::Pacing, NOW.plus_s(300)));
        assert!(!gate.lets_through(&endpoint(), Kind::Normal));
        assert!(gate.lets_through(&endpoint(), Kind::Paced));
        assert!(!gate.is_ripe(NOW.plus_s(298)) && gate.is_ripe(NOW.plus_s(300)));
        assert!(gate.is_ripe(NOW.plus_s(299)), "by a clock that differs");
        let opened = Gate::open_breaker(&endpoint(), Some(&gate), 30, NOW);
        assert!(!opened.is_ripe(NOW.plus_s(300)), "it has its probes");
        let bounded = Gate::slow_down(&endpoint(), None, &answer(429, Some("99999999")), NOW);
        assert_eq!(bounded.due_at, NOW.plus_s(RETRY_AFTER_S_MAX));
    }

    #[test]
    fn every_change_is_a_new_version_and_a_new_mode_begins_anew() {
        let endpoint = endpoint();
        let opened = Gate::open_breaker(&endpoint, None, 30, NOW);
        let pacing = opened.turn(Mode::Pacing, NOW.plus_s(7), NOW.plus_s(9));
        assert_eq!(
            (pacing.version, pacing.since, pacing.due_at),
            (2, NOW.plus_s(7), NOW.plus_s(9))
        );
        let again = Gate::open_breaker(&endpoint, Some(&pacing), 30, NOW.plus_s(20));
        assert_eq!((again.version, again.since), (3, NOW.plus_s(20)));
        assert!(pacing.may_turn() && !again.may_turn(), "an open one waits for its probe");
        assert_eq!(Gate::next_review(NOW), NOW.plus_s(PACING_REVIEW_S));
        let limited = Gate::limit_rate(&endpoint, None, NOW);
        assert_eq!((limited.mode, limited.due_at), (Mode::Pacing, window_end(NOW)));
    }

    #[test]
    fn a_closing_gate_lingers() {
        let gate = Gate::open_breaker(&endpoint(), None, 30, NOW).turn(Mode::Closing, NOW, NOW);
        assert!(gate.lets_through(&endpoint(), Kind::Normal));
        assert!(!gate.has_lingered(NOW.plus_s(GATE_LINGER_S - 1)));
        assert!(gate.has_lingered(NOW.plus_s(GATE_LINGER_S)));
    }
}
