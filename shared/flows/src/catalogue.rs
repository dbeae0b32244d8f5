//! Checks events against a tenant's catalogue of event types, and reads the schemas that go into
//! it.

use serde_json::Value;
use waxseal_domain::event::Event;
use waxseal_domain::event::catalogue::{EventType, Schema, schema_of};
use waxseal_domain::json::Fault;

use crate::ports::{SchemaChecker, SchemaOwner};

/// Reads the text of a JSON Schema. The fault says why the text is no schema that can be used.
pub async fn read_schema<C: SchemaChecker>(
    checker: &C,
    owner: &SchemaOwner,
    text: &str,
) -> Result<Schema, Fault> {
    let schema = Schema::of_text(text)?;
    checker.compile(owner, &schema).await.map(|()| schema)
}

/// Lists where an event's payload does not fit the schema of its type; nothing where the type has
/// no schema. The pointers start at the event, as `/data/amount`. A payload that is too dear to check does not fit:
/// it is never taken unchecked.
pub async fn check<C: SchemaChecker>(
    checker: &C,
    catalogue: &[EventType],
    event: &Event,
) -> Vec<Fault> {
    let Some(schema) = schema_of(catalogue, event) else { return Vec::new() };
    let data = match &event.data {
        None => Ok(Value::Null),
        Some(data) => serde_json::from_str(data.get()),
    };
    let owner = SchemaOwner::EventType(event.tenant.clone(), event.event_type.clone());
    let faults = match data {
        Ok(data) => checker.faults(&owner, schema, data).await,
        Err(_) => {
            vec![Fault::new("", "cannot be checked against its schema: it is nested too deeply")]
        }
    };
    faults.into_iter().map(|fault| fault.within("/data")).collect()
}
