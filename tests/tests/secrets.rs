//! Secrets stay secret: canaries in every place that takes one, and a look at every place where one
//! could show. And without the key file nothing is signed, sent or started.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::nap;
use waxseal_tests::process::{Server, command, free_address};
use waxseal_tests::sink::{Answer, Sink};

/// Each is looked for everywhere. The first is one in `standard`'s form.
const CANARIES: [&str; 7] = [
    "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E=",
    "canary-bearer-5c1e",
    "canary-password-7d2f",
    "canary-client-8e3a",
    "canary-source-9f4b",
    "canary-access-0a5c",
    "canary-rotated-1b6d",
];

const ACME: &str = "/v1/tenants/acme";

/// The server with all that it can log, into a file; ended with the test.
async fn logging(folder: &Path, log: &Path) -> (tokio::process::Child, Client) {
    let address = free_address();
    let mut command = command(folder, address);
    command.env("RUST_LOG", "trace").stderr(Stdio::from(std::fs::File::create(log).unwrap()));
    let child = command.spawn().unwrap();
    let client = Client { address, key: "operator".to_owned(), host: None };
    for _ in 0..1_000 {
        if client.try_call("GET", "/healthz", "").await.is_some() {
            return (child, client);
        }
        nap(20).await;
    }
    panic!("it does not serve");
}

/// Makes use of every secret, right and wrong; the answers, but for the one that shows a made secret.
async fn use_them(client: &Client, sink: &Sink, tokens: &Sink) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut ids = Vec::new();
    for auth in auths(tokens) {
        let draft = json!({"url": sink.url("/"), "auth": auth, "secret": CANARIES[0],
            "retry": {"delays_s": [1]}});
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

fn bytes_hold(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_secret_is_in_a_log_an_answer_a_list_or_a_row() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = other.path().join("log");
    let (mut server, client) = logging(folder.path(), &log).await;
    let sink =
        Sink::start(vec![Answer::status(200), Answer::status(401), Answer::status(500)]).await;
    let tokens = Sink::ruled(|_| {
        Answer::Status(200, Vec::new(), r#"{"access_token":"canary-access-0a5c","expires_in":60}"#)
    })
    .await;
    let answers = use_them(&client, &sink, &tokens).await;
    let key = client.send("POST", "/v1/tenants/acme/keys", &[], "").await.of(201).json;
    let key = key["key"].as_str().unwrap().to_owned();
    client.send("GET", "/v1/tenants/acme/keys", &[], "").await.of(200);
    let sent = sink.captured();
    assert!(sent.iter().any(|one| one.header("authorization").contains(CANARIES[1])), "it is used");
    assert!(sent.iter().any(|one| one.header("authorization").contains(CANARIES[5])), "it is used");
    server.kill().await.unwrap();

    let logged = std::fs::read(&log).unwrap();
    assert!(bytes_hold(&logged, "attempt"), "the log is one");
    let answers = json!(answers).to_string();
    for canary in CANARIES.into_iter().chain([key.as_str(), "Bearer operator"]) {
        assert!(!answers.contains(canary), "{canary} is answered");
        assert!(!bytes_hold(&logged, canary), "{canary} is logged");
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "key") {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes_hold(&bytes, canary), "{canary} is in {}", path.display());
            }
        }
    }
    // As bytes too, where a secret stands for some.
    let raw = "canarycanarycanarycanarycanaryca";
    for file in ["waxseal.db", "waxseal.db-wal"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap_or_default();
        assert!(!bytes_hold(&bytes, raw), "in {file}");
    }
}

#[tokio::test]
async fn a_lost_key_file_is_told_and_nothing_goes_out_unsigned() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let sink = Sink::start(Vec::new()).await;
    let draft = json!({"url": sink.url("/"), "retry": {"delays_s": [1]}}).to_string();
    let path = "/v1/tenants/acme/endpoints?ping=false";
    server.client().send("POST", path, &[], &draft).await.of(201);
    server.stop().await;
    let key = folder.path().join("secrets.key");
    let kept = std::fs::read(&key).unwrap();
    for wrong in [None, Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")] {
        match wrong {
            None => std::fs::remove_file(&key).unwrap(),
            Some(text) => std::fs::write(&key, text).unwrap(),
        }
        let ended = command(folder.path(), free_address()).output().await.unwrap();
        assert!(!ended.status.success());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains("secrets.key") && said.contains("backup"), "{said}");
        let found = std::fs::read_to_string(&key).ok();
        assert_eq!(found.as_deref(), wrong, "no other key is made");
    }
    std::fs::write(&key, kept).unwrap();
    let server = Server::start(folder.path()).await;
    let event = r#"{"type":"a.b"}"#;
    server.client().send("POST", "/v1/tenants/acme/events", &[], event).await.of(202);
    let sent = sink.wait_for(1).await;
    assert!(sent[0].header("webhook-signature").starts_with("v1,"), "brought back, it signs");
}
