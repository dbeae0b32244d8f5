//! Third parties' verifiers: every sample event, delivered, is accepted by the `standardwebhooks`
//! packages of PyPI and npm, with both secrets while one rotates; a changed byte is not.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use waxseal_tests::emulator::tools;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::process::Server;
use waxseal_tests::sink::{Captured, Sink};

const ROTATED: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn cases(captured: &[Captured], secret: &str) -> String {
    let case = |one: &Captured| {
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: serde_json::Map<String, Value> =
            headers.iter().map(|name| ((*name).to_owned(), one.header(name).into())).collect();
        let body = std::str::from_utf8(&one.body).unwrap();
        json!({"secret": secret, "headers": headers, "body": body})
    };
    Value::Array(captured.iter().map(case).collect()).to_string()
}

/// How many of the cases each verifier accepts.
async fn accepted(program: &mut Command, cases: &str) -> usize {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(cases.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn verifiers() -> [Command; 2] {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("verifiers");
    let mut python = Command::new(tools().join("venv/bin/python"));
    python.arg(scripts.join("verify.py"));
    let mut node = Command::new("node");
    node.arg(scripts.join("verify.mjs")).env("NODE_PATH", tools().join("node/node_modules"));
    [python, node]
}

#[tokio::test]
async fn every_sample_event_is_accepted_by_both_packages() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(Vec::new()).await;
    let body = json!({"url": sink.url("/"), "secret": SECRET}).to_string();
    let path = "/v1/tenants/acme/endpoints?ping=false";
    let (_, endpoint) = client.call("POST", path, &body).await;
    let id = endpoint["id"].as_str().unwrap();
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/events");
    let mut count = 0;
    for system in ["aisg", "aisentinel", "authensor", "omegaengine", "secureagentics"] {
        let text = std::fs::read_to_string(events.join(format!("{system}.json"))).unwrap();
        let (status, answer) = client.call("POST", "/v1/tenants/acme/events", &text).await;
        assert_eq!(status, 202, "{answer}");
        count += answer["results"].as_array().unwrap().len();
    }
    let captured = sink.wait_for(count).await;
    assert_eq!(captured.len(), 26);
    for mut verifier in verifiers() {
        assert_eq!(accepted(&mut verifier, &cases(&captured, SECRET)).await, 26);
    }

    let path = format!("/v1/tenants/acme/endpoints/{id}/rotate-secret");
    let rotate = json!({ "secret": ROTATED }).to_string();
    assert_eq!(client.call("POST", &path, &rotate).await.0, 200);
    client.call("POST", "/v1/tenants/acme/events", r#"{"type":"after.rotation"}"#).await;
    let captured = sink.wait_for(27).await;
    let last = &captured[26..];
    for secret in [SECRET, ROTATED] {
        for mut verifier in verifiers() {
            assert_eq!(accepted(&mut verifier, &cases(last, secret)).await, 1, "{secret}");
        }
    }
    let mut changed = last.to_vec();
    changed[0].body = [&changed[0].body[..], b" "].concat().into();
    for mut verifier in verifiers() {
        assert_eq!(accepted(&mut verifier, &cases(&changed, SECRET)).await, 0);
    }
}
