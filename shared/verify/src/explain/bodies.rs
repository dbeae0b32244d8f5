//! The bodies that may have been signed in place of the one given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::mistake::{Mistake, Rewriting};
use crate::json::{Dialect, Layout, Style, parse};

/// Bytes of a body beyond which it is not written again, nor taken for base 64: hooks are no longer.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of all bodies that one explanation writes: it holds them all in memory.
const WRITTEN_BYTES_MAX: usize = 4 << 20;

/// Each body that may have been signed, with the mistake that it would tell of; the body given
/// stands first, with none.
pub(super) fn candidates(body: &[u8]) -> Vec<(Option<Mistake>, Vec<u8>)> {
    let mut found = Found { bodies: vec![(None, body.to_vec())], bytes_left: WRITTEN_BYTES_MAX };
    if body.len() > BODY_BYTES_MAX {
        return found.bodies;
    }
    for end in [b"\r\n".as_slice(), b"\n"] {
        if let Some(rest) = body.strip_suffix(end) {
            found.add(Mistake::BodyNewlineAdded, rest.to_vec());
        }
    }
    for end in [b"\n".as_slice(), b"\r\n"] {
        found.add(Mistake::BodyNewlineLost, [body, end].concat());
    }
    if let Ok(decoded) = BASE64.decode(body.trim_ascii()) {
        found.add(Mistake::BodyBase64, decoded);
    }
    found.add(Mistake::BodyDecoded, BASE64.encode(body).into_bytes());
    if let Some(node) = std::str::from_utf8(body).ok().and_then(parse) {
        for (rewriting, style) in rewritings() {
            let style = Style { bytes_max: found.bytes_left, ..style };
            if let Some(text) = style.write_within(&node) {
                found.add(Mistake::BodyRewritten(rewriting), text.into_bytes());
            }
        }
    }
    found.bodies
}

/// The bodies that were written so far.
struct Found {
    bodies: Vec<(Option<Mistake>, Vec<u8>)>,
    /// Bytes that may still be written.
    bytes_left: usize,
}

impl Found {
    fn add(&mut self, mistake: Mistake, body: Vec<u8>) {
        self.bytes_left = self.bytes_left.saturating_sub(body.len());
        if self.bodies.iter().all(|(_, known)| *known != body) {
            self.bodies.push((Some(mistake), body));
        }
    }
}

fn rewritings() -> Vec<(Rewriting, Style)> {
    use Dialect::{JavaScript, Python};
    use Layout::{Compact, Pretty, Spaced};
    let bytes_max = WRITTEN_BYTES_MAX;
    let style =
        |dialect, layout, ascii, sorted| Style { dialect, layout, ascii, sorted, bytes_max };
    vec![
        (Rewriting::JsonStringify, style(JavaScript, Compact, false, false)),
        (Rewriting::PythonDumpsUnicode, style(Python, Spaced, false, false)),
        (Rewriting::PythonDumps, style(Python, Spaced, true, false)),
        (Rewriting::PythonDumpsUnicode, style(Python, Compact, false, false)),
        (Rewriting::PythonDumps, style(Python, Compact, true, false)),
        (Rewriting::Pretty2, style(JavaScript, Pretty(2), false, false)),
        (Rewriting::Pretty2, style(Python, Pretty(2), true, false)),
        (Rewriting::Pretty4, style(JavaScript, Pretty(4), false, false)),
        (Rewriting::Pretty4, style(Python, Pretty(4), true, false)),
        (Rewriting::Sorted, style(JavaScript, Compact, false, true)),
        (Rewriting::Sorted, style(Python, Compact, true, true)),
        (Rewriting::Sorted, style(Python, Spaced, false, true)),
        (Rewriting::Sorted, style(Python, Spaced, true, true)),
    ]
}

/// Whether the body is cut short: less than its content-length, or JSON that just ends.
pub(super) fn is_truncated(body: &[u8], content_length: Option<&str>) -> bool {
    let due: Option<usize> = content_length.and_then(|text| text.trim().parse().ok());
    if due.is_some_and(|due| due > body.len()) {
        return true;
    }
    let starts_as_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    starts_as_json
        && body.len() <= BODY_BYTES_MAX
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err_and(|error| error.is_eof())
}
