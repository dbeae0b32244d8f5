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

/// Parameters of paths: their form, an example, and what they name.
const PATH_PARAMETERS: [(&str, &str, &str, &str); 8] = [
    ("tenant", "^[a-z0-9][a-z0-9_-]{0,63}$", "acme", "A tenant's name"),
    ("event", "^[A-Za-z0-9_:-]{1,128}$", "evt_1", "An event's id"),
    ("endpoint", "^ep_[A-Za-z0-9]{1,32}$", "ep_1", "An endpoint's id"),
    ("delivery", "^dlv_[A-Za-z0-9]{1,32}_[A-Za-z0-9_:-]{1,128}$", "dlv_1_evt_1", "A delivery's id"),
    ("key", "^key_[A-Za-z0-9]{1,32}$", "key_1", "An API key's id"),
    ("source", "^[a-z0-9][a-z0-9_-]{0,63}$", "github", "A source's name"),
    ("type", r"^(?!waxseal\.)[A-Za-z0-9_.-]{1,256}$", "dlp.violation", "An event type"),
    ("profile", "^[a-z0-9][a-z0-9_-]{0,63}$", "standard", "A profile's name"),
];

/// Problems: their status, and when they come.
const PROBLEMS: [(u16, &str); 12] = [
    (400, "The request cannot be read"),
    (401, "No valid API key"),
    (403, "The API key may not do this"),
    (404, "Unknown here, or another tenant's: the same for both"),
    (409, "In conflict with what is there"),
    (410, "It was here, and was removed"),
    (412, "Changed since it was read"),
    (413, "Larger than is taken"),
    (415, "A content type that is not read here"),
    (422, "The body was read, and does not fit: every fault with its JSON pointer"),
    (429, "Too many requests with this key: `Retry-After` says when"),
    (503, "Our own failure: nothing was acknowledged, try again"),
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
    let responses: Map<String, Value> =
        PROBLEMS.iter().map(|problem_of| response(*problem_of, &problem)).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Waxseal",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Signed webhooks, delivered until they are taken. Times are RFC 3339 in UTC; \
                            lists are newest first, unless they say otherwise; errors are problem \
                            documents (RFC 9457).",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": tags(operations),
        "paths": paths,
        "components": {
            "securitySchemes": {"apiKey": {
                "type": "http", "scheme": "bearer",
                "description": "An API key, of a scope that the operation names, or the operator's. On AWS, IAM-signed requests to the function URL act as the operator.",
            }},
            "responses": responses,
            "schemas": schemas,
        },
    })
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
    names.into_iter().map(|name| json!({"name": name})).collect()
}

/// The noun that an operation is about: the last segment that begins a family of paths.
fn tag(path: &str) -> &str {
    let named = |segment: &&str| {
        ["events", "endpoints", "deliveries", "event-types", "sources", "keys", "audit", "profiles"]
            .contains(segment)
    };
    match path.split('/').find(named) {
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
    if operation.id != "getHealth" {
        all.push(503);
    }
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
        let takes = |name: &&&str| to.iter().all(|to| takes(all, to, name));
        for name in inherited.iter().filter(|name| *name != parameter).filter(takes) {
            parameters[*name] = json!(format!("$request.path.{name}"));
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
            "description": "Seconds", "required": true, "schema": {"type": "integer", "minimum": 1},
        }});
    }
    (status.to_string(), response)
}
