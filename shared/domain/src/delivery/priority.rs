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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::hops::Hops;
    use crate::event::{Form, Submission};
    use crate::timestamp::Timestamp;

    #[test]
    fn a_critical_event_has_a_queue_of_its_own_and_every_other_shares_one() {
        let priority = |attributes: &str| {
            let text = format!("{{\"type\":\"a\"{attributes}}}");
            let submission =
                Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
            let tenant = "acme".parse().unwrap();
            let accepted = Event::accept(&tenant, &submission, Timestamp::from_ms(0), 7);
            Priority::of(&accepted.unwrap().event)
        };
        assert_eq!(priority(r#","severity":"critical""#), Priority::Critical);
        assert_eq!(priority(r#","severity":"high""#), Priority::Normal);
        assert_eq!(priority(""), Priority::Normal);
    }
}
