//! How grave an event is: one scale for all systems.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The grades of severity, from the least grave to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The event is recorded, and nobody need look at it.
    Info,
    /// The event should be looked at some time.
    Low,
    /// The event should be looked at.
    Medium,
    /// The event should be looked at today.
    High,
    /// The event must be looked at now. Such events have a queue of their own.
    Critical,
}

impl Severity {
    /// All of them, the gravest first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// Returns the word for it in an event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| "must be critical, high, medium, low or info".to_owned())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
