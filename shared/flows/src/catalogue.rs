//! Checks events against a tenant's catalogue of event types, and reads the schemas that go into
//! it.

use serde_json::Value;
use waxseal_domain::event::Event;
use waxseal_domain::event::catalogue::{EventType, Schema, schema_of};
use waxseal_domain::json::Fault;

use crate::ports::SchemaChecker;

/// Reads the text of a JSON Schema. The fault says why the text is no schema that can be used.
pub fn read_schema<C: SchemaChecker>(checker: &C, text: &str) -> Result<Schema, Fault> {
    let schema = Schema::of_text(text)?;
    checker.compile(&schema).map(|()| schema)
}

/// Lists where an event's payload does not fit the schema of its type; nothing where the type has
/// no schema. The pointers start at the event, as `/data/amount`.
pub fn check<C: SchemaChecker>(checker: &C, catalogue: &[EventType], event: &Event) -> Vec<Fault> {
    let Some(schema) = schema_of(catalogue, event) else { return Vec::new() };
    let data = match &event.data {
        None => Ok(Value::Null),
        Some(data) => serde_json::from_str(data.get()),
    };
    let faults = match data {
        Ok(data) => checker.faults(schema, &data),
        Err(_) => {
            vec![Fault::new("", "cannot be checked against its schema: it is nested too deeply")]
        }
    };
    faults.into_iter().map(|fault| fault.within("/data")).collect()
}
