//! JSON as other languages write it: what a receiver that parses and writes again would hash.
//!
//! [`stringify()`] says what to send, so that such a receiver gets the same bytes. No clock, no I/O;
//! texts nested deeper than [`DEPTH_MAX`] are not read at all.

mod node;
mod number;
mod order;
mod style;
mod text;

pub use node::DEPTH_MAX;
pub(crate) use node::{Node, parse};
pub(crate) use style::{Dialect, Layout, Style};
pub(crate) use text::units;

/// The text to send in place of a JSON text, and whether receivers that write it again get the
/// same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText {
    /// The text to send, JSON without insignificant white space.
    pub text: String,
    /// Whether `JSON.stringify(JSON.parse(text))` is `text` again, with no value changed.
    pub exact: bool,
}

/// A JSON text as ECMAScript's `JSON.stringify(JSON.parse(text))` writes it, byte for byte.
///
/// Where JavaScript would not hold the same values ([`survives`]) the text is compact and such
/// values stand in it as they came, and `exact` is false. None where the text is not JSON, or is
/// nested deeper than [`DEPTH_MAX`].
pub fn stringify(text: &str) -> Option<JsonText> {
    let node = parse(text)?;
    let exact = order::survives(&node);
    let dialect = if exact { Dialect::JavaScript } else { Dialect::Kept };
    Some(JsonText { text: Style::compact(dialect).write(&node), exact })
}

/// What JavaScript itself makes of a JSON text, the values that it changes included.
///
/// For telling what a receiver hashed; to send, use [`stringify()`]. None as there.
pub fn javascript(text: &str) -> Option<String> {
    Some(Style::compact(Dialect::JavaScript).write(&parse(text)?))
}

/// Whether JavaScript holds the same values in the same order.
///
/// Not so: numbers that no double is equal to (`9007199254740993`, `1e400`), integer-like member
/// names out of order, `__proto__`, a name twice in one object, lone surrogates, and what is not
/// JSON.
pub fn survives(text: &str) -> bool {
    parse(text).is_some_and(|node| order::survives(&node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_javascript_does() {
        for (given, due) in [
            (
                r#" { "b" : 1.0 , "a" : [ 1e21, -0, 0.850, 1E-7 ] } "#,
                r#"{"b":1,"a":[1e+21,0,0.85,1e-7]}"#,
            ),
            (r#""\u00e9\/\u001F\u0008\ud83d\ude00\"""#, r#""é/\u001f\b😀\"""#),
            ("\"\u{2028}\u{7f}\"", "\"\u{2028}\u{7f}\""),
            ("[]", "[]"),
            (" null ", "null"),
        ] {
            let due = JsonText { text: due.into(), exact: true };
            assert_eq!(stringify(given), Some(due), "{given}");
        }
    }

    #[test]
    fn leaves_what_does_not_survive_as_it_is() {
        for (given, sent, javascript_makes) in [
            ("[9007199254740993, 1.0]", "[9007199254740993,1]", "[9007199254740992,1]"),
            ("[1e400]", "[1e400]", "[null]"),
            ("[1e-400]", "[1e-400]", "[0]"),
            (r#"{"b":1, "1":2}"#, r#"{"b":1,"1":2}"#, r#"{"1":2,"b":1}"#),
            (r#"{"a":1, "b":2, "\u0061":3}"#, r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"__proto__": 1}"#, r#"{"__proto__":1}"#, r#"{"__proto__":1}"#),
            (r#"{"\uDC00": 1}"#, r#"{"\udc00":1}"#, r#"{"\udc00":1}"#),
            (r#"["\uD800", 1]"#, r#"["\ud800",1]"#, r#"["\ud800",1]"#),
        ] {
            let due = JsonText { text: sent.into(), exact: false };
            assert_eq!(stringify(given), Some(due), "{given}");
            assert_eq!(javascript(given).as_deref(), Some(javascript_makes), "{given}");
            assert!(!survives(given), "{given}");
        }
    }

    #[test]
    fn integers_that_a_double_holds_survive() {
        for text in ["9007199254740992", "1e22", r#"{"1":2,"a":3}"#, "3.141592653589793"] {
            assert!(survives(text), "{text}");
        }
        assert!(!survives("3.14159265358979323846"));
    }

    #[test]
    fn is_none_where_the_text_is_not_json_or_too_deep() {
        for text in ["", "{", "[1,]", "01", "nul", "{} {}", "\"\n\"", "'a'"] {
            assert_eq!(stringify(text), None, "{text}");
            assert!(!survives(text), "{text}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(stringify(&nested(DEPTH_MAX)).is_some());
        assert_eq!(stringify(&nested(DEPTH_MAX + 1)), None);
        assert_eq!(stringify(&nested(100_000)), None);
    }
}
