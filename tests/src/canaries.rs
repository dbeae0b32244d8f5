//! Canaries: secrets in every place that takes one, and requests that make use of them.

use serde_json::{Value, json};

use crate::client::Client;
use crate::sink::{Sink, SinkAnswer};

/// Each is looked for everywhere. The first is one in `standard`'s form.
pub const CANARIES: [&str; 8] = [
    "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E=",
    "canary-bearer-5c1e",
    "canary-password-7d2f",
    "canary-client-8e3a",
    "canary-source-9f4b",
    "canary-access-0a5c",
    "canary-rotated-1b6d",
    "canary-header-2c7e",
];

/// The first as bytes, and as it is written without its prefix.
pub const RAW: [&str; 2] = ["canarycanarycanarycanarycanaryca", "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"];

const ACME: &str = "/v1/tenants/acme";

/// A receiver that takes most of what it is sent, and a token server that gives out a canary.
pub async fn receivers() -> (Sink, Sink) {
    let script = vec![SinkAnswer::status(200), SinkAnswer::status(401), SinkAnswer::status(500)];
    let tokens = Sink::start_with_rule(|_| {
        SinkAnswer::Status(
            200,
            Vec::new(),
            r#"{"access_token":"canary-access-0a5c","expires_in":60}"#,
        )
    });
    (Sink::start(script).await, tokens.await)
}

/// Makes use of every secret, right and wrong; the answers, but for the one that shows a made secret.
pub async fn use_them(client: &Client, sink: &Sink, tokens: &Sink) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut ids = Vec::new();
    for auth in auths(tokens) {
        let draft = json!({"url": sink.url("/"), "auth": auth, "secret": CANARIES[0],
            "headers": {"x-api-key": CANARIES[7]}, "retry": {"delays_s": [1]}});
        let path = format!("{ACME}/endpoints");
        let mut made = client.send("POST", &path, &[], &draft.to_string()).await.of(201).json;
        assert_eq!(made["secret"].take(), CANARIES[0], "the one answer that shows it");
        ids.push(made["id"].as_str().unwrap().to_owned());
        answers.push(made);
    }
    for (method, path, body) in wrong_and_right() {
        answers.push(client.send(method, &path, &[], &body.to_string()).await.json);
    }
    let rotate = format!("{ACME}/endpoints/{}/rotate-secret", ids[0]);
    let given = json!({"secret": CANARIES[6]});
    answers.push(client.send("POST", &rotate, &[], &given.to_string()).await.of(422).json);
    sink.wait_for(9).await;
    let lists = ["endpoints", "audit", "sources", "events", "keys"];
    let lists = lists.map(|name| format!("{ACME}/{name}")).into_iter();
    let others = ["/v1/status", "/v1/profiles", "/.well-known/webhook-keys"].map(str::to_owned);
    let of_one =
        |id: &String| ["", "/deliveries"].map(|rest| format!("{ACME}/endpoints/{id}{rest}"));
    for path in lists.chain(others).chain(ids.iter().flat_map(of_one)) {
        answers.push(client.send("GET", &path, &[], "").await.of(200).json);
    }
    for id in ids {
        let test = format!("{ACME}/endpoints/{id}/test");
        answers.push(client.send("POST", &test, &[], "").await.of(200).json);
    }
    let used = |canary: &str| {
        sink.requests().iter().any(|one| one.header("authorization").contains(canary))
    };
    assert!(used(CANARIES[1]) && used(CANARIES[5]), "they are used");
    assert!(sink.requests().iter().all(|one| one.header("x-api-key") == CANARIES[7]));
    answers
}

fn auths(tokens: &Sink) -> [Value; 3] {
    let [_, bearer, password, client_secret, ..] = CANARIES;
    [
        json!({"type": "bearer", "token": bearer}),
        json!({"type": "basic", "username": "u", "password": password}),
        json!({"type": "oauth2", "token_url": tokens.url("/"), "client_id": "c",
            "client_secret": client_secret}),
    ]
}

/// Requests with secrets in them, most of which are refused.
fn wrong_and_right() -> Vec<(&'static str, String, Value)> {
    let [secret, bearer, _, client_secret, source, ..] = CANARIES;
    let auth = json!({"type": "bearer", "token": bearer, "password": bearer, "x": client_secret});
    let signed = json!({"x-hub-signature-256": "sha256=00"});
    vec![
        ("POST", format!("{ACME}/endpoints"), json!({"url": "x", "secret": secret, "auth": auth})),
        ("POST", format!("{ACME}/endpoints"), json!({"url": 3, "secret": {"a": secret}})),
        ("PUT", format!("{ACME}/sources/s"), json!({"profile": "github", "secrets": [source]})),
        ("PUT", format!("{ACME}/sources/t"), json!({"secrets": [source]})),
        ("POST", "/v1/verify".to_owned(), json!({"secret": source, "headers": {"a": 1}})),
        (
            "POST",
            "/v1/verify".to_owned(),
            json!({"profile": "github", "secret": source, "headers": signed, "body": "b"}),
        ),
        (
            "POST",
            format!("{ACME}/events"),
            json!([{"type": "a.b"}, {"type": "a.c", "severity": "high"}]),
        ),
    ]
}
