//! Checks events against a tenant's catalogue of event types, and reads the schemas that go into
//! it.

use serde_json::value::RawValue;
use waxseal_domain::event::Event;
use waxseal_domain::event::catalogue::{EventType, Schema, schema_of};
use waxseal_domain::json::Fault;

use crate::ports::{Busy, SchemaChecker, SchemaOwner};

/// Reads the text of a JSON Schema. The fault says why the text is no schema that can be used.
pub async fn read_schema<C: SchemaChecker>(
    checker: &C,
    owner: &SchemaOwner,
    text: &str,
) -> Result<Result<Schema, Fault>, Busy> {
    match Schema::of_text(text) {
        Ok(schema) => Ok(checker.compile(owner, &schema).await?.map(|()| schema)),
        Err(fault) => Ok(Err(fault)),
    }
}

/// Lists where an event's payload does not fit the schema of its type; nothing where the type has
/// no schema. The pointers start at the event, as `/data/amount`. A payload that is too dear to check does not fit:
/// it is never taken unchecked.
pub async fn check<C: SchemaChecker>(
    checker: &C,
    catalogue: &[EventType],
    event: &Event,
) -> Result<Vec<Fault>, Busy> {
    let Some(schema) = schema_of(catalogue, event) else { return Ok(Vec::new()) };
    let owner = SchemaOwner::EventType(event.tenant.clone(), event.event_type.clone());
    let data = event.data.as_deref().map_or("null", RawValue::get);
    let faults = checker.faults(&owner, schema, data).await?;
    Ok(faults.into_iter().map(|fault| fault.within("/data")).collect())
}
