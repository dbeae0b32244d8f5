//! An event: something that happened. Immutable; `source` and the sender's `id` are its idempotency
//! key within the tenant.
//!
//! [`Event::accept`] reads what a sender sent, in any of the forms that cloud sources bring it, and
//! either makes an event of it or names every fault at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::id::{EventId, TenantName};
use crate::json::{Fault, Json, compact, escape_pointer};
use crate::limits::{
    ATTRIBUTE_CHARS_MAX, ATTRIBUTES_MAX, EVENT_TYPE_CHARS_MAX, SOURCE_CHARS_MAX, SUMMARY_CHARS_MAX,
};
use crate::timestamp::{Timestamp, in_utc};

/// How grave an event is: one scale for all systems.
pub const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

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
    /// What happened, `dlp.pii_blocked`.
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
}

/// What a sender sent: one JSON object, and what its source says where the object is silent.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The object's text.
    pub text: String,
    /// Whether `specversion`, `id` and `source` may be left out.
    pub form: Form,
    /// The `id` where the object has none: an SNS or SQS message's own.
    pub fallback_id: Option<String>,
}

/// In which form an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A plain object: only `type` is required.
    Plain,
    /// `CloudEvents` 1.0: `specversion`, `id`, `source` and `type` are required.
    CloudEvent,
}

/// A valid event, and the digest by which its repetition is told from another event.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The event.
    pub event: Event,
    /// Over the JSON value that the sender sent, defaults left out: hexadecimal.
    pub digest: String,
}

impl Event {
    /// Makes an event of what came in, or says all that is wrong with it.
    pub fn accept(
        tenant: &TenantName,
        submission: &Submission,
        now: Timestamp,
        entropy: u128,
    ) -> Result<Accepted, Vec<Fault>> {
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
        let digest = json.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        draft.finish(tenant, submission, now, entropy).map(|event| Accepted { event, digest })
    }

    /// The same event under the id derived from its source and the sender's id: for when another
    /// source of the tenant has the sender's id already. Deterministic, so that a retry finds it.
    #[must_use]
    pub fn with_derived_id(mut self) -> Self {
        let sender_id = self.sender_id.take().unwrap_or_else(|| self.id.to_string());
        self.id = derived_id(&self.source, &sender_id);
        self.sender_id = Some(sender_id);
        self
    }

    /// The id as its sender knows it.
    pub fn sender_id(&self) -> &str {
        self.sender_id.as_deref().unwrap_or(self.id.as_str())
    }

    /// An attribute that is text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(serde_json::Value::as_str)
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
        self.0.serialize_attributes(&mut map)?;
        self.0.serialize_payload(&mut map)?;
        map.end()
    }
}

/// `evt_` and 128 bits of SHA-256 over source and sender's id, each with its length before it.
fn derived_id(source: &str, sender_id: &str) -> EventId {
    let mut hash = Sha256::new();
    for part in [source, sender_id] {
        hash.update(part.len().to_string().as_bytes());
        hash.update(b":");
        hash.update(part.as_bytes());
    }
    let number =
        hash.finalize().iter().take(16).fold(0, |sum, &byte| (sum << 8) | u128::from(byte));
    EventId::from_entropy(number)
}

/// An event being read: what was found, and what was wrong.
#[derive(Default)]
struct Draft {
    specversion: bool,
    id: Option<String>,
    source: Option<String>,
    event_type: Option<String>,
    time: Option<String>,
    data_is_null: bool,
    data_base64: Option<String>,
    attributes: BTreeMap<String, serde_json::Value>,
    faults: Vec<Fault>,
}

impl Draft {
    fn read(&mut self, tenant: &TenantName, name: &str, value: &Json<'_>) {
        match name {
            "specversion" => self.read_specversion(value),
            "id" => self.id = self.text(name, value, 1, SOURCE_CHARS_MAX),
            "source" => self.source = self.text(name, value, 1, SOURCE_CHARS_MAX),
            "type" => self.event_type = self.text(name, value, 1, EVENT_TYPE_CHARS_MAX),
            "time" => self.read_time(value),
            "data" => self.data_is_null = matches!(value, Json::Null),
            "data_base64" => self.read_base64(value),
            "tenant" => self.read_tenant(tenant, value),
            "severity" => self.read_severity(value),
            "riskscore" => self.read_riskscore(value),
            "traceparent" => self.read_traceparent(value),
            "summary" => self.keep_text(name, value, SUMMARY_CHARS_MAX),
            _ => self.read_attribute(name, value),
        }
    }

    fn read_specversion(&mut self, value: &Json<'_>) {
        self.specversion = true;
        if value.as_str() != Some("1.0") {
            self.fault("specversion", "must be the string 1.0");
        }
    }

    fn read_time(&mut self, value: &Json<'_>) {
        self.time = value.as_str().and_then(in_utc);
        if self.time.is_none() {
            self.fault("time", "must be an RFC 3339 date and time, such as 2026-11-21T10:00:00Z");
        }
    }

    fn read_base64(&mut self, value: &Json<'_>) {
        match value.as_str().filter(|text| STANDARD.decode(text).is_ok()) {
            Some(text) => self.data_base64 = Some(text.to_owned()),
            None => self.fault("data_base64", "must be base 64 text"),
        }
    }

    fn read_tenant(&mut self, tenant: &TenantName, value: &Json<'_>) {
        if value.as_str() != Some(tenant.as_str()) {
            self.fault("tenant", "is not the tenant that the request is for");
        }
    }

    fn read_severity(&mut self, value: &Json<'_>) {
        match value.as_str().filter(|text| SEVERITIES.contains(text)) {
            Some(text) => self.keep("severity", text.into()),
            None => self.fault("severity", "must be critical, high, medium, low or info"),
        }
    }

    /// A number, or (`CloudEvents` has no fractions) text that is one.
    fn read_riskscore(&mut self, value: &Json<'_>) {
        let score = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        match score.filter(|score: &f64| (0.0..=1.0).contains(score)) {
            Some(score) => self.keep("riskscore", score.into()),
            None => self.fault("riskscore", "must be a number from 0 to 1"),
        }
    }

    fn read_traceparent(&mut self, value: &Json<'_>) {
        match value.as_str().filter(|text| is_traceparent(text)) {
            Some(text) => self.keep("traceparent", text.into()),
            None => self.fault("traceparent", "must be a W3C traceparent, version 00"),
        }
    }

    fn read_attribute(&mut self, name: &str, value: &Json<'_>) {
        let named = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !named {
            self.fault(name, "is no attribute: a name is 1 to 64 of a-z 0-9; put content in data");
            return;
        }
        match value {
            Json::String(_) => self.keep_text(name, value, ATTRIBUTE_CHARS_MAX),
            Json::Bool(flag) => self.keep(name, (*flag).into()),
            Json::Number(text) => match serde_json::from_str(text) {
                Ok(number) => self.keep(name, serde_json::Value::Number(number)),
                Err(_) => self.fault(name, "is a number out of range"),
            },
            Json::Null => {}
            Json::Array(_) | Json::Object(_) => {
                self.fault(
                    name,
                    "an attribute is text, a number or a boolean; put content in data",
                );
            }
        }
    }

    fn keep_text(&mut self, name: &str, value: &Json<'_>, max: usize) {
        if let Some(text) = self.text(name, value, 0, max) {
            self.keep(name, text.into());
        }
    }

    fn keep(&mut self, name: &str, value: serde_json::Value) {
        if self.attributes.len() == ATTRIBUTES_MAX {
            self.fault(name, &format!("is one attribute too many: at most {ATTRIBUTES_MAX}"));
        } else {
            self.attributes.insert(name.to_owned(), value);
        }
    }

    fn text(&mut self, name: &str, value: &Json<'_>, min: usize, max: usize) -> Option<String> {
        let text = value.as_str().filter(|text| {
            let chars = text.chars().count();
            chars >= min && chars <= max && !text.chars().any(char::is_control)
        });
        if text.is_none() {
            self.fault(
                name,
                &format!("must be text of {min} to {max} characters, none of them a control one"),
            );
        }
        text.map(str::to_owned)
    }

    fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(Fault::new(&format!("/{}", escape_pointer(name)), detail));
    }

    fn require(&mut self, form: Form) {
        let mut required = vec![("type", self.event_type.is_some())];
        if form == Form::CloudEvent {
            required.push(("specversion", self.specversion));
            required.push(("id", self.id.is_some()));
            required.push(("source", self.source.is_some()));
        }
        for (name, there) in required {
            let pointer = format!("/{name}");
            if !there && !self.faults.iter().any(|fault| fault.pointer == pointer) {
                self.fault(name, "is required");
            }
        }
        if self.data_base64.is_some() && self.data_is_null {
            self.fault("data_base64", "cannot stand beside data");
        }
    }

    fn finish(
        self,
        tenant: &TenantName,
        submission: &Submission,
        now: Timestamp,
        entropy: u128,
    ) -> Result<Event, Vec<Fault>> {
        let source = self.source.unwrap_or_else(|| format!("/tenants/{tenant}"));
        let sender_id = self.id.or_else(|| submission.fallback_id.clone());
        let data = data_of(&submission.text)?;
        if data.is_some() && self.data_base64.is_some() {
            return Err(vec![Fault::new("/data_base64", "cannot stand beside data")]);
        }
        let event = Event {
            id: EventId::from_entropy(entropy),
            sender_id: None,
            tenant: tenant.clone(),
            event_type: self.event_type.unwrap_or_default(),
            source,
            time: self.time.unwrap_or_else(|| now.rfc3339()),
            attributes: self.attributes,
            data,
            data_base64: self.data_base64,
        };
        Ok(match sender_id {
            None => event,
            Some(text) => match text.parse() {
                Ok(id) => Event { id, ..event },
                Err(_) => Event { sender_id: Some(text), ..event }.with_derived_id(),
            },
        })
    }
}

/// The bytes of the member `data`, as they came.
fn data_of(text: &str) -> Result<Option<Box<RawValue>>, Vec<Fault>> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default)]
        data: Option<Box<RawValue>>,
    }
    let read: Result<Data, _> = serde_json::from_str(text);
    read.map(|object| object.data).map_err(|error| vec![Fault::new("/data", &error.to_string())])
}

fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [2, 32, 16, 2]
        && parts.first() == Some(&"00")
        && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(text: &str, form: Form) -> Result<Accepted, Vec<Fault>> {
        let submission = Submission { text: text.to_owned(), form, fallback_id: None };
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
    fn numbers_that_no_double_holds_are_kept() {
        let event = accept(r#"{"type":"a","data":1e400}"#, Form::Plain).unwrap().event;
        assert_eq!(event.data.unwrap().get(), "1e400");
    }
}
