//! Tenants are kept apart in every operation, and who may call one is as the OpenAPI document says. It is
//! the document that is walked: a new operation is covered without being named here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::openapi::{Operation, operations};
use waxseal_tests::process::Server;
use waxseal_tests::sink::Sink;

/// Stands in everything of the victim: no answer to a stranger may hold it.
const CANARY: &str = "canary-of-acme";
const HOOK_SECRET: &str = "canary-of-acme-signs";

/// A tenant with one of everything, and a stranger to it.
struct World {
    _server: Server,
    operator: Client,
    /// Of the path's parameters, by name.
    ids: BTreeMap<&'static str, String>,
    _sink: Sink,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path()).await;
        let operator = server.client();
        let sink = Sink::start(Vec::new()).await;
        let made = |path: &'static str, method: &'static str, body: Value| {
            let operator = operator.clone();
            async move {
                let path = format!("/v1/tenants/acme{path}");
                let (status, answer) = operator.call(method, &path, &body.to_string()).await;
                assert!(status < 300, "{path}: {answer}");
                answer
            }
        };
        let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();
        let draft = json!({"url": sink.url("/"), "name": CANARY});
        let endpoint = made("/endpoints?ping=false", "POST", draft).await;
        let event = json!({"type": "canary.sung", "id": CANARY, "data": CANARY});
        let event = made("/events", "POST", event).await;
        let key = made("/keys", "POST", json!({"name": CANARY})).await;
        let source = json!({"profile": "github", "secrets": [HOOK_SECRET]});
        made("/sources/canary", "PUT", source).await;
        made("/event-types/canary.sung", "PUT", json!({"description": CANARY})).await;
        let ids = BTreeMap::from([
            ("tenant", "acme".to_owned()),
            ("endpoint", id(&endpoint)),
            ("event", id(&event)),
            ("delivery", id(&event["deliveries"][0])),
            ("key", id(&key)),
            ("source", "canary".to_owned()),
            ("type", "canary.sung".to_owned()),
            ("profile", "standard".to_owned()),
        ]);
        let world = Self { _server: server, operator, ids, _sink: sink, _folder: folder };
        let delivery = format!("/v1/tenants/acme/deliveries/{}", world.ids["delivery"]);
        eventually(Duration::from_secs(30), async || {
            let (_, answer) = world.operator.call("GET", &delivery, "").await;
            if answer["status"] == "delivered" { Ok(()) } else { Err(answer) }
        })
        .await;
        world
    }

    /// A client with a new key of a tenant.
    async fn key(&self, tenant: &str, scopes: &[&str]) -> Client {
        self.operator.call("POST", "/v1/tenants", &json!({"name": tenant}).to_string()).await;
        let (path, body) = (format!("/v1/tenants/{tenant}/keys"), json!({"scopes": scopes}));
        let (status, key) = self.operator.call("POST", &path, &body.to_string()).await;
        assert_eq!(status, 201, "{key}");
        Client { key: key["key"].as_str().unwrap().to_owned(), ..self.operator.clone() }
    }

    /// Calls an operation on what is the victim's, in a tenant.
    async fn call(&self, client: &Client, operation: &Operation, tenant: &str) -> (u16, Value) {
        let mut path = operation.path.clone();
        for name in operation.parameters() {
            let id = self.ids.get(name).unwrap_or_else(|| panic!("{operation}: give it a {name}"));
            let id = if name == "tenant" { tenant } else { id };
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let body = operation.example().map(ToString::to_string).unwrap_or_default();
        let (status, answer) = client.call(&operation.method, &path, &body).await;
        assert!(!answer.to_string().contains(CANARY), "{operation} tells a stranger: {answer}");
        (status, answer)
    }

    async fn operations(&self) -> Vec<Operation> {
        operations(&self.operator.call("GET", "/openapi.json", "").await.1)
    }

    /// All that the victim can see of itself, but for when its keys were used.
    async fn victim(&self) -> BTreeMap<String, Value> {
        let mut seen = BTreeMap::new();
        for operation in self.operations().await {
            if operation.method != "GET" || !operation.is_in_a_tenant() || operation.is_public() {
                continue;
            }
            let path =
                operation.parameters().into_iter().fold(operation.path.clone(), |path, name| {
                    path.replace(&format!("{{{name}}}"), &self.ids[name])
                });
            let (status, mut answer) = self.operator.call("GET", &path, "").await;
            assert_eq!(status, 200, "{operation}: {answer}");
            for item in answer["items"].as_array_mut().into_iter().flatten() {
                item.as_object_mut().unwrap().remove("last_used_at");
            }
            seen.insert(path, answer);
        }
        assert!(seen.len() > 10, "{:?}", seen.keys());
        seen
    }
}

#[tokio::test]
async fn a_tenants_key_finds_nothing_of_another_tenant() {
    let world = World::start().await;
    let stranger = world.key("other", &["ingest", "manage"]).await;
    let before = world.victim().await;
    let mut operations = world.operations().await;
    // What it puts under a name is its own from then on, so that comes last.
    operations.sort_by_key(|operation| operation.method == "PUT");
    for operation in operations.iter().filter(|one| one.is_in_a_tenant() && !one.is_public()) {
        let theirs = world.call(&stranger, operation, "acme").await;
        let nobodys = world.call(&stranger, operation, "nobody").await;
        assert_eq!(theirs.0, 404, "{operation}: {theirs:?}");
        assert_eq!(theirs, nobodys, "{operation}: the same for both");
        let has_ids = operation.parameters().len() > 1;
        if has_ids && operation.method != "PUT" {
            let (status, answer) = world.call(&stranger, operation, "other").await;
            assert_eq!(status, 404, "{operation} takes another's id: {answer}");
        } else {
            world.call(&stranger, operation, "other").await;
        }
    }
    assert_eq!(world.victim().await, before, "nothing of it has changed");
}

#[tokio::test]
async fn each_operation_wants_the_key_that_the_document_says() {
    let world = World::start().await;
    let ingest = world.key("acme", &["ingest"]).await;
    let manage = world.key("acme", &["manage"]).await;
    let before = world.victim().await;
    let (mut public, mut closed) = (0, 0);
    for operation in world.operations().await {
        let keyless = Client { key: String::new(), ..world.operator.clone() };
        if operation.is_public() {
            public += 1;
            let (status, answer) = world.call(&keyless, &operation, "acme").await;
            // A hook's own signature is missing here, a link's too.
            let is_unsigned = operation.path.starts_with("/hooks/");
            assert!(status != 401 || is_unsigned, "{operation}: {answer}");
            continue;
        }
        closed += 1;
        let unknown = Client { key: "wxs_unknown".to_owned(), ..world.operator.clone() };
        for stranger in [keyless, unknown] {
            let (status, answer) = world.call(&stranger, &operation, "acme").await;
            assert_eq!(status, 401, "{operation}: {answer}");
        }
        let roles = operation.roles();
        let lacking = [("ingest", &ingest), ("manage", &manage)];
        let lacking = lacking.into_iter().filter(|(scope, _)| !roles.contains(scope));
        for (scope, client) in lacking.filter(|_| !roles.is_empty()) {
            let (status, answer) = world.call(client, &operation, "acme").await;
            assert_eq!(status, 403, "{operation} with {scope} only: {answer}");
        }
        assert!(!operation.is_in_a_tenant() || !roles.is_empty(), "{operation}: for which scope?");
    }
    assert!(public > 5 && closed > 30, "{public} public, {closed} closed");
    assert_eq!(world.victim().await, before, "nothing has changed");
}

#[tokio::test]
async fn a_source_stays_its_tenants() {
    let world = World::start().await;
    let stranger = world.key("other", &["ingest", "manage"]).await;
    let path = "/v1/tenants/other/sources/canary";
    let own = json!({"profile": "github", "secrets": ["the stranger's own"]}).to_string();
    let theirs = world.operator.call("GET", "/v1/tenants/acme/sources/canary", "").await.1;
    assert_eq!(
        (&theirs["path"], &theirs["short_path"]),
        (&json!("/hooks/acme/canary"), &json!("/hooks/canary"))
    );
    let (status, made) = stranger.call("PUT", path, &own).await;
    assert_eq!(
        (status, &made["path"], made.get("short_path")),
        (200, &json!("/hooks/other/canary"), None)
    );
    assert_eq!(stranger.call("PUT", path, &own).await.1, made, "nor later");
    let keyless = Client { key: String::new(), ..world.operator.clone() };
    let hook = |path: &'static str, secret: &str, id: &'static str| {
        let body = r#"{"action":"opened"}"#;
        let profile = waxseal_verify::Profile::find_builtin("github").unwrap();
        let delivery = waxseal_verify::Delivery {
            id,
            timestamp_s: 0,
            body: body.as_bytes(),
            standard_beside: false,
            variable: &|_| Some("issues".to_owned()),
        };
        let signed = profile.sign(&[profile.key(secret).unwrap()], delivery).unwrap();
        let keyless = keyless.clone();
        async move {
            let headers: Vec<(&str, &str)> =
                signed.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            keyless.with("POST", path, &headers, body).await.unwrap().0
        }
    };
    let strangers = "the stranger's own";
    // The short path and the tenant's own lead where they did, with the secret that they did.
    for (path, id) in [("/hooks/canary", "h1"), ("/hooks/acme/canary", "h2")] {
        assert_eq!(hook(path, strangers, id).await, 401, "{path}");
        assert_eq!(hook(path, HOOK_SECRET, id).await, 200, "{path}");
    }
    assert_eq!(hook("/hooks/other/canary", HOOK_SECRET, "h1").await, 401);
    assert_eq!(hook("/hooks/other/canary", strangers, "h1").await, 200);
    assert_eq!(hook("/hooks/nobody/canary", strangers, "h1").await, 404);
    // Neither does the stranger's end take them along.
    assert_eq!(stranger.call("DELETE", path, "").await.0, 204);
    assert_eq!(hook("/hooks/canary", HOOK_SECRET, "h3").await, 200);
    assert_eq!(hook("/hooks/other/canary", strangers, "h3").await, 404);
    let events = |tenant: &'static str| {
        let operator = world.operator.clone();
        async move {
            let path = format!("/v1/tenants/{tenant}/events");
            operator.call("GET", &path, "").await.1.to_string().matches("/hooks/canary").count()
        }
    };
    assert_eq!((events("acme").await, events("other").await), (3, 1));
}
