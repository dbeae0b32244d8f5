//! Events: what is sent, how it is acknowledged, and how it is shown.

mod schema;

pub use self::schema::{new_event, new_events};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use waxseal_domain::event::acceptance;
use waxseal_domain::timestamp::Timestamp;
use waxseal_domain::{delivery, event};

use crate::delivery::{DeliveryStatus, is_overdue};
use crate::problem::Problem;
use crate::word::words;
use crate::{EXAMPLE_TIME, example_json};

words! {
    /// Tells how severe an event is.
    pub enum Severity {
        /// The event is for the record.
        Info = "info",
        /// Somebody should look at the event some time.
        Low = "low",
        /// Somebody should look at the event.
        Medium = "medium",
        /// Somebody should look at the event today.
        High = "high",
        /// Somebody should look at the event now. Such events overtake all others.
        Critical = "critical",
    }
}

impl From<event::Severity> for Severity {
    fn from(severity: event::Severity) -> Self {
        match severity {
            event::Severity::Info => Self::Info,
            event::Severity::Low => Self::Low,
            event::Severity::Medium => Self::Medium,
            event::Severity::High => Self::High,
            event::Severity::Critical => Self::Critical,
        }
    }
}

/// Describes an event that is sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewEvent {
    /// Identifies the event within its `source`; made if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Tells what kind of event it is.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Tells where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Tells how severe it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Describes it for people in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Holds what happened: any JSON value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

/// Acknowledges an event: it is stored, and its deliveries are queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// Identifies the event within its tenant. It is the sender's `id` where that can serve, and an id derived from `source`
    /// and `id` otherwise.
    pub id: String,
    /// Repeats the sender's `id` where the event got another one. It is left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<String>,
    /// Tells whether the same event was accepted before. Its deliveries are not repeated.
    pub duplicate: bool,
    /// Lists the deliveries of the event, one for each endpoint that wants it.
    pub deliveries: Vec<AcceptedDelivery>,
}

/// Names a delivery of an event that was just accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Owed")]
pub struct AcceptedDelivery {
    /// Identifies the delivery that was made.
    pub id: String,
    /// Identifies the endpoint that the event goes to.
    pub endpoint_id: String,
}

/// Acknowledges one event, or each event of an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Accepted")]
pub enum AcceptedEvents {
    /// Answers a request that sent one event.
    One(Acceptance),
    /// Answers a request that sent an array.
    Many(EventResults),
}

/// Holds the result of each event of an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventResults {
    /// Lists the results, in the order of the events.
    pub results: Vec<EventResult>,
}

/// Tells what became of one event of an array. The others are not affected by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EventResult {
    /// The event was accepted.
    Accepted(Acceptance),
    /// The event was refused.
    Refused(Problem),
}

/// Holds what a hook has become: an event, or the answer to its question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HookAnswer {
    /// The hook has become an event.
    Accepted(Acceptance),
    /// The hook was a question by which the system checks the receiver.
    Asked(Challenge),
}

/// Answers a system that checks whether the receiver of its hooks is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Challenge {
    /// Returns what the system sent, as its contract demands.
    pub challenge: String,
}

impl From<acceptance::Acceptance> for Acceptance {
    fn from(accepted: acceptance::Acceptance) -> Self {
        let acceptance::Acceptance { id, sender_id, duplicate, deliveries } = accepted;
        Self {
            id: id.to_string(),
            sender_id,
            duplicate,
            deliveries: deliveries.into_iter().map(AcceptedDelivery::from).collect(),
        }
    }
}

impl From<acceptance::OwedDelivery> for AcceptedDelivery {
    fn from(owed: acceptance::OwedDelivery) -> Self {
        Self { id: owed.id.to_string(), endpoint_id: owed.endpoint_id.to_string() }
    }
}

/// Shows a delivery in the list of its event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryBrief {
    /// Identifies the delivery that is shown.
    pub id: String,
    /// Identifies the endpoint that the event goes to.
    pub endpoint_id: String,
    /// Tells where the delivery stands.
    #[schemars(with = "String", extend("enum" = DeliveryStatus::WORDS))]
    pub status: DeliveryStatus,
    /// Is true where the delivery has been pending for more than 15 minutes. It is left out otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// Counts the attempts that were made.
    pub attempts: u32,
    /// Tells when the next attempt is due. It is null where none is planned.
    #[schemars(extend("format" = "date-time"))]
    pub next_attempt_at: Option<String>,
}

impl DeliveryBrief {
    /// Shows a delivery that has a row of its own.
    pub fn of(delivery: &delivery::Delivery, now: Timestamp) -> Self {
        let next_attempt_at = delivery.open().map(|open| open.next_at.rfc3339());
        Self { next_attempt_at, ..Self::pending(delivery, now) }
    }

    /// Shows a delivery that has none: nothing was attempted yet.
    pub fn pending(delivery: &delivery::Delivery, now: Timestamp) -> Self {
        Self {
            id: delivery.key.id().to_string(),
            endpoint_id: delivery.key.endpoint.to_string(),
            status: delivery.into(),
            overdue: is_overdue(delivery, now),
            attempts: delivery.attempts,
            next_attempt_at: None,
        }
    }
}

/// Shows an event as it was accepted, with what became of it. It is text, so that the bytes of the payload
/// stay as they came; [`Event::read`] gives its members.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Event(Box<RawValue>);

/// Holds what is added to an event's own members where the event is shown.
#[derive(Serialize)]
struct Additions<'a> {
    received_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<&'a [DeliveryBrief]>,
}

/// Holds the members of an event that every event has, or that mean something here.
#[derive(Clone, Debug, Deserialize)]
pub struct EventMembers {
    /// Identifies the event.
    pub id: String,
    /// Repeats the sender's `id` where the event got another one.
    pub sender_id: Option<String>,
    /// Tells what kind of event it is.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Tells where it happened.
    pub source: String,
    /// Tells when it happened.
    pub time: String,
    /// Names the tenant that it belongs to.
    pub tenant: String,
    /// Tells how severe it is.
    pub severity: Option<Severity>,
    /// Describes it for people in one line.
    pub summary: Option<String>,
    /// Holds what happened, as the sender wrote it.
    pub data: Option<Box<RawValue>>,
    /// Holds what happened in base 64, where that is no JSON.
    pub data_base64: Option<String>,
    /// Tells whether the payload was removed.
    #[serde(default)]
    pub expunged: bool,
    /// Tells when it was accepted.
    pub received_at: Option<String>,
    /// Lists its deliveries. A list of events leaves them out.
    pub deliveries: Option<Vec<DeliveryBrief>>,
}

/// Names the members of [`EventMembers`] that are no attributes.
const NO_ATTRIBUTES: [&str; 11] = [
    "id",
    "sender_id",
    "type",
    "source",
    "time",
    "tenant",
    "data",
    "data_base64",
    "expunged",
    "received_at",
    "deliveries",
];

impl Event {
    /// Shows an event by its own text alone.
    pub fn of(event: &event::Event) -> Result<Self, serde_json::Error> {
        RawValue::from_string(event.view()).map(Self)
    }

    /// Shows an event with when it was received and, where they are given, its deliveries. They are written
    /// behind the event's text, before its last brace, so that the payload's bytes stay as they came.
    pub fn of_row(
        event: &event::Event,
        received_at: Timestamp,
        deliveries: Option<&[DeliveryBrief]>,
    ) -> Result<Self, serde_json::Error> {
        let received_at = received_at.rfc3339();
        let additions = serde_json::to_string(&Additions { received_at, deliveries })?;
        let mut text = event.view();
        text.pop();
        text.push(',');
        text.push_str(additions.trim_start_matches('{'));
        RawValue::from_string(text).map(Self)
    }

    /// Gives the event's text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Reads the members that mean something here.
    pub fn read(&self) -> Result<EventMembers, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// Reads the sender's attributes: what is beside the members that every event has.
    pub fn attributes(&self) -> Result<Map<String, Value>, serde_json::Error> {
        let mut members: Map<String, Value> = serde_json::from_str(self.text())?;
        members.retain(|name, _| !NO_ATTRIBUTES.contains(&name.as_str()));
        Ok(members)
    }

    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        let deliveries = [DeliveryBrief {
            id: "dlv_1_evt_1".to_owned(),
            endpoint_id: "ep_1".to_owned(),
            status: DeliveryStatus::Delivered,
            overdue: false,
            attempts: 1,
            next_attempt_at: None,
        }];
        let deliveries = serde_json::to_string(&deliveries).expect("it is text and numbers");
        Self(example_json(&format!(
            r#"{{"type":"dlp.violation","time":"{EXAMPLE_TIME}","tenant":"acme","id":"evt_1","source":"/tenants/acme","severity":"high","summary":"Personal data in a prompt","data":{{"user":"anna"}},"received_at":"{EXAMPLE_TIME}","deliveries":{deliveries}}}"#
        )))
    }
}

impl NewEvent {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            event_type: "dlp.violation".to_owned(),
            severity: Some(Severity::High),
            summary: Some("Personal data in a prompt".to_owned()),
            data: Some(example_json(r#"{"user":"anna"}"#)),
            ..Self::default()
        }
    }
}

impl Acceptance {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        let delivery =
            AcceptedDelivery { id: "dlv_1_evt_1".to_owned(), endpoint_id: "ep_1".to_owned() };
        Self {
            id: "evt_1".to_owned(),
            sender_id: None,
            duplicate: false,
            deliveries: vec![delivery],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_members_and_attributes_can_be_read() {
        let event = Event::example();
        let members = event.read().unwrap();
        assert_eq!(members.event_type, "dlp.violation");
        assert_eq!(members.severity, Some(Severity::High));
        assert_eq!(members.data.unwrap().get(), r#"{"user":"anna"}"#);
        assert_eq!(members.deliveries.unwrap().len(), 1);
        let attributes: Vec<String> = event.attributes().unwrap().keys().cloned().collect();
        assert_eq!(attributes, ["severity", "summary"]);
    }
}
