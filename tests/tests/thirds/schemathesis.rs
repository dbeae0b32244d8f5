//! schemathesis tests the running server against its own OpenAPI document: every operation by its examples,
//! at the edges of its schemas, at random, and in sequences; requests that fit and requests that do not.
//!
//! `WAXSEAL_SCHEMATHESIS_EXAMPLES` is how many random requests each operation gets; more find more.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;
use waxseal_tests::client::Client;
use waxseal_tests::emulator::tools;
use waxseal_tests::process::{command, free_address, until_it_serves};
use waxseal_tests::settings::setting;

/// Random requests for each operation: with them the test takes about half a minute.
const EXAMPLES: u64 = 25;

/// One of everything, so that there are ids to be found.
async fn fill(client: &Client) {
    for (method, path, body) in [
        ("POST", "endpoints?ping=false", json!({"url": "https://hooks.example.com/waxseal"})),
        ("POST", "events", json!({"type": "dlp.violation", "id": "evt_1", "data": {"n": 1}})),
        ("POST", "keys", json!({"name": "Agent runtime"})),
        ("PUT", "sources/github", json!({"profile": "github", "secrets": ["It's a Secret"]})),
        ("PUT", "event-types/dlp.violation", json!({"description": "Personal data left"})),
    ] {
        let path = format!("/v1/tenants/acme/{path}");
        let (status, answer) = client.call(method, &path, &body.to_string()).await;
        assert!(status < 300, "{path}: {answer}");
    }
}

#[tokio::test]
async fn document_and_behaviour_agree() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut server = command(folder.path(), address);
    server.env_remove("WAXSEAL_ALLOW_LOOPBACK").env("RUST_LOG", "error");
    let mut server = server.spawn().unwrap();
    let client = Client { address, key: "operator".to_owned(), host: None };
    until_it_serves(&client).await;
    fill(&client).await;
    let thirds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("thirds");
    let examples = setting("WAXSEAL_SCHEMATHESIS_EXAMPLES").unwrap_or(EXAMPLES).to_string();
    let mut schemathesis = Command::new(tools().join("venv/bin/schemathesis"));
    schemathesis
        .arg("--config-file")
        .arg(thirds.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("http://{address}/openapi.json"))
        .args(["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", &examples])
        .args(["--seed", "20261121", "--continue-on-failure", "--no-color"])
        .env("SCHEMATHESIS_HOOKS", thirds.join("schemathesis_hooks.py"))
        .env("PYTHONPYCACHEPREFIX", tools().join("pycache"))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = schemathesis.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let (_, listed) = client.call("GET", "/v1/tenants/acme/endpoints", "").await;
    assert_ne!(listed["items"], Value::Array(Vec::new()), "it has made some");
    assert_eq!(server.try_wait().unwrap(), None, "it still serves");
}
