//! Event type patterns: exact, `dlp.*`, or `*`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::EVENT_TYPE_CHARS_MAX;

/// What every type of ours begins with; senders may not use it.
pub const PREFIX: &str = "waxseal.";

/// Matches an event type exactly, or all that begin with some segments. `*` stands for one segment
/// or more, alone or last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventTypePattern(String);

impl EventTypePattern {
    /// Matches every event type.
    pub fn all() -> Self {
        Self("*".to_owned())
    }

    /// Whether an event type matches. Ours (`waxseal.…`) must be asked for by name.
    pub fn matches(&self, event_type: &str) -> bool {
        if self.0 == "*" && event_type.starts_with(PREFIX) {
            return false;
        }
        match self.0.strip_suffix('*') {
            Some(prefix) => event_type.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
            None => self.0 == event_type,
        }
    }
}

impl FromStr for EventTypePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let chars = text.chars().count();
        if !(1..=EVENT_TYPE_CHARS_MAX).contains(&chars) || text.chars().any(char::is_control) {
            return Err(format!("must be text of 1 to {EVENT_TYPE_CHARS_MAX} characters"));
        }
        let stem = text.strip_suffix('*').unwrap_or(text);
        let is_whole_segment = text == "*" || stem == text || stem.ends_with('.');
        if stem.contains('*') || !is_whole_segment || stem == "." || stem.contains("..") {
            return Err("takes * alone, or as the last segment, as in dlp.*".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for EventTypePattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<EventTypePattern> for String {
    fn from(pattern: EventTypePattern) -> String {
        pattern.0
    }
}

impl fmt::Display for EventTypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_one_segment_or_more() {
        let matches =
            |pattern: &str, text| EventTypePattern::from_str(pattern).unwrap().matches(text);
        assert!(matches("dlp.*", "dlp.pii_blocked"));
        assert!(matches("dlp.*", "dlp.pii.blocked"));
        assert!(!matches("dlp.*", "dlp"));
        assert!(!matches("dlp.*", "dlp."));
        assert!(!matches("dlp.*", "dlpx.pii"));
        assert!(matches("*", "anything.at.all"));
        assert!(matches("dlp.pii", "dlp.pii"));
        assert!(!matches("dlp.pii", "dlp.pii.x"));
        assert!(!matches("*", "waxseal.delivery.failed"), "ours must be asked for");
        assert!(matches("waxseal.*", "waxseal.delivery.failed"));
    }

    #[test]
    fn a_star_elsewhere_is_refused() {
        for bad in ["", "*.dlp", "a.*.b", "a*", "**", ".*", "a..*", "a\nb"] {
            assert!(EventTypePattern::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_given() {
        assert_eq!(EventTypePattern::from_str("dlp.*").unwrap().to_string(), "dlp.*");
    }
}
