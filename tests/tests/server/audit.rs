//! Whatever changes what is configured leaves an entry in the audit log, and nothing else does. It is the
//! OpenAPI document that is walked: a new operation is covered without being named here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::openapi::{Operation, operations};
use waxseal_tests::process::Server;
use waxseal_tests::sink::Sink;
use waxseal_tests::sixth::FILE;

/// Operations that cannot succeed here, with what they answer.
const REFUSED: [(&str, u16); 3] = [
    // The hook is not signed.
    ("POST /hooks/{source}", 401),
    ("POST /hooks/{tenant}/{source}", 401),
    // The delivery is over, or about to be.
    ("POST /v1/tenants/{tenant}/deliveries/{delivery}/cancel", 409),
];

/// Paths that show what happens instead of what is configured, or what is the same for ever.
const NO_CONFIGURATION: [&str; 7] =
    ["/events", "/deliveries", "/audit", "/status", "/whoami", "/openapi.json", "/docs"];

/// Members that change though nobody changes what is configured.
const OBSERVED: [&str; 5] = ["breaker", "health", "last_used_at", "recent_failures", "updated_at"];

/// All that the operations do to the configuration.
const ACTIONS: [&str; 16] = [
    "api_key.created",
    "api_key.revoked",
    "endpoint.created",
    "endpoint.deleted",
    "endpoint.disabled",
    "endpoint.enabled",
    "endpoint.secret_rotated",
    "endpoint.updated",
    "event_type.created",
    "event_type.deleted",
    "event_type.updated",
    "profile.created",
    "source.created",
    "source.deleted",
    "source.updated",
    "tenant.created",
];

/// A tenant with one of everything.
struct World {
    operator: Client,
    operations: Vec<Operation>,
    /// Of the path's parameters, by name.
    ids: BTreeMap<&'static str, String>,
}

impl World {
    async fn start(server: &Server, sink: &Sink) -> Self {
        let operator = server.client();
        let make = async |path: &str, method: &str, body: Value| {
            let path = format!("/v1/tenants/umbra{path}");
            let (status, answer) = operator.call(method, &path, &body.to_string()).await;
            assert!(status < 300, "{path}: {answer}");
            answer
        };
        let endpoint = make("/endpoints?ping=false", "POST", json!({"url": sink.url("/")})).await;
        let event = make("/events", "POST", json!({"type": "a.b", "data": {}})).await;
        let key = make("/keys", "POST", json!({})).await;
        let source = json!({"profile": "github", "secrets": ["a secret"], "tolerance_s": 77});
        make("/sources/hub", "PUT", source).await;
        make("/event-types/a.b", "PUT", json!({"description": "before"})).await;
        let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();
        let ids = BTreeMap::from([
            ("tenant", "umbra".to_owned()),
            ("endpoint", id(&endpoint)),
            ("event", id(&event)),
            ("delivery", id(&event["deliveries"][0])),
            ("key", id(&key)),
            ("source", "hub".to_owned()),
            ("type", "a.b".to_owned()),
            ("profile", "nightwatch".to_owned()),
        ]);
        let operations = operations(&operator.call("GET", "/openapi.json", "").await.1);
        Self { operator, operations, ids }
    }

    /// Calls an operation with the example of its body.
    async fn call(&self, operation: &Operation) -> (u16, Value) {
        let mut path = operation.path.clone();
        for name in operation.parameters() {
            let id = self.ids.get(name).unwrap_or_else(|| panic!("{operation}: give it a {name}"));
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let body = match operation.path.as_str() {
            "/v1/profiles/{profile}" => FILE.to_owned(),
            _ => operation.example().map(ToString::to_string).unwrap_or_default(),
        };
        let body = if operation.method == "GET" { String::new() } else { body };
        self.operator.call(&operation.method, &path, &body).await
    }

    /// All that is configured, as far as the API shows it.
    async fn configuration(&self) -> BTreeMap<String, (u16, Value)> {
        let mut seen = BTreeMap::new();
        for operation in self.operations.iter().filter(|one| one.method == "GET") {
            if NO_CONFIGURATION.iter().any(|part| operation.path.contains(part)) {
                continue;
            }
            let (status, mut answer) = self.call(operation).await;
            forget_what_is_observed(&mut answer);
            seen.insert(operation.path.clone(), (status, answer));
        }
        assert!(seen.len() > 10, "{:?}", seen.keys());
        seen
    }

    /// The ids of all entries of the audit logs of all tenants, and of the operator's, each with its action.
    async fn entries(&self) -> BTreeMap<String, String> {
        let (_, tenants) = self.operator.call("GET", "/v1/tenants?limit=100", "").await;
        let mut names: Vec<&str> = tenants["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tenant| tenant["name"].as_str().unwrap())
            .collect();
        names.push("waxseal");
        let mut entries = BTreeMap::new();
        for name in names {
            let path = format!("/v1/tenants/{name}/audit?limit=100");
            let (status, log) = self.operator.call("GET", &path, "").await;
            assert_eq!(status, 200, "{name}: {log}");
            for entry in log["items"].as_array().unwrap() {
                let text = |member: &str| entry[member].as_str().unwrap().to_owned();
                entries.insert(text("id"), text("action"));
            }
        }
        entries
    }
}

fn forget_what_is_observed(answer: &mut Value) {
    match answer {
        Value::Object(members) => {
            members.retain(|name, _| !OBSERVED.contains(&name.as_str()));
            members.values_mut().for_each(forget_what_is_observed);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_what_is_observed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn each_operation_that_changes_what_is_configured_leaves_an_entry_and_no_other_does() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let sink = Sink::start(Vec::new()).await;
    let world = World::start(&server, &sink).await;
    let mut changing: Vec<&Operation> = world
        .operations
        .iter()
        .filter(|one| !["GET", "OPTIONS"].contains(&one.method.as_str()))
        .collect();
    // What is removed can be changed no more.
    changing.sort_by_key(|operation| operation.method == "DELETE");
    let (mut configuration, mut entries) = (world.configuration().await, world.entries().await);
    for operation in changing {
        let (status, answer) = world.call(operation).await;
        let refused = REFUSED.iter().find(|(line, _)| *line == operation.to_string());
        match refused {
            Some((_, expected)) => assert_eq!(status, *expected, "{operation}: {answer}"),
            None => assert!(status < 300, "{operation} must succeed to be seen: {answer}"),
        }
        let (configuration_now, entries_now) = (world.configuration().await, world.entries().await);
        let is_changed = configuration_now != configuration;
        let told = entries_now.len() - entries.len();
        assert_eq!(is_changed, told > 0, "{operation}: {told} entries, changed: {is_changed}");
        (configuration, entries) = (configuration_now, entries_now);
    }
    let actions: BTreeSet<&str> = entries.values().map(String::as_str).collect();
    assert_eq!(actions.into_iter().collect::<Vec<_>>(), ACTIONS);
}

/// The operator's own tenant was never created: its log is there all the same.
#[tokio::test]
async fn a_profiles_change_is_in_the_operators_log_with_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let operator = server.client();
    let path = "/v1/profiles/nightwatch";
    for file in [FILE.to_owned(), FILE.replace("\"title\": \"", "\"title\": \"Another ")] {
        let (status, answer) = operator.call("PUT", path, &file).await;
        assert_eq!(status, 200, "{answer}");
    }
    let (_, log) = operator.call("GET", "/v1/tenants/waxseal/audit", "").await;
    let [updated, created] = log["items"].as_array().unwrap().as_slice() else { panic!("{log}") };
    for (entry, action) in [(created, "profile.created"), (updated, "profile.updated")] {
        let told = ["action", "actor", "target"].map(|member| entry[member].as_str().unwrap());
        assert_eq!(told, [action, "operator", "nightwatch"]);
    }
    assert_eq!(created["before"], Value::Null);
    assert_eq!(created["after"]["file"], serde_json::from_str::<Value>(FILE).unwrap());
    let (before, after) = (&updated["before"], &updated["after"]);
    assert_eq!(json!(format!("Another {}", before["title"].as_str().unwrap())), after["title"]);
    assert!(before.get("name").is_none(), "what is the same is not told: {before}");
    let (status, _) = operator.call("GET", "/v1/tenants/nobody/audit", "").await;
    assert_eq!(status, 404, "of no other tenant that was never created");
}

#[tokio::test]
async fn values_of_headers_stay_out_of_the_log_beside_a_number_that_no_double_holds() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let (operator, watcher) = (server.client(), Sink::start(Vec::new()).await);
    let path = "/v1/tenants/umbra/endpoints?ping=false";
    let watch = json!({"url": watcher.url("/"), "event_types": ["waxseal.audit.*"]}).to_string();
    operator.send("POST", path, &[], &watch).await.of(201);
    let body = format!(
        r#"{{"url":"{}","headers":{{"x-api-key":"canary-header"}},"filter":{{"data":{{"x":[{{"numeric":[">",1e999]}}]}}}}}}"#,
        watcher.url("/other")
    );
    operator.send("POST", path, &[], &body).await.of(201);
    let log = operator.send("GET", "/v1/tenants/umbra/audit", &[], "").await.of(200).json;
    let after = &log["items"][0]["after"];
    assert_eq!(after["headers"], json!({"x-api-key": "(not shown)"}), "{log}");
    assert_eq!(after["filter"]["data"]["x"][0]["numeric"], json!([">", "1e999"]), "{log}");
    // Its own creation is told as well, before or after.
    let told = watcher.wait_for(2).await;
    let told: Vec<_> = told.iter().map(|one| String::from_utf8_lossy(&one.body)).collect();
    assert!(told.iter().any(|one| one.contains("1e999")), "{told:?}");
    assert!(told.iter().all(|one| !one.contains("canary-header")), "{told:?}");
}
