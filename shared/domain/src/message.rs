//! A queue message: permission to look at a delivery. The row decides, a message only asks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::delivery::{Delivery, DeliveryKey};
use crate::event::Event;
use crate::id::{EndpointId, EventId, TenantName, Ticket};
use crate::lane::Lane;
use crate::limits::{FRESH_S, FUTURE_MS};
use crate::timestamp::Timestamp;

/// The form of message bodies that this code writes.
pub const VERSION: u8 = 1;

/// What a gate makes of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Held while the gate is shut.
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
    /// [`VERSION`].
    pub v: u8,
    /// Whose event it is.
    pub tenant: TenantName,
    /// Which event.
    pub event: EventId,
    /// Owed to whom.
    pub endpoint: EndpointId,
    /// When the event was accepted: its incarnation.
    pub born: Timestamp,
    /// New at every send; the row's `holder` names the one that holds the delivery.
    pub ticket: Ticket,
    /// When it was sent: in the body, since the queue's own times start again after a redrive.
    pub sent_at: Timestamp,
    /// Whether the row must be read even at a first receive.
    pub check: bool,
    /// What a gate makes of it.
    #[serde(default)]
    pub kind: Kind,
    /// The queue that it takes.
    #[serde(default)]
    pub lane: Lane,
    /// The event, inline: from ingest only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Arc<RawValue>>,
    /// Seconds until it is delivered: the queue's matter, not the body's.
    #[serde(skip)]
    pub delay_s: u32,
}

impl Message {
    /// A message for a delivery: read the row first, no payload, at once.
    pub fn reissue(key: &DeliveryKey, born: Timestamp, ticket: Ticket, now: Timestamp) -> Self {
        Self {
            v: VERSION,
            tenant: key.tenant.clone(),
            event: key.event.clone(),
            endpoint: key.endpoint.clone(),
            born,
            ticket,
            sent_at: now,
            check: true,
            kind: Kind::Normal,
            lane: Lane::Normal,
            payload: None,
            delay_s: 0,
        }
    }

    /// The first message of a delivery just accepted.
    pub fn first(
        key: &DeliveryKey,
        born: Timestamp,
        ticket: Ticket,
        payload: Arc<RawValue>,
    ) -> Self {
        Self { check: false, payload: Some(payload), ..Self::reissue(key, born, ticket, born) }
    }

    /// The same, in a lane.
    #[must_use]
    pub fn in_lane(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }

    /// The same, sent again after a send whose answer was a failure or none: it may be queued
    /// already, so under a new ticket, and to be checked.
    #[must_use]
    pub fn sent_again(self, ticket: Ticket, now: Timestamp) -> Self {
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

    /// The message's body.
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("ids, numbers and raw JSON always serialise")
    }

    /// The event it carries, if it carries one that can be read.
    pub fn event(&self) -> Option<Event> {
        self.payload.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// The delivery that it asks about, as it is without a row.
    pub fn pending(&self) -> Delivery {
        Delivery::pending(self.key(), self.born, self.lane)
    }

    /// The key of the delivery that it asks about.
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
    /// Of the message.
    pub lane: Lane,
    /// What the queue gave for it.
    pub handle: String,
}

/// A message as received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// Its receipt.
    pub receipt: Receipt,
    /// How often it has been received, this time included. A hint, never an attempt's number.
    pub receives: u32,
}

impl Received {
    /// Whether an attempt may be made without reading the row: a first receive, sent just now.
    pub fn may_go_unread(&self, now: Timestamp) -> bool {
        let sent_at = self.message.sent_at;
        self.receives == 1
            && !self.message.check
            && self.message.payload.is_some()
            && sent_at.since_ms(now) < FUTURE_MS
            && now.since_ms(sent_at) < FRESH_S * 1_000
    }
}
