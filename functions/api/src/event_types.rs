//! The tenant's catalogue of event types.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{self as api, List};
use waxseal_domain::catalogue::{EventType, Schema};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{
    DESCRIPTION_CHARS_MAX, EVENT_TYPES_PER_TENANT_MAX, EXAMPLE_BYTES_MAX,
};
use waxseal_domain::ports::{Change, Clock as _, ConfigStore as _, Engine, SchemaChecker};
use waxseal_domain::problem::Problem;

use crate::body::{Body, describe};
use crate::{Answer, Call, Refusal, Told, told};

/// Times that a change is tried again, where others change the tenant's configuration meanwhile.
const TRIES_MAX: usize = 10;

/// What of an event type a body says.
struct Wanted {
    description: Option<String>,
    schema: Option<Box<RawValue>>,
    example: Option<Box<RawValue>>,
}

/// What an event type looks like.
pub(crate) fn body() -> Value {
    describe(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> Wanted {
    let about = "JSON Schema 2020-12, without references to other documents";
    let description = body.text("description", DESCRIPTION_CHARS_MAX).value();
    let schema =
        body.raw("schema", || json!({"type": ["object", "boolean", "null"], "description": about}));
    let example = body.raw("example", || json!({"description": "The `data` of a test event"}));
    if example.as_ref().is_some_and(|example| example.get().len() > EXAMPLE_BYTES_MAX) {
        body.fault("example", &format!("is longer than {EXAMPLE_BYTES_MAX} bytes"));
    }
    Wanted { description, schema, example }
}

/// The schema, if it is one and the example fits it; faults are the body's.
fn read_schema<C: SchemaChecker>(
    body: &mut Body<'_>,
    checker: &C,
    wanted: &Wanted,
) -> Option<Schema> {
    let schema = match Schema::read(checker, wanted.schema.as_ref()?.get()) {
        Ok(schema) => schema,
        Err(fault) => {
            body.faults(vec![fault.within("/schema")]);
            return None;
        }
    };
    if let Some(example) = &wanted.example {
        let value = serde_json::from_str(example.get()).unwrap_or_default();
        let faults = checker.faults(&schema, &value).into_iter();
        body.faults(faults.map(|fault| fault.within("/example")).collect());
    }
    Some(schema)
}

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let all = call.engine.store().event_types(call.tenant, 0).await?;
    Ok(http::json(200, &List::whole(all.iter().map(api::EventType::from).collect())))
}

pub(crate) async fn one<E: Engine>(call: Call<'_, E>, name: &str) -> Answer {
    let found = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &api::EventType::from(&found)))
}

async fn find<E: Engine>(call: &Call<'_, E>, name: &str) -> Result<Option<EventType>, Refusal> {
    let all = call.engine.store().event_types(call.tenant, 0).await?;
    Ok(all.iter().find(|found| found.name == name).cloned())
}

pub(crate) async fn put<E: Engine>(call: Call<'_, E>, name: &str) -> Answer {
    if !EventType::is_name(name) {
        let detail =
            "an event type is 1 to 256 of A-Z a-z 0-9 _ - . and does not begin with waxseal.";
        return Err(Problem::bad_request(detail).into());
    }
    let mut body = Body::read(call.request)?;
    let wanted = read(&mut body);
    let schema = read_schema(&mut body, call.engine.schema_checker(), &wanted);
    body.finish()?;
    let Wanted { description, example, .. } = wanted;
    let updated_at = call.engine.clock().now();
    let event_type = EventType { name: name.to_owned(), description, schema, example, updated_at };
    let view = api::EventType::from(&event_type);
    for _ in 0..TRIES_MAX {
        let roster = call.engine.store().endpoints(call.tenant, 0).await?.unwrap_or_default();
        let all = call.engine.store().event_types(call.tenant, 0).await?;
        let before = all.iter().find(|found| found.name == name);
        if before.is_none() && all.len() >= EVENT_TYPES_PER_TENANT_MAX {
            let detail = format!("the catalogue has {EVENT_TYPES_PER_TENANT_MAX} types, its limit");
            return Err(Problem::unprocessable(vec![Fault::new("", &detail)]).into());
        }
        let action = if before.is_some() { "event_type.updated" } else { "event_type.created" };
        let before = before.and_then(|before| told(&api::EventType::from(before)));
        let told = Told { action, target: name, before, after: told(&view) };
        let change = Change::PutEventType(call.tenant, &event_type, roster.version);
        if call.change(change, told).await? {
            return Ok(http::json(200, &view));
        }
    }
    Err(Problem::conflict("the tenant was changed at the same time: try again").into())
}

pub(crate) async fn delete<E: Engine>(call: Call<'_, E>, name: &str) -> Answer {
    let found = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    let before = told(&api::EventType::from(&found));
    let told = Told { action: "event_type.deleted", target: name, before, after: None };
    let removed = call.change(Change::RemoveEventType(call.tenant, &found), told).await?;
    removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
}
