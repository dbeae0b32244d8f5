//! Points in time: milliseconds since 1970, in UTC. Who reads a clock is the `Clock` port.

use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::{OffsetDateTime, UtcOffset};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Makes a point in time from milliseconds since 1970.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since 1970.
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// This and so many seconds.
    #[must_use]
    pub const fn plus_s(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// This and so many milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// So many seconds before this.
    #[must_use]
    pub const fn minus_s(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds.saturating_mul(1_000)))
    }

    /// So many milliseconds before this.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// This moved by so many milliseconds: back where they are negative.
    #[must_use]
    pub const fn moved_ms(self, by_ms: i64) -> Self {
        Self(self.0.saturating_add_signed(by_ms))
    }

    /// Milliseconds from `other` to this; negative if that is later.
    pub fn diff_ms(self, other: Self) -> i64 {
        let apart = i64::try_from(self.0.abs_diff(other.0)).unwrap_or(i64::MAX);
        if self < other { -apart } else { apart }
    }

    /// Milliseconds from `earlier` to this; 0 if it is later.
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from now until this, rounded up; 0 if it has passed.
    pub const fn wait_s(self, now: Self) -> u64 {
        self.0.saturating_sub(now.0).div_ceil(1_000)
    }

    /// The day in UTC, `2026-11-21`.
    pub fn day(self) -> String {
        self.rfc3339().chars().take(10).collect()
    }

    /// RFC 3339 in UTC, `2026-11-21T10:00:00.125Z`; without the fraction where it is zero.
    pub fn rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
    }

    /// Reads RFC 3339; none if it is not, before 1970, or after the year 9999, in UTC.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().and_then(Self::from_date)
    }

    /// Reads an HTTP date in any of the three forms of RFC 9110, section 5.6.7, such as
    /// `Sun, 06 Nov 1994 08:49:37 GMT`; none if it is none of them, or before 1970.
    ///
    /// The dates of RFC 5322 are read as well: some servers write `+0000` in the place of `GMT`, or a day of
    /// one digit.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let Ok(date) = httpdate::parse_http_date(text) else {
            return OffsetDateTime::parse(text, &Rfc2822).ok().and_then(Self::from_date);
        };
        let since_1970 = date.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since_1970.as_millis()).ok().map(Self)
    }

    fn from_date(date: OffsetDateTime) -> Option<Self> {
        let date = date.checked_to_offset(UtcOffset::UTC)?;
        u64::try_from(date.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }
}

/// RFC 3339 text as RFC 3339 in UTC, its fraction kept; none if it is not RFC 3339, or if in UTC it
/// falls outside the years 0 to 9999.
///
/// Text that is in UTC already stays as it is, byte for byte.
pub fn in_utc(text: &str) -> Option<String> {
    let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    if text.ends_with('Z') {
        return Some(text.to_owned());
    }
    date.checked_to_offset(UtcOffset::UTC)?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_rfc3339() {
        let at = Timestamp::from_ms(1_795_255_200_125);
        assert_eq!(at.rfc3339(), "2026-11-21T10:00:00.125Z");
        assert_eq!(Timestamp::parse_rfc3339(&at.rfc3339()), Some(at));
        assert_eq!(at.day(), "2026-11-21");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
        assert_eq!(Timestamp::parse_rfc3339("9999-12-31T23:59:59-01:00"), None);
    }

    #[test]
    fn turns_an_offset_into_utc_and_leaves_utc_alone() {
        assert_eq!(in_utc("2026-03-02T10:15:27.5+01:00").unwrap(), "2026-03-02T09:15:27.5Z");
        assert_eq!(in_utc("2026-03-02T09:15:27.500Z").unwrap(), "2026-03-02T09:15:27.500Z");
        assert_eq!(in_utc("2026-03-02"), None);
        assert_eq!(in_utc("9999-12-31T23:59:59-01:00"), None);
        assert_eq!(in_utc("0000-01-01T00:00:00+01:00"), None);
    }

    #[test]
    fn reads_http_dates_in_the_three_forms_of_rfc_9110() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let at = Timestamp::parse_http_date(text).expect(text);
            assert_eq!(at.rfc3339(), "1994-11-06T08:49:37Z", "{text}");
        }
    }

    #[test]
    fn reads_the_dates_of_mail_that_some_servers_send() {
        for text in ["Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 6 Nov 1994 09:49:37 +0100"] {
            let at = Timestamp::parse_http_date(text).expect(text);
            assert_eq!(at.rfc3339(), "1994-11-06T08:49:37Z", "{text}");
        }
    }

    #[test]
    fn reads_no_http_date_from_nonsense() {
        for text in [
            "",
            "soon",
            "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 1994",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sunday, 06-Nov-94",
            "Sun Nov  6 08:49:37",
            "Sun, 06 Nov 1904 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT and more",
            "\u{e9}\u{e9}\u{e9}, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(Timestamp::parse_http_date(text), None, "{text}");
        }
    }

    #[test]
    fn waits_are_rounded_up() {
        let now = Timestamp::from_ms(1_000);
        assert_eq!(Timestamp::from_ms(2_001).wait_s(now), 2);
        assert_eq!(Timestamp::from_ms(500).wait_s(now), 0);
    }
}
