//! The OpenAPI 3.1 document, made of the list of operations and of the types that are answered.

#![expect(
    clippy::indexing_slicing,
    reason = "of JSON that is made here: an index makes its member"
)]

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use schemars::transform::ReplaceBoolSchemas;
use serde_json::{Map, Value, json};
use waxseal_api_types::Problem;

use crate::operation::{Access, Description, Link, Parameter, RequestBody, Success};

/// What the document says of the API as a whole.
const ABOUT: &str = "Waxseal delivers signed webhooks. You send it events; it works out which endpoints want \
each of them, POSTs it there, signed as the endpoint's profile says, and repeats that until the receiver \
accepts it. Every delivery shows what was sent, when, and what came back.\n\nRequests and answers are JSON. \
Times are RFC 3339 in UTC. Lists return a page at a time, newest first unless they say otherwise. Errors are \
problem documents (RFC 9457) of the content type `application/problem+json`. What belongs to one tenant is \
never shown to another.";

/// The tags of operations: nouns, and what each is.
const TAGS: [(&str, &str); 10] = [
    (
        "events",
        "An event is something that happened in your system. You send it once; it is delivered to every \
        endpoint that wants it.",
    ),
    (
        "endpoints",
        "An endpoint is where deliveries go: a URL, a queue or a bus, with the events that it wants, \
        the profile that deliveries follow, and the secret that signs them.",
    ),
    (
        "deliveries",
        "A delivery is one event that is to reach one endpoint. It is attempted until the receiver \
        accepts it or the endpoint's retry policy is used up.",
    ),
    (
        "event-types",
        "The catalogue of event types says what the events of a tenant are, and which data they \
        hold.",
    ),
    (
        "sources",
        "A source is a system that sends hooks to Waxseal. A hook that verifies becomes an event.",
    ),
    (
        "tenants",
        "A tenant is a project, customer or workspace that owns endpoints and events. Tenants do not \
        see each other.",
    ),
    ("keys", "An API key allows its holder to call this API for one tenant."),
    ("audit", "The audit log records every change of a tenant's configuration."),
    (
        "profiles",
        "A profile is a wire contract: it says how deliveries look and how they are signed.",
    ),
    (
        "deployment",
        "These operations show whether the deployment serves, how its parts are, and which public keys \
         verify its deliveries.",
    ),
];

/// Parameters of paths: their name, form, an example, and what they mean.
const PATH_PARAMETERS: [(&str, &str, &str, &str); 8] = [
    ("tenant", "^[a-z0-9][a-z0-9_-]{0,63}$", "acme", "Names the tenant."),
    ("event", "^[A-Za-z0-9_:-]{1,128}$", "evt_1", "Identifies the event."),
    ("endpoint", "^ep_[A-Za-z0-9]{1,32}$", "ep_1", "Identifies the endpoint."),
    (
        "delivery",
        "^dlv_[A-Za-z0-9]{1,32}_[A-Za-z0-9_:-]{1,128}$",
        "dlv_1_evt_1",
        "Identifies the delivery.",
    ),
    (
        "key",
        "^key_[A-Za-z0-9]{1,32}$",
        "key_1",
        "Identifies the API key. It is the id, not the key itself.",
    ),
    ("source", "^[a-z0-9][a-z0-9_-]{0,63}$", "github", "Names the source."),
    ("type", r"^(?!waxseal\.)[A-Za-z0-9_.-]{1,256}$", "dlp.violation", "Names the event type."),
    ("profile", "^[a-z0-9][a-z0-9_-]{0,63}$", "standard", "Names the profile."),
];

/// The problems that operations answer: their status, and what they mean.
const PROBLEMS: [(u16, &str); 13] = [
    (400, "The request cannot be read: its body is not JSON, or a parameter is not valid."),
    (401, "The API key is missing or not valid, or the signature of a hook does not verify."),
    (403, "The API key does not allow this, or the link is not valid."),
    (
        404,
        "The tenant, or what the path names within it, does not exist. What belongs to another tenant is \
         answered in the same way.",
    ),
    (409, "The request conflicts with the current state. The member `detail` says why."),
    (410, "The payload of the event was removed."),
    (412, "The endpoint was changed since it was read with the `ETag` that `If-Match` sends."),
    (413, "The request is larger than allowed."),
    (415, "The content type is not supported."),
    (
        422,
        "The body was read, but is not valid, or a limit is reached. The member `errors` names every fault \
         with its JSON Pointer.",
    ),
    (
        429,
        "The API key makes too many requests, or they ask for too much work at a time. The header \
         `Retry-After` says how long to wait.",
    ),
    (
        503,
        "The server failed, or is too busy. Nothing was acknowledged, and the request can be repeated.",
    ),
    (
        508,
        "The event goes in a circle: too many deliveries of Waxseal lie behind it, as the header `Waxseal-Hops` of \
         each tells. Sending it again would end in the same way.",
    ),
];

/// Makes the document of these operations.
pub(crate) fn document(operations: &[&Description]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        // Generators of clients know no schema that is `true`.
        let mut anything = ReplaceBoolSchemas::default();
        anything.skip_additional_properties = true;
        settings.transforms.push(Box::new(anything));
    });
    let mut generator = settings.for_serialize().into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let described = describe(operation, operations, &mut generator);
        let path = paths.entry(operation.path()).or_insert_with(|| on_path(operation.path()));
        path[operation.method().to_ascii_lowercase()] = described;
    }
    let problem = generator.subschema_for::<Problem>();
    let mut paths = Value::Object(paths);
    let mut schemas = generator.take_definitions(true);
    name_schemas(&mut paths, &mut schemas);
    finish_prose(&mut paths);
    schemas.values_mut().for_each(finish_prose);
    let responses: Map<String, Value> =
        PROBLEMS.iter().map(|problem_of| response(*problem_of, &problem)).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Waxseal",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": tags(operations),
        "paths": paths,
        "components": {
            "securitySchemes": {"apiKey": {
                "type": "http", "scheme": "bearer",
                "description": "Send an API key as `Authorization: Bearer <key>`. Each operation says which scope \
                    the key needs; the operator's key is accepted everywhere. On AWS, requests to the \
                    function URL that are signed with IAM act as the operator.",
            }},
            "responses": responses,
            "schemas": schemas,
        },
    })
}

/// Joins the lines that doc comments are broken into, and says of members that are always the same that they
/// are.
fn finish_prose(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(finish_prose),
        Value::Object(members) => {
            let constant = members.get("const").and_then(Value::as_str).map(str::to_owned);
            if let Some(word) = constant.filter(|_| !members.contains_key("description")) {
                members.insert("description".to_owned(), json!(format!("Is always `{word}`.")));
            }
            for (name, member) in members.iter_mut() {
                if let (Value::String(text), "description") = (&mut *member, name.as_str()) {
                    *text = text.replace('\n', " ");
                } else if name != "example" {
                    finish_prose(member);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts what has a title among the document's schemas, under it: clients have a type of that name.
fn name_schemas(value: &mut Value, schemas: &mut Map<String, Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| name_schemas(item, schemas)),
        Value::Object(members) => {
            let parts = members.iter_mut().filter(|(name, _)| *name != "example");
            parts.for_each(|(_, member)| name_schemas(member, schemas));
            let title = members.get("title").and_then(Value::as_str).map(str::to_owned);
            if let Some(title) = title {
                members.remove("title");
                let place = format!("#/components/schemas/{title}");
                let schema = std::mem::replace(value, json!({"$ref": place}));
                schemas.insert(title, schema);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn tags(operations: &[&Description]) -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for operation in operations {
        let tag = tag(operation.path());
        if !names.contains(&tag) {
            names.push(tag);
        }
    }
    names.into_iter().map(|name| json!({"name": name, "description": tag_about(name)})).collect()
}

/// Says what the operations of a tag are about.
fn tag_about(tag: &str) -> &'static str {
    TAGS.iter().find(|(name, _)| *name == tag).map_or("", |(_, about)| about)
}

/// Finds the noun that an operation is about: the last segment that begins a family of paths.
fn tag(path: &str) -> &str {
    let noun = path
        .split('/')
        .find(|segment| *segment != "tenants" && TAGS.iter().any(|(name, _)| name == segment));
    match noun {
        Some(noun) => noun,
        None if path.starts_with("/hooks") || path == "/v1/verify" => "sources",
        None if path.starts_with("/v1/tenants") => "tenants",
        None if path == "/v1/whoami" => "keys",
        None => "deployment",
    }
}

/// A path's own members: its parameters.
fn on_path(path: &str) -> Value {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = names
        .filter_map(|name| PATH_PARAMETERS.iter().find(|(known, ..)| *known == name))
        .map(|(name, pattern, example, about)| {
            json!({
                "name": name, "in": "path", "required": true, "description": about,
                "schema": {"type": "string", "pattern": pattern}, "example": example,
            })
        })
        .collect();
    if parameters.is_empty() { json!({}) } else { json!({"parameters": parameters}) }
}

fn describe(
    operation: &Description,
    all: &[&Description],
    generator: &mut SchemaGenerator,
) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers {
        responses
            .insert(answer.status.to_string(), describe_answer(operation, answer, all, generator));
    }
    for status in problems(operation) {
        let place = format!("#/components/responses/{status}");
        responses.insert(status.to_string(), json!({"$ref": place}));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(operation.path())],
        "responses": responses,
    });
    if !operation.about.is_empty() {
        described["description"] = json!(operation.about);
    }
    if !operation.parameters.is_empty() {
        described["parameters"] = operation.parameters.iter().map(describe_parameter).collect();
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = describe_body(body);
    }
    described["security"] = match operation.access {
        Access::Public => json!([]),
        Access::Key => json!([{"apiKey": []}]),
        Access::Operator => json!([{"apiKey": ["operator"]}]),
        Access::Tenant(scope) => json!([{"apiKey": [scope]}]),
    };
    described
}

/// What may be wrong: of its access, its parameters and its body, and its own.
fn problems(operation: &Description) -> Vec<u16> {
    let mut all = operation.problems.to_vec();
    match operation.access {
        Access::Public => {}
        Access::Key => all.extend([401, 429]),
        Access::Operator => all.extend([401, 403, 429]),
        Access::Tenant(_) => all.extend([401, 403, 404, 429]),
    }
    if !operation.parameters.is_empty() || operation.body.is_some() {
        all.push(400);
    }
    if operation.body.is_some() {
        all.extend([413, 422]);
    }
    all.push(503);
    all.sort_unstable();
    all.dedup();
    all
}

fn describe_answer(
    operation: &Description,
    answer: &Success,
    all: &[&Description],
    generator: &mut SchemaGenerator,
) -> Value {
    let mut described = json!({"description": answer.about});
    if let Some(schema) = answer.schema {
        let mut content = json!({"schema": schema(generator)});
        if let Some(example) = answer.example {
            content["example"] = example();
        }
        described["content"] = json!({answer.content_type: content});
    }
    let inherited: Vec<&str> = operation
        .path()
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    for Link { pointer, parameter, to } in answer.links {
        let mut parameters = json!({*parameter: format!("$response.body#{pointer}")});
        for name in inherited.iter().filter(|name| *name != parameter) {
            if to.iter().all(|to| takes(all, to, name)) {
                parameters[*name] = json!(format!("$request.path.{name}"));
            }
        }
        for to in *to {
            described["links"][*to] = json!({"operationId": to, "parameters": parameters});
        }
    }
    described
}

/// Whether the path of the operation of that name has this parameter.
fn takes(operations: &[&Description], operation: &str, parameter: &str) -> bool {
    let named = operations.iter().find(|one| one.id == operation);
    named.is_some_and(|named| named.path().contains(&format!("{{{parameter}}}")))
}

fn describe_parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": if parameter.is_header() { "header" } else { "query" },
        "description": parameter.about,
        "required": parameter.is_required,
        "schema": (parameter.schema)(),
    })
}

fn describe_body(body: &RequestBody) -> Value {
    let mut schema = (body.schema)();
    if !body.name.is_empty() {
        schema["title"] = json!(body.name);
    }
    let mut content = json!({"schema": schema});
    if let Some(example) = body.example {
        content["example"] = example();
    }
    json!({"required": !body.is_optional, "content": {body.content_type: content}})
}

fn response((status, about): (u16, &str), problem: &schemars::Schema) -> (String, Value) {
    let mut response = json!({
        "description": about,
        "content": {"application/problem+json": {"schema": problem}},
    });
    if status == 429 {
        response["headers"] = json!({"Retry-After": {
            "description": "Tells how many seconds to wait before the next request.", "required": true, "schema": {"type": "integer", "minimum": 1},
        }});
    }
    (status.to_string(), response)
}
