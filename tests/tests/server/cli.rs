//! A person's first ten minutes with the command line alone: the real binary is the server and the client,
//! and the receivers are real. Nothing here calls the API by itself.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::nap;
use waxseal_tests::openapi::operations;
use waxseal_tests::process::{Server, binary, free_address, until_it_serves};
use waxseal_tests::sink::{CapturedRequest, Sink, SinkAnswer};
use waxseal_tests::tls::self_signed;

/// The operator's key, as [`Server`] sets it.
const KEY: &str = "operator";

/// A person: a home of their own, and a server that they talk to.
struct Person {
    home: TempDir,
    address: SocketAddr,
}

/// What a command came to.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }

    /// The exit code; all that was printed, where it is another.
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }
}

impl Person {
    fn at(server: &Server) -> Self {
        Self { home: tempfile::tempdir().unwrap(), address: server.address }
    }

    async fn log_in(server: &Server, tenant: &str) -> Self {
        let person = Self::at(server);
        let url = format!("http://{}", server.address);
        person.run_with_input(&["login", "--url", &url, "--tenant", tenant], KEY).await.is(0);
        person
    }

    /// Nothing of this test's own environment decides.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        wait_for_end(self.command(arguments).spawn().unwrap()).await
    }

    /// With something on standard input.
    async fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let _unread = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        wait_for_end(child).await
    }

    /// Done, and its JSON.
    async fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).await.is(0).json()
    }

    /// Creates an endpoint by the command line, and returns its id.
    async fn endpoint(&self, more: &[&str]) -> String {
        let made = self.json(&[&["endpoints", "create", "--no-ping"], more].concat()).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Runs a command until what it prints fits.
    async fn until(&self, arguments: &[&str], fits: impl Fn(&Value) -> bool) -> Value {
        eventually(Duration::from_secs(30), async || {
            let found = self.json(arguments).await;
            if fits(&found) { Ok(found) } else { Err(format!("{arguments:?}: {found}")) }
        })
        .await
    }
}

async fn wait_for_end(child: Child) -> Run {
    let output = child.wait_with_output();
    let output = tokio::time::timeout(Duration::from_mins(1), output).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run = Run {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(!run.err.contains("panicked"), "{}", run.err);
    run
}

/// A command that runs until it is interrupted.
struct Running {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// Started, and ready: it has said so on standard error.
    async fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
        loop {
            let line = line(&mut err).await;
            if line.contains("Ctrl-C ends it") {
                return Self { child, out, err };
            }
        }
    }

    async fn line(&mut self) -> String {
        line(&mut self.out).await
    }

    /// By Ctrl-C; its exit code.
    async fn interrupt(mut self) -> i32 {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
        drop(self.err);
        let status = self.child.wait().await.unwrap();
        status.code().unwrap_or_else(|| panic!("{status}"))
    }
}

async fn line<R: tokio::io::AsyncBufRead + Unpin>(lines: &mut Lines<R>) -> String {
    let next = tokio::time::timeout(Duration::from_secs(20), lines.next_line());
    next.await.expect("a line in time").unwrap().expect("a line")
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

/// Verifies a captured hook with `waxseal verify`.
async fn verifies(person: &Person, secret: &str, hook: &CapturedRequest) -> Run {
    let mut command = person.command(&["verify", "--secret-env", "HOOK_SECRET"]);
    command.env("HOOK_SECRET", secret).stdin(Stdio::piped());
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        command.args(["--header", &format!("{name}: {}", hook.header(name))]);
    }
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&hook.body).await.unwrap();
    wait_for_end(child).await
}

#[tokio::test]
async fn the_first_ten_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    let kept = person.home.path().join(".config/waxseal/config.json");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let who = person.json(&["whoami"]).await;
    assert_eq!((text(&who, "/key"), text(&who, "/tenant")), ("operator", "acme"));

    person.run(&["tenants", "create", "acme"]).await.is(0);
    let sink = Sink::start(Vec::new()).await;
    let url = sink.url("/hooks");
    let create =
        ["endpoints", "create", "--url", &url, "--event-types", "dlp.*", "--min-severity", "high"];
    let made = person.run(&create).await.is(0);
    let secret = made.out.split_whitespace().find(|word| word.starts_with("whsec_")).unwrap();
    assert_eq!(made.out.matches("whsec_").count(), 1, "once: {}", made.out);
    assert!(made.out.contains("this once") && made.out.contains("accepted"), "{}", made.out);
    let endpoints = person.json(&["endpoints", "list"]).await;
    let id = text(&endpoints, "/items/0/id");
    assert_eq!(endpoints["items"][0]["min_severity"], "high");
    let listed = person.run(&["endpoints", "list"]).await.is(0);
    assert!(listed.out.contains(id) && !listed.out.contains(secret), "{}", listed.out);

    let tested =
        person.run(&["test", id, "--type", "dlp.test", "--data", r#"{"n":1.50}"#]).await.is(0);
    assert!(
        tested.out.contains("accepted") && tested.out.contains("webhook-signature"),
        "{}",
        tested.out
    );
    let hook = sink.requests().pop().unwrap();
    assert!(String::from_utf8_lossy(&hook.body).contains("1.50"));
    verifies(&person, secret, &hook).await.is(0);
    verifies(&person, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", &hook).await.is(1);

    let mut tail =
        Running::start(person.command(&["events", "tail", "--json", "--every-ms", "50"])).await;
    let send = ["events", "send", "--type", "dlp.pii_blocked", "--severity", "high", "--data", "-"];
    let sent = person.run_with_input(&send, r#"{"entity_types": ["IBAN"]}"#).await.is(0);
    assert!(sent.out.contains("accepted, for 1 endpoint"), "{}", sent.out);
    let seen: Value = serde_json::from_str(&tail.line().await).unwrap();
    assert_eq!((text(&seen, "/type"), text(&seen, "/severity")), ("dlp.pii_blocked", "high"));
    assert_eq!(tail.interrupt().await, 0);
    let event = ["events", "get", text(&seen, "/id")];
    let delivered = |event: &Value| event["deliveries"][0]["status"] == "delivered";
    person.until(&event, delivered).await;
    assert!(person.run(&event).await.is(0).out.contains("IBAN"));
    let doctor = person.run(&["doctor"]).await.is(0);
    assert!(doctor.out.contains('✓') && !doctor.out.contains('✗'), "{}", doctor.out);

    let deleted = person.run(&["endpoints", "delete", id]).await.is(2);
    assert!(deleted.err.contains("--yes"), "{}", deleted.err);
    person.run(&["endpoints", "delete", id, "--yes"]).await.is(0);
    person.run(&["endpoints", "get", id]).await.is(4);
    person.run(&["logout"]).await.is(0);
    assert!(!kept.exists());
    let unknown = person.run(&["endpoints", "list"]).await.is(3);
    assert!(unknown.err.contains("waxseal login"), "{}", unknown.err);
    server.stop().await;
}

#[tokio::test]
async fn what_failed_is_shown_replayed_and_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    let refusal = SinkAnswer::Status(400, Vec::new(), "no\u{1b}[31m thanks");
    let sink = Sink::start(vec![refusal; 2]).await;
    let url = sink.url("/");
    let id = person.endpoint(&["--url", &url, "--delays-s", "1"]).await;
    person.run(&["events", "send", "--type", "a.b", "--id", "e1"]).await.is(0);
    let list = ["deliveries", "list", "--endpoint", &id, "--status", "failed"];
    let failed = person.until(&list, |found| found["items"][0]["status"] == "failed").await;
    let delivery = text(&failed, "/items/0/id");
    let why = person.run(&["endpoints", "failures", &id]).await.is(0).out;
    assert!(why.contains(delivery) && why.contains("rejected") && why.contains("400"), "{why}");
    assert!(
        why.contains("thanks") && !why.contains('\u{1b}'),
        "a receiver steers no terminal: {why}"
    );
    let attempts = person.run(&["deliveries", "get", delivery]).await.is(0).out;
    assert_eq!(attempts.matches("rejected").count(), 2, "{attempts}");

    let recover = ["recover", &id, "--since", "1h", "--dry-run"];
    let counted = person.run(&recover).await.is(0);
    assert_eq!(counted.out, "1 delivery would be sent again.\n");
    assert_eq!(
        person.json(&recover).await,
        json!({"deliveries": 1, "dry_run": true, "cursor": null})
    );
    person.run(&["replay", delivery]).await.is(0);
    let get = ["deliveries", "get", delivery];
    person.until(&get, |found| found["status"] == "delivered").await;
    person.run(&["replay", "dlv_0_none"]).await.is(4);

    sink.script(vec![SinkAnswer::status(500)]);
    let refused = person.run(&["test", &id]).await.is(1);
    assert!(refused.out.contains("server_error") && refused.out.contains("500"), "{}", refused.out);
    let disabled = person.run(&["endpoints", "disable", &id]).await.is(0);
    assert!(disabled.out.contains("disabled"), "{}", disabled.out);
    person.run(&recover).await.is(1);
    let doctor = person.run(&["doctor"]).await.is(0);
    assert!(doctor.out.contains("! disabled") && doctor.out.contains(&id), "{}", doctor.out);
}

/// Zero width, tags that spell text for programs alone, and the right to left override.
const UNSEEN: &str = "a\u{200b}b\u{e0041}\u{202e}";

#[tokio::test]
async fn what_nobody_would_see_is_shown_in_tables_and_in_json_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    person.run(&["tenants", "create", "acme"]).await.is(0);
    let event = json!({"type": "a.b", "id": "e1", "summary": UNSEEN, "data": {"n": "\u{9b}2J"}});
    person.run_with_input(&["events", "send", "--file", "-"], &event.to_string()).await.is(0);
    let shown = "a\\u200bb\\udb40\\udc41\\u202e";
    let is_shown = |text: &str| {
        text.contains(shown) && !UNSEEN.chars().any(|c| !c.is_ascii() && text.contains(c))
    };
    for command in [["events", "list"].as_slice(), &["events", "get", "e1"]] {
        let table = person.run(command).await.is(0).out;
        assert!(is_shown(&table), "{table}");
        assert_eq!(table.contains("\\u009b2J"), command.contains(&"get"), "{table}");
        let piped = person.run(&[command, &["--json"]].concat()).await.is(0).out;
        assert!(piped.contains(UNSEEN), "a program gets what the API answered: {piped}");

        let mut terminal = Command::new("python3");
        terminal
            .args(["-c", super::local::ON_A_TERMINAL])
            .arg(binary())
            .args(command)
            .arg("--json");
        terminal.env("WAXSEAL_CONFIG", person.home.path().join(".config/waxseal/config.json"));
        let seen = terminal.stdin(Stdio::null()).output().await.unwrap().stdout;
        let seen = String::from_utf8(seen).unwrap();
        assert!(is_shown(&seen), "{seen}");
        let read: Value = serde_json::from_str(&seen).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(&piped).unwrap());
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_member_by_member() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    let sink = Sink::start(Vec::new()).await;
    let url = sink.url("/");
    let more = ["--header", "x-team=a=b", "--max-per-second", "5", "--profile", "github"];
    let id = person.endpoint(&[["--url", &url].as_slice(), &more].concat()).await;
    let named = ["endpoints", "get", &id];
    let before = person.json(&named).await;
    assert_eq!(before["headers"], json!({"x-team": "(not shown)"}));
    assert_eq!((&before["profile"], &before["max_per_second"]), (&json!("github"), &json!(5)));
    let server_url = format!("http://{}", server.address);
    let change = [
        "endpoints",
        "update",
        &id,
        "--name",
        "n",
        "--unset",
        "max_per_second,headers",
        "--server",
        &server_url,
    ];
    person.run(&change).await.is(0);
    let after = person.json(&named).await;
    assert_eq!((&after["name"], &after["max_per_second"]), (&json!("n"), &Value::Null));
    assert_eq!(after["headers"], json!({}));
    person.run(&["endpoints", "update", &id]).await.is(2);
    let rotated =
        person.run(&["endpoints", "rotate-secret", &id, "--overlap-s", "120"]).await.is(0);
    assert!(
        rotated.out.contains("this once") && rotated.out.contains("signs too until"),
        "{}",
        rotated.out
    );
    let refused =
        person.run(&["endpoints", "create", "--url", "ftp://x", "--event-types", "a*"]).await.is(1);
    assert!(refused.err.contains("/url must be https"), "{}", refused.err);
    assert!(refused.err.contains("/event_types/0 takes *"), "{}", refused.err);
    let usage = ["--filter", "[]", "--min-severity", "high"];
    person.run(&[["endpoints", "create", "--url", &url].as_slice(), &usage].concat()).await.is(2);
}

#[tokio::test]
async fn a_file_of_events_is_sent_in_batches_and_each_refusal_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    person.run(&["tenants", "create", "acme"]).await.is(0);
    let lines: Vec<String> =
        (0..250).map(|n| json!({"type": "a.b", "id": format!("e{n}")}).to_string()).collect();
    let ndjson =
        person.run_with_input(&["events", "send", "--file", "-"], &lines.join("\n")).await.is(0);
    assert_eq!(ndjson.out, "250 accepted (0 duplicates), 0 refused\n");
    let array = person.home.path().join("events.json");
    std::fs::write(&array, format!("[{}, {{\"id\": \"x\"}}]", lines[..2].join(","))).unwrap();
    let again = person.run(&["events", "send", "--file", "events.json"]).await.is(1);
    assert_eq!(again.out, "2 accepted (2 duplicates), 1 refused\n");
    assert!(
        again.err.contains("event 3: ") && again.err.contains("/type is required"),
        "{}",
        again.err
    );
    let all = person.json(&["events", "list", "--all"]).await;
    assert_eq!(all.as_array().unwrap().len(), 250);
    let page = person.run(&["events", "list", "--limit", "2"]).await.is(0);
    assert!(page.err.contains("--cursor"), "{}", page.err);
    let tail = ["events", "tail", "--since", "1h", "--limit", "3", "--json"];
    let seen = person.run(&tail).await.is(0);
    let ids: Vec<Value> =
        seen.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ids.len(), 3, "{}", seen.out);
    person.run(&["events", "tail", "--timeout-s", "1"]).await.is(0);
}

#[tokio::test]
async fn listen_forwards_what_is_wanted_signed_with_the_secret_that_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    person.run(&["tenants", "create", "acme"]).await.is(0);
    person.run(&["events", "send", "--type", "dlp.old", "--severity", "high"]).await.is(0);
    let sink = Sink::start(vec![SinkAnswer::status(200), SinkAnswer::status(503)]).await;
    let to = sink.url("/hooks?x=1");
    let arguments = [
        "listen",
        "--forward-to",
        &to,
        "--event-types",
        "dlp.*",
        "--min-severity",
        "high",
        "--every-ms",
        "50",
    ];
    let mut listen = Running::start(person.command(&arguments)).await;
    let secret = listen.line().await;
    let secret = secret.split_whitespace().next_back().unwrap();
    for (kind, severity) in
        [("dlp.one", "high"), ("dlp.two", "low"), ("other", "high"), ("dlp.three", "critical")]
    {
        person
            .run(&[
                "events",
                "send",
                "--type",
                kind,
                "--severity",
                severity,
                "--data",
                r#"{"n":1.50}"#,
            ])
            .await
            .is(0);
    }
    let (first, second) = (listen.line().await, listen.line().await);
    assert!(
        first.contains("200") && first.contains("dlp.one") && first.contains(" ms "),
        "{first}"
    );
    assert!(second.contains("503") && second.contains("dlp.three"), "{second}");
    assert_eq!(listen.interrupt().await, 0);
    let hooks = sink.requests();
    assert_eq!(hooks.len(), 2, "each once, and nothing from before");
    let left =
        std::fs::read_dir(person.home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), [".config"], "what a session keeps goes with it");
    assert_eq!(hooks[0].path, "/hooks?x=1");
    assert!(String::from_utf8_lossy(&hooks[0].body).contains(r#""data":{"n":1.50}"#));
    for hook in &hooks {
        verifies(&person, secret, hook).await.is(0);
    }
}

#[tokio::test]
async fn listen_is_as_an_endpoint_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    let id = person
        .endpoint(&[
            "--url",
            "https://example.com/",
            "--event-types",
            "a.b",
            "--profile",
            "github",
            "--header",
            "prefer=red",
            "--header",
            "x-team=canary",
        ])
        .await;
    person.run(&["endpoints", "disable", &id]).await.is(0);
    person.run(&["events", "send", "--type", "a.b"]).await.is(0);
    let sink = Sink::start(Vec::new()).await;
    let to = sink.url("/");
    let arguments = [
        "listen",
        "--forward-to",
        &to,
        "--endpoint",
        &id,
        "--since",
        "1h",
        "--json",
        "--every-ms",
        "50",
    ];
    let mut listen = Running::start(person.command(&arguments)).await;
    let head: Value = serde_json::from_str(&listen.line().await).unwrap();
    assert_eq!(text(&head, "/profile"), "github");
    let done: Value = serde_json::from_str(&listen.line().await).unwrap();
    assert_eq!(
        (&done["outcome"], &done["status"], &done["type"]),
        (&json!("accepted"), &json!(200), &json!("a.b"))
    );
    assert_eq!(listen.interrupt().await, 0);
    let hook = sink.requests().pop().unwrap();
    assert_eq!(hook.header("prefer"), "red");
    assert_eq!(hook.header("x-team"), "", "no answer shows its value, so none is sent");
    assert!(hook.header("x-hub-signature-256").starts_with("sha256="));
}

#[tokio::test]
async fn listen_stays_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    person.run(&["tenants", "create", "acme"]).await.is(0);
    person.run(&["events", "send", "--type", "a.b"]).await.is(0);
    for (to, why) in [
        ("http://192.0.2.1:3000/", "not an address of this machine; --allow-any"),
        ("https://[2001:db8::1]/", "not an address of this machine; --allow-any"),
        ("http://localhost:99999/", "it is no URL"),
        ("x", "must be a URL"),
        ("localhost:3000", "must be a URL"),
        ("ftp://localhost/", "must be a URL"),
    ] {
        let refused = person.run(&["listen", "--forward-to", to]).await.is(2);
        assert!(refused.err.contains(why) && refused.out.is_empty(), "{to}: {}", refused.err);
    }
    let any = ["listen", "--forward-to", "http://192.0.2.1:3000/", "--allow-any"];
    assert_eq!(Running::start(person.command(&any)).await.interrupt().await, 0);
}

#[tokio::test]
async fn a_key_is_never_shown_and_goes_to_its_own_server_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    person.run(&["tenants", "create", "acme"]).await.is(0);
    for arguments in [["whoami"].as_slice(), &["endpoints", "list"], &["login"]] {
        let wrong = person.run(&[arguments, &["--key", "wxs_secret_of_mine"]].concat()).await.is(3);
        assert!(wrong.err.contains("The API key is missing or not valid"), "{}", wrong.err);
        assert!(!(wrong.out + &wrong.err).contains("wxs_secret"), "the key is shown");
    }
    let odd = person.run(&["whoami", "--key", "wxs\u{e9} secret_of_mine"]).await.is(2);
    assert!(!odd.err.contains("secret_of_mine"), "{}", odd.err);
    let mut help = person.command(&["whoami", "--help"]);
    let help =
        wait_for_end(help.env("WAXSEAL_KEY", "wxs_secret_of_mine").spawn().unwrap()).await.is(0);
    assert!(help.out.contains("WAXSEAL_KEY") && !help.out.contains("wxs_secret"), "{}", help.out);

    let other = Sink::start(Vec::new()).await;
    let keyless = person.run(&["endpoints", "list", "--url", &other.url("")]).await.is(3);
    assert!(keyless.err.contains("no key for"), "{}", keyless.err);
    assert!(other.requests().is_empty(), "the login's key is for another server");

    // No name of ours, so that nothing is sent: 5 is what a name that is nobody's comes to.
    for url in ["http://waxseal.invalid", "HTTP://waxseal.invalid:8080/x", "http://192.0.2.1"] {
        let refused =
            person.run(&["whoami", "--url", url, "--key", "wxs_secret_of_mine"]).await.is(2);
        assert!(refused.err.contains("--allow-plain-http"), "{}", refused.err);
        assert!(!refused.err.contains("wxs_secret"), "{}", refused.err);
    }
    let told = ["whoami", "--url", "http://waxseal.invalid", "--key", "k", "--allow-plain-http"];
    person.run(&told).await.is(5);
    let mut told = person.command(&["whoami", "--url", "http://waxseal.invalid", "--key", "k"]);
    wait_for_end(told.env("WAXSEAL_ALLOW_PLAIN_HTTP", "1").spawn().unwrap()).await.is(5);
    person.run(&["whoami", "--url", "https://waxseal.invalid", "--key", "k"]).await.is(5);
    let localhost = format!("http://localhost:{}", server.address.port());
    person.run(&["whoami", "--url", &localhost, "--key", KEY]).await.is(0);

    let made = person.json(&["keys", "create", "--name", "ci", "--scopes", "ingest"]).await;
    let (id, key) = (text(&made, "/id"), text(&made, "/key"));
    let listed = person.run(&["keys", "list"]).await.is(0);
    assert!(listed.out.contains(id) && !listed.out.contains(key), "{}", listed.out);
    let who = person.json(&["whoami", "--key", key]).await;
    assert_eq!(text(&who, "/key"), "ingest");
    person.run(&["events", "send", "--type", "a.b", "--key", key]).await.is(0);
    person.run(&["endpoints", "list", "--key", key]).await.is(3);
    person.run(&["keys", "revoke", id, "--yes"]).await.is(0);
    person.run(&["events", "send", "--type", "a.b", "--key", key]).await.is(3);
}

#[tokio::test]
async fn without_a_login_the_server_on_this_machine_is_asked_with_its_own_key() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    let address = person.address.to_string();
    let mut serve = person.command(&["--listen", &address, "--allow-loopback"]);
    let serve = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&person.home.path().join(".waxseal/operator.key")).await;
    let asked = |arguments: &'static [&'static str]| {
        let mut command = person.command(arguments);
        command.env("WAXSEAL_LISTEN", &address);
        async move { wait_for_end(command.spawn().unwrap()).await }
    };
    let who = eventually(Duration::from_secs(20), async || {
        let who = asked(&["whoami"]).await;
        if who.code == 0 { Ok(who) } else { Err(who.err) }
    })
    .await;
    assert!(
        who.err.contains("no login: asking") && who.err.contains("operator.key"),
        "{}",
        who.err
    );
    assert!(asked(&["endpoints", "list"]).await.is(2).err.contains("--tenant"));
    asked(&["tenants", "create", "acme"]).await.is(0);
    asked(&["endpoints", "list", "--tenant", "acme"]).await.is(0);
    let demo = asked(&["demo"]).await.is(0);
    assert!(demo.out.contains("Found the server"), "{}", demo.out);
    drop(serve);
}

async fn wait_for(path: &Path) {
    eventually(Duration::from_secs(20), async || {
        if path.exists() { Ok(()) } else { Err(format!("{} is not there", path.display())) }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_5_and_doctor_says_what_to_do() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    let url = format!("http://{}", person.address);
    let away = ["--url", &url, "--key", "k", "--tenant", "acme"];
    let gone = person.run(&[["endpoints", "list"].as_slice(), &away].concat()).await.is(5);
    assert!(gone.err.contains("refused"), "{}", gone.err);
    let doctor = person.run(&[["doctor"].as_slice(), &away].concat()).await.is(1);
    assert!(
        doctor.out.contains("✗ reachable") && doctor.out.contains("→ is the server up"),
        "{}",
        doctor.out
    );
    let doctor = person.run(&["doctor", "--json"]).await.is(1).json();
    assert_eq!(doctor["checks"][0]["status"], "fail");
    let identity =
        r#"{"actor": "key_1", "operator": false, "tenant": "acme", "scopes": ["manage"]}"#;
    let busy = SinkAnswer::Status(429, vec![("retry-after", "0")], "");
    let answers =
        vec![busy, SinkAnswer::status(503), SinkAnswer::Status(200, Vec::new(), identity)];
    let busy = Sink::start(answers).await;
    let who = person.json(&["whoami", "--url", &busy.url(""), "--key", "k"]).await;
    assert_eq!((text(&who, "/key"), text(&who, "/tenant")), ("manage", "acme"));
    assert_eq!(busy.requests().len(), 3, "what is turned away for now is tried again");
}

#[tokio::test]
async fn the_rest_of_the_api_is_there_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    let whoami = person.run(&["whoami"]).await.is(0).out;
    assert!(whoami.contains("operator"), "{whoami}");
    let sink = Sink::start(vec![SinkAnswer::status(500)]).await;
    let url = sink.url("/");
    let key = ["--idempotency-key", "once", "--url", &url, "--event-types", "dlp.*"];
    let id = person.endpoint(&key).await;
    assert_eq!(person.endpoint(&key).await, id, "a request that is repeated makes no second one");
    std::fs::write(person.home.path().join("auth.json"), r#"{"type":"bearer","token":"t-1"}"#)
        .unwrap();
    person
        .run(&["endpoints", "update", &id, "--auth", "@auth.json", "--delays-s", "1000"])
        .await
        .is(0);
    let shown = person.run(&["endpoints", "get", &id]).await.is(0).out;
    assert!(shown.contains("bearer") && !shown.contains("t-1"), "{shown}");

    let schema = r#"{"type": "object", "maxProperties": 1.50}"#;
    let schema = schema.replace("1.50", "1");
    let put = [
        "event-types",
        "put",
        "dlp.a",
        "--description",
        "A thing",
        "--schema",
        &schema,
        "--example",
        r#"{"n": 1}"#,
    ];
    let put = person.run(&put).await.is(0).out;
    assert!(put.contains("A thing") && put.contains("maxProperties"), "{put}");
    assert!(person.run(&["event-types", "list"]).await.is(0).out.contains("dlp.a"));
    let refused =
        person.run(&["events", "send", "--type", "dlp.a", "--data", r#"{"a":1,"b":2}"#]).await;
    assert!(refused.is(1).err.contains("/data"), "by the schema");
    person
        .run(&["events", "send", "--type", "dlp.a", "--id", "e1", "--data", r#"{"a":1}"#])
        .await
        .is(0);
    sink.wait_for(1).await;
    assert_eq!(sink.requests()[0].header("authorization"), "Bearer t-1");

    let matched = person.run(&["match", &id]).await.is(0).out;
    assert!(matched.contains("1 of 1 events match") && matched.contains("dlp.a"), "{matched}");
    let draft = ["match", "--draft", "--event-types", "ops.*,x", "--min-severity", "high"];
    assert!(person.run(&draft).await.is(0).out.contains("0 of 1 events match"));

    let delivery = person
        .until(&["deliveries", "list", "--endpoint", &id], |found| {
            found["items"][0]["status"] == "retrying"
        })
        .await;
    let delivery = text(&delivery, "/items/0/id").to_owned();
    person.run(&["deliveries", "cancel", &delivery]).await.is(0);
    assert_eq!(person.json(&["deliveries", "get", &delivery]).await["status"], "cancelled");
    person.run(&["deliveries", "cancel", &delivery]).await.is(1);
    person.run(&["replay", &delivery]).await.is(0);
    sink.wait_for(2).await;

    what_was_done_is_told(&person).await;
}

async fn what_was_done_is_told(person: &Person) {
    let audit = person.run(&["audit", "list", "--limit", "20"]).await.is(0).out;
    for action in ["tenant.created", "endpoint.created", "endpoint.updated", "event_type.created"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
    person.run(&["event-types", "delete", "dlp.a", "--yes"]).await.is(0);
    person.run(&["event-types", "get", "dlp.a"]).await.is(4);
    let doctor = person.run(&["doctor"]).await.is(0).out;
    for line in ["✓ key vault", "✓ store", "✓ database"] {
        assert!(doctor.contains(line), "{doctor}");
    }
}

#[tokio::test]
async fn doctor_shows_what_the_server_says_of_itself_and_what_fails_there() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    let server = Sink::start_with_rule(|request| match request.path.as_str() {
        "/v1/status" => SinkAnswer::Status(
            200,
            Vec::new(),
            r#"{"checks": [
            {"name": "store", "status": "ok", "detail": "reads"},
            {"name": "queues", "status": "fail", "detail": "12 in the dead letters"}]}"#,
        ),
        "/v1/whoami" => {
            SinkAnswer::Status(200, Vec::new(), r#"{"operator": true, "tenant": null}"#)
        }
        _ => SinkAnswer::Status(200, vec![("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "{}"),
    })
    .await;
    let run = person.run(&["doctor", "--url", &server.url(""), "--key", "k"]).await.is(1);
    for line in ["✗ clock: ", "✓ store: reads", "✗ queues: 12 in the dead letters"] {
        assert!(run.out.contains(line), "{}", run.out);
    }
}

#[tokio::test]
async fn https_is_trusted_by_its_authority_only() {
    let (tls, certificate) = self_signed(&["localhost"]);
    let identity = SinkAnswer::Status(200, Vec::new(), r#"{"operator": true, "tenant": null}"#);
    let server = Sink::start_tls(vec![identity], tls).await;
    let url = format!("https://localhost:{}", server.address.port());
    let person = Person { home: tempfile::tempdir().unwrap(), address: server.address };
    std::fs::write(person.home.path().join("ca.pem"), certificate.pem()).unwrap();
    let whoami = ["whoami", "--url", &url, "--key", "k"];
    let stranger = person.run(&whoami).await.is(5);
    assert!(stranger.err.contains("TLS: "), "{}", stranger.err);
    assert!(server.requests().is_empty(), "no key goes to a server that is not verified");
    let doctor = person.run(&["doctor", "--url", &url, "--key", "k"]).await.is(1);
    assert!(doctor.out.contains("WAXSEAL_CA_FILE"), "{}", doctor.out);
    person.run(&[whoami.as_slice(), &["--ca-file", "ca.pem"]].concat()).await.is(0);
    assert_eq!(server.requests()[0].header("authorization"), "Bearer k");
}

#[tokio::test]
async fn completion_and_help_print_without_a_server() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = person.run(&["completion", shell]).await.is(0);
        assert!(script.out.contains("rotate-secret"), "{shell}");
    }
    for command in
        [["events", "send"].as_slice(), &["endpoints", "create"], &["recover"], &["listen"]]
    {
        let help = person.run(&[command, &["--help"]].concat()).await.is(0);
        assert!(help.out.contains("Examples:"), "{}", help.out);
    }
    assert!(person.run(&["--help"]).await.is(0).out.contains("Exit codes:"));
    let help = person.run(&["listen", "--help"]).await.is(0).out;
    assert!(help.find("--forward-to <URL>") < help.find("Server and output:"), "{help}");
    for command in [["events", "tail"].as_slice(), &["recover"], &["listen"]] {
        let help = person.run(&[command, &["--help"]].concat()).await.is(0).out;
        let words: Vec<&str> = help.split_whitespace().collect();
        let units = "(s; m is minutes; h; d; w; M is months of 30.44 days; y)";
        assert!(words.join(" ").contains(units), "{help}");
    }
    for usage in [
        ["endpoints", "lst"].as_slice(),
        &["recover", "ep_1", "--since", "yesterday"],
        &["endpoints", "create", "--url", "https://a.b", "--header", "x: y"],
        &["events", "send"],
        &["events", "send", "--type", "a", "--file", "b"],
        &["match"],
    ] {
        person.run(usage).await.is(2);
    }
}

/// A full disk, as an output.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// An output that nobody reads any more.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[tokio::test]
async fn what_cannot_be_printed_is_an_error_and_what_nobody_reads_is_none() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    let run = |arguments: &[&str], out: Stdio| {
        let mut command = person.command(arguments);
        let child = command
            .env("HOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
            .stdout(out)
            .spawn();
        wait_for_end(child.unwrap())
    };
    let verify = ["verify", "--secret-env", "HOOK_SECRET"];
    for (arguments, full_code, closed_code) in [
        (["completion", "bash"].as_slice(), 1, 0),
        (&["--help"], 1, 0),
        (&["whoami", "--help"], 1, 0),
        (&["--version"], 1, 0),
        (&verify, 2, 1),
    ] {
        let err = run(arguments, full()).await.is(full_code).err;
        assert!(err.contains("waxseal: standard output: No space left"), "{arguments:?}: {err}");
        let err = run(arguments, closed()).await.is(closed_code).err;
        assert_eq!(err, "", "{arguments:?}");
    }
    for output in [full, closed] {
        for arguments in [["whoami"].as_slice(), &["nonsense"], &verify, &["--ca-file", "none"]] {
            let child = person.command(arguments).stdout(output()).stderr(output()).spawn();
            let code = wait_for_end(child.unwrap()).await.code;
            assert!((1..=5).contains(&code), "{arguments:?}: {code}");
        }
    }
}

#[tokio::test]
async fn a_server_that_cannot_print_serves_on_and_stops_as_ever() {
    for output in [full, closed] {
        let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
        let mut serve = person.command(&["--listen", &person.address.to_string()]);
        serve.env("RUST_LOG", "trace").stdout(output()).stderr(output());
        let mut serve = serve.spawn().unwrap();
        let client = Client { address: person.address, key: String::new(), host: None };
        until_it_serves(&client).await;
        let id = serve.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(20), serve.wait()).await;
        assert!(ended.unwrap().unwrap().success());
    }
}

#[tokio::test]
async fn a_variable_that_is_set_and_empty_is_not_as_if_it_were_not_set() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    let run = |variable: &'static str, value: &str, arguments: &[&str]| {
        wait_for_end(person.command(arguments).env(variable, value).spawn().unwrap())
    };
    let listen = ["listen", "--forward-to", "http://localhost:1/"];
    for (variable, arguments) in [
        ("WAXSEAL_API_KEY", [].as_slice()),
        ("WAXSEAL_API_KEY", &["demo"]),
        ("WAXSEAL_KEY", &["whoami"]),
        ("WAXSEAL_URL", &["doctor"]),
        ("WAXSEAL_URL", &["endpoints", "create", "--url", "https://a.b/"]),
        ("WAXSEAL_TENANT", &["endpoints", "list"]),
        ("WAXSEAL_LISTEN_SECRET", &listen),
    ] {
        for empty in ["", " "] {
            let refused = run(variable, empty, arguments).await.is(2);
            assert!(refused.err.contains(&format!("{variable} may be empty")), "{}", refused.err);
        }
    }
    for (variable, arguments) in
        [("WAXSEAL_DATA", [].as_slice()), ("WAXSEAL_LISTEN", &[]), ("WAXSEAL_CONFIG", &["whoami"])]
    {
        run(variable, "", arguments).await.is(2);
    }
    let verify = run("HOOK_SECRET", "", &["verify", "--secret-env", "HOOK_SECRET"]).await.is(2);
    assert!(verify.err.contains("no such variable with text in it"), "{}", verify.err);
    // An operator that nobody can be, by a file.
    std::fs::create_dir(person.home.path().join(".waxseal")).unwrap();
    std::fs::write(person.home.path().join(".waxseal/operator.key"), "\n").unwrap();
    let serve = person.run(&["--listen", "127.0.0.1:0"]).await.is(1);
    assert!(serve.err.contains("operator.key is empty"), "{}", serve.err);
    let ask = person.run(&["whoami"]).await.is(2);
    assert!(ask.err.contains("operator.key: it is empty"), "{}", ask.err);
}

#[tokio::test]
async fn a_log_filter_that_is_not_known_is_told() {
    let person = Person { home: tempfile::tempdir().unwrap(), address: free_address() };
    for (filter, is_told) in
        [("@@@", true), ("info,waxseal=loud", true), ("info", false), ("", false)]
    {
        let ask = person.command(&["whoami"]).env("RUST_LOG", filter).spawn().unwrap();
        let err = wait_for_end(ask).await.is(3).err;
        assert_eq!(err.contains("RUST_LOG is not known"), is_told, "{filter}: {err}");
    }
}

#[tokio::test]
async fn an_endpoint_is_paused_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::log_in(&server, "acme").await;
    let sink = Sink::start(Vec::new()).await;
    let id = person.endpoint(&["--url", &sink.url("/"), "--max-concurrency", "3"]).await;
    let pinged = sink.requests().len();
    person.run(&["endpoints", "pause", &id]).await.is(0);
    let paused = person.json(&["endpoints", "get", &id]).await;
    assert_eq!((&paused["paused"], &paused["max_concurrency"]), (&json!(true), &json!(3)));
    let list = person.run(&["endpoints", "list"]).await.is(0);
    assert!(list.out.contains("paused"), "{}", list.out);
    person.run(&["events", "send", "--type", "a.b"]).await.is(0);
    // The next sweep is a quarter of a minute away at most, and finds nothing to release.
    nap(500).await;
    assert_eq!(sink.requests().len(), pinged, "nothing is sent");
    person.run(&["endpoints", "resume", &id]).await.is(0);
    sink.wait_for(pinged + 1).await;
    let resumed = person.json(&["endpoints", "get", &id]).await;
    assert_eq!((&resumed["paused"], &resumed["paused_at"]), (&json!(false), &Value::Null));
}

/// Each operation of the API, and the command that calls it; nothing where none does, and why.
const COMMANDS: [(&str, &str); 48] = [
    // Receivers' and senders' own, and what a browser opens.
    ("allowHooks", ""),
    ("allowSender", ""),
    ("receiveHook", ""),
    ("getEventContent", ""),
    ("getOpenApi", ""),
    ("getReference", ""),
    ("getWebhookKeys", ""),
    // Done seldom, and so far by the API alone.
    ("listSources", ""),
    ("getSource", ""),
    ("putSource", ""),
    ("deleteSource", ""),
    ("putProfile", ""),
    ("expungeEvent", ""),
    ("getHealth", "doctor"),
    ("getStatus", "doctor"),
    ("getProfile", "listen"),
    ("listProfiles", "doctor"),
    ("verify", "verify"),
    ("whoAmI", "whoami"),
    ("sendEvents", "events send"),
    ("listEvents", "events list"),
    ("getEvent", "events get"),
    ("createEndpoint", "endpoints create"),
    ("listEndpoints", "endpoints list"),
    ("getEndpoint", "endpoints get"),
    ("changeEndpoint", "endpoints update"),
    ("deleteEndpoint", "endpoints delete"),
    ("testEndpoint", "test"),
    ("rotateSecret", "endpoints rotate-secret"),
    ("enableEndpoint", "endpoints enable"),
    ("disableEndpoint", "endpoints disable"),
    ("recoverDeliveries", "recover"),
    ("matchEndpoint", "match"),
    ("matchDraft", "match"),
    ("listDeliveries", "deliveries list"),
    ("getDelivery", "deliveries get"),
    ("replayDelivery", "replay"),
    ("cancelDelivery", "deliveries cancel"),
    ("listEventTypes", "event-types list"),
    ("getEventType", "event-types get"),
    ("putEventType", "event-types put"),
    ("deleteEventType", "event-types delete"),
    ("listTenants", "tenants list"),
    ("createTenant", "tenants create"),
    ("listKeys", "keys list"),
    ("createKey", "keys create"),
    ("deleteKey", "keys revoke"),
    ("listAudit", "audit list"),
];

#[tokio::test]
async fn each_operation_has_a_command_or_none_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let person = Person::at(&server);
    let all = operations(&waxseal_api::openapi::<EmbeddedEngine>());
    assert_eq!(COMMANDS.len(), all.len());
    for operation in all {
        let id = operation.described["operationId"].as_str().unwrap();
        let named = COMMANDS.iter().find(|(of, _)| *of == id);
        let (_, command) = named.unwrap_or_else(|| panic!("COMMANDS lacks {id}"));
        if !command.is_empty() {
            let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
            person.run(&words).await.is(0);
        }
    }
}
