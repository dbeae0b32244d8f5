//! The digest by which two JSON texts are told to be the same value.
//!
//! Each value is hashed as a tag, a length and its content, so no two values share a form.

use sha2::{Digest, Sha256};

use super::Json;

pub(super) fn digest(json: &Json<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    feed(json, &mut hash);
    hash.finalize().into()
}

fn feed(json: &Json<'_>, hash: &mut Sha256) {
    match json {
        Json::Null => hash.update(b"n"),
        Json::Bool(true) => hash.update(b"t"),
        Json::Bool(false) => hash.update(b"f"),
        Json::Number(text) => feed_text(b'd', &decimal(text), hash),
        Json::String(text) => feed_text(b's', text, hash),
        Json::Array(items) => {
            feed_length(b'[', items.len(), hash);
            for item in items {
                feed(item, hash);
            }
        }
        Json::Object(members) => {
            feed_length(b'{', members.len(), hash);
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
            for (name, value) in sorted {
                feed_text(b'k', name, hash);
                feed(value, hash);
            }
        }
    }
}

fn feed_text(tag: u8, text: &str, hash: &mut Sha256) {
    feed_length(tag, text.len(), hash);
    hash.update(text.as_bytes());
}

fn feed_length(tag: u8, length: usize, hash: &mut Sha256) {
    hash.update([tag]);
    hash.update(length.to_string().as_bytes());
    hash.update(b":");
}

/// A number's exact value as sign, digits without zeros at either end, and exponent of ten.
///
/// An exponent beyond 64 bits stays as text: such numbers are equal only if written alike.
pub(super) fn decimal(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = format!("{whole}{fraction}");
    let digits = all_digits.trim_start_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let significant = digits.trim_end_matches('0');
    let Ok(written) = exponent.parse::<i64>() else { return text.to_owned() };
    let fraction_digits = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let zeros_dropped = i64::try_from(digits.len() - significant.len()).unwrap_or(i64::MAX);
    let exponent = written.saturating_sub(fraction_digits).saturating_add(zeros_dropped);
    format!("{sign}{significant}e{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        Json::parse(one).unwrap().digest() == Json::parse(other).unwrap().digest()
    }

    #[test]
    fn numbers_are_equal_by_exact_decimal_value() {
        for (one, other) in
            [("1", "1.0"), ("1", "10e-1"), ("0", "-0.0"), ("1e400", "10E399"), ("0.850", "85e-2")]
        {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("9007199254740993", "9007199254740992"),
            ("1e400", "1e401"),
            ("1", "\"1\""),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn members_have_no_order_and_items_have() {
        assert!(same(r#"{"a":1,"b":[1,2]}"#, r#"{ "b": [1, 2.0], "\u0061": 1e0 }"#));
        assert!(!same("[1,2]", "[2,1]"));
        assert!(!same(r#"["a","b"]"#, r#"["ab",""]"#));
        assert!(!same("{}", "[]"));
        assert!(!same(r#"{"a":null}"#, "{}"));
    }

    #[test]
    fn a_number_is_hashed_in_one_form_for_ever() {
        for (text, form) in
            [("1200", "12e2"), ("-0.0120", "-12e-3"), ("1.50e3", "15e2"), ("-0.0", "0")]
        {
            assert_eq!(decimal(text), form, "{text}");
        }
    }
}
