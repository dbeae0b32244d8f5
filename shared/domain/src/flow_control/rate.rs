//! An endpoint's rate: tokens of windows of ten seconds, counted in one place for all instances.
//!
//! Exact per window: of `max_per_second` 5 no window sees more than 50 attempts begin. Instances whose
//! clocks differ by d seconds may spend two windows' tokens within 10 s + d. What is over the rate is
//! held, costs no attempt, and is released by the endpoint's gate, which takes tokens ahead.

use crate::id::{EndpointId, SourceName, TenantName};
use crate::limits::RATE_WINDOW_S;
use crate::timestamp::Timestamp;

#[expect(clippy::cast_possible_truncation, reason = "it is ten")]
const WINDOW_S: u32 = RATE_WINDOW_S as u32;

/// How much may be done in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_window: u32,
}

impl Rate {
    /// So many each second.
    pub const fn per_second(count: u32) -> Self {
        Self { per_window: count.saturating_mul(WINDOW_S) }
    }

    /// So many each minute, and one in each window at the least.
    pub const fn per_minute(count: u32) -> Self {
        let per_window = count / (60 / WINDOW_S);
        Self { per_window: if per_window == 0 { 1 } else { per_window } }
    }

    /// Returns how many of a window that is.
    pub const fn per_window(self) -> u32 {
        self.per_window
    }
}

/// Tokens that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The number of the window: seconds since 1970, divided by ten.
    pub window: u64,
    /// The number of tokens that are asked for.
    pub count: u32,
    /// The number of tokens that the whole window has.
    pub most: u32,
}

impl TokenRequest {
    /// Asks for one token of the running window.
    pub fn now(max_per_second: u32, now: Timestamp) -> Self {
        Self { count: 1, ..Self::of(max_per_second, now.seconds() / RATE_WINDOW_S, now) }
    }

    /// Asks for every token of a window. Of the running window these are only as many as fit the
    /// time that is left of it.
    pub fn of(max_per_second: u32, window: u64, now: Timestamp) -> Self {
        let length_s = u32::try_from(RATE_WINDOW_S).unwrap_or(u32::MAX);
        let begun_s = now.seconds().saturating_sub(window * RATE_WINDOW_S);
        let left_s = length_s.saturating_sub(u32::try_from(begun_s).unwrap_or(length_s));
        Self { window, count: max_per_second * left_s, most: max_per_second * length_s }
    }

    /// Asks for no more tokens than there are deliveries to release.
    #[must_use]
    pub fn after(self, work: usize) -> Self {
        Self { count: self.count.min(u32::try_from(work).unwrap_or(u32::MAX)), ..self }
    }

    /// Returns how many tokens are granted when `used` are taken already: all that were asked for,
    /// or none. A store can then decide by one condition in one write.
    pub fn grant(&self, used: u32) -> u32 {
        if used + self.count <= self.most { self.count } else { 0 }
    }

    /// Returns the seconds from now until token `number` is to be spent, so that tokens are spread
    /// over the window.
    pub fn delay_s(&self, number: u32, now: Timestamp) -> u32 {
        let per_second = (self.most / u32::try_from(RATE_WINDOW_S).unwrap_or(1)).max(1);
        let seconds = (self.window * RATE_WINDOW_S).saturating_sub(now.seconds());
        let begins_s = u32::try_from(seconds).unwrap_or(u32::MAX);
        begins_s.saturating_add(number / per_second)
    }

    /// Returns when the count of the window may be removed: an hour after its end, which no clock
    /// is off by.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_ms((self.window + 1) * RATE_WINDOW_S * 1_000).plus_s(3_600)
    }
}

/// Returns the name under which an endpoint takes tokens. The `#` keeps it apart from the ids of
/// API keys, which share the table.
pub fn of_endpoint(tenant: &TenantName, endpoint: &EndpointId) -> String {
    format!("{tenant}#{endpoint}")
}

/// Returns the name under which a source takes tokens for its hooks. A `#` and a `/` are in no endpoint's name.
pub fn of_source(tenant: &TenantName, source: &SourceName) -> String {
    format!("{tenant}#hooks/{source}")
}

/// Returns the name under which all keys of a tenant take tokens for their requests. No endpoint's id is that word.
pub fn of_requests(tenant: &TenantName) -> String {
    format!("{tenant}#requests")
}

/// Returns the name under which a tenant takes tokens for its deliveries. No endpoint's id is that word.
pub fn of_deliveries(tenant: &TenantName) -> String {
    format!("{tenant}#deliveries")
}

/// Returns the windows of the next `seconds`, the running one first.
pub fn windows(now: Timestamp, seconds: u64) -> std::ops::Range<u64> {
    let first = now.seconds() / RATE_WINDOW_S;
    first..first + seconds / RATE_WINDOW_S
}

/// Returns when the running window ends.
pub fn window_end(now: Timestamp) -> Timestamp {
    Timestamp::from_ms((now.seconds() / RATE_WINDOW_S + 1) * RATE_WINDOW_S * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_004_000);

    #[test]
    fn a_window_has_ten_seconds_of_tokens_and_no_more() {
        let one = TokenRequest::now(5, NOW);
        assert_eq!((one.window, one.count, one.most), (100, 1, 50));
        assert_eq!((one.grant(49), one.grant(50)), (1, 0));
    }

    #[test]
    fn the_window_that_runs_gives_what_is_left_of_its_time() {
        assert_eq!(TokenRequest::of(5, 100, NOW).count, 30, "six of ten seconds are left");
        assert_eq!(TokenRequest::of(5, 101, NOW).count, 50);
        assert_eq!(TokenRequest::of(5, 101, NOW).after(7).count, 7);
        assert_eq!(windows(NOW, 60), 100..106);
        assert_eq!(window_end(NOW), Timestamp::from_ms(1_010_000));
    }

    #[test]
    fn a_rate_is_a_windows_share() {
        assert_eq!(Rate::per_second(5).per_window(), 50);
        assert_eq!(Rate::per_second(u32::MAX).per_window(), u32::MAX);
        assert_eq!(Rate::per_minute(60_000).per_window(), 10_000);
        assert_eq!(Rate::per_minute(0).per_window(), 1, "never nothing: it would wait for ever");
    }

    #[test]
    fn a_windows_count_is_kept_an_hour_beyond_its_end() {
        let expires_at = TokenRequest::now(5, NOW).expires_at();
        assert_eq!(expires_at, Timestamp::from_ms(1_010_000).plus_s(3_600));
    }

    #[test]
    fn tokens_are_spent_evenly() {
        let next = TokenRequest::of(2, 101, NOW);
        let delays: Vec<u32> = (0..5).map(|number| next.delay_s(number, NOW)).collect();
        assert_eq!(delays, [6, 6, 7, 7, 8]);
        assert_eq!(TokenRequest::of(2, 100, NOW).delay_s(3, NOW), 1);
    }

    #[test]
    fn an_endpoint_takes_tokens_under_a_name_that_no_key_has() {
        let name = of_endpoint(&"acme".parse().unwrap(), &"ep_1".parse().unwrap());
        assert_eq!(name, "acme#ep_1");
        assert!(name.parse::<crate::id::ApiKeyId>().is_err());
    }
}
