//! The priorities of deliveries: critical events have a queue of their own.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Severity};

/// Which queue a delivery's messages take: a critical event does not wait behind a backlog, its own
/// endpoint's neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// The queue of every event that is not critical.
    #[default]
    Normal,
    /// The queue of events of severity `critical`.
    Critical,
}

impl Priority {
    /// Lists both priorities, the normal one first.
    pub const ALL: [Self; 2] = [Self::Normal, Self::Critical];

    /// Returns the priority of an event's deliveries, which follows from its severity.
    pub fn of(event: &Event) -> Self {
        match event.severity() {
            Some(Severity::Critical) => Self::Critical,
            _ => Self::Normal,
        }
    }
}
