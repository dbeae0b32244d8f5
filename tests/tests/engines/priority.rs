//! A critical event does not wait behind its own endpoint's backlog.

use std::time::Duration;

use serde_json::{Value, json};
use waxseal_tests::process::Server;
use waxseal_tests::sink::{Sink, SinkAnswer};

const BACKLOG: usize = 300;

#[tokio::test]
async fn a_critical_event_passes_its_own_endpoints_backlog() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    // A quarter of 128 attempts at a time, a second each: the backlog takes nine seconds.
    let sink = Sink::start(vec![SinkAnswer::Silence(Duration::from_secs(1)); BACKLOG]).await;
    let endpoint = json!({"url": sink.url("/")}).to_string();
    let path = "/v1/tenants/acme/endpoints?ping=false";
    assert_eq!(client.call("POST", path, &endpoint).await.0, 201);
    let path = "/v1/tenants/acme/events";
    let hundred = Value::from(vec![json!({"type": "a.b"}); 100]).to_string();
    for _ in 0..BACKLOG / 100 {
        assert_eq!(client.call("POST", path, &hundred).await.0, 202);
    }
    let critical = r#"{"type":"now","severity":"critical"}"#;
    assert_eq!(client.call("POST", path, critical).await.0, 202);
    let captured = sink.wait_for(BACKLOG + 1).await;
    let is_critical = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["type"] == "now";
    let place = captured.iter().position(|one| is_critical(&one.body)).unwrap();
    assert!(place < BACKLOG * 2 / 3, "it came as number {place}");
}
