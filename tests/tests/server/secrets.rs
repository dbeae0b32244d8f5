//! Secrets stay secret: canaries in every place that takes one, and a look at every place where one
//! could show. And without the key file nothing is signed, sent or started.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use waxseal_tests::canaries::{CANARIES, QUERY, RAW, receivers, use_them};
use waxseal_tests::client::Client;
use waxseal_tests::process::{Server, command, free_address, until_it_serves};
use waxseal_tests::sink::Sink;

/// The server with all that it can log, into a file; ended with the test.
async fn start_logging(folder: &Path, log: &Path) -> (tokio::process::Child, Client) {
    let address = free_address();
    let mut command = command(folder, address);
    command.env("RUST_LOG", "trace").stderr(Stdio::from(std::fs::File::create(log).unwrap()));
    let child = command.spawn().unwrap();
    let client = Client { address, key: "operator".to_owned(), host: None };
    until_it_serves(&client).await;
    (child, client)
}

fn bytes_hold(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_secret_is_in_a_log_an_answer_a_list_or_a_row() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = other.path().join("log");
    let (mut server, client) = start_logging(folder.path(), &log).await;
    let (sink, tokens) = receivers().await;
    let answers = use_them(&client, &sink, &tokens).await;
    let key = client.send("POST", "/v1/tenants/acme/keys", &[], "").await.of(201).json;
    let key = key["key"].as_str().unwrap().to_owned();
    client.send("GET", "/v1/tenants/acme/keys", &[], "").await.of(200);
    server.kill().await.unwrap();

    let logged = std::fs::read(&log).unwrap();
    assert!(bytes_hold(&logged, "attempt"), "the log is one");
    assert!(!bytes_hold(&logged, QUERY), "a URL's query is logged");
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
    for file in ["waxseal.db", "waxseal.db-wal"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap_or_default();
        assert!(!RAW.iter().any(|raw| bytes_hold(&bytes, raw)), "in {file}");
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
