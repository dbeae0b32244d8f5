//! How receivers are authenticated to, beside the signature: real requests by the real binary.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::process::Server;
use waxseal_tests::sink::{CapturedRequest, Sink, SinkAnswer};

const ENDPOINTS: &str = "/v1/tenants/acme/endpoints";

struct World {
    client: Client,
    server: Server,
    folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path()).await;
        Self { client: server.client(), server, folder }
    }

    async fn endpoint(&self, sink: &Sink, auth: &Value) -> Value {
        let draft = json!({"url": sink.url("/h"), "auth": auth, "retry": {"delays_s": [1]}});
        let path = format!("{ENDPOINTS}?ping=false");
        self.client.send("POST", &path, &[], &draft.to_string()).await.of(201).json
    }

    async fn post(&self, id: &str) {
        let event = json!({"type": "a.b", "id": id}).to_string();
        self.client.send("POST", "/v1/tenants/acme/events", &[], &event).await.of(202);
    }
}

fn authorizations(captured: &[CapturedRequest]) -> Vec<String> {
    captured.iter().map(|one| one.header("authorization").to_owned()).collect()
}

#[tokio::test]
async fn a_bearer_token_and_a_password_are_sent_and_never_shown() {
    let world = World::start().await;
    for (auth, header, shown) in [
        (
            json!({"type": "bearer", "token": "canary-token"}),
            "Bearer canary-token".to_owned(),
            json!({"type": "bearer"}),
        ),
        (
            json!({"type": "basic", "username": "ann", "password": "canary: pass"}),
            format!("Basic {}", BASE64.encode("ann:canary: pass")),
            json!({"type": "basic", "username": "ann"}),
        ),
    ] {
        let sink = Sink::start(Vec::new()).await;
        let made = world.endpoint(&sink, &auth).await;
        assert_eq!(made["auth"], shown);
        let one = format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap());
        let test = world.client.send("POST", &format!("{one}/test"), &[], "").await.of(200).json;
        assert_eq!(test["outcome"], "accepted");
        assert!(!test.to_string().contains("canary"), "{test}");
        assert!(!test.to_string().contains(&header), "{test}");
        assert_eq!(authorizations(&sink.requests()), [header.as_str()]);
        assert!(!sink.requests()[0].header("webhook-signature").is_empty(), "and signed");
        let read = world.client.send("GET", &one, &[], "").await.of(200).json;
        assert!(!read.to_string().contains("canary"), "{read}");
        // Changed whole, or taken away.
        let change = json!({"auth": {"type": "bearer", "token": "other"}}).to_string();
        world.client.send("PATCH", &one, &[], &change).await.of(200);
        world.client.send("PATCH", &one, &[], r#"{"name":"n"}"#).await.of(200);
        world.client.send("POST", &format!("{one}/test"), &[], "").await.of(200);
        world.client.send("PATCH", &one, &[], r#"{"auth":null}"#).await.of(200);
        world.client.send("POST", &format!("{one}/test"), &[], "").await.of(200);
        assert_eq!(authorizations(&sink.requests())[1..], ["Bearer other", ""]);
        world.client.send("DELETE", &one, &[], "").await.of(204);
    }
}

/// A token server: it counts, and gives `token-1`, `token-2` and so on.
async fn token_server(asked: Arc<Mutex<Vec<CapturedRequest>>>) -> Sink {
    Sink::start_with_rule(move |request| {
        let mut asked = asked.lock().unwrap();
        asked.push(request.clone());
        let body = match asked.len() {
            1 => r#"{"access_token":"token-1","token_type":"Bearer","expires_in":3600}"#,
            _ => r#"{"access_token":"token-2","token_type":"Bearer","expires_in":3600}"#,
        };
        SinkAnswer::Status(200, vec![("content-type", "application/json")], body)
    })
    .await
}

#[tokio::test]
async fn an_oauth_token_is_fetched_once_and_anew_when_it_is_refused() {
    let world = World::start().await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let tokens = token_server(Arc::clone(&asked)).await;
    let sink = Sink::start(vec![
        SinkAnswer::status(200),
        SinkAnswer::status(200),
        SinkAnswer::status(401),
        SinkAnswer::status(200),
    ])
    .await;
    let auth = json!({"type": "oauth2", "token_url": tokens.url("/token"), "client_id": "a:b",
        "client_secret": "canary secret", "scope": "hooks write", "audience": "https://x"});
    let made = world.endpoint(&sink, &auth).await;
    let mut shown = auth.clone();
    shown.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(made["auth"], shown);
    for (number, id) in ["e1", "e2", "e3"].into_iter().enumerate() {
        world.post(id).await;
        sink.wait_for(number + 1).await;
    }
    let sent = sink.wait_for(4).await;
    let expected = ["token-1", "token-1", "token-1", "token-2"].map(|t| format!("Bearer {t}"));
    assert_eq!(authorizations(&sent), expected);
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "kept between deliveries, and fetched anew once refused");
    let form = String::from_utf8(asked[0].body.to_vec()).unwrap();
    assert_eq!(form, "grant_type=client_credentials&scope=hooks+write&audience=https%3A%2F%2Fx");
    let client = format!("Basic {}", BASE64.encode("a%3Ab:canary+secret"));
    assert_eq!(asked[0].header("authorization"), client);
    assert_eq!(asked[0].header("content-type"), "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn a_token_server_that_fails_is_a_failed_attempt_and_nothing_is_sent_without_a_token() {
    let world = World::start().await;
    let sink = Sink::start(Vec::new()).await;
    let tokens = Sink::start(vec![
        SinkAnswer::Status(401, Vec::new(), "canary"),
        SinkAnswer::Status(200, Vec::new(), r#"{"access_token":"token-9","expires_in":60}"#),
    ])
    .await;
    let auth = json!({"type": "oauth2", "token_url": tokens.url("/t"), "client_id": "c",
        "client_secret": "s"});
    let made = world.endpoint(&sink, &auth).await;
    world.post("e1").await;
    let sent = sink.wait_for(1).await;
    assert_eq!(authorizations(&sent), ["Bearer token-9"]);
    let path = format!("{ENDPOINTS}/{}/deliveries", made["id"].as_str().unwrap());
    let listed = world.client.send("GET", &path, &[], "").await.of(200).json;
    let attempts = listed["items"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts[0]["outcome"], "rejected", "{listed}");
    assert_eq!(attempts[0]["detail"], "the token server answered 401");
    assert_eq!(attempts[0]["response_excerpt"], Value::Null, "an answer there may hold a token");
    let one = format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap());
    let read = world.client.send("GET", &one, &[], "").await.of(200).json;
    assert_eq!(read["recent_failures"][0]["detail"], "the token server answered 401", "{read}");
    assert!(!listed.to_string().contains("canary"));
    drop((world.server, world.folder));
}
