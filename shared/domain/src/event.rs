//! An event: something that happened. Immutable; `source` and the sender's `id` are its idempotency
//! key within the tenant.
//!
//! [`Event::accept`] reads what a sender sent, in any of the forms that cloud sources bring it, and
//! either makes an event of it or names every fault at once.

pub mod acceptance;
pub mod catalogue;
mod draft;
pub mod event_type;
pub mod hops;
pub mod link;
mod severity;
mod tree;

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use self::draft::Draft;

use self::hops::{HOPS_ATTRIBUTE, Hops};
pub use self::severity::Severity;
use crate::id::{EventId, TenantName};
use crate::json::{Fault, Json, compact};
use crate::timestamp::Timestamp;

/// An event, as stored and as it travels in a queue message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The sender's id where it may be one of ours, else derived from it and the source.
    pub id: EventId,
    /// The sender's id, where `id` is not it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<String>,
    /// Whose event it is.
    pub tenant: TenantName,
    /// The name of what happened, as `dlp.pii_blocked`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Where it happened: a URI reference.
    pub source: String,
    /// When it happened: RFC 3339 in UTC, with the fraction that the sender gave.
    pub time: String,
    /// Every other attribute of `CloudEvents`, extensions included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// The payload, byte for byte as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// A payload that is not JSON, in base 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<String>,
    /// Whether the payload was removed on request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expunged: bool,
    /// How many of Waxseal's deliveries lie behind it.
    #[serde(default, skip_serializing_if = "Hops::is_none")]
    pub hops: Hops,
}

/// What a sender sent: one JSON object, and what its source says where the object is silent.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The JSON object, as text.
    pub text: String,
    /// Whether `specversion`, `id` and `source` may be left out.
    pub form: Form,
    /// The `id` where the object has none: an SNS or SQS message's own.
    pub fallback_id: Option<String>,
    /// How many deliveries lie behind it, as what brought it says; the object may say more.
    pub hops: Hops,
}

/// The form in which an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A plain event of our own, or of a sender that the receiver has verified: its type may begin with
    /// `waxseal.`.
    Own,
    /// A plain object: only `type` is required.
    Plain,
    /// `CloudEvents` 1.0: `specversion`, `id`, `source` and `type` are required.
    CloudEvent,
}

/// A valid event, and the digest by which its repetition is told from another event.
#[derive(Clone, Debug)]
pub struct AcceptedEvent {
    /// The event that was read.
    pub event: Event,
    /// The SHA-256 of the JSON value that the sender sent, in hexadecimal. Defaults are left out,
    /// so that it does not change with the time of acceptance.
    pub digest: String,
}

impl Event {
    /// Makes an event of what came in, or says all that is wrong with it.
    pub fn accept(
        tenant: &TenantName,
        submission: &Submission,
        now: Timestamp,
        entropy: u128,
    ) -> Result<AcceptedEvent, Vec<Fault>> {
        let json = Json::parse(&submission.text).map_err(|fault| vec![fault])?;
        let Json::Object(members) = &json else {
            return Err(vec![Fault::new("", "an event is a JSON object")]);
        };
        let mut draft = Draft::default();
        for (name, value) in members {
            draft.read(tenant, name, value);
        }
        draft.require(submission.form);
        if !draft.faults.is_empty() {
            return Err(draft.faults);
        }
        let digest = hex::encode(json.digest());
        draft.finish(tenant, submission, now, entropy).map(|event| AcceptedEvent { event, digest })
    }

    /// Returns the event under an id that is derived from its source and the sender's id, for when
    /// another source of the tenant has used the sender's id. The derived id is always the same, so
    /// that a retry finds the event.
    #[must_use]
    pub fn with_derived_id(mut self) -> Self {
        let sender_id = self.sender_id.take().unwrap_or_else(|| self.id.to_string());
        self.id = derive_id(&self.source, &sender_id);
        self.sender_id = Some(sender_id);
        self
    }

    /// Returns the event without its payload and its summary. What stays is the record that it
    /// happened.
    #[must_use]
    pub fn remove_payload(mut self) -> Self {
        self.attributes.remove("summary");
        Self { data: None, data_base64: None, expunged: true, ..self }
    }

    /// The id as its sender knows it.
    pub fn sender_id(&self) -> &str {
        self.sender_id.as_deref().unwrap_or(self.id.as_str())
    }

    /// An attribute that is text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(serde_json::Value::as_str)
    }

    /// How grave it is, where its sender says.
    pub fn severity(&self) -> Option<Severity> {
        self.attribute("severity")?.parse().ok()
    }

    /// The event as the API shows it and as filters see it: attributes beside `data`, compact.
    pub fn view(&self) -> String {
        serde_json::to_string(&View(self)).expect("strings and JSON values always serialise")
    }

    /// Writes the members that are neither `type`, `time` nor the payload.
    pub(crate) fn serialize_attributes<M: SerializeMap>(
        &self,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry("id", &self.id)?;
        if let Some(sender_id) = &self.sender_id {
            map.serialize_entry("sender_id", sender_id)?;
        }
        map.serialize_entry("source", &self.source)?;
        for (name, value) in &self.attributes {
            map.serialize_entry(name, value)?;
        }
        if self.expunged {
            map.serialize_entry("expunged", &true)?;
        }
        Ok(())
    }

    /// Writes the payload: `data` without insignificant white space, or `data_base64`.
    pub(crate) fn serialize_payload<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        if let Some(base64) = &self.data_base64 {
            return map.serialize_entry("data_base64", base64);
        }
        let text = self.data.as_deref().map_or_else(|| "null".to_owned(), |raw| compact(raw.get()));
        let raw = RawValue::from_string(text).map_err(serde::ser::Error::custom)?;
        map.serialize_entry("data", &raw)
    }
}

struct View<'a>(&'a Event);

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.0.event_type)?;
        map.serialize_entry("time", &self.0.time)?;
        map.serialize_entry("tenant", &self.0.tenant)?;
        if !self.0.hops.is_none() {
            map.serialize_entry(HOPS_ATTRIBUTE, &self.0.hops)?;
        }
        self.0.serialize_attributes(&mut map)?;
        self.0.serialize_payload(&mut map)?;
        map.end()
    }
}

/// `evt_` and 128 bits of SHA-256 over source and sender's id, each with its length before it.
fn derive_id(source: &str, sender_id: &str) -> EventId {
    let mut hash = Sha256::new();
    for part in [source, sender_id] {
        hash.update(part.len().to_string().as_bytes());
        hash.update(b":");
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, from)| *byte = from);
    EventId::from_entropy(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(text: &str, form: Form) -> Result<AcceptedEvent, Vec<Fault>> {
        let submission =
            Submission { text: text.to_owned(), form, fallback_id: None, hops: Hops::default() };
        Event::accept(&"acme".parse().unwrap(), &submission, Timestamp::from_ms(0), 7)
    }

    fn pointers(text: &str, form: Form) -> Vec<String> {
        accept(text, form).unwrap_err().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn keeps_the_payloads_bytes() {
        let accepted =
            accept(r#"{"type":"a","data":{"b": 1.0, "a":"\u00e9 é"}}"#, Form::Plain).unwrap();
        assert_eq!(accepted.event.data.as_ref().unwrap().get(), r#"{"b": 1.0, "a":"\u00e9 é"}"#);
        assert!(accepted.event.view().ends_with(r#""data":{"b":1.0,"a":"\u00e9 é"}}"#));
    }

    #[test]
    fn names_every_fault_at_once() {
        let text = r#"{"time":"now","severity":"bad","riskscore":2,"Foo":1,"x":{},"source":""}"#;
        assert_eq!(
            pointers(text, Form::Plain),
            ["/time", "/severity", "/riskscore", "/Foo", "/x", "/source", "/type"]
        );
    }

    #[test]
    fn a_cloud_event_must_be_whole_and_a_plain_one_need_not() {
        assert_eq!(
            pointers(r#"{"type":"a"}"#, Form::CloudEvent),
            ["/specversion", "/id", "/source"]
        );
        let event = accept(r#"{"type":"a"}"#, Form::Plain).unwrap().event;
        assert_eq!(event.source, "/tenants/acme");
        assert_eq!(event.time, "1970-01-01T00:00:00Z");
    }

    #[test]
    fn refuses_what_is_not_an_object() {
        for text in ["[]", "1", "null", "{", "", r#"{"type":"a","type":"b"}"#] {
            assert!(accept(text, Form::Plain).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_outside_the_alphabet_is_derived_and_kept() {
        let event = accept(r#"{"type":"a","id":"a/b","source":"s"}"#, Form::Plain).unwrap().event;
        assert!(event.id.as_str().starts_with("evt_"));
        assert_eq!(event.sender_id.as_deref(), Some("a/b"));
        let again = accept(r#"{"type":"z","id":"a/b","source":"s"}"#, Form::Plain).unwrap().event;
        assert_eq!(event.id, again.id);
        let other = accept(r#"{"type":"a","id":"a/b","source":"t"}"#, Form::Plain).unwrap().event;
        assert_ne!(event.id, other.id);
    }

    #[test]
    fn content_is_compared_as_json_values() {
        let one = accept(r#"{"type":"a","data":{"x":1.0,"y":[2]}}"#, Form::Plain).unwrap();
        let same = accept(r#"{ "data":{"y":[2],"x":1}, "type":"a" }"#, Form::Plain).unwrap();
        let other = accept(r#"{"type":"a","data":{"x":1.01,"y":[2]}}"#, Form::Plain).unwrap();
        assert_eq!(one.digest, same.digest);
        assert_ne!(one.digest, other.digest);
    }

    #[test]
    fn an_attributes_number_is_the_same_once_stored() {
        let event = accept(r#"{"type":"a","n":311060.7528870521e-22}"#, Form::Plain).unwrap().event;
        assert!(event.view().contains("3.110607528870521e-17"), "{}", event.view());
        let stored = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.view(), event.view());
    }

    #[test]
    fn hops_are_the_most_that_anything_says_and_shown() {
        let submission = |text: &str, hops| Submission {
            text: text.to_owned(),
            form: Form::Plain,
            fallback_id: None,
            hops: Hops::new(hops),
        };
        let hops = |text: &str, hops| {
            let submission = submission(text, hops);
            Event::accept(&"acme".parse().unwrap(), &submission, Timestamp::from_ms(0), 7)
        };
        for (text, transport, expected) in [
            (r#"{"type":"a"}"#, 0, 0),
            (r#"{"type":"a"}"#, 2, 2),
            (r#"{"type":"a","waxsealhops":1}"#, 2, 2),
            (r#"{"type":"a","waxsealhops":"3"}"#, 2, 3),
        ] {
            let event = hops(text, transport).unwrap().event;
            assert_eq!(event.hops, Hops::new(expected), "{text}");
            let shown = event.view().contains(&format!(r#""waxsealhops":{expected}"#));
            assert_eq!(shown, expected > 0, "{}", event.view());
            let stored: Event =
                serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
            assert_eq!(stored.hops, event.hops);
        }
        for bad in ["-1", "1.5", "true", "\"x\"", "null"] {
            let text = format!(r#"{{"type":"a","waxsealhops":{bad}}}"#);
            let faults = hops(&text, 0).unwrap_err();
            assert_eq!(faults[0].pointer, "/waxsealhops", "{bad}");
        }
    }

    #[test]
    fn numbers_that_no_double_holds_are_kept() {
        let event = accept(r#"{"type":"a","data":1e400}"#, Form::Plain).unwrap().event;
        assert_eq!(event.data.unwrap().get(), "1e400");
    }

    #[test]
    fn what_is_expunged_is_the_payload_and_the_summary_and_nothing_else() {
        let text = r#"{"type":"a","id":"e1","summary":"canary","severity":"high","data":1}"#;
        let event = accept(text, Form::Plain).unwrap().event;
        let binary = Event { data: None, data_base64: Some("AA==".to_owned()), ..event.clone() };
        for event in [event, binary] {
            let left = event.remove_payload();
            assert!(left.expunged && left.data.is_none() && left.data_base64.is_none());
            assert_eq!(
                (left.attribute("summary"), left.attribute("severity")),
                (None, Some("high"))
            );
            assert_eq!(left.id.as_str(), "e1");
        }
    }

    #[test]
    fn a_derived_id_is_the_same_for_ever() {
        // The first 128 bits of SHA-256 of `1:s3:a/b`: an event that is stored is found by it.
        let event = accept(r#"{"type":"a","id":"a/b","source":"s"}"#, Form::Plain).unwrap().event;
        assert_eq!(event.id.as_str(), "evt_6gfc17faqcwhfb6p1hmmnze36f");
    }
}
