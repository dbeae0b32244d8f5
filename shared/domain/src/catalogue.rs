//! A tenant's catalogue of event types: what each is, what its payload looks like, and an example.
//!
//! Where a type has a JSON Schema, an event of it whose `data` does not fit is refused. A type that is
//! not in the catalogue is taken as it comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::event::Event;
use crate::json::{Fault, Json, compact};
use crate::limits::{EVENT_TYPE_CHARS_MAX, SCHEMA_BYTES_MAX, SCHEMA_FAULTS_MAX};
use crate::notice::PREFIX;
use crate::timestamp::Timestamp;

/// Schemas that are kept compiled; when there are more, compiling begins anew.
const COMPILED_MAX: usize = 1_000;
/// Bytes that a schema's regular expression may take up, compiled.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// An event type of a tenant's catalogue, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventType {
    /// Its name, `dlp.violation`.
    #[serde(rename = "type")]
    pub name: String,
    /// For people.
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
    /// Whether a name may stand in a catalogue: what is ours may not.
    pub fn is_name(name: &str) -> bool {
        let chars = name.chars().count();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (1..=EVENT_TYPE_CHARS_MAX).contains(&chars)
            && name.chars().all(is_plain)
            && !name.starts_with(PREFIX)
    }
}

/// A JSON Schema (2020-12, unless it names another draft), and nothing outside of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(Arc<str>);

impl Schema {
    /// Takes a schema's text, or says why it is none. References to other documents are not followed,
    /// and its patterns are those that take time proportional to the text.
    pub fn read(text: &str) -> Result<Self, Fault> {
        if text.len() > SCHEMA_BYTES_MAX {
            let detail = format!("is longer than {SCHEMA_BYTES_MAX} bytes");
            return Err(Fault::new("", &detail));
        }
        Json::parse(text)?;
        let schema = Self(compact(text).into());
        schema.compile().map(|_| schema)
    }

    /// The schema's text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What of a value does not fit; pointers start at the value.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        match self.compile() {
            Ok(validator) => faults(&validator, value),
            Err(fault) => vec![fault],
        }
    }

    fn compile(&self) -> Result<Validator, Fault> {
        let schema: Value = serde_json::from_str(&self.0)
            .map_err(|_| Fault::new("", "is not JSON that can be read"))?;
        if !schema.is_object() && !schema.is_boolean() {
            return Err(Fault::new("", "must be an object, or true or false"));
        }
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX);
        let options = jsonschema::options().offline().with_pattern_options(patterns);
        options.build(&schema).map_err(|error| {
            let at = error.instance_path().to_string();
            Fault::new(&at, &format!("is not a JSON Schema that can be used: {error}"))
        })
    }
}

fn faults(validator: &Validator, value: &Value) -> Vec<Fault> {
    // Masked: an event's payload stays out of answers and logs.
    let fault = |error: jsonschema::ValidationError<'_>| {
        Fault::new(&error.instance_path().to_string(), &error.masked().to_string())
    };
    validator.iter_errors(value).take(SCHEMA_FAULTS_MAX).map(fault).collect()
}

/// Schemas, compiled once in an instance.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<HashMap<Schema, Arc<Validator>>>);

impl Schemas {
    /// What of an event does not fit its type's schema; pointers start at the event.
    pub fn faults(&self, schema: &Schema, event: &Event) -> Vec<Fault> {
        let data = event.data.as_ref().map(|data| serde_json::from_str::<Value>(data.get()));
        let data = match data {
            Some(Ok(data)) => data,
            Some(Err(_)) | None => Value::Null,
        };
        match self.compiled(schema) {
            Ok(validator) => {
                faults(&validator, &data).into_iter().map(|fault| fault.within("/data")).collect()
            }
            // It was compiled before it was stored: a newer version of ours no longer takes it.
            Err(fault) => vec![fault],
        }
    }

    fn compiled(&self, schema: &Schema) -> Result<Arc<Validator>, Fault> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(schema).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let compiled = Arc::new(schema.compile()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= COMPILED_MAX {
            all.clear();
        }
        all.insert(schema.clone(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// An event's payload must fit the schema of its type, if it has one.
pub fn check(schemas: &Schemas, catalogue: &[EventType], event: &Event) -> Vec<Fault> {
    let found = catalogue.iter().find(|found| found.name == event.event_type);
    let schema = found.and_then(|found| found.schema.as_ref());
    schema.map(|schema| schemas.faults(schema, event)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SCHEMA: &str = r#"{"type": "object", "required": ["user"],
        "properties": {"user": {"type": "string", "pattern": "^[a-z]+$"}, "n": {"minimum": 1}}}"#;

    #[test]
    fn every_fault_is_named_at_its_place_and_shows_no_payload() {
        let schema = Schema::read(SCHEMA).unwrap();
        assert_eq!(schema.faults(&json!({"user": "anna", "n": 2})), []);
        let faults = schema.faults(&json!({"user": "CANARY1", "n": 0}));
        let mut places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/n", "/user"]);
        assert!(faults.iter().all(|fault| !fault.detail.contains("CANARY1")), "{faults:?}");
        assert_eq!(schema.faults(&json!({})).len(), 1);
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in [
            "3",
            r#"{"type": "strin"}"#,
            r#"{"$ref": "https://example.com/other.json"}"#,
            r##"{"$ref": "#/$defs/missing"}"##,
            r#"{"pattern": "(a"}"#,
            r#"{"pattern": "(?=a)b"}"#,
            "{",
        ] {
            assert!(Schema::read(text).is_err(), "{text}");
        }
        let long = format!(r#"{{"description": "{}"}}"#, "a".repeat(SCHEMA_BYTES_MAX));
        assert!(Schema::read(&long).is_err());
    }

    #[test]
    fn names_of_ours_and_odd_ones_are_no_event_types() {
        assert!(EventType::is_name("dlp.pii_blocked"));
        for name in ["", "a b", "a/b", "waxseal.endpoint.disabled", "dlp.*"] {
            assert!(!EventType::is_name(name), "{name}");
        }
    }
}
