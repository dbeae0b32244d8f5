//! A time, as a person says it: `2h` ago, or RFC 3339.

use std::str::FromStr;
use std::time::Duration;

use waxseal_domain::timestamp::Timestamp;

/// How a time is said, for help and errors.
pub(crate) const FORMS: &str = "a time such as 2026-11-21T10:00:00Z, or how long ago: 90s, 1h30m, 2h, 7d (s; m is \
minutes; h; d; w; M is months of 30.44 days; y)";

/// A point in time that a person gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// The time lies so far before now.
    Ago(Duration),
    /// The time was given as such, in RFC 3339.
    At(Timestamp),
}

impl Since {
    /// Reckons the point in time.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            // What is longer than all milliseconds that a number holds began before 1970 too.
            Self::Ago(length) => {
                now.minus_ms(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
            }
            Self::At(at) => at,
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(at) = Timestamp::parse_rfc3339(text) {
            return Ok(Self::At(at));
        }
        humantime::parse_duration(text)
            .map(Self::Ago)
            .map_err(|error| format!("must be {FORMS} ({error})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_either_way() {
        let parse = |text: &str| text.parse::<Since>();
        let ago_s = |seconds| Since::Ago(Duration::from_secs(seconds));
        assert_eq!(parse("2h"), Ok(ago_s(7_200)));
        assert_eq!(parse("90s"), Ok(ago_s(90)));
        assert_eq!(parse("1w"), Ok(ago_s(604_800)));
        assert_eq!(parse("1970-01-01T00:00:02Z"), Ok(Since::At(Timestamp::from_ms(2_000))));
        for (text, seconds) in [
            ("1h30m", 5_400),
            ("1m", 60),
            ("1M", 2_630_016),
            ("1y", 31_557_600),
            ("2 hours", 7_200),
            ("1day 1min", 86_460),
        ] {
            assert_eq!(parse(text), Ok(ago_s(seconds)), "{text}");
        }
        for (text, why) in [("2", "time unit needed"), ("2x", "unknown time unit \"x\"")] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("2h, 7d") && error.contains(why), "{error}");
        }
        for bad in ["", "h", "2", "-2h", "+2h", "2é", "yesterday", "99999999999999999999w"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let now = Timestamp::from_ms(10_000_000);
        assert_eq!(parse("2h").unwrap().before(now), Timestamp::from_ms(2_800_000));
    }
}
