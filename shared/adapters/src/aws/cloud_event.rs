//! What invokes a function, as a closed set: HTTP, EventBridge, SNS, SQS, or somebody directly.
//!
//! Told apart by members that AWS always sets, never by guessing: what is none of these is an error
//! that says so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use waxseal_domain::timestamp::Timestamp;

use super::http_event::HttpEvent;
use crate::http::Request;

/// What a function was invoked with.
#[derive(Debug)]
pub enum CloudEvent {
    /// HTTP API, REST API or function URL.
    Http(Request),
    /// One event of a bus.
    EventBridge(BusEvent),
    /// Messages of a topic.
    Sns(Vec<TopicMessage>),
    /// Messages of a queue.
    Sqs(Vec<QueueMessage>),
    /// `{"tenant", "event"}` or `{"tenant", "events"}`.
    Direct(DirectEvent),
}

/// An EventBridge event; what it is about is in `detail`, byte for byte.
#[derive(Debug, Deserialize)]
pub struct BusEvent {
    /// The event's id, as EventBridge or its sender gave it.
    pub id: String,
    /// The event's source, as its sender named itself.
    pub source: String,
    /// When the event happened, in RFC 3339.
    pub time: String,
    /// The event's type, which EventBridge calls its detail type.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// The event's content, byte for byte.
    pub detail: Box<RawValue>,
}

/// A message of an SNS topic, as Lambda hands it over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TopicMessage {
    /// The message's id, which becomes an event's id where that has none.
    pub message_id: String,
    /// The message's body: an event, or an array of them.
    pub message: String,
    /// The attributes that the sender gave the message; `tenant` may be among them.
    #[serde(default)]
    pub message_attributes: BTreeMap<String, TopicAttribute>,
}

/// An attribute of an SNS message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TopicAttribute {
    /// The attribute's value, as text.
    pub value: String,
}

/// A message of an SQS queue, as Lambda hands it over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueMessage {
    /// The message's id. A batch's answer names the messages by it that must come again.
    pub message_id: String,
    /// The receipt, by which the message's visibility is changed.
    pub receipt_handle: String,
    /// The message's body. It is parsed on its own, so that one that cannot be read does not fail
    /// the batch.
    #[serde(default)]
    pub body: Option<String>,
    /// The attributes that SQS itself gives, such as how often the message was received.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// The attributes that the sender gave the message.
    #[serde(default)]
    pub message_attributes: BTreeMap<String, QueueAttribute>,
}

/// An attribute of an SQS message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueAttribute {
    /// The attribute's value, where it is text.
    #[serde(default)]
    pub string_value: Option<String>,
}

/// The payload of a direct invocation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectEvent {
    /// The tenant of the events; the default tenant's where it is left out.
    #[serde(default)]
    pub tenant: Option<String>,
    /// A single event, in the form of the API.
    #[serde(default)]
    pub event: Option<Box<RawValue>>,
    /// Several events, each in the form of the API.
    #[serde(default)]
    pub events: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
struct Records<T> {
    #[serde(rename = "Records")]
    records: Vec<T>,
}

#[derive(Deserialize)]
struct Origin {
    #[serde(alias = "EventSource", rename = "eventSource")]
    event_source: String,
}

#[derive(Deserialize)]
struct TopicRecord {
    #[serde(rename = "Sns")]
    sns: TopicMessage,
}

impl QueueMessage {
    /// How often it was received. A count that is missing, or cannot be read, is not taken for a first receive:
    /// only that may go without reading the row.
    pub fn receives(&self) -> u32 {
        let count = self.attributes.get("ApproximateReceiveCount");
        count.and_then(|text| text.parse().ok()).unwrap_or(2)
    }

    /// When it was sent, by the queue's clock; none where that is missing or cannot be read.
    pub fn sent_at(&self) -> Option<Timestamp> {
        let at = self.attributes.get("SentTimestamp")?;
        at.parse().ok().map(Timestamp::from_ms)
    }
}

impl CloudEvent {
    /// Reads an invocation's payload.
    pub fn parse(payload: &str) -> Result<Self, String> {
        let members: BTreeMap<&str, &RawValue> = serde_json::from_str(payload)
            .map_err(|error| format!("the payload is not an object: {error}"))?;
        let has = |name: &str| members.contains_key(name);
        if has("requestContext") {
            return read::<HttpEvent>(payload)?.into_request().map(Self::Http);
        }
        if has("Records") {
            return records(payload);
        }
        if has("detail-type") && has("detail") {
            return read(payload).map(Self::EventBridge);
        }
        if has("event") != has("events") {
            return read(payload).map(Self::Direct);
        }
        let names: Vec<_> = members.keys().take(10).copied().collect();
        Err(format!(
            "it is neither HTTP, EventBridge, SNS, SQS nor {{\"tenant\", \"event\" or \"events\"}}: \
             its members are {}",
            names.join(", ")
        ))
    }
}

fn records(payload: &str) -> Result<CloudEvent, String> {
    let origins: Records<Origin> = read(payload)?;
    let mut sources: Vec<_> = origins.records.iter().map(|one| one.event_source.as_str()).collect();
    sources.dedup();
    match sources.as_slice() {
        ["aws:sns"] => {
            let records: Records<TopicRecord> = read(payload)?;
            Ok(CloudEvent::Sns(records.records.into_iter().map(|record| record.sns).collect()))
        }
        ["aws:sqs"] => {
            read::<Records<QueueMessage>>(payload).map(|all| CloudEvent::Sqs(all.records))
        }
        [] => Err("Records is empty".to_owned()),
        _ => Err(format!("records of {} are not taken", sources.join(", "))),
    }
}

fn read<'a, T: Deserialize<'a>>(payload: &'a str) -> Result<T, String> {
    serde_json::from_str(payload).map_err(|error| error.to_string())
}

/// The answer to a batch of a queue: which messages come again.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl BatchResponse {
    /// How many messages come again.
    pub fn failures(&self) -> usize {
        self.batch_item_failures.len()
    }

    /// Makes the answer that names the messages that must come again. An empty id is refused: it
    /// would fail, or with some emulators delete, more than its message.
    pub fn of(failures: Vec<String>) -> Result<Self, String> {
        if failures.iter().any(String::is_empty) {
            return Err("a message without an id cannot be reported".to_owned());
        }
        Ok(Self {
            batch_item_failures: failures
                .into_iter()
                .map(|item_identifier| BatchItemFailure { item_identifier })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_is_told_by_what_aws_sets() {
        let parse = |text| CloudEvent::parse(text).unwrap();
        assert!(matches!(
            parse(r#"{"id":"1","source":"s","time":"t","detail-type":"a","detail":{"n":1.0}}"#),
            CloudEvent::EventBridge(event) if event.detail.get() == r#"{"n":1.0}"#
        ));
        let sns = r#"{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"m","Message":"{}",
            "MessageAttributes":{"tenant":{"Type":"String","Value":"acme"}}}}]}"#;
        assert!(
            matches!(parse(sns), CloudEvent::Sns(all) if all[0].message_attributes["tenant"].value == "acme")
        );
        let sqs = r#"{"Records":[{"eventSource":"aws:sqs","messageId":"m","receiptHandle":"r","body":"x",
            "attributes":{"ApproximateReceiveCount":"3"}}]}"#;
        assert!(matches!(parse(sqs), CloudEvent::Sqs(all) if all[0].receives() == 3));
        assert!(matches!(parse(r#"{"tenant":"a","event":{"type":"x"}}"#), CloudEvent::Direct(_)));
        assert!(matches!(parse(r#"{"events":[]}"#), CloudEvent::Direct(_)));
    }

    #[test]
    fn what_is_none_of_them_is_named() {
        for (text, said) in [
            (r#"{"type":"a.b"}"#, "its members are type"),
            (r#"{"event":{},"events":[]}"#, "neither"),
            (r#"{"event":{},"extra":1}"#, "extra"),
            (r#"{"Records":[{"eventSource":"aws:s3"}]}"#, "aws:s3"),
            (r#"{"Records":[]}"#, "empty"),
            ("[]", "not an object"),
        ] {
            let error = CloudEvent::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn an_empty_id_is_never_reported() {
        assert!(BatchResponse::of(vec![String::new()]).is_err());
        let text = serde_json::to_string(&BatchResponse::of(vec!["m1".into()]).unwrap()).unwrap();
        assert_eq!(text, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
