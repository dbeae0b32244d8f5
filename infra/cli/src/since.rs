//! A time, as a person says it: `2h` ago, or RFC 3339.

use std::str::FromStr;

use waxseal_domain::timestamp::Timestamp;

/// A point in time that a person gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// The time lies so many seconds before now.
    Ago(u64),
    /// The time was given as such, in RFC 3339.
    At(Timestamp),
}

impl Since {
    /// Reckons the point in time.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(seconds) => now.minus_s(seconds),
            Self::At(at) => at,
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape =
            "must be a time such as 2026-11-21T10:00:00Z, or how long ago: 90s, 30m, 2h, 7d, 2w";
        if let Some(at) = Timestamp::parse_rfc3339(text) {
            return Ok(Self::At(at));
        }
        let unit = text.chars().last().and_then(seconds_of);
        let number = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|_| is_number);
        let seconds = number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
        seconds.map(Self::Ago).ok_or_else(|| shape.to_owned())
    }
}

fn seconds_of(unit: char) -> Option<u64> {
    match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        'w' => Some(7 * 86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_either_way() {
        let parse = |text: &str| text.parse::<Since>();
        assert_eq!(parse("2h"), Ok(Since::Ago(7_200)));
        assert_eq!(parse("90s"), Ok(Since::Ago(90)));
        assert_eq!(parse("1w"), Ok(Since::Ago(604_800)));
        assert_eq!(parse("1970-01-01T00:00:02Z"), Ok(Since::At(Timestamp::from_ms(2_000))));
        for bad in [
            "",
            "h",
            "2",
            "2y",
            "-2h",
            "+2h",
            "2.5h",
            "2 h",
            "2é",
            "yesterday",
            "99999999999999999999w",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let now = Timestamp::from_ms(10_000_000);
        assert_eq!(parse("2h").unwrap().before(now), Timestamp::from_ms(2_800_000));
    }
}
