//! How quick the API of the embedded server is, release build, at a modest load: prints its figures as
//! Markdown. `cargo xtask prove` keeps them in `infra/figures.md`.
//!
//! `WAXSEAL_SECONDS` and `WAXSEAL_RATE` (requests a second) set it. It fails on an answer that is no
//! success; how quick anything is fails nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waxseal_tests::client::{Client, Session};
use waxseal_tests::fixtures::nap;
use waxseal_tests::process::{Server, release_path};
use waxseal_tests::settings::setting;
use waxseal_tests::sink::Sink;

const SECONDS: u64 = 60;
/// Requests a second, all kinds together: a busy console and some scripts.
const RATE: u64 = 100;
/// Endpoints of the tenant, and events that it has stored, when it begins.
const ENDPOINTS: usize = 50;
const EVENTS: usize = 2_000;

/// What is asked, by turns.
const KINDS: [&str; 8] = [
    "GET endpoints",
    "GET endpoint",
    "PATCH endpoint",
    "GET events",
    "GET event",
    "GET delivery",
    "POST event",
    "POST and DELETE endpoint",
];

/// What there is to ask for.
struct World {
    endpoint: String,
    event: String,
    delivery: String,
}

#[tokio::main]
async fn main() {
    let seconds = setting("WAXSEAL_SECONDS").unwrap_or(SECONDS);
    let rate = setting("WAXSEAL_RATE").unwrap_or(RATE);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_program(&release_path(), folder.path()).await;
    let sink = Sink::start(Vec::new()).await;
    let world = prepare(&server.client(), &sink).await;
    let mut session = Session::of(&server.client());
    let mut taken: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let began = Instant::now();
    let pause_ms = 1_000 / rate.max(1);
    for number in 0.. {
        if began.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        let kind = KINDS[number % KINDS.len()];
        let asked = Instant::now();
        ask(&mut session, kind, &world, number).await;
        taken.entry(kind).or_default().push(asked.elapsed());
        nap(pause_ms).await;
    }
    println!("| API of the embedded server, {ENDPOINTS} endpoints | requests | p50 ms | p99 ms |");
    println!("| --- | --- | --- | --- |");
    for kind in KINDS {
        let mut times = taken.remove(kind).unwrap_or_default();
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        println!("| {kind} | {} | {:.1} | {:.1} |", times.len(), at(50), at(99));
    }
    server.stop().await;
}

async fn prepare(client: &Client, sink: &Sink) -> World {
    let mut endpoint = String::new();
    for number in 0..ENDPOINTS {
        // One gets every event; the others are there.
        let types = if number == 0 { "*" } else { "never.*" };
        let draft = json!({"url": sink.url("/"), "event_types": [types]}).to_string();
        let path = "/v1/tenants/acme/endpoints?ping=false";
        let made = client.send("POST", path, &[], &draft).await.of(201).json;
        if number == 0 {
            made["id"].as_str().unwrap().clone_into(&mut endpoint);
        }
    }
    let mut last = Value::Null;
    for _ in 0..EVENTS / 100 {
        let events: Vec<Value> =
            (0..100).map(|n| json!({"type": "a.b", "data": {"n": n}})).collect();
        let body = json!(events).to_string();
        last = client.send("POST", "/v1/tenants/acme/events", &[], &body).await.of(202).json;
    }
    let event = &last["results"][99];
    World {
        endpoint,
        event: event["id"].as_str().unwrap().to_owned(),
        delivery: event["deliveries"][0]["id"].as_str().unwrap().to_owned(),
    }
}

async fn ask(session: &mut Session, kind: &str, world: &World, number: usize) {
    let tenant = "/v1/tenants/acme";
    let World { endpoint, event, delivery } = world;
    let one = format!("{tenant}/endpoints/{endpoint}");
    let (method, path, body) = match kind {
        "GET endpoints" => ("GET", format!("{tenant}/endpoints"), String::new()),
        "GET endpoint" => ("GET", one, String::new()),
        "PATCH endpoint" => ("PATCH", one, json!({"name": format!("n{number}")}).to_string()),
        "GET events" => ("GET", format!("{tenant}/events"), String::new()),
        "GET event" => ("GET", format!("{tenant}/events/{event}"), String::new()),
        "GET delivery" => ("GET", format!("{tenant}/deliveries/{delivery}"), String::new()),
        "POST event" => ("POST", format!("{tenant}/events"), json!({"type": "a.b"}).to_string()),
        _ => {
            let draft = json!({"url": "https://example.com/", "event_types": ["never.*"]});
            let path = format!("{tenant}/endpoints?ping=false");
            let made = session.try_call("POST", &path, &draft.to_string()).await.unwrap();
            assert_eq!(made.0, 201, "{}", made.1);
            let path = format!("{tenant}/endpoints/{}", made.1["id"].as_str().unwrap());
            ("DELETE", path, String::new())
        }
    };
    let (status, answer) = session.try_call(method, &path, &body).await.unwrap();
    assert!((200..300).contains(&status), "{kind}: {status} {answer}");
}
