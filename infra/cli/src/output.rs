//! Standard output: what was asked for and nothing else. All else goes to standard error.
//!
//! Text that came from elsewhere is shown so that a person sees all of it: what steers a terminal, or is not seen
//! at all, stands there as JSON would escape it, `\u200b`. Which characters are not seen is Unicode's property
//! `Default_Ignorable_Code_Point`, from `icu_properties`, which is in every build already, for `url`.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use super::failure::{CommandResult, Failure};

/// Prints lines, and ends the command where nobody reads any more.
pub(crate) fn print(text: &str) -> CommandResult {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(out, "{text}{end}").and_then(|()| out.flush());
    written.map_err(|error| {
        let is_unread = error.kind() == std::io::ErrorKind::BrokenPipe;
        let text = format!("standard output: {error}");
        if is_unread { Failure::NobodyReads } else { Failure::Failed(text) }
    })
}

/// Says something to the person who waits, if they read it: on standard error, so that output stays what was asked
/// for.
pub fn say(text: &str) {
    let _unheard = writeln!(std::io::stderr(), "{}", show_lines(text));
}

/// Prints JSON: as it is for a program, and for a person at a terminal with what they would not see escaped.
pub(crate) fn print_json_text(json: &str) -> CommandResult {
    if std::io::stdout().is_terminal() { print(&show_lines(json)) } else { print(json) }
}

/// Shows text that came from elsewhere, on one line. White space is blank; what steers a terminal or is not seen
/// is escaped, as `\u200b`.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => shown.push(' '),
            c => push_shown(&mut shown, c),
        }
    }
    shown
}

/// Shows text of several lines. JSON stays the same JSON: outside of its strings there is nothing to escape.
pub(crate) fn show_lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' => shown.push(c),
            // It would go back to the line's begin, and what follows would hide what is there.
            '\r' => shown.push(' '),
            c => push_shown(&mut shown, c),
        }
    }
    shown
}

/// Pushes a character, or its UTF-16 as JSON escapes it.
fn push_shown(shown: &mut String, c: char) {
    if !is_unseen(c) {
        shown.push(c);
        return;
    }
    let mut units = [0; 2];
    for unit in c.encode_utf16(&mut units) {
        write!(shown, "\\u{unit:04x}").expect("a string takes any text");
    }
}

/// Whether a character steers a terminal, ends a line, or is not seen: C0 and C1, zero-width, bidirectional, tags
/// and other default-ignorable ones, separators of lines, and marks of annotations.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Shows what may be missing: nothing as nothing.
pub(crate) fn show<T: ToString>(value: Option<T>) -> String {
    value.map(|value| plain(&value.to_string())).unwrap_or_default()
}

/// Shows a list of texts between commas.
pub(crate) fn join<T: ToString>(texts: &[T]) -> String {
    let plain: Vec<String> = texts.iter().map(|text| plain(&text.to_string())).collect();
    plain.join(", ")
}

/// Shows a time without its fraction: seconds are what a person looks for.
pub(crate) fn time(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, _)) if text.ends_with('Z') => plain(&format!("{whole}Z")),
        _ => plain(text),
    }
}

/// Shows a time that may be missing.
pub(crate) fn time_if_any(text: Option<&String>) -> String {
    text.map(|text| time(text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`plain`] makes of each, and why it matters.
    const UNSEEN: [(char, &str); 21] = [
        ('\u{0}', "\\u0000"),
        ('\u{7}', "\\u0007"),
        ('\u{1b}', "\\u001b"),
        ('\u{7f}', "\\u007f"),
        // C1: a control sequence in one character.
        ('\u{9b}', "\\u009b"),
        ('\u{85}', "\\u0085"),
        // Soft hyphen, joiner of graphemes, Arabic letter mark, Hangul filler.
        ('\u{ad}', "\\u00ad"),
        ('\u{34f}', "\\u034f"),
        ('\u{61c}', "\\u061c"),
        ('\u{3164}', "\\u3164"),
        // Zero width, and direction.
        ('\u{200b}', "\\u200b"),
        ('\u{200d}', "\\u200d"),
        ('\u{202e}', "\\u202e"),
        ('\u{2066}', "\\u2066"),
        ('\u{2060}', "\\u2060"),
        ('\u{feff}', "\\ufeff"),
        ('\u{2028}', "\\u2028"),
        ('\u{fff9}', "\\ufff9"),
        ('\u{fe0f}', "\\ufe0f"),
        // Tags spell text that nobody sees; variation selectors carry bytes.
        ('\u{e0041}', "\\udb40\\udc41"),
        ('\u{e0100}', "\\udb40\\udd00"),
    ];

    #[test]
    fn what_is_not_seen_is_shown_and_all_else_stays() {
        for (c, shown) in UNSEEN {
            assert_eq!(plain(&format!("a{c}b")), format!("a{shown}b"), "{:x}", u32::from(c));
        }
        assert_eq!(plain("a\tb\r\nc"), "a b  c", "white space is blank");
        let seen = "Müller, 東京, שלום, مرحبا, 😀 — “ok” a\u{301} \\u200b";
        assert_eq!(plain(seen), seen);
    }

    #[test]
    fn json_stays_the_same_json() {
        for (c, shown) in UNSEEN {
            let json = serde_json::json!({format!("k{c}"): format!("\\{c}\"{c}")});
            let text = serde_json::to_string_pretty(&json).unwrap();
            let seen = show_lines(&text);
            assert!(seen.contains(shown) && !seen.contains(c), "{seen}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&seen).unwrap(), json, "{seen}");
        }
        assert_eq!(show_lines("{\n\t\"a\": \"ä\"\r\n}"), "{\n\t\"a\": \"ä\" \n}");
        assert_eq!(show_lines("\u{1b}[2J"), "\\u001b[2J", "of a server that answers no JSON");
    }
}
