//! The exact value of a JSON number, borrowed from its text, for equality and order.
//!
//! A double would not do: `9007199254740993` and `9007199254740992` are one double, and `1e400` is
//! none. It never does arithmetic but on the exponent, and never allocates.

use std::cmp::Ordering;

/// The most digits of an exponent, leading zeros apart: it then fits an `i64`, with room for the
/// shift by the number's own digits, however long its text.
const EXPONENT_DIGITS_MAX: usize = 17;

/// A number `±0.digits × 10^exponent`, its digits without zeros at either end, so that numbers are
/// equal exactly when these are. Zero has no digits, no sign and exponent 0.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    negative: bool,
    exponent: i64,
    /// The digits, as they stand before and after the point.
    digits: (&'a str, &'a str),
}

impl<'a> Decimal<'a> {
    /// The value of a JSON number's text. Text that is none gives some number, never a panic.
    pub fn of(text: &'a str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, mantissa) =
            mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let (shift, digits) = match (whole, fraction) {
            ("", "") => return Self { negative: false, exponent: 0, digits: ("", "") },
            ("", _) => {
                let digits = fraction.trim_start_matches('0');
                (length(digits) - length(fraction), (digits, ""))
            }
            (_, "") => (length(whole), (whole.trim_end_matches('0'), "")),
            (_, _) => (length(whole), (whole, fraction)),
        };
        Self { negative, exponent: power(exponent).saturating_add(shift), digits }
    }

    /// Whether a JSON number's exponent is so long that its value is not told exactly.
    pub fn is_out_of_range(text: &str) -> bool {
        let Some((_, exponent)) = text.split_once(['e', 'E']) else { return false };
        let digits = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
        digits.len() > EXPONENT_DIGITS_MAX
    }

    fn is_zero(&self) -> bool {
        self.digits == ("", "")
    }

    fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.digits.0.bytes().chain(self.digits.1.bytes())
    }

    /// The order of the absolute values.
    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        // Zero first: its exponent says nothing of its size.
        let zero = other.is_zero().cmp(&self.is_zero());
        zero.then(self.exponent.cmp(&other.exponent))
            .then_with(|| self.digits().cmp(other.digits()))
    }
}

/// Beyond 64 bits, an exponent is the largest or the smallest there is.
fn power(exponent: &str) -> i64 {
    let beyond = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    exponent.parse().unwrap_or(beyond)
}

fn length(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_equal_however_it_is_written() {
        let table = [
            ("0", "-0.000e-7"),
            ("1", "1.0"),
            ("10", "1E1"),
            ("0.1", "1e-1"),
            ("0.00120", "12e-4"),
            ("-12.50", "-1.25e+1"),
            ("100.200", "100200e-3"),
            ("1e+0400", "10e399"),
        ];
        for (one, other) in table {
            assert_eq!(Decimal::of(one), Decimal::of(other), "{one} {other}");
        }
    }

    #[test]
    fn orders_by_value() {
        let ascending = [
            "-1e99999999999999999999",
            "-1e400",
            "-10",
            "-9.5",
            "-1",
            "-0.5",
            "-0.05",
            "-1e-99999999999999999999",
            "0",
            "1e-400",
            "0.05",
            "0.79999999999999999999",
            "0.8",
            "0.80000000000000000001",
            "0.9",
            "1",
            "9.5",
            "10",
            "10.5",
            "105",
            "9007199254740992",
            "9007199254740993",
            "1e400",
        ];
        for (index, one) in ascending.iter().enumerate() {
            for (other_index, other) in ascending.iter().enumerate() {
                let order = Decimal::of(one).cmp(&Decimal::of(other));
                assert_eq!(order, index.cmp(&other_index), "{one} and {other}");
            }
        }
    }

    #[test]
    fn no_text_panics() {
        for text in ["", "-", "e", "1e", ".", "x", "1e99999999999999999999", "-.e-99999999999999"] {
            let decimal = Decimal::of(text);
            assert_eq!(decimal, decimal, "{text}");
        }
        assert!(Decimal::is_out_of_range("1e-999999999999999999"));
        assert!(!Decimal::is_out_of_range("1e+00000000000000000000400"));
    }

    #[test]
    fn an_exponent_of_seventeen_digits_is_still_told_exactly() {
        assert!(!Decimal::is_out_of_range("1e12345678901234567"));
        assert!(Decimal::is_out_of_range("1e123456789012345678"));
    }

    #[test]
    fn different_values_are_different_and_comparable() {
        let (one, two) = (Decimal::of("1"), Decimal::of("2"));
        assert_ne!(one, two);
        assert_eq!(one.partial_cmp(&two), Some(Ordering::Less));
    }
}
