use serde_json::json;
use waxseal_domain::limits::SCHEMA_BYTES_MAX;
use waxseal_flows::catalogue;

use super::*;

const SCHEMA: &str = r#"{"type": "object", "required": ["user"],
    "properties": {"user": {"type": "string", "pattern": "^[a-z]+$"}, "n": {"minimum": 1}}}"#;

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn owner(tenant: &str, name: &str) -> SchemaOwner {
    SchemaOwner::EventType(tenant.parse().unwrap(), name.to_owned())
}

fn read_schema(checker: &JsonSchemas, text: &str) -> Result<Schema, Fault> {
    wait_for(catalogue::read_schema(checker, &owner("acme", "a.b"), text)).unwrap()
}

fn faults(checker: &JsonSchemas, schema: &Schema, value: &Value) -> Vec<Fault> {
    wait_for(checker.faults(&owner("acme", "a.b"), schema, &value.to_string())).unwrap()
}

#[test]
fn every_fault_is_named_at_its_place_and_shows_no_payload() {
    for turns in [None, Some(Arc::default())] {
        let checker = JsonSchemas { turns, ..JsonSchemas::in_place() };
        let schema = read_schema(&checker, SCHEMA).unwrap();
        assert_eq!(faults(&checker, &schema, &json!({"user": "anna", "n": 2})), []);
        let found = faults(&checker, &schema, &json!({"user": "CANARY1", "n": 0}));
        let mut places: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/n", "/user"]);
        assert!(found.iter().all(|fault| !fault.detail.contains("CANARY1")), "{found:?}");
        assert_eq!(faults(&checker, &schema, &json!({})).len(), 1);
    }
}

#[test]
fn what_is_no_schema_is_refused() {
    let checker = JsonSchemas::in_place();
    let long = format!(r#"{{"description": "{}"}}"#, "a".repeat(SCHEMA_BYTES_MAX));
    for text in [
        "3",
        r#"{"type": "strin"}"#,
        r#"{"$ref": "https://example.com/other.json"}"#,
        r##"{"$ref": "#/$defs/missing"}"##,
        r#"{"pattern": "(a"}"#,
        r#"{"pattern": "(?=a)b"}"#,
        "{",
        &long,
    ] {
        assert!(read_schema(&checker, text).is_err(), "{text}");
    }
}

/// A schema of `$ref`s that double over so many levels, each at what `place` makes of it.
fn doubling(levels: usize, place: impl Fn(Value) -> Value) -> String {
    let mut definitions = serde_json::Map::new();
    for level in 0..levels {
        let next = place(json!({"$ref": format!("#/$defs/d{}", level + 1)}));
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert(format!("d{levels}"), json!({"type": "string"}));
    json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string()
}

#[test]
fn what_would_not_end_is_never_begun() {
    let checker = JsonSchemas::in_place();
    let fault = read_schema(&checker, &doubling(40, |next| next)).unwrap_err();
    assert!(fault.detail.contains("too dear"), "{}", fault.detail);
    let by_level = doubling(40, |next| json!({"items": next}));
    let schema = read_schema(&checker, &by_level).unwrap();
    assert_eq!(faults(&checker, &schema, &json!([[[]]])), []);
    let deep = (0..40).fold(json!("a"), |value, _| json!([value]));
    let found = faults(&checker, &schema, &deep);
    assert!(found[0].detail.contains("too dear to check"), "{}", found[0].detail);
}

#[test]
fn a_large_payload_that_does_not_fit_is_refused_without_every_place() {
    let checker = JsonSchemas::in_place();
    let schema = read_schema(&checker, r#"{"items": {"type": "string"}}"#).unwrap();
    let found = faults(&checker, &schema, &vec![json!(1); 60_000].into());
    assert_eq!(found.len(), 1);
    assert!(found[0].detail.contains("does not fit"), "{}", found[0].detail);
}

/// As deep as a plan allows, on the stack of a test's thread, which is as large as one that serves.
#[test]
fn the_deepest_check_fits_on_the_stack() {
    let checker = JsonSchemas::in_place();
    let item = json!({"anyOf": [{"allOf": [{"$ref": "#"}]}]});
    let schema = json!({"type": ["array", "string"], "items": item});
    let schema = read_schema(&checker, &schema.to_string()).unwrap();
    let deep = |levels: usize, last: Value| (0..levels).fold(last, |value, _| json!([value]));
    assert_eq!(faults(&checker, &schema, &deep(60, json!("a"))), []);
    assert!(!faults(&checker, &schema, &deep(60, json!(1))).is_empty());
    assert!(faults(&checker, &schema, &deep(100, json!(1)))[0].detail.contains("too dear"));

    let mut definitions = serde_json::Map::new();
    for level in 0..120 {
        let next = json!({"anyOf": [{"$ref": format!("#/$defs/d{}", level + 1)}]});
        definitions.insert(format!("d{level}"), next);
    }
    definitions.insert("d120".to_owned(), json!({"type": "string"}));
    let chain = json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string();
    let schema = read_schema(&checker, &chain).unwrap();
    assert_eq!(faults(&checker, &schema, &json!("a")), []);
    assert_eq!(faults(&checker, &schema, &json!(1)).len(), 1);
}

#[test]
fn forty_schemas_of_one_event_type_keep_one() {
    let checker = JsonSchemas::in_place();
    for number in 0..40 {
        let text = format!(r#"{{"pattern": "^(a{{1,{}}}b)$"}}"#, number + 1);
        read_schema(&checker, &text).unwrap();
    }
    assert_eq!(checker.kept.lock().unwrap().count(), 1);
    assert!(checker.kept.lock().unwrap().bytes() < 1024 * 1024);
}

#[test]
fn what_is_kept_is_bounded_by_bytes_and_a_tenant_leaves_room_for_others() {
    let checker = JsonSchemas::in_place();
    let text = json!({"description": "x".repeat(30_000)}).to_string();
    let compile = |tenant: &str, name: &str| {
        let schema = Schema::of_text(&text).unwrap();
        wait_for(checker.compile(&owner(tenant, name), &schema)).unwrap().unwrap();
    };
    compile("quiet", "a.b");
    for number in 0..100 {
        compile("greedy", &format!("a.b{number}"));
    }
    let quiet = Key::of(&owner("quiet", "a.b"), &Schema::of_text(&text).unwrap());
    let kept = || checker.kept.lock().unwrap();
    assert!(kept().get(&quiet, &Schema::of_text(&text).unwrap()).is_some());
    assert!(kept().bytes() <= kept::BYTES_PER_TENANT_MAX + 2 * 1024 * 1024, "{}", kept().bytes());
    for number in 0..100 {
        compile(&format!("tenant{number}"), "a.b");
    }
    assert!(kept().bytes() <= kept::BYTES_MAX, "{}", kept().bytes());
}

/// What a dynamic reference means depends on the way to it: without a bound, six resources of 1.5 KB that refer to one
/// another take 10 MB compiled, and eight 640 MB.
#[test]
fn resources_that_refer_to_one_another_are_bounded_before_they_are_compiled() {
    let bundle = |resources: usize| {
        let name = |number: usize| format!("r{number}.json");
        let mut definitions = serde_json::Map::new();
        for number in 0..resources {
            let all =
                (0..resources).map(|other| (format!("p{other}"), json!({"$ref": name(other)})));
            let all: serde_json::Map<String, Value> = all.collect();
            let resource = json!({"$id": name(number), "$dynamicAnchor": "x", "properties": all,
                "items": {"$dynamicRef": "#x"}});
            definitions.insert(format!("d{number}"), resource);
        }
        json!({"$id": "https://example.com/", "$ref": "r0.json", "$defs": definitions}).to_string()
    };
    let checker = JsonSchemas::in_place();
    assert!(read_schema(&checker, &bundle(3)).is_ok());
    let fault = read_schema(&checker, &bundle(8)).unwrap_err();
    assert!(fault.detail.contains("10000 are allowed"), "{}", fault.detail);
}
