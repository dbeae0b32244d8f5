//! `waxseal audit-deliveries` on a real server: true histories pass, and each that breaks a promise is named.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use waxseal_tests::client::Client;
use waxseal_tests::process::{Server, binary, run_cli};
use waxseal_tests::sink::{Sink, SinkAnswer};

const TENANT: &str = "acme";
/// More events than a page of the audit has.
const EVENTS: usize = 120;

/// A server whose deliveries are all taken: one of them at its second attempt.
struct Deployment {
    folder: TempDir,
    server: Server,
    endpoint: String,
    /// The ids of the events, and of their deliveries.
    events: Vec<(String, String)>,
    sink: Sink,
}

impl Deployment {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path()).await;
        let sink = Sink::start(vec![SinkAnswer::status(503)]).await;
        let client = server.client();
        let body = json!({"url": sink.url("/"), "retry": {"delays_s": [1, 1]}});
        let endpoint = post(&client, "/endpoints?ping=false", &body).await;
        let endpoint = endpoint["id"].as_str().unwrap().to_owned();
        let mut batch = Vec::new();
        for number in 0..EVENTS {
            batch.push(json!({"type": "a.b", "id": format!("e{number}"), "data": number}));
        }
        let mut events = Vec::new();
        for part in batch.chunks(100) {
            let accepted = post(&client, "/events", &json!(part)).await;
            for result in accepted["results"].as_array().unwrap() {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let accepted = result.get("event").unwrap_or(result);
                events.push((text(&accepted["id"]), text(&accepted["deliveries"][0]["id"])));
            }
        }
        sink.wait_for(EVENTS + 1).await;
        Self { folder, server, endpoint, events, sink }
    }

    async fn audit(&self, arguments: &[&str]) -> (i32, String, String) {
        let arguments = [&["audit-deliveries", "--clocks-differ-ms=0"], arguments].concat();
        run_cli(&binary(), self.server.address, TENANT, &arguments).await
    }

    /// The kinds and ids of the promises that are broken.
    async fn find(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let (code, out, err) = self.audit(&[&["--json", "--no-replays"], arguments].concat()).await;
        let found: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        let violations = found["violations"].as_array().unwrap();
        assert_eq!(code, i32::from(!violations.is_empty()), "{out}{err}");
        assert!(found["events"].as_u64().unwrap() > 0, "{found}");
        let text = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
        violations.iter().map(|one| (text(one, "kind"), text(one, "id"))).collect()
    }

    /// What the receiver would have written down.
    fn posts(&self) -> Vec<Value> {
        let mut posts = Vec::new();
        for request in self.sink.requests() {
            let ago = request.at.elapsed();
            let at = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().saturating_sub(ago);
            let ms = u64::try_from(at.as_millis()).unwrap();
            let time = waxseal_domain::timestamp::Timestamp::from_ms(ms).rfc3339();
            let digest = String::from_utf8(request.body.to_vec()).unwrap();
            posts.push(json!({"id": request.header("webhook-id"), "time": time, "digest": digest}));
        }
        posts
    }

    fn write(&self, name: &str, lines: &[Value]) -> String {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let path = self.folder.path().join(name);
        std::fs::write(&path, lines.join("\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Changes a delivery's row, as no flow of ours does.
    fn spoil(&self, change: &str, event: &str) {
        let file = Connection::open(self.folder.path().join("waxseal.db")).unwrap();
        file.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        let sql = format!("UPDATE deliveries SET {change} WHERE event = ?1");
        assert_eq!(file.execute(&sql, [event]).unwrap(), 1, "{sql}");
    }

    /// The event whose delivery took two attempts.
    async fn twice_tried(&self) -> String {
        let path = format!("/v1/tenants/{TENANT}/endpoints/{}/deliveries", self.endpoint);
        waxseal_tests::eventually::eventually(std::time::Duration::from_secs(20), async || {
            let (_, list) = self.server.client().call("GET", &path, "").await;
            let one = &list["items"][0];
            let is_done = one["status"] == "delivered";
            if is_done { Ok(one["event_id"].as_str().unwrap().to_owned()) } else { Err(list) }
        })
        .await
    }
}

async fn post(client: &Client, path: &str, body: &Value) -> Value {
    let path = format!("/v1/tenants/{TENANT}{path}");
    let (status, answer) = client.call("POST", &path, &body.to_string()).await;
    assert!(status < 300, "{path}: {answer}");
    answer
}

fn named(kind: &str, id: &str) -> Vec<(String, String)> {
    vec![(kind.to_owned(), id.to_owned())]
}

#[tokio::test]
async fn a_deployment_that_keeps_its_promises_passes_and_each_broken_one_is_named() {
    let deployment = Deployment::start().await;
    let event = deployment.twice_tried().await;
    let delivery = format!("dlv_{}_{event}", deployment.endpoint.trim_start_matches("ep_"));
    let sent: Vec<Value> = deployment.events.iter().map(|(id, _)| json!({"id": id})).collect();
    let posts = deployment.posts();

    // All is as it was promised, by every source.
    let (code, out, err) = deployment.audit(&[]).await;
    assert_eq!(code, 0, "{out}{err}");
    let counted = format!("{EVENTS} events, {EVENTS} deliveries: {EVENTS} delivered, 0 failed");
    assert!(out.contains(&counted) && out.contains("No promise is broken."), "{out}");
    let (sent_file, log) = (deployment.write("sent", &sent), deployment.write("log", &posts));
    let all = ["--acknowledged", &sent_file, "--receiver-log", &log];
    assert_eq!(deployment.find(&all).await, []);

    // What the files tell is not what the server has.
    let mut more = sent.clone();
    more.push(json!({"id": "e-lost"}));
    let file = deployment.write("sent", &more);
    assert_eq!(deployment.find(&["--acknowledged", &file]).await, named("lost", "e-lost"));
    let with = |line: Value| {
        let mut lines = posts.clone();
        lines.push(line);
        deployment.write("log", &lines)
    };
    let time = posts[0]["time"].clone();
    let file = with(json!({"id": "dlv_x_nobody", "time": time, "digest": ""}));
    assert_eq!(deployment.find(&["--receiver-log", &file]).await, named("unknown", "dlv_x_nobody"));
    let ping = json!({"id": "dlv_x_p", "time": time, "digest": "", "type": "webhook.ping"});
    assert_eq!(deployment.find(&["--receiver-log", &with(ping)]).await, []);
    let file = with(json!({"id": delivery, "time": time, "digest": "another body"}));
    assert_eq!(deployment.find(&["--receiver-log", &file]).await, named("two_bodies", &delivery));
    // The last line stays, so that the log is of the time of what it lacks.
    let untaken = posts[posts.len() / 2]["id"].as_str().unwrap();
    let lines: Vec<Value> = posts.iter().filter(|one| one["id"] != untaken).cloned().collect();
    let file = deployment.write("log", &lines);
    assert_eq!(deployment.find(&["--receiver-log", &file]).await, named("untaken", untaken));
}

#[tokio::test]
async fn a_row_that_tells_what_cannot_be_is_named() {
    let deployment = Deployment::start().await;
    let event = deployment.twice_tried().await;
    let delivery = format!("dlv_{}_{event}", deployment.endpoint.trim_start_matches("ep_"));
    let log: String = Connection::open(deployment.folder.path().join("waxseal.db"))
        .unwrap()
        .query_row("SELECT log FROM deliveries WHERE event = ?1", [&event], |row| row.get(0))
        .unwrap();
    let attempts: Value = serde_json::from_str(&log).unwrap();
    let spoilt = async |change: &str| {
        deployment.spoil(change, &event);
        let found = deployment.find(&[]).await;
        deployment.spoil(&format!("attempts = 2, log = '{log}'"), &event);
        found
    };
    let with = |change: fn(&mut Value)| {
        let mut changed = attempts.clone();
        change(&mut changed);
        format!("log = '{changed}'")
    };

    assert_eq!(spoilt("attempts = 3").await, named("miscounted", &delivery));
    let refused = with(|log| log[1]["outcome"] = json!("rejected"));
    assert_eq!(spoilt(&refused).await, named("unfounded", &delivery));
    let beyond = with(|log| log[0]["next_attempt_at"] = Value::Null);
    assert_eq!(spoilt(&beyond).await, named("beyond_policy", &delivery));
    let early = with(|log| {
        let due = log[0]["next_attempt_at"].as_u64().unwrap() + 60_000;
        log[0]["next_attempt_at"] = json!(due);
    });
    assert_eq!(spoilt(&early).await, named("early", &delivery));
    deployment.spoil(&early, &event);
    let (code, out, err) = deployment.audit(&[]).await;
    assert_eq!(code, 0, "somebody may have replayed it: {out}{err}");
    let (code, out, err) = deployment.audit(&["--no-replays"]).await;
    assert_eq!(code, 1, "{out}{err}");
    let said = format!("early: {delivery} had attempt 2 at ");
    assert!(out.contains(&said) && out.contains("One promise is broken."), "{out}");
}

#[tokio::test]
async fn what_is_sent_to_an_endpoint_that_was_disabled_is_named() {
    let deployment = Deployment::start().await;
    deployment.twice_tried().await;
    let path = format!("/v1/tenants/{TENANT}/endpoints/{}", deployment.endpoint);
    let client = deployment.server.client();
    let (status, answer) = client.call("PATCH", &path, r#"{"enabled": false}"#).await;
    assert_eq!(status, 200, "{answer}");
    let mut posts = deployment.posts();
    let log = deployment.write("log", &posts);
    assert_eq!(deployment.find(&["--receiver-log", &log]).await, []);
    let (_, delivery) = &deployment.events[7];
    let last = posts.last().unwrap().clone();
    let time = last["time"].as_str().unwrap();
    let later = waxseal_domain::timestamp::Timestamp::parse_rfc3339(time).unwrap().plus_s(3_600);
    let digest = &posts.iter().find(|one| one["id"] == **delivery).unwrap()["digest"];
    posts.push(json!({"id": delivery, "time": later.rfc3339(), "digest": digest}));
    let log = deployment.write("log", &posts);
    assert_eq!(deployment.find(&["--receiver-log", &log]).await, named("after_end", delivery));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    post(&server.client(), "/endpoints?ping=false", &json!({"url": "http://127.0.0.1:9999/"}))
        .await;
    let path = folder.path().join("log");
    let audit = async |option: &str, text: &str| {
        std::fs::write(&path, text).unwrap();
        let arguments = ["audit-deliveries", option, as_text(&path)];
        let (code, out, err) = run_cli(&binary(), server.address, TENANT, &arguments).await;
        assert_eq!(code, 2, "{out}{err}");
        err
    };
    let good = r#"{"id": "dlv_1_e", "time": "2026-11-21T10:00:00Z", "digest": ""}"#;
    let err = audit("--receiver-log", &format!("{good}\n\nno JSON\n")).await;
    assert!(err.contains("log: line 3: "), "{err}");
    let err = audit("--receiver-log", r#"{"id": "a", "time": "today", "digest": ""}"#).await;
    assert!(err.contains("line 1: its `time`, \"today\", is not of RFC 3339"), "{err}");
    let err = audit("--acknowledged", r#"{"event": "a"}"#).await;
    assert!(err.contains("line 1: missing field `id`"), "{err}");
    let err = audit("--acknowledged", &"x".repeat(70_000)).await;
    assert!(err.contains("line 1: it has more than 65536 bytes"), "{err}");
    let missing = ["audit-deliveries", "--receiver-log", "no/such/file"];
    let (code, _, err) = run_cli(&binary(), server.address, TENANT, &missing).await;
    assert!(code == 2 && err.contains("no/such/file: "), "{err}");
}

fn as_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
