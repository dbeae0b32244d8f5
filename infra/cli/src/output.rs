//! Standard output: what was asked for and nothing else. All else goes to standard error.

use std::io::Write as _;

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
    let _unheard = writeln!(std::io::stderr(), "{text}");
}

/// Text that came from elsewhere, without what would steer a terminal or break a line.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c: char| {
        let bidirectional = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        bidirectional || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
    };
    text.chars().map(|c| if turns(c) { ' ' } else { c }).collect()
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
