//! Standard output: what was asked for and nothing else. All else goes to standard error.

use std::io::Write as _;

use serde_json::Value;

use super::failure::{Failure, Outcome};

/// Prints lines, and ends the command where nobody reads any more.
pub(crate) fn print(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(out, "{text}{end}").and_then(|()| out.flush());
    written.map_err(|error| {
        let is_unread = error.kind() == std::io::ErrorKind::BrokenPipe;
        let text = format!("standard output: {error}");
        if is_unread { Failure::NobodyReads } else { Failure::Failed(text) }
    })
}

/// Says something to the person who waits: on standard error, so that output stays what was asked for.
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// Text that came from elsewhere, without what would steer a terminal or break a line.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c: char| {
        let bidirectional = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        bidirectional || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
    };
    text.chars().map(|c| if turns(c) { ' ' } else { c }).collect()
}

/// A member of an answer, for people: text as it is, nothing as nothing, all else as JSON.
pub(crate) fn member(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => plain(text),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            let texts: Vec<String> = items.iter().filter_map(Value::as_str).map(plain).collect();
            texts.join(", ")
        }
        Some(other) => plain(&other.to_string()),
    }
}

/// A member that is text, as it is.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is an array; empty where there is none.
pub(crate) fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A time without its fraction: seconds are what a person looks for.
pub(crate) fn time(value: &Value, name: &str) -> String {
    let text = member(value, name);
    match text.split_once('.') {
        Some((whole, _)) if text.ends_with('Z') => format!("{whole}Z"),
        _ => text,
    }
}
