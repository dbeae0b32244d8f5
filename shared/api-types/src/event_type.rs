//! Event types: a tenant's catalogue of what its events are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use waxseal_domain::event::catalogue;

use crate::example_json;

/// Describes a type of event in the tenant's catalogue.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventType {
    /// Names the type, as the member `type` of an event does.
    #[serde(rename = "type")]
    pub name: String,
    /// Describes for people what such an event means.
    pub description: Option<String>,
    /// Holds the JSON Schema that the `data` of such an event must satisfy. It is null where any data is
    /// accepted.
    #[schemars(with = "Value")]
    pub schema: Option<Box<RawValue>>,
    /// Shows the `data` of such an event. Test events of this type hold it.
    #[schemars(with = "Value")]
    pub example: Option<Box<RawValue>>,
    /// Tells when the type was last put into the catalogue.
    #[schemars(extend("format" = "date-time"))]
    pub updated_at: String,
}

impl From<&catalogue::EventType> for EventType {
    fn from(event_type: &catalogue::EventType) -> Self {
        let schema = event_type.schema.as_ref();
        Self {
            name: event_type.name.clone(),
            description: event_type.description.clone(),
            schema: schema.map(catalogue::Schema::json),
            example: event_type.example.clone(),
            updated_at: event_type.updated_at.rfc3339(),
        }
    }
}

/// Puts a type into the catalogue, or replaces it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewEventType {
    /// Describes for people what such an event means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Holds a JSON Schema (draft 2020-12) that the `data` of such an event must satisfy. It cannot refer to
    /// other documents. It is refused if it would cost too much to check any data: one value may meet at most 20,000
    /// schemas and keywords at one place, references written out, and there may be at most 100 different patterns
    /// that take about 1 MiB together. Any data is accepted by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Box<RawValue>>,
    /// Shows the `data` of such an event. Test events of this type hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Box<RawValue>>,
}

const DESCRIPTION: &str = "A policy found personal data";
const SCHEMA: &str = r#"{"type":"object","required":["user"]}"#;
const EXAMPLE: &str = r#"{"user":"anna"}"#;

impl EventType {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            name: "dlp.violation".to_owned(),
            description: Some(DESCRIPTION.to_owned()),
            schema: Some(example_json(SCHEMA)),
            example: Some(example_json(EXAMPLE)),
            updated_at: crate::EXAMPLE_TIME.to_owned(),
        }
    }
}

impl NewEventType {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            description: Some(DESCRIPTION.to_owned()),
            schema: Some(example_json(SCHEMA)),
            example: Some(example_json(EXAMPLE)),
        }
    }
}
