//! The embedded binary, as a person runs it: HTTP in, signed POSTs out.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::process::{Server, command, free_address, until_it_serves};
use waxseal_tests::proxy::Proxy;
use waxseal_tests::sink::{Sink, SinkAnswer};

async fn endpoint(client: &Client, tenant: &str, body: Value) -> Value {
    let path = format!("/v1/tenants/{tenant}/endpoints?ping=false");
    let (status, answer) = client.call("POST", &path, &body.to_string()).await;
    assert_eq!(status, 201, "{answer}");
    answer
}

async fn post(client: &Client, tenant: &str, body: &str) -> (u16, Value) {
    client.call("POST", &format!("/v1/tenants/{tenant}/events"), body).await
}

async fn wait_for_status(client: &Client, delivery: &str, wanted: &str) -> Value {
    let path = format!("/v1/tenants/acme/deliveries/{delivery}");
    eventually(Duration::from_secs(30), async || {
        let (_, answer) = client.call("GET", &path, "").await;
        if answer["status"] == wanted { Ok(answer) } else { Err(answer) }
    })
    .await
}

/// Runs the demo to its end, the temporary folder given; what it printed.
async fn run_demo(mut demo: Command, temporary: &Path) -> String {
    demo.arg("demo").env("TMPDIR", temporary).stdout(Stdio::piped());
    let output = demo.output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert_eq!(printed.matches("  delivered  ").count(), 26, "{printed}");
    assert_eq!(printed.matches("attempt 3").count(), 1, "{printed}");
    assert!(printed.contains("26 of 26 events delivered, each signed and verified"), "{printed}");
    let left = std::fs::read_dir(temporary).unwrap().count();
    assert_eq!(left, 0, "the demo's own data goes with it");
    printed
}

#[tokio::test]
async fn the_demo_runs_a_server_of_its_own_where_none_runs() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut demo = command(folder.path(), free_address());
    demo.env_remove("WAXSEAL_ALLOW_LOOPBACK");
    let printed = run_demo(demo, temporary.path()).await;
    assert!(printed.contains("There is no server at"), "{printed}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing of the server's");
}

#[tokio::test]
async fn the_demo_uses_a_server_that_allows_loopback_and_takes_its_endpoint_along() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(folder.path()).await;
    for _ in 0..2 {
        let demo = command(folder.path(), server.address);
        let printed = run_demo(demo, temporary.path()).await;
        assert!(printed.contains("Found the server at"), "{printed}");
        assert!(printed.contains(&format!("WAXSEAL_URL=http://{}", server.address)), "{printed}");
    }
    let client = server.client();
    let (_, endpoints) = client.call("GET", "/v1/tenants/demo/endpoints", "").await;
    assert_eq!(endpoints["items"], json!([]));
    let (_, events) = client.call("GET", "/v1/tenants/demo/events?limit=200", "").await;
    assert_eq!(events["items"].as_array().unwrap().len(), 52);
}

#[tokio::test]
async fn the_demo_leaves_a_server_alone_that_allows_no_loopback() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let mut serve = command(folder.path(), address);
    let mut server = serve.env_remove("WAXSEAL_ALLOW_LOOPBACK").spawn().unwrap();
    let client = Client { address, key: "operator".to_owned(), host: None };
    until_it_serves(&client).await;
    let printed = run_demo(command(folder.path(), address), temporary.path()).await;
    assert!(printed.contains("allows no endpoints on loopback"), "{printed}");
    assert_eq!(client.call("GET", "/v1/tenants", "").await.1["items"], json!([]));
    server.kill().await.unwrap();
}

/// Runs a program on a terminal of its own: what comes on standard input is typed there.
pub(crate) const ON_A_TERMINAL: &str = "import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

#[tokio::test]
async fn on_a_terminal_the_demo_stays_and_the_commands_that_it_prints_look_into_it() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let demo = command(folder.path(), free_address());
    let mut terminal = Command::new("python3");
    terminal.args(["-c", ON_A_TERMINAL]).arg(demo.as_std().get_program()).arg("demo");
    let settings = demo.as_std().get_envs().filter_map(|(name, value)| Some((name, value?)));
    terminal.envs(settings).env("TMPDIR", temporary.path()).kill_on_drop(true);
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(terminal.stdout.take().unwrap()).lines();
    let mut script = String::from("set -e\n");
    loop {
        let next = tokio::time::timeout(Duration::from_mins(1), lines.next_line()).await;
        let line = next.expect("in time").unwrap().expect("a line");
        if line.contains("Ctrl-C ends the demo") {
            break;
        }
        // Deliveries and commands are the lines that are set in.
        if line.starts_with("  ") && !line.starts_with("  delivered") {
            script.push_str(line.trim());
            script.push('\n');
        }
    }
    let mut shell = Command::new("sh");
    let looked = shell.args(["-c", &script]).env("HOME", temporary.path()).output().await.unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&looked.stdout), String::from_utf8_lossy(&looked.stderr));
    assert!(looked.status.success(), "{script}{out}{err}");
    for shown in ["OUTCOME", "401", "✓ endpoints: 1 of them"] {
        assert!(out.contains(shown), "{shown}: {script}{out}{err}");
    }
    terminal.stdin.as_mut().unwrap().write_all(b"\x03").await.unwrap();
    assert!(terminal.wait().await.unwrap().success());
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "it goes with the demo");
}

#[tokio::test]
async fn retries_on_schedule_and_shows_every_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let script = vec![SinkAnswer::Status(503, Vec::new(), "not now"), SinkAnswer::status(503)];
    let sink = Sink::start(script).await;
    let made = endpoint(
        &client,
        "acme",
        json!({"url": sink.url("/h"), "secret": SECRET, "retry": {"delays_s": [1, 2]}}),
    )
    .await;
    assert_eq!(made["secret"], SECRET);
    let (status, answer) = post(&client, "acme", r#"{"type":"a.b","id":"e1"}"#).await;
    assert_eq!(status, 202);
    let id = answer["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let captured = sink.wait_for(3).await;
    let gap = |one: usize| captured[one + 1].at.duration_since(captured[one].at).as_millis();
    assert!(gap(0) >= 990, "{}", gap(0));
    assert!(gap(1) >= 1_990, "{}", gap(1));
    let delivered = wait_for_status(&client, &id, "delivered").await;
    assert_eq!(delivered["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(delivered["attempts"][0]["response_excerpt"], "not now");
    assert!(captured.iter().all(|one| one.header("webhook-id") == id), "one id at every attempt");
    let (_, event) = client.call("GET", "/v1/tenants/acme/events/e1", "").await;
    assert_eq!(event["deliveries"][0]["status"], "delivered");
    let made_id = made["id"].as_str().unwrap();
    let path = format!("/v1/tenants/acme/endpoints/{made_id}/deliveries?status=delivered");
    assert_eq!(client.call("GET", &path, "").await.1["items"][0]["id"], id.as_str());
}

#[tokio::test]
async fn one_that_never_answers_fails_with_the_reason_and_a_replay_delivers() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(vec![SinkAnswer::Silence(Duration::from_mins(1))]).await;
    let body = json!({"url": sink.url("/"), "timeout_ms": 1000, "retry": {"delays_s": []}});
    endpoint(&client, "acme", body).await;
    let (_, answer) = post(&client, "acme", r#"{"type":"a.b"}"#).await;
    let id = answer["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let failed = wait_for_status(&client, &id, "failed").await;
    assert_eq!(failed["reason"], "exhausted");
    assert_eq!(failed["attempts"][0]["outcome"], "timed_out");
    let path = format!("/v1/tenants/acme/deliveries/{id}/replay");
    assert_eq!(client.call("POST", &path, "").await.0, 202);
    wait_for_status(&client, &id, "delivered").await;
}

#[tokio::test]
async fn two_processes_on_one_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Server::start(folder.path()).await;
    let mut second = command(folder.path(), free_address());
    let output = second.stderr(Stdio::piped()).output().await.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("another process uses"));
}

#[tokio::test]
async fn bad_input_is_named_and_nothing_is_stored_or_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(Vec::new()).await;
    endpoint(&client, "acme", json!({"url": sink.url("/")})).await;
    let large = format!(r#"{{"type":"a","data":"{}"}}"#, "x".repeat(2_000_000));
    let over = format!(r#"{{"type":"a","data":"{}"}}"#, "x".repeat(300_000));
    for (body, status, pointer) in [
        ("not json", 400, None),
        ("{", 400, None),
        ("[]", 422, Some("")),
        ("5", 422, Some("")),
        (r#"{"id":"x"}"#, 422, Some("/type")),
        (r#"{"type":7,"time":"now"}"#, 422, Some("/type")),
        (r#"{"type":"a","data":{"x":1,"x":2}}"#, 422, Some("/data/x")),
        (r#"{"type":"a","Nested":{}}"#, 422, Some("/Nested")),
        (large.as_str(), 413, None),
        (over.as_str(), 413, None),
    ] {
        let (found, problem) = post(&client, "acme", body).await;
        assert_eq!(found, status, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        assert_eq!(problem["errors"][0]["pointer"].as_str(), pointer, "{problem}");
    }
    assert_eq!(post(&client, "nobody", r#"{"type":"a"}"#).await.0, 404);
    assert_eq!(post(&client, "Not-A-Tenant", r#"{"type":"a"}"#).await.0, 404);
    for key in ["", "wrong"] {
        let stranger = Client { key: key.to_owned(), ..client.clone() };
        assert_eq!(post(&stranger, "acme", r#"{"type":"a"}"#).await.0, 401);
        assert_eq!(post(&stranger, "nobody", r#"{"type":"a"}"#).await.0, 401);
    }
    for url in ["http://example.com/", "https://[::ffff:10.0.0.1]/", "https://167772161/"] {
        let body = json!({"url": url, "filter": {"type": [{"sufix": "x"}]}, "timeout_ms": 1});
        let path = "/v1/tenants/acme/endpoints";
        let (status, problem) = client.call("POST", path, &body.to_string()).await;
        assert_eq!(status, 422);
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
        assert_eq!(pointers, ["/url", "/filter/type/0/sufix", "/timeout_ms"]);
    }
    let body = r#"{"url": "arn:aws:sqs:us-east-1:123456789012:q"}"#;
    let (status, problem) = client.call("POST", "/v1/tenants/acme/endpoints", body).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/url")));
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("no AWS"), "{problem}");
    let (_, events) = client.call("GET", "/v1/tenants/acme/events", "").await;
    assert_eq!(events["items"], json!([]));
    let (_, endpoints) = client.call("GET", "/v1/tenants/acme/endpoints", "").await;
    assert_eq!(endpoints["items"].as_array().unwrap().len(), 1);
    assert!(sink.requests().is_empty());
}

#[tokio::test]
async fn loopback_is_refused_unless_it_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = command(folder.path(), address);
    let mut server = command.env_remove("WAXSEAL_ALLOW_LOOPBACK").spawn().unwrap();
    let client = Client { address, key: "operator".to_owned(), host: None };
    until_it_serves(&client).await;
    let own = format!("http://{address}/hooks/demo");
    for url in [own.as_str(), "https://[::ffff:127.0.0.1]/", "https://2130706433/"] {
        let body = json!({ "url": url }).to_string();
        let (status, _) = client.call("POST", "/v1/tenants/acme/endpoints", &body).await;
        assert_eq!(status, 422, "{url}");
    }
    server.kill().await.unwrap();
}

#[tokio::test]
async fn keys_work_in_their_tenant_and_scope_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(Vec::new()).await;
    endpoint(&client, "acme", json!({"url": sink.url("/")})).await;
    endpoint(&client, "other", json!({"url": sink.url("/")})).await;
    let body = r#"{"scopes":["ingest"]}"#;
    let (status, key) = client.call("POST", "/v1/tenants/acme/keys", body).await;
    assert_eq!(status, 201);
    let tenant = Client { key: key["key"].as_str().unwrap().to_owned(), ..client.clone() };
    assert_eq!(post(&tenant, "acme", r#"{"type":"a"}"#).await.0, 202);
    let theirs = post(&tenant, "other", r#"{"type":"a"}"#).await;
    let nobodys = post(&tenant, "nobody", r#"{"type":"a"}"#).await;
    assert_eq!((theirs.0, &theirs.1), (404, &nobodys.1), "the same for both");
    assert_eq!(tenant.call("GET", "/v1/tenants/acme/endpoints", "").await.0, 403);
    let (_, listed) = client.call("GET", "/v1/tenants/acme/keys", "").await;
    assert!(!listed.to_string().contains(&tenant.key), "a key is shown once");
    let path = format!("/v1/tenants/acme/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(client.call("DELETE", &path, "").await.0, 204);
    assert_eq!(post(&tenant, "acme", r#"{"type":"a"}"#).await.0, 401);
}

#[tokio::test]
async fn cloud_events_come_in_all_three_modes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(Vec::new()).await;
    endpoint(&client, "acme", json!({"url": sink.url("/")})).await;
    let path = "/v1/tenants/acme/events";
    let structured =
        r#"{"specversion":"1.0","id":"s1","source":"/x","type":"a.b","data":{"n":1.0}}"#;
    let json = [("content-type", "application/cloudevents+json; charset=utf-8")];
    assert_eq!(client.with("POST", path, &json, structured).await.unwrap().0, 202);
    let batch = [("content-type", "application/cloudevents-batch+json")];
    let body = format!(r#"[{}, {{"type":"x"}}]"#, structured.replace("s1", "s2"));
    let (status, answer) = client.with("POST", path, &batch, body).await.unwrap();
    assert_eq!((status, &answer["results"][1]["status"]), (202, &json!(422)));
    let binary = [
        ("Content-Type", "application/json"),
        ("CE-SpecVersion", "1.0"),
        ("ce-id", "b1"),
        ("ce-source", "/x"),
        ("ce-type", "a.c"),
    ];
    assert_eq!(client.with("POST", path, &binary, r#"{"n":1.50}"#).await.unwrap().0, 202);
    let captured = sink.wait_for(3).await;
    assert!(
        captured.iter().any(|one| one
            .body
            .ends_with(br#","source":"/x","datacontenttype":"application/json"}"#)
            && one.body.windows(16).any(|part| part == br#""data":{"n":1.50"#))
    );
}

#[tokio::test]
async fn a_hook_verifies_becomes_an_event_and_a_bad_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(Vec::new()).await;
    // By a relay: to itself the server sends nothing.
    let relay = Proxy::start(server.address);
    let hook = format!("http://{}/hooks/partner", relay.address);
    endpoint(&client, "sender", json!({"url": hook, "secret": SECRET, "retry": {"delays_s": []}}))
        .await;
    endpoint(&client, "acme", json!({"url": sink.url("/")})).await;
    let source = json!({"profile": "standard", "secrets": [SECRET]}).to_string();
    assert_eq!(client.call("PUT", "/v1/tenants/acme/sources/partner", &source).await.0, 200);
    post(&client, "sender", r#"{"type":"a.b","id":"h1","data":{"n":1}}"#).await;
    let captured = sink.wait_for(1).await;
    let body: Value = serde_json::from_slice(&captured[0].body).unwrap();
    assert_eq!((&body["type"], &body["source"]), (&json!("a.b"), &json!("/hooks/partner")));
    let unsigned = Client { key: String::new(), ..client.clone() };
    let (status, problem) =
        unsigned.call("POST", "/hooks/partner", r#"{"type":"a","data":1}"#).await;
    assert_eq!(status, 401);
    assert!(!problem.to_string().contains("v1,"), "no expected signature");
    assert_eq!(unsigned.call("POST", "/hooks/unknown", "{}").await.0, 404);
}

#[tokio::test]
async fn a_test_event_answers_with_all_that_came_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let sink = Sink::start(vec![SinkAnswer::Status(418, vec![("x-a", "b")], "teapot")]).await;
    let body = json!({"url": sink.url("/")}).to_string();
    let (_, made) = client.call("POST", "/v1/tenants/acme/endpoints", &body).await;
    assert_eq!(made["ping"]["outcome"], "rejected", "{made}");
    assert_eq!(made["health"], "unverified");
    let path = format!("/v1/tenants/acme/endpoints/{}", made["id"].as_str().unwrap());
    let (_, result) =
        client.call("POST", &format!("{path}/test"), r#"{"type":"x.y","data":[1]}"#).await;
    assert_eq!(
        (&result["outcome"], &result["response"]["status"]),
        (&json!("accepted"), &json!(200))
    );
    assert!(result["request_headers"]["webhook-signature"].as_str().unwrap().starts_with("v1,"));
    assert_eq!(client.call("GET", &path, "").await.1["health"], "verified");
    let (_, patched) = client.call("PATCH", &path, r#"{"name":"n","event_types":["dlp.*"]}"#).await;
    assert_eq!((&patched["name"], &patched["event_types"]), (&json!("n"), &json!(["dlp.*"])));
    assert_eq!(client.call("DELETE", &path, "").await.0, 204);
    assert_eq!(client.call("GET", &path, "").await.0, 404);
}
