//! The OpenAPI document itself: it is one, and each of its examples is valid against its schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::process::Command;
use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_api_types::endpoint::{
    MatchChanges, NewRecovery, NewRetry, NewTest, RecoveryScope, Rotation,
};
use waxseal_api_types::event::{NewEvent, Severity};
use waxseal_api_types::{
    EndpointChanges, NewEndpoint, NewEventType, NewKey, NewSource, NewTenant, Question,
};
use waxseal_tests::emulator::tools;
use waxseal_tests::openapi::{Operation, operations};

/// The document is the same for every engine.
fn openapi() -> Value {
    waxseal_api::openapi::<EmbeddedEngine>()
}

/// A schema of the document, with what it refers to.
fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let whole = json!({"allOf": [schema], "components": document["components"]});
    let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
    let fault =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(value).map(fault).collect()
}

#[test]
fn each_example_is_valid() {
    let document = openapi();
    let (mut taken, mut answered) = (0, 0);
    let check = |place: &str, content: &Value, count: &mut u32| {
        for (media_type, content) in content.as_object().into_iter().flatten() {
            let Some(example) = content.get("example") else { continue };
            *count += 1;
            let faults = faults(&document, &content["schema"], example);
            assert!(faults.is_empty(), "{place}, {media_type}: {faults:?}");
        }
    };
    for operation in operations(&document) {
        let described = &operation.described;
        check(&format!("{operation}"), &described["requestBody"]["content"], &mut taken);
        for (status, answer) in described["responses"].as_object().unwrap() {
            check(&format!("{operation} {status}"), &answer["content"], &mut answered);
        }
        let own = described["parameters"].as_array().into_iter().flatten();
        let of_path = document["paths"][&operation.path]["parameters"].as_array();
        for parameter in own.chain(of_path.into_iter().flatten()) {
            let Some(example) = parameter.get("example") else { continue };
            let faults = faults(&document, &parameter["schema"], example);
            assert!(faults.is_empty(), "{operation} {}: {faults:?}", parameter["name"]);
        }
    }
    assert!(taken > 12 && answered > 10, "{taken} bodies, {answered} answers");
}

#[test]
fn each_operation_has_what_readers_and_generators_need() {
    let document = openapi();
    let mut names = BTreeSet::new();
    for operation in operations(&document) {
        let described = &operation.described;
        let name = described["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(!described["summary"].as_str().unwrap().is_empty(), "{operation}");
        let takes_json = described["requestBody"]["content"].get("application/json");
        if let Some(content) = takes_json.filter(|_| name != "putProfile") {
            assert!(content.get("example").is_some(), "{operation} has no example");
        }
    }
    let said = document.to_string();
    let links = said.matches(r#""links":"#).count();
    assert!(links >= 6, "{links}");
    for operation in operations(&document) {
        for answer in operation.described["responses"].as_object().unwrap().values() {
            for to in answer["links"].as_object().into_iter().flatten().map(|(to, _)| to) {
                assert!(names.contains(to), "{operation} leads to {to}, which is not there");
            }
        }
    }
}

/// Sentences of what a schema describes: its own, and those of its members and forms.
fn collect_descriptions(place: &str, schema: &Value, said: &mut Vec<(String, Value)>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        said.push((place.clone(), member["description"].clone()));
        collect_descriptions(&place, member, said);
    }
    for forms in ["oneOf", "anyOf"] {
        for form in schema[forms].as_array().into_iter().flatten() {
            collect_descriptions(place, form, said);
            if let Some(word) = form.get("const") {
                said.push((format!("{place} {word}"), form["description"].clone()));
            }
        }
    }
}

#[test]
fn whatever_is_described_is_described_by_sentences() {
    let document = openapi();
    let mut said = Vec::new();
    for operation in operations(&document) {
        let described = &operation.described;
        for (status, answer) in described["responses"].as_object().unwrap() {
            if answer.get("$ref").is_none() {
                said.push((format!("{operation} {status}"), answer["description"].clone()));
            }
        }
        let of_path = &document["paths"][&operation.path]["parameters"];
        for parameters in [&described["parameters"], of_path] {
            for parameter in parameters.as_array().into_iter().flatten() {
                let place = format!("{operation} {}", parameter["name"]);
                said.push((place, parameter["description"].clone()));
            }
        }
        if let Some(about) = described.get("description") {
            said.push((format!("{operation}"), about.clone()));
        }
    }
    for (status, answer) in document["components"]["responses"].as_object().unwrap() {
        said.push((status.clone(), answer["description"].clone()));
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        said.push((name.clone(), schema["description"].clone()));
        collect_descriptions(name, schema, &mut said);
    }
    assert!(said.len() > 400, "{}", said.len());
    for (place, about) in said {
        let text = about.as_str().unwrap_or_default();
        let is_sentence = text.ends_with('.') && text.split(' ').count() >= 3;
        assert!(is_sentence && !text.contains('\n'), "{place}: {about}");
    }
}

/// What operations outside of any noun's paths are shown under.
const TAGS_OF_PATHS: [(&str, &str); 11] = [
    ("/.well-known/webhook-keys", "deployment"),
    ("/docs", "deployment"),
    ("/healthz", "deployment"),
    ("/hooks/{source}", "sources"),
    ("/hooks/{tenant}/{source}", "sources"),
    ("/openapi.json", "deployment"),
    ("/v1/profiles", "profiles"),
    ("/v1/profiles/{profile}", "profiles"),
    ("/v1/status", "deployment"),
    ("/v1/verify", "sources"),
    ("/v1/whoami", "keys"),
];

#[test]
fn each_operation_is_shown_under_its_noun() {
    for operation in operations(&openapi()) {
        let path = operation.path.as_str();
        let noun = match path.strip_prefix("/v1/tenants/{tenant}/") {
            Some(rest) => rest.split('/').next().unwrap(),
            None if path == "/v1/tenants" => "tenants",
            None => {
                let named = TAGS_OF_PATHS.iter().find(|(of, _)| *of == path);
                named.unwrap_or_else(|| panic!("say above where {path} is shown")).1
            }
        };
        assert_eq!(operation.described["tags"], json!([noun]), "{operation}: TAGS of openapi.rs");
    }
}

#[tokio::test]
async fn it_is_openapi_3_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, openapi().to_string()).unwrap();
    let program = tools().join("venv/bin/openapi-spec-validator");
    let mut validator = Command::new(&program);
    validator.args(["--schema", "3.1", "--validation-errors", "all"]).arg(&path).kill_on_drop(true);
    let output = validator.output().await.unwrap_or_else(|error| {
        panic!("{} does not run ({error}): cargo xtask setup", program.display())
    });
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn word() -> String {
    "x".to_owned()
}

fn raw() -> Option<Box<RawValue>> {
    RawValue::from_string("{}".to_owned()).ok()
}

/// Every member of an endpoint, said.
fn changes() -> EndpointChanges {
    EndpointChanges {
        url: Some(word()),
        name: Some(word()),
        event_types: Some(Vec::new()),
        filter: Some(serde_json::Map::new()),
        min_severity: Some(Severity::High),
        risk_score_above: Some(0.5),
        outcomes: Some(Vec::new()),
        profile: Some(word()),
        auth: Some(Value::Null),
        retry: Some(NewRetry { delays_s: Vec::new(), jitter: Some(true), window_s: Some(1) }),
        timeout_ms: Some(1),
        max_per_second: Some(1),
        max_concurrency: Some(1),
        headers: Some(BTreeMap::new()),
        enabled: Some(true),
        paused: Some(true),
    }
}

/// Requests about endpoints, every member of their types said.
fn endpoint_requests() -> Vec<(&'static str, Value)> {
    let endpoint = NewEndpoint { changes: changes(), secret: Some(None), algorithm: Some(word()) };
    let matching = MatchChanges { limit: Some(1), changes: changes() };
    let rotation = Rotation { secret: Some(word()), algorithm: Some(word()), overlap_s: Some(120) };
    let recovery = NewRecovery {
        since: String::new(),
        until: Some(word()),
        which: Some(RecoveryScope::All),
        dry_run: Some(true),
        cursor: Some(word()),
    };
    vec![
        ("NewEndpoint", json!(endpoint)),
        ("EndpointChanges", json!(changes())),
        ("MatchChanges", json!(matching)),
        ("MatchDraft", json!(matching)),
        ("NewTest", json!(NewTest { event_type: Some(word()), data: raw() })),
        ("Rotation", json!(rotation)),
        ("NewRecovery", json!(recovery)),
    ]
}

/// All other requests, every member of their types said.
fn other_requests() -> Vec<(&'static str, Value)> {
    let event_type = NewEventType { description: Some(word()), schema: raw(), example: raw() };
    let source = NewSource {
        profile: Some(word()),
        secrets: Vec::new(),
        tolerance_s: Some(1),
        max_per_second: Some(1),
    };
    let key = NewKey { name: Some(word()), scopes: Some(Vec::new()), max_per_second: Some(1) };
    let question = Question {
        profile: Some(word()),
        secret: Some(word()),
        secrets: Some(Vec::new()),
        headers: BTreeMap::new(),
        body: Some(word()),
        body_base64: Some(word()),
        tolerance_s: Some(1),
        now_s: Some(1),
    };
    vec![
        ("NewEventType", json!(event_type)),
        ("NewSource", json!(source)),
        ("NewTenant", json!(NewTenant { name: String::new() })),
        ("NewKey", json!(key)),
        ("Question", json!(question)),
    ]
}

/// Bodies that hold no members of one type: an event by itself or several (`NewEvent` is compared by itself),
/// a profile's file, which is as its own README says, and whatever a sender's hook is.
const UNTYPED_BODIES: [&str; 3] = ["EventOrEvents", "NewProfile", "binary"];

#[test]
fn each_request_type_has_the_members_that_the_server_reads() {
    let document = openapi();
    let mut compared = BTreeSet::from(UNTYPED_BODIES.map(str::to_owned));
    for (name, written) in endpoint_requests().into_iter().chain(other_requests()) {
        compared.insert(name.to_owned());
        let described = &document["components"]["schemas"][name]["properties"];
        let members =
            |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(members(&written), members(described), "{name}");
    }
    let named = json!(NewEvent {
        id: Some(word()),
        event_type: String::new(),
        source: Some(word()),
        severity: Some(Severity::Low),
        summary: Some(word()),
        data: raw(),
    });
    let event = &document["components"]["schemas"]["NewEvent"]["properties"];
    for name in named.as_object().unwrap().keys() {
        assert!(event.get(name).is_some(), "{name}");
    }
    let described: BTreeSet<String> = operations(&document).iter().flat_map(bodies).collect();
    assert_eq!(described, compared, "each request has a type that is compared above");
}

/// The names of the bodies that an operation takes.
fn bodies(operation: &Operation) -> Vec<String> {
    let content = operation.described["requestBody"]["content"].as_object();
    let schemas = content.into_iter().flat_map(|content| content.values());
    schemas.map(|content| name_of(&content["schema"])).collect()
}

/// The name under which the document has a schema; its format where it has none.
fn name_of(schema: &Value) -> String {
    let place = schema["$ref"].as_str().or(schema["format"].as_str()).unwrap_or_default();
    place.strip_prefix("#/components/schemas/").unwrap_or(place).to_owned()
}
