//! A tenant's catalogue of event types: what each is, what its payload looks like, and an example.
//!
//! Where a type has a JSON Schema, an event of it whose `data` does not fit is refused. A type that is
//! not in the catalogue is taken as it comes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::Event;
use crate::event::event_type::PREFIX;
use crate::json::{Fault, Json, compact};
use crate::limits::{EVENT_TYPE_CHARS_MAX, EVENT_TYPES_PER_TENANT_MAX, SCHEMA_BYTES_MAX};
use crate::timestamp::Timestamp;

/// An event type of a tenant's catalogue, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventType {
    /// The event type's name, as `dlp.violation`.
    #[serde(rename = "type")]
    pub name: String,
    /// A description that people gave the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What an event's `data` must be like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// The `data` of a test event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Box<RawValue>>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl EventType {
    /// Returns about how many bytes it takes up in memory.
    pub fn bytes(&self) -> usize {
        let schema = self.schema.as_ref().map_or(0, |schema| schema.text().len());
        let example = self.example.as_ref().map_or(0, |example| example.get().len());
        let description = self.description.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.name.len() + description + schema + example
    }

    /// Whether a name may stand in a catalogue: what is ours may not.
    pub fn is_name(name: &str) -> bool {
        let chars = name.chars().count();
        (1..=EVENT_TYPE_CHARS_MAX).contains(&chars)
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
            && !name.starts_with(PREFIX)
    }
}

/// Says whether a catalogue has room for a type: one that is there already is replaced.
pub fn check_room(catalogue: &[EventType], name: &str) -> Result<(), Fault> {
    let is_new = catalogue.iter().all(|found| found.name != name);
    if is_new && catalogue.len() >= EVENT_TYPES_PER_TENANT_MAX {
        let detail = format!("the catalogue has {EVENT_TYPES_PER_TENANT_MAX} types, its limit");
        return Err(Fault::new("", &detail));
    }
    Ok(())
}

/// A JSON Schema (2020-12, unless it names another draft), and nothing outside of it. Whether a text is
/// one, and what fits it, the engine's schema checker says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schema(Arc<str>);

impl Schema {
    /// Takes a text that may be a schema: JSON of a bounded length. Whether it is one, the engine's schema
    /// checker says.
    pub fn of_text(text: &str) -> Result<Self, Fault> {
        if text.len() > SCHEMA_BYTES_MAX {
            let detail = format!("is longer than {SCHEMA_BYTES_MAX} bytes");
            return Err(Fault::new("", &detail));
        }
        Json::parse(text)?;
        Ok(Self(compact(text).into()))
    }

    /// Returns the schema as text, byte for byte as it was given.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the schema as JSON.
    pub fn json(&self) -> Box<RawValue> {
        RawValue::from_string(self.0.to_string()).expect("only JSON becomes a schema")
    }
}

impl TryFrom<String> for Schema {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::of_text(&text).map_err(|fault| fault.detail)
    }
}

impl From<Schema> for String {
    fn from(schema: Schema) -> String {
        schema.0.to_string()
    }
}

/// The schema that a catalogue has for the type of an event, if it has one.
pub fn schema_of<'a>(catalogue: &'a [EventType], event: &Event) -> Option<&'a Schema> {
    let found = catalogue.iter().find(|found| found.name == event.event_type);
    found.and_then(|found| found.schema.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::hops::Hops;
    use crate::event::{Form, Submission};

    #[test]
    fn names_of_ours_and_odd_ones_are_no_event_types() {
        assert!(EventType::is_name("dlp.pii_blocked"));
        for name in ["", "a b", "a/b", "waxseal.endpoint.disabled", "dlp.*"] {
            assert!(!EventType::is_name(name), "{name}");
        }
    }

    #[test]
    fn a_type_is_replaced_where_there_is_no_room_for_another() {
        let event_type = |index: usize| EventType {
            name: format!("t{index}"),
            description: None,
            schema: None,
            example: None,
            updated_at: Timestamp::from_ms(0),
        };
        let catalogue: Vec<EventType> = (0..EVENT_TYPES_PER_TENANT_MAX).map(event_type).collect();
        assert_eq!(check_room(&catalogue, "t0"), Ok(()));
        assert!(check_room(&catalogue, "another").is_err());
        assert_eq!(check_room(&catalogue[1..], "another"), Ok(()));
    }

    #[test]
    fn a_schema_is_json_of_a_bounded_length_and_is_kept_as_it_is_but_for_white_space() {
        let schema = Schema::of_text(r#"{ "minimum": 1.0 }"#).unwrap();
        assert_eq!(schema.text(), r#"{"minimum":1.0}"#);
        assert_eq!(schema.json().get(), schema.text());
        assert_eq!(String::from(schema.clone()), schema.text());
        assert_eq!(Schema::try_from(schema.text().to_owned()), Ok(schema));
        let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
        assert!(Schema::of_text(&padded(SCHEMA_BYTES_MAX)).is_ok());
        assert!(Schema::of_text(&padded(SCHEMA_BYTES_MAX + 1)).is_err());
        assert!(Schema::of_text(&padded(SCHEMA_BYTES_MAX + 2)).is_err());
    }

    #[test]
    fn an_event_has_the_schema_of_its_own_type() {
        let event_type = |name: &str, schema: &str| EventType {
            name: name.to_owned(),
            description: None,
            schema: Some(Schema::of_text(schema).unwrap()),
            example: None,
            updated_at: Timestamp::from_ms(0),
        };
        let catalogue = [event_type("a", "false"), event_type("b", "true")];
        let schema = |name: &str| {
            let text = format!("{{\"type\":\"{name}\"}}");
            let submission =
                Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
            let tenant = "acme".parse().unwrap();
            let accepted = Event::accept(&tenant, &submission, Timestamp::from_ms(0), 7).unwrap();
            schema_of(&catalogue, &accepted.event).map(Schema::text)
        };
        assert_eq!([schema("a"), schema("b"), schema("c")], [Some("false"), Some("true"), None]);
    }
}
