//! Numbers as JavaScript and Python write them: both shortest round trip, in different dress.

/// Writes a number as ECMAScript's `Number::toString` does; what no double holds is `null`.
pub(crate) fn javascript(written: &str) -> String {
    let Some(number) = Shortest::of(written) else { return "null".to_owned() };
    let (digits, point) = (&number.digits, number.point);
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let sign = if number.negative && digits != "0" { "-" } else { "" };
    if (length..=21).contains(&point) {
        format!("{sign}{digits}{}", zeros(point - length))
    } else if (-5..=21).contains(&point) {
        format!("{sign}{}", number.write_fixed())
    } else {
        format!("{sign}{}", number.scientific(1))
    }
}

/// Writes a number as Python's `json.dumps(json.loads(...))` does: integers of any size, floats by
/// `repr`.
pub(crate) fn python(written: &str) -> String {
    if !written.contains(['.', 'e', 'E']) {
        return if written == "-0" { "0".to_owned() } else { written.to_owned() };
    }
    let sign = if written.starts_with('-') { "-" } else { "" };
    let Some(number) = Shortest::of(written) else { return format!("{sign}Infinity") };
    let length = i64::try_from(number.digits.len()).unwrap_or(i64::MAX);
    if !(-3..=16).contains(&number.point) {
        format!("{sign}{}", number.scientific(2))
    } else if number.point >= length {
        format!("{sign}{}{}.0", number.digits, zeros(number.point - length))
    } else {
        format!("{sign}{}", number.write_fixed())
    }
}

/// Whether what JavaScript writes is the same number, as an exact decimal.
pub(crate) fn is_exact(written: &str) -> bool {
    Shortest::of(written).is_some() && decimal(written) == decimal(&javascript(written))
}

/// The shortest digits that read back as the same double, and where the decimal point stands.
struct Shortest {
    negative: bool,
    digits: String,
    /// Digits before the point; may be negative, or beyond the digits.
    point: i64,
}

impl Shortest {
    fn of(written: &str) -> Option<Self> {
        let double: f64 = written.parse().ok().filter(|double: &f64| double.is_finite())?;
        let negative = double.is_sign_negative();
        // Not Rust's own `{:e}`: of two shortest that are equally near it takes the upper, where
        // JavaScript and Python, like serde_json, take the even one.
        let text = serde_json::to_string(&double.abs()).ok()?;
        let Decimal { digits, exponent, .. } = decimal(&text)?;
        if digits.is_empty() {
            return Some(Self { negative, digits: "0".to_owned(), point: 1 });
        }
        let point = i64::try_from(digits.len()).ok()?.checked_add(exponent)?;
        Some(Self { negative, digits, point })
    }

    fn write_fixed(&self) -> String {
        match usize::try_from(self.point) {
            Ok(point) if point > 0 && point <= self.digits.len() => {
                let (whole, fraction) = self.digits.split_at(point);
                format!("{whole}.{fraction}")
            }
            _ => format!("0.{}{}", zeros(-self.point), self.digits),
        }
    }

    fn scientific(&self, exponent_digits: usize) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let exponent = self.point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{point}{rest}e{sign}{:0exponent_digits$}", exponent.abs())
    }
}

fn zeros(count: i64) -> String {
    "0".repeat(usize::try_from(count).unwrap_or(0))
}

/// A number as it is written in decimal.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// The digits, without zeros at either end; none for zero.
    digits: String,
    /// The exponent of the last digit.
    exponent: i64,
}

/// Reads a number; none for an exponent beyond all reason.
fn decimal(text: &str) -> Option<Decimal> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(Decimal { is_negative: false, digits: String::new(), exponent: 0 });
    }
    let dropped = digits.len() - digits.trim_end_matches('0').len();
    let shift = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_add(shift)?;
    Some(Decimal { is_negative: negative, digits: significant.to_owned(), exponent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_writes_floats_by_repr() {
        for (given, due) in [
            ("1.0", "1.0"),
            ("1e5", "100000.0"),
            ("1e16", "1e+16"),
            ("1e15", "1000000000000000.0"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0.0", "-0.0"),
            ("-0", "0"),
            ("123456789012345678901", "123456789012345678901"),
            ("1.5e300", "1.5e+300"),
            ("1e400", "Infinity"),
            ("-1e400", "-Infinity"),
            ("12.50", "12.5"),
            ("1234567890123456.0", "1234567890123456.0"),
        ] {
            assert_eq!(python(given), due, "{given}");
        }
    }

    #[test]
    fn zero_is_exact_however_it_is_written() {
        for zero in ["0", "-0", "0.00", "0e9", "-0.0E-99999999999999999999"] {
            assert!(is_exact(zero), "{zero}");
            assert_eq!(javascript(zero), "0");
        }
        assert!(!is_exact("1e-99999999999999999999"));
    }
}
