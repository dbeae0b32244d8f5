//! Reading an event: member by member, every fault kept, so that a sender is told all of them at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Event, Form, Severity, Submission};
use crate::event::event_type::PREFIX;
use crate::event::hops::{HOPS_ATTRIBUTE, Hops};
use crate::id::{EventId, TenantName};
use crate::json::{Fault, Json, escape_pointer};
use crate::limits::{
    ATTRIBUTE_CHARS_MAX, ATTRIBUTES_MAX, EVENT_TYPE_CHARS_MAX, RISK_SCORE, SOURCE_CHARS_MAX,
    SUMMARY_CHARS_MAX,
};
use crate::timestamp::{Timestamp, in_utc};

/// An event being read: what was found, and what was wrong.
#[derive(Default)]
pub(super) struct Draft {
    specversion: bool,
    id: Option<String>,
    source: Option<String>,
    event_type: Option<String>,
    time: Option<String>,
    data_is_null: bool,
    data_base64: Option<String>,
    attributes: BTreeMap<String, serde_json::Value>,
    hops: Hops,
    pub(super) faults: Vec<Fault>,
}

impl Draft {
    pub(super) fn read(&mut self, tenant: &TenantName, name: &str, value: &Json<'_>) {
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
            HOPS_ATTRIBUTE => self.read_hops(value),
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
        match value.as_str().unwrap_or_default().parse::<Severity>() {
            Ok(severity) => self.keep("severity", severity.as_str().into()),
            Err(detail) => self.fault("severity", &detail),
        }
    }

    /// A number, or (`CloudEvents` has no fractions) text that is one.
    fn read_riskscore(&mut self, value: &Json<'_>) {
        let score = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        match score.filter(|score: &f64| RISK_SCORE.contains(score)) {
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

    /// A number, or text that is one: a header of binary mode comes as text.
    fn read_hops(&mut self, value: &Json<'_>) {
        let text = match value {
            Json::Number(text) => text.as_ref(),
            Json::String(text) => text.as_ref(),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => "",
        };
        match text.parse() {
            Ok(hops) => self.hops = hops,
            Err(_) => self.fault(HOPS_ATTRIBUTE, "must be a whole number of deliveries"),
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

    pub(super) fn require(&mut self, form: Form) {
        let mut required = vec![("type", self.event_type.is_some())];
        if form == Form::CloudEvent {
            required.push(("specversion", self.specversion));
            required.push(("id", self.id.is_some()));
            required.push(("source", self.source.is_some()));
        }
        let has_our_prefix = self.event_type.as_ref().is_some_and(|kind| kind.starts_with(PREFIX));
        if form != Form::Own && has_our_prefix {
            self.fault("type", &format!("must not begin with {PREFIX}"));
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

    pub(super) fn finish(
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
            expunged: false,
            hops: self.hops.max(submission.hops),
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
