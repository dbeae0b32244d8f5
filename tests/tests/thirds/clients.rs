//! Clients made of the OpenAPI document by others' generators, in Python and in TypeScript: they are made
//! without a warning, their types hold, and with each an endpoint is configured and an event delivered.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;
use waxseal_tests::emulator::tools;
use waxseal_tests::process::Server;
use waxseal_tests::settings::path_with;
use waxseal_tests::sink::Sink;

fn script_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("thirds/clients").join(name)
}

/// Runs a command: whether it succeeded, and all that it said.
async fn run(command: &mut Command) -> (bool, String) {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

async fn succeeds(command: &mut Command) -> String {
    let (succeeded, said) = run(command).await;
    assert!(succeeded, "{command:?}: {said}");
    said
}

/// A server, its document in a folder, and a receiver.
async fn start() -> (Server, Sink, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data")).await;
    let (status, document) = server.client().call("GET", "/openapi.json", "").await;
    assert_eq!(status, 200);
    std::fs::write(folder.path().join("openapi.json"), document.to_string()).unwrap();
    (server, Sink::start(Vec::new()).await, folder)
}

/// What the script prints, and what the receiver got.
async fn sends(script: &mut Command, (server, sink): (&Server, &Sink), event: &str) {
    script.arg(format!("http://{}", server.address)).arg("operator").arg(sink.url("/hooks"));
    let said = succeeds(script).await;
    let delivery: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&delivery["status"], &delivery["event_id"]), (&"delivered".into(), &event.into()));
    let captured = sink.requests();
    assert_eq!(
        (captured.len(), captured[0].header("webhook-id")),
        (1, delivery["id"].as_str().unwrap())
    );
}

#[tokio::test]
async fn in_python() {
    let (server, sink, folder) = start().await;
    let venv = tools().join("venv/bin");
    let mut generator = Command::new(venv.join("openapi-python-client"));
    generator
        .args(["generate", "--path", "openapi.json", "--output-path", "waxseal_client"])
        .args(["--meta", "none", "--fail-on-warning"])
        .env("PATH", path_with(&venv))
        .current_dir(folder.path());
    succeeds(&mut generator).await;
    let mut script = Command::new(venv.join("python"));
    script.arg("-B").arg(script_path("send.py")).env("PYTHONPATH", folder.path());
    sends(&mut script, (&server, &sink), "evt_py").await;
}

/// Compiles a script in a folder that has the types and the packages.
fn compiler(folder: &Path, script: &str) -> Command {
    let mut compiler = Command::new("node");
    compiler
        .arg("node_modules/typescript/bin/tsc")
        .args(["--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "false"])
        .args(["--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"])
        .args(["--typeRoots", "none", "--outDir", "out", script, "node.d.ts"])
        .current_dir(folder);
    compiler
}

#[tokio::test]
async fn in_typescript() {
    let (server, sink, folder) = start().await;
    let folder = folder.path();
    std::os::unix::fs::symlink(tools().join("node/node_modules"), folder.join("node_modules"))
        .unwrap();
    std::fs::write(folder.join("package.json"), r#"{"type":"module"}"#).unwrap();
    // All that the script uses of Node: its own types are not among the tools.
    std::fs::write(folder.join("node.d.ts"), "declare const process: { argv: string[] };").unwrap();
    let mut generator = Command::new("node");
    generator
        .args(["node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "schema.d.ts"])
        .current_dir(folder);
    let said = succeeds(&mut generator).await;
    assert!(!said.to_lowercase().contains("warn"), "{said}");
    let script = std::fs::read_to_string(script_path("send.ts")).unwrap();
    std::fs::write(folder.join("send.ts"), &script).unwrap();
    succeeds(&mut compiler(folder, "send.ts")).await;
    let mut node = Command::new("node");
    node.arg("out/send.js").current_dir(folder);
    sends(&mut node, (&server, &sink), "evt_ts").await;
    // The types mean something: what is misspelt, of a wrong kind or not there does not compile.
    let wrongs = [
        ("url: receiver", "uri: receiver"),
        ("event_types: [", "event_type: ["),
        (r#"ping: "false""#, r#"ping: "no""#),
        (r#"type: "dlp.violation""#, "type: 7"),
        ("delivery.attempts[0]?.response_status", "delivery.attempts[0]?.status"),
        ("/events\", {", "/event\", {"),
    ];
    let names: Vec<String> = (0..wrongs.len()).map(|index| format!("wrong{index}.ts")).collect();
    for ((right, wrong), name) in wrongs.iter().zip(&names) {
        assert!(script.contains(right), "{right}");
        std::fs::write(folder.join(name), script.replacen(right, wrong, 1)).unwrap();
    }
    let (_, said) = run(compiler(folder, "send.ts").args(&names)).await;
    for ((_, wrong), name) in wrongs.iter().zip(&names) {
        assert!(said.contains(&format!("{name}(")), "{wrong}: {said}");
    }
    assert!(!said.contains("send.ts("), "{said}");
}
