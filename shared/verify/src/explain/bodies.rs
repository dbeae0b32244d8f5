//! The bodies that may have been signed in place of the one given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::mistake::{Mistake, Rewriting};
use crate::json::{Dialect, Layout, Style, parse};

/// Bytes of a body beyond which it is not written again: what one explanation may cost.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes of a body written again: what is longer was hardly sent so.
const REWRITTEN_BYTES_MAX: usize = 4 << 20;

/// Each body that may have been signed, with the mistake that it would tell of; the body given
/// stands first, with none.
pub(super) fn candidates(body: &[u8]) -> Vec<(Option<Mistake>, Vec<u8>)> {
    let mut found = vec![(None, body.to_vec())];
    if body.len() > BODY_BYTES_MAX {
        return found;
    }
    let mut add = |mistake, candidate: Vec<u8>| {
        if found.iter().all(|(_, known)| *known != candidate) {
            found.push((Some(mistake), candidate));
        }
    };
    for end in [b"\r\n".as_slice(), b"\n"] {
        if let Some(rest) = body.strip_suffix(end) {
            add(Mistake::BodyNewlineAdded, rest.to_vec());
        }
    }
    for end in [b"\n".as_slice(), b"\r\n"] {
        add(Mistake::BodyNewlineLost, [body, end].concat());
    }
    if let Ok(decoded) = BASE64.decode(body.trim_ascii()) {
        add(Mistake::BodyBase64, decoded);
    }
    add(Mistake::BodyDecoded, BASE64.encode(body).into_bytes());
    if let Some(node) = std::str::from_utf8(body).ok().and_then(parse) {
        for (rewriting, style) in rewritings() {
            if let Some(text) = style.write_within(&node) {
                add(Mistake::BodyRewritten(rewriting), text.into_bytes());
            }
        }
    }
    found
}

fn rewritings() -> Vec<(Rewriting, Style)> {
    use Dialect::{JavaScript, Python};
    use Layout::{Compact, Pretty, Spaced};
    let bytes_max = REWRITTEN_BYTES_MAX;
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
