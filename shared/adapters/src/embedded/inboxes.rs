//! One inbox for each priority, as each has a queue of its own on SQS.

use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::timestamp::Timestamp;

use super::inbox::Inbox;
use crate::clock::MovableClock;

/// The two inboxes, one for each priority.
#[derive(Debug)]
pub(super) struct Inboxes {
    normal: Inbox,
    critical: Inbox,
}

impl Inboxes {
    /// Empty, with at most so many of one endpoint under way in each.
    pub(super) fn new(per_endpoint_max: usize, clock: &MovableClock) -> Self {
        Self {
            normal: Inbox::new(per_endpoint_max, clock.clone()),
            critical: Inbox::new(per_endpoint_max, clock.clone()),
        }
    }

    /// The inbox of a priority.
    pub(super) fn of(&self, priority: Priority) -> &Inbox {
        match priority {
            Priority::Normal => &self.normal,
            Priority::Critical => &self.critical,
        }
    }

    /// Moves when each message is visible by so many milliseconds.
    pub(super) fn move_by(&self, by_ms: i64) {
        self.normal.move_by(by_ms);
        self.critical.move_by(by_ms);
    }

    /// Adds a message that is in the file.
    pub(super) fn push(&self, id: i64, message: Message, visible_at: Timestamp, receives: u32) {
        self.of(message.priority).push(id, message, visible_at, receives);
    }
}
