//! A queue message: permission to look at a delivery. The row decides, a message only asks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::delivery::priority::Priority;
use crate::delivery::{Delivery, DeliveryKey};
use crate::event::Event;
use crate::id::{EndpointId, EventId, TenantName, Ticket};
use crate::limits::{CLOCK_AHEAD_MS_MAX, MESSAGE_UNREAD_AGE_S_MAX};
use crate::timestamp::Timestamp;

/// The form of message bodies that this code writes.
pub const VERSION: u8 = 1;

/// How a gate treats a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An ordinary message, held while the gate is open or pacing.
    #[default]
    Normal,
    /// Sent by an open gate to see whether the endpoint is well again.
    Probe,
    /// Released by a gate at its rate.
    Paced,
}

/// One delivery's message. Its group in the queue is its tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The form of the body, as [`VERSION`] counts it. A body of another version is refused.
    pub v: u8,
    /// Whose event it is.
    pub tenant: TenantName,
    /// The event that is owed.
    pub event: EventId,
    /// The endpoint that the event is owed to.
    pub endpoint: EndpointId,
    /// When the event was accepted. It tells the event from an earlier one of the same id.
    #[serde(rename = "born")]
    pub event_accepted_at: Timestamp,
    /// New at every send; the row's `holder` names the one that holds the delivery.
    pub ticket: Ticket,
    /// When it was sent: in the body, since the queue's own times start again after a redrive.
    pub sent_at: Timestamp,
    /// Whether the row must be read even at a first receive.
    pub check: bool,
    /// How a gate treats the message.
    #[serde(default)]
    pub kind: Kind,
    /// How urgent the message is, and so which queue it takes.
    #[serde(rename = "lane", default)]
    pub priority: Priority,
    /// The event, inline. Only a first message has it, which may then be attempted without a read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Arc<RawValue>>,
    /// Seconds until it is delivered: the queue's matter, not the body's.
    #[serde(skip)]
    pub delay_s: u32,
}

impl Message {
    /// Makes a message for a delivery whose row must be read first: `check` is set, there is no
    /// payload, and it is not delayed.
    pub fn reissue(
        key: &DeliveryKey,
        event_accepted_at: Timestamp,
        ticket: Ticket,
        now: Timestamp,
    ) -> Self {
        Self {
            v: VERSION,
            tenant: key.tenant.clone(),
            event: key.event.clone(),
            endpoint: key.endpoint.clone(),
            event_accepted_at,
            ticket,
            sent_at: now,
            check: true,
            kind: Kind::Normal,
            priority: Priority::Normal,
            payload: None,
            delay_s: 0,
        }
    }

    /// Makes the first message of a delivery that was just accepted. It carries the event and may
    /// go unread.
    pub fn first(
        key: &DeliveryKey,
        event_accepted_at: Timestamp,
        ticket: Ticket,
        payload: Arc<RawValue>,
    ) -> Self {
        Self {
            check: false,
            payload: Some(payload),
            ..Self::reissue(key, event_accepted_at, ticket, event_accepted_at)
        }
    }

    /// Returns the message with a priority, and so in its queue.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// Returns the message for another send, after one that failed or had no answer. The first copy
    /// may be queued all the same, so this one has a new ticket and `check` set: with one ticket
    /// both copies would hold the delivery.
    #[must_use]
    pub fn resend(self, ticket: Ticket, now: Timestamp) -> Self {
        Self { ticket, sent_at: now, check: true, ..self }
    }

    /// Reads a message's body.
    pub fn parse(body: &str) -> Result<Self, serde_json::Error> {
        let message: Self = serde_json::from_str(body)?;
        if message.v == VERSION {
            return Ok(message);
        }
        Err(serde::de::Error::custom(format_args!("version {} is not known", message.v)))
    }

    /// Writes the message's body as JSON.
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("ids, numbers and raw JSON always serialise")
    }

    /// Reads the event that the message carries. None where it carries none, or one that cannot be
    /// read: the event is then read from its row.
    pub fn event(&self) -> Option<Event> {
        self.payload.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// Returns how a gate treats the message now that its delivery's row is as it was read. What a gate sent is a
    /// probe or paced for one attempt: the result of that clears `taken_at`, which the release had set. What comes
    /// after it is a retry as any other, also where the same message waits for it.
    pub fn kind_now(&self, row: Option<&Delivery>) -> Kind {
        let is_released = row.and_then(Delivery::open).is_some_and(|open| open.taken_at.is_some());
        if is_released { self.kind } else { Kind::Normal }
    }

    /// Returns the message's delivery in the state that a delivery without a row has.
    pub fn pending(&self) -> Delivery {
        Delivery::pending(self.key(), self.event_accepted_at, self.priority)
    }

    /// Returns the key of the message's delivery.
    pub fn key(&self) -> DeliveryKey {
        DeliveryKey {
            tenant: self.tenant.clone(),
            event: self.event.clone(),
            endpoint: self.endpoint.clone(),
        }
    }
}

/// What is needed to change a received message's visibility.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The priority whose queue the message was received from.
    pub priority: Priority,
    /// The text by which the queue knows this receive of the message.
    pub handle: String,
}

/// A message that was received, not yet settled.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    /// The message as it was sent.
    pub message: Message,
    /// What the message's visibility is changed with.
    pub receipt: Receipt,
    /// How often the message has been received, this time included. Only a hint: after a redrive of
    /// the dead letters it begins at 1 again.
    pub receives: u32,
}

impl ReceivedMessage {
    /// Whether an attempt may be made without reading the row: for a first receive of a message
    /// that was sent just now. Most deliveries succeed at once, and so cost one write and no read.
    pub fn may_go_unread(&self, now: Timestamp) -> bool {
        // Every condition is needed. An old message may belong to a delivery that was cancelled or
        // replayed meanwhile; the count of receives begins again after a redrive; and a time far
        // ahead means that a clock is wrong.
        let sent_at = self.message.sent_at;
        self.receives == 1
            && !self.message.check
            && self.message.payload.is_some()
            && sent_at.since_ms(now) < CLOCK_AHEAD_MS_MAX
            && now.since_ms(sent_at) < MESSAGE_UNREAD_AGE_S_MAX * 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Status;

    const ACCEPTED_AT: Timestamp = Timestamp::from_ms(1_000_000);

    fn key() -> DeliveryKey {
        DeliveryKey {
            tenant: "acme".parse().unwrap(),
            event: "e1".parse().unwrap(),
            endpoint: "ep_1".parse().unwrap(),
        }
    }

    fn first() -> Message {
        let event = r#"{"id":"e1","tenant":"acme","type":"a.b","source":"s","time":"2026-11-21T00:00:00Z"}"#;
        let payload = RawValue::from_string(event.to_owned()).unwrap().into();
        Message::first(&key(), ACCEPTED_AT, "t1".parse().unwrap(), payload)
    }

    fn receive_message(message: Message, receives: u32) -> ReceivedMessage {
        let receipt = Receipt { priority: message.priority, handle: "r".to_owned() };
        ReceivedMessage { message, receipt, receives }
    }

    #[test]
    fn a_first_message_carries_its_event_and_what_is_sent_again_is_to_be_checked() {
        let message = first();
        assert!(!message.check && message.event().is_some());
        assert_eq!((message.sent_at, message.ticket.as_str()), (ACCEPTED_AT, "t1"));
        let again = message.resend("t2".parse().unwrap(), ACCEPTED_AT.plus_s(3));
        assert!(again.check && again.payload.is_some());
        assert_eq!((again.sent_at, again.ticket.as_str()), (ACCEPTED_AT.plus_s(3), "t2"));
        let reissued =
            Message::reissue(&key(), ACCEPTED_AT, "t3".parse().unwrap(), ACCEPTED_AT.plus_s(9));
        assert!(reissued.check && reissued.event().is_none());
        assert_eq!(reissued.clone().with_priority(Priority::Critical).priority, Priority::Critical);
        assert_eq!(
            reissued.with_priority(Priority::Critical).pending().priority,
            Priority::Critical
        );
    }

    #[test]
    fn a_body_is_read_back_and_one_of_another_version_is_refused() {
        let message = first().with_priority(Priority::Critical);
        let read = Message::parse(&message.body()).unwrap();
        assert_eq!(
            (read.key(), read.event_accepted_at, read.priority),
            (key(), ACCEPTED_AT, Priority::Critical)
        );
        assert_eq!(read.event().unwrap().event_type, "a.b");
        let other = message.body().replacen("\"v\":1", "\"v\":2", 1);
        assert!(Message::parse(&other).unwrap_err().to_string().contains("version 2"));
    }

    #[test]
    fn only_a_first_receive_just_sent_goes_unread() {
        let unread =
            |received: &ReceivedMessage, ms| received.may_go_unread(ACCEPTED_AT.plus_ms(ms));
        let fresh = receive_message(first(), 1);
        assert!(unread(&fresh, 0) && unread(&fresh, MESSAGE_UNREAD_AGE_S_MAX * 1_000 - 1));
        assert!(!unread(&fresh, MESSAGE_UNREAD_AGE_S_MAX * 1_000), "it has waited for a minute");
        assert!(!unread(&receive_message(first(), 2), 0), "it was received before");
        let checked = first().resend("t2".parse().unwrap(), ACCEPTED_AT);
        assert!(!unread(&receive_message(checked, 1), 0));
        let bare = Message { payload: None, ..first() };
        assert!(!unread(&receive_message(bare, 1), 0));
        let ahead = |ms| Message { sent_at: ACCEPTED_AT.plus_ms(ms), ..first() };
        assert!(unread(&receive_message(ahead(CLOCK_AHEAD_MS_MAX - 1), 1), 0));
        assert!(!unread(&receive_message(ahead(CLOCK_AHEAD_MS_MAX), 1), 0), "a clock is wrong");
    }

    #[test]
    fn what_a_gate_sent_is_a_probe_until_its_result_is_recorded() {
        let message = Message { kind: Kind::Probe, ..first() };
        let mut row = message.pending().reopen("t1".parse().unwrap(), ACCEPTED_AT);
        assert_eq!(message.kind_now(Some(&row)), Kind::Normal, "tried since");
        if let Status::Open(open) = &mut row.status {
            open.taken_at = Some(ACCEPTED_AT);
        }
        assert_eq!(message.kind_now(Some(&row)), Kind::Probe, "as the gate released it");
        assert_eq!(message.kind_now(None), Kind::Normal);
        assert_eq!(first().kind_now(Some(&row)), Kind::Normal);
    }
}
