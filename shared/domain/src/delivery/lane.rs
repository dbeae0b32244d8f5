//! Lanes: critical events have a queue of their own.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Severity};

/// Which queue a delivery's messages take: a critical event does not wait behind a backlog, its own
/// endpoint's neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Every event's but those of severity `critical`.
    #[default]
    Normal,
    /// That of events of severity `critical`.
    Critical,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Normal, Self::Critical];

    /// The lane of an event's deliveries.
    pub fn of(event: &Event) -> Self {
        match event.severity() {
            Some(Severity::Critical) => Self::Critical,
            _ => Self::Normal,
        }
    }
}
