//! The tenant's catalogue of event types.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{self as api, List, NewEventType};
use waxseal_domain::event::catalogue::{self, EventType, Schema};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{DESCRIPTION_CHARS_MAX, EXAMPLE_BYTES_MAX};
use waxseal_domain::problem::Problem;
use waxseal_flows::catalogue::read_schema;
use waxseal_flows::configure::AuditChange;
use waxseal_flows::ports::{
    Busy, Change, Clock as _, ConfigStore as _, Engine, MaxAge, SchemaChecker, SchemaOwner,
};

use crate::body::{Body, describe};
use crate::call::{TenantCall, audit_value};
use crate::operation::{
    Description, Handler, Link, MANAGE, Operation, RequestBody, Success, json_of,
};
use crate::{OperationResult, Refusal};

impl<E: Engine> Operation<E> {
    /// The operations on event types.
    pub(crate) const ON_EVENT_TYPES: &'static [Self] = &[
        Operation {
            handler: Handler::Tenant(|call, _| Box::pin(list(call))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/event-types",
                id: "listEventTypes",
                summary: "List the catalogue of event types, by name",
                about: "The catalogue describes what a tenant's events are. Events of types that it does \
                        not list are accepted as well.",
                answers: &[Success::json::<List<api::EventType>>(
                    200,
                    "Returns all event types of the catalogue on one page.",
                )],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, name| Box::pin(show(call, name))),
            description: Description {
                line: "GET /v1/tenants/{tenant}/event-types/{type}",
                id: "getEventType",
                summary: "Get an event type of the catalogue",
                answers: &[Success::json::<api::EventType>(200, "Returns the event type.")],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, name| Box::pin(put(call, name))),
            description: Description {
                line: "PUT /v1/tenants/{tenant}/event-types/{type}",
                id: "putEventType",
                summary: "Add an event type to the catalogue, or replace it",
                about: "If the type has a `schema`, events of the type whose `data` does not satisfy it \
                        are refused from then on (422), and so are those that would take more than a \
                        million steps to check; a step is a schema or a keyword that a part of `data` \
                        meets. If it has an `example`, test events of the type hold it.",
                body: Some(RequestBody::required("NewEventType", describe_body, || {
                    json_of(&NewEventType::example())
                })),
                answers: &[Success::json::<api::EventType>(
                    200,
                    "Returns the event type as it is now.",
                )
                .with_example(|| json_of(&api::EventType::example()))
                .with_links(&[Link {
                    pointer: "/type",
                    parameter: "type",
                    to: &["getEventType", "deleteEventType"],
                }])],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
        Operation {
            handler: Handler::Tenant(|call, name| Box::pin(delete(call, name))),
            description: Description {
                line: "DELETE /v1/tenants/{tenant}/event-types/{type}",
                id: "deleteEventType",
                summary: "Remove an event type from the catalogue",
                about: "Events of the type are accepted without a check from then on.",
                answers: &[Success::empty("Confirms that the event type is removed.")],
                problems: &[409],
                ..Description::plain(MANAGE)
            },
        },
    ];
}

/// Times that a change is tried again, where others change the tenant's configuration meanwhile.
const TRIES_MAX: usize = 10;

/// What of an event type a body says.
struct EventTypeRequest {
    description: Option<String>,
    schema: Option<Box<RawValue>>,
    example: Option<Box<RawValue>>,
}

/// Describes a new event type.
fn describe_body() -> Value {
    describe::<NewEventType>(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> EventTypeRequest {
    let description = body.text("description", DESCRIPTION_CHARS_MAX).value();
    let schema = body.raw("schema", || json!({"type": ["object", "boolean", "null"]}));
    let example = body.raw("example", || json!({}));
    if example.as_ref().is_some_and(|example| example.get().len() > EXAMPLE_BYTES_MAX) {
        body.fault("example", &format!("is longer than {EXAMPLE_BYTES_MAX} bytes"));
    }
    EventTypeRequest { description, schema, example }
}

/// The schema that is wanted, if it is one and the example fits it.
async fn check_schema<C: SchemaChecker>(
    checker: &C,
    owner: &SchemaOwner,
    wanted: &EventTypeRequest,
) -> Result<Result<Option<Schema>, Vec<Fault>>, Busy> {
    let Some(text) = &wanted.schema else { return Ok(Ok(None)) };
    let schema = match read_schema(checker, owner, text.get()).await? {
        Ok(schema) => schema,
        Err(fault) => return Ok(Err(vec![fault.within("/schema")])),
    };
    let Some(example) = &wanted.example else { return Ok(Ok(Some(schema))) };
    let faults = checker.faults(owner, &schema, example.get()).await?;
    if faults.is_empty() {
        return Ok(Ok(Some(schema)));
    }
    Ok(Err(faults.into_iter().map(|fault| fault.within("/example")).collect()))
}

async fn list<E: Engine>(call: TenantCall<'_, E>) -> OperationResult {
    let all = call.engine.store().event_types(call.tenant, MaxAge::NOW).await?;
    Ok(http::json(200, &List::whole(all.iter().map(api::EventType::from).collect())))
}

async fn show<E: Engine>(call: TenantCall<'_, E>, name: &str) -> OperationResult {
    let found = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &api::EventType::from(&found)))
}

async fn find<E: Engine>(
    call: &TenantCall<'_, E>,
    name: &str,
) -> Result<Option<EventType>, Refusal> {
    let all = call.engine.store().event_types(call.tenant, MaxAge::NOW).await?;
    Ok(all.iter().find(|found| found.name == name).cloned())
}

async fn put<E: Engine>(call: TenantCall<'_, E>, name: &str) -> OperationResult {
    if !EventType::is_name(name) {
        let detail =
            "an event type is 1 to 256 of A-Z a-z 0-9 _ - . and does not begin with waxseal.";
        return Err(Problem::bad_request(detail).into());
    }
    let mut body = Body::read(call.request)?;
    let wanted = read(&mut body);
    let owner = SchemaOwner::EventType(call.tenant.clone(), name.to_owned());
    let schema = match check_schema(call.engine.schema_checker(), &owner, &wanted).await? {
        Ok(schema) => schema,
        Err(faults) => {
            body.faults(faults);
            None
        }
    };
    body.finish()?;
    let EventTypeRequest { description, example, .. } = wanted;
    let updated_at = call.engine.clock().now();
    let event_type = EventType { name: name.to_owned(), description, schema, example, updated_at };
    let view = api::EventType::from(&event_type);
    for _ in 0..TRIES_MAX {
        let tenant_endpoints =
            call.engine.store().endpoints(call.tenant, MaxAge::NOW).await?.unwrap_or_default();
        let all = call.engine.store().event_types(call.tenant, MaxAge::NOW).await?;
        let replaced = all.iter().find(|found| found.name == name);
        catalogue::check_room(&all, name).map_err(|fault| Problem::unprocessable(vec![fault]))?;
        if let Some(found) = replaced.filter(|found| is_same(found, &event_type)) {
            return Ok(http::json(200, &api::EventType::from(found)));
        }
        let action = if replaced.is_some() { "event_type.updated" } else { "event_type.created" };
        let before = replaced.map(|before| audit_value(&api::EventType::from(before)));
        let audit = AuditChange { action, target: name, before, after: Some(audit_value(&view)) };
        let change = Change::PutEventType(call.tenant, &event_type, tenant_endpoints.version);
        if call.change(change, audit).await? {
            return Ok(http::json(200, &view));
        }
    }
    Err(Problem::conflict("the tenant was changed at the same time: try again").into())
}

/// Whether an event type is stored as it was before, but for the time.
fn is_same(before: &EventType, after: &EventType) -> bool {
    let after = EventType { updated_at: before.updated_at, ..after.clone() };
    let document = |one| serde_json::to_string(one).expect("an event type is JSON");
    document(before) == document(&after)
}

async fn delete<E: Engine>(call: TenantCall<'_, E>, name: &str) -> OperationResult {
    let found = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    let before = Some(audit_value(&api::EventType::from(&found)));
    let audit = AuditChange { action: "event_type.deleted", target: name, before, after: None };
    let removed = call.change(Change::RemoveEventType(call.tenant, &found), audit).await?;
    removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
}
