//! A tenant's catalogue of event types, with what checks payloads against its schemas.

use serde_json::Value;
use waxseal_domain::event::Event;
use waxseal_domain::event::catalogue::{EventType, Schema, schema_of};
use waxseal_domain::json::Fault;

use crate::ports::SchemaChecker;

/// Takes a schema's text, if it is one.
pub fn read_schema<C: SchemaChecker>(checker: &C, text: &str) -> Result<Schema, Fault> {
    let schema = Schema::of_text(text)?;
    checker.compile(&schema).map(|()| schema)
}

/// What of an event's payload does not fit the schema of its type, if it has one; pointers start at the
/// event.
pub fn check<C: SchemaChecker>(checker: &C, catalogue: &[EventType], event: &Event) -> Vec<Fault> {
    let Some(schema) = schema_of(catalogue, event) else { return Vec::new() };
    let data = event.data.as_ref().and_then(|data| serde_json::from_str(data.get()).ok());
    let faults = checker.faults(schema, &data.unwrap_or(Value::Null));
    faults.into_iter().map(|fault| fault.within("/data")).collect()
}
