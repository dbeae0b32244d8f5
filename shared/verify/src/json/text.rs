//! Strings: their UTF-16 units, and how JavaScript and Python write them.

use std::fmt::Write as _;

/// Writes a string's inside, with quotes. `ascii`: as Python does by default.
pub(crate) fn write(out: &mut String, raw: &str, ascii: bool) {
    out.push('"');
    if raw.contains('\\') || (ascii && !raw.bytes().all(|byte| (b' '..=b'~').contains(&byte))) {
        write_units(out, &units(raw), ascii);
    } else {
        // Without a backslash there is no quote and no control character in it either.
        out.push_str(raw);
    }
    out.push('"');
}

fn write_units(out: &mut String, units: &[u16], ascii: bool) {
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok('"') => out.push_str("\\\""),
            Ok('\\') => out.push_str("\\\\"),
            Ok('\u{8}') => out.push_str("\\b"),
            Ok('\u{c}') => out.push_str("\\f"),
            Ok('\n') => out.push_str("\\n"),
            Ok('\r') => out.push_str("\\r"),
            Ok('\t') => out.push_str("\\t"),
            Ok(char) if char < ' ' || (ascii && char > '~') => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    escape(out, *unit);
                }
            }
            Ok(char) => out.push(char),
            Err(lone) => escape(out, lone.unpaired_surrogate()),
        }
    }
}

fn escape(out: &mut String, unit: u16) {
    write!(out, "\\u{unit:04x}").expect("writing to a String does not fail");
}

/// The UTF-16 units of what stands between a string's quotes.
pub(crate) fn units(raw: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(char) = chars.next() {
        let unit = match (char, if char == '\\' { chars.next() } else { None }) {
            (_, Some('u')) => {
                let digits = chars.by_ref().take(4).filter_map(|digit| digit.to_digit(16));
                digits.fold(0, |unit, digit| unit << 4 | u16::try_from(digit).unwrap_or(0))
            }
            (_, Some('b')) => 8,
            (_, Some('f')) => 12,
            (_, Some('n')) => 10,
            (_, Some('r')) => 13,
            (_, Some('t')) => 9,
            (_, Some(other)) | (other, None) => {
                units.extend_from_slice(other.encode_utf16(&mut [0; 2]));
                continue;
            }
        };
        units.push(unit);
    }
    units
}

/// Whether it holds half of a surrogate pair.
pub(crate) fn has_lone_surrogate(raw: &str) -> bool {
    raw.contains("\\u") && char::decode_utf16(units(raw)).any(|decoded| decoded.is_err())
}
