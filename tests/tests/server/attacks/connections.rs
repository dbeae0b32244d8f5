//! What a client without a key can hold, and what one that does not read can.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waxseal_tests::attack::{Attack, short_or_long};
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::hostile::{Hostile, Sort};
use waxseal_tests::process::{Server, command, free_address, until_it_serves};
use waxseal_tests::sink::Sink;

const HOSTILE: &str = env!("CARGO_BIN_EXE_hostile");
/// The server's limit of open files, soft and hard.
const HANDLES: u32 = 256;
/// Handles that must be left to the store and the process whatever clients do.
const HANDLES_LEFT: u64 = 16;
/// Memory beyond the quiet server's: bodies and answers under way, what is made of them, and 96 connections.
const MEMORY_KIB: u64 = 128 * 1_024;

/// A server with few handles, a tenant of it, and its receiver.
struct World {
    server: Server,
    tenant: Client,
    sink: Sink,
    endpoint: String,
    said: std::path::PathBuf,
    quiet_kib: u64,
    sent: usize,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let log = std::fs::File::create(&said).unwrap();
        let server = Server::start_limited(&folder.path().join("data"), HANDLES, log).await;
        let (operator, sink) = (server.client(), Sink::start(Vec::new()).await);
        let create = async |path: &str, body: Value| {
            operator.send("POST", path, &[], &body.to_string()).await.of(201).json
        };
        create("/v1/tenants", json!({"name": "victim"})).await;
        let endpoints = "/v1/tenants/victim/endpoints?ping=false";
        let made = create(endpoints, json!({"url": sink.url("/"), "event_types": ["a.b"]})).await;
        let key = create("/v1/tenants/victim/keys", json!({})).await;
        let source = json!({"profile": "github", "secrets": ["It's a Secret to Everybody"]});
        operator.send("PUT", "/v1/tenants/victim/sources/hub", &[], &source.to_string()).await;
        // Pages to ask for: twice what one page holds.
        for _ in 0..40 {
            let event = json!({"type": "large", "data": {"filler": "x".repeat(200_000)}});
            let path = "/v1/tenants/victim/events";
            operator.send("POST", path, &[], &event.to_string()).await.of(202);
        }
        let tenant = Client { key: key["key"].as_str().unwrap().to_owned(), ..server.client() };
        let endpoint = made["id"].as_str().unwrap().to_owned();
        let quiet_kib = server.memory_kib();
        Self { server, tenant, sink, endpoint, said, quiet_kib, sent: 0, _folder: folder }
    }

    /// Sends an event as any sender does: again, under its id, until it is acknowledged.
    async fn send(&mut self) {
        self.sent += 1;
        let event = json!({"type": "a.b", "source": "/attacks", "id": format!("e{}", self.sent)});
        let path = "/v1/tenants/victim/events";
        eventually(Duration::from_secs(30), async || {
            match self.tenant.try_call("POST", path, &event.to_string()).await {
                Some((202, _)) => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }

    /// Has so many of a sort attack while events are sent; the most handles and memory that it took.
    async fn stand(&mut self, sort: Sort, count: usize) -> (u64, u64) {
        let hostile = Hostile::start(Path::new(HOSTILE), sort, count, self.server.address).await;
        let (mut handles, mut kib) = (0, 0);
        for _ in 0..short_or_long(8, 100) {
            self.send().await;
            handles = handles.max(u64::try_from(self.server.handles()).unwrap());
            kib = kib.max(self.server.memory_kib().saturating_sub(self.quiet_kib));
        }
        self.sink.wait_for(self.sent).await;
        drop(hostile);
        (handles, kib)
    }

    fn said(&self, text: &str) -> u64 {
        let said = std::fs::read_to_string(&self.said).unwrap();
        u64::try_from(said.lines().filter(|line| line.contains(text)).count()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_hostile_connections_of_any_sort_take_nothing_from_a_tenant() {
    let mut world = World::start().await;
    for sort in Sort::ALL {
        let (handles, kib) = world.stand(sort, 1_000).await;
        let name = sort.name();
        let counted = "file handles of 256";
        Attack { name, counted, bound: u64::from(HANDLES) - HANDLES_LEFT }.took(handles);
        Attack { name, counted: "KiB above quiet", bound: MEMORY_KIB }.took(kib);
    }
    let failed = format!("/v1/tenants/victim/endpoints/{}/deliveries", world.endpoint);
    let operator = world.server.client();
    // What the last of them left unread is given up within a moment, and makes room.
    let failed = eventually(Duration::from_secs(30), async || {
        match operator.call("GET", &failed, "").await {
            (200, failed) => Ok(failed),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(failed["items"], json!([]), "no attempt failed, at first or at all");
    assert_eq!(world.sink.requests().len(), world.sent, "each was taken once");
    // Ten of a minute, and one line more that counts the rest.
    let minutes = short_or_long(3, 30);
    let name = "hooks that do not verify";
    Attack { name, counted: "lines in the log", bound: 11 * minutes }
        .took(world.said("a hook was refused"));
    assert_eq!(world.said("Too many open files"), 0);
    assert_eq!(world.said("256: 96 connections instead of 1024"), 1, "said at the start");
    world.server.stop().await;
}

/// Sends bytes on a connection of its own; what is answered until it is closed, or for a request that is kept open
/// until the answer has come.
async fn ask(server: &Server, bytes: &[u8], until: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let (mut answer, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if !until.is_empty() && text.contains(until) {
            return text;
        }
        match stream.read(&mut part).await {
            Ok(0) => return text,
            Ok(read) => answer.extend_from_slice(&part[..read]),
            Err(error) => panic!("{error} after {text:?}"),
        }
    }
}

#[tokio::test]
async fn the_key_is_asked_for_before_the_body_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer none\r\n{more}\r\n")
    };
    let events = "POST /v1/tenants/acme/events";
    for line in [events, "POST /v1/tenants/acme/endpoints", "PUT /v1/tenants/acme/sources/x"] {
        // Of the body nothing is sent, nor asked for.
        let more = "content-length: 900000\r\nexpect: 100-continue\r\n";
        let answer = ask(&server, head(line, more).as_bytes(), "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{line}: {answer}");
    }
    // A whole body behind a bad key: nobody reads it, and its sender learns why.
    let mut whole = head(events, "content-length: 900000\r\n").into_bytes();
    whole.resize(whole.len() + 900_000, b' ');
    let answer = ask(&server, &whole, "").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("unauthorized"), "{answer}");
    // A path that is none has no body either.
    let nothing = head("POST /v1/nothing", "content-length: 9\r\n");
    let answer = ask(&server, nothing.as_bytes(), "404").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    // What cannot be a hook is refused by its length.
    let long = head("POST /hooks/hub", "content-length: 300000\r\n");
    let answer = ask(&server, long.as_bytes(), "413").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn who_finds_every_place_taken_is_told_so() {
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let mut command = command(folder.path(), address);
    let server = command.env("WAXSEAL_MAX_CONNECTIONS", "1").spawn().unwrap();
    let client = Client { address, key: "operator".to_owned(), host: None };
    until_it_serves(&client).await;
    client.send("POST", "/v1/tenants", &[], r#"{"name":"acme"}"#).await.of(201);
    // Its key is known, and its body is waited for.
    let head = "POST /v1/tenants/acme/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer operator\r\n\
                expect: 100-continue\r\ncontent-length: 14\r\n\r\n";
    // The place of the request before is given back a moment after its answer.
    let mut busy = eventually(Duration::from_secs(30), async || {
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 25];
        busy.read_exact(&mut answer).await.unwrap();
        if &answer == b"HTTP/1.1 100 Continue\r\n\r\n" { Ok(busy) } else { Err(answer) }
    })
    .await;

    let reply = client.send("GET", "/healthz", &[], "").await.of(503);
    assert_eq!(
        (reply.header("retry-after"), reply.json["title"].as_str()),
        ("1", Some("The server is busy"))
    );
    busy.write_all(br#"{"type":"a.b"}"#).await.unwrap();
    let mut status = [0; 12];
    busy.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 202", "whoever is served is not disturbed");
    drop(server);
}

#[tokio::test]
async fn a_key_is_served_whatever_its_address_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let guess = Client { key: "guess".to_owned(), ..server.client() };
    let mut refused = 0;
    for _ in 0..120 {
        let guessed = guess.try_call("GET", "/v1/tenants", "");
        // One that waits for its answer is enough.
        match tokio::time::timeout(Duration::from_millis(900), guessed).await {
            Ok(Some((401, _))) => refused += 1,
            Ok(other) => panic!("{other:?}"),
            Err(_) => break,
        }
    }
    let bound = u64::from(waxseal_domain::limits::REFUSED_AT_ONCE_MAX);
    Attack { name: "guesses of a key", counted: "answered at once", bound }.took(refused);
    assert_eq!(server.client().call("GET", "/v1/tenants", "").await.0, 200);
    server.stop().await;
}
