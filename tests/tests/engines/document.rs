//! The OpenAPI document itself: it is one, and each of its examples is valid against its schema.

use serde_json::{Value, json};
use tokio::process::Command;
use waxseal_tests::emulator::tools;
use waxseal_tests::openapi::operations;

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
    let document = waxseal_api::openapi();
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
    let document = waxseal_api::openapi();
    let mut names = std::collections::BTreeSet::new();
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

#[tokio::test]
async fn it_is_openapi_3_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, waxseal_api::openapi().to_string()).unwrap();
    let mut validator = Command::new(tools().join("venv/bin/openapi-spec-validator"));
    validator.args(["--schema", "3.1", "--validation-errors", "all"]).arg(&path).kill_on_drop(true);
    let output = validator.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
