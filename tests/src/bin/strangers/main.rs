//! How long an event of a tenant takes from its request to its POST, quiet and while strangers hold as many
//! connections as they can: prints its figures as Markdown. `cargo xtask prove` keeps them in `infra/figures.md`.
//!
//! `WAXSEAL_EVENTS` (for each sort) and `WAXSEAL_STRANGERS` (connections) set it. It fails where an event is not
//! acknowledged or not delivered; how quick anything is fails nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use waxseal_tests::client::{Client, Session};
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::nap;
use waxseal_tests::hostile::{Hostile, Sort};
use waxseal_tests::process::{Server, release_path};
use waxseal_tests::settings::setting;
use waxseal_tests::sink::Sink;

const EVENTS: u64 = 500;
const STRANGERS: u64 = 1_000;
/// Between two events of the tenant.
const PAUSE_MS: u64 = 20;

/// When each event's POST came, by the event's id.
type Came = Arc<Mutex<HashMap<String, Instant>>>;

/// How long events took, in milliseconds, and how many requests had to be repeated.
struct Figures {
    p50: f64,
    p99: f64,
    repeated: usize,
}

#[tokio::main]
async fn main() {
    let events = setting("WAXSEAL_EVENTS").unwrap_or(EVENTS);
    let strangers = usize::try_from(setting("WAXSEAL_STRANGERS").unwrap_or(STRANGERS)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_program(&release_path(), folder.path()).await;
    let came = Came::default();
    let sink = start_sink(&came).await;
    prepare(&server.client(), &sink).await;
    let quiet = measure(&server.client(), &came, "quiet", events).await;
    println!("| strangers, {strangers} connections | p50 ms | p99 ms | × quiet | repeated |");
    println!("| --- | --- | --- | --- | --- |");
    print_row("none", &quiet, &quiet);
    for (number, sort) in Sort::ALL.into_iter().enumerate() {
        let hostile = Hostile::start(&hostile_path(), sort, strangers, server.address).await;
        let figures = measure(&server.client(), &came, &format!("sort{number}"), events).await;
        drop(hostile);
        print_row(sort.name(), &figures, &quiet);
    }
    server.stop().await;
}

fn print_row(name: &str, figures: &Figures, quiet: &Figures) {
    let Figures { p50, p99, repeated } = figures;
    println!("| {name} | {p50:.1} | {p99:.1} | {:.1} | {repeated} |", p99 / quiet.p99);
}

/// The hostile clients' program, beside this one.
fn hostile_path() -> PathBuf {
    let path = std::env::current_exe().unwrap().with_file_name("hostile");
    assert!(path.exists(), "build it first: cargo build --package waxseal-tests --bin hostile");
    path
}

async fn start_sink(came: &Came) -> Sink {
    let came = Arc::clone(came);
    Sink::start_with_rule(move |captured| {
        let id = captured.header("webhook-id").rsplit_once("_e-").map(|(_, id)| id.to_owned());
        came.lock().unwrap().insert(id.unwrap_or_default(), captured.at);
        waxseal_tests::sink::SinkAnswer::status(200)
    })
    .await
}

async fn prepare(client: &Client, sink: &Sink) {
    let draft = json!({"url": sink.url("/"), "event_types": ["a.b"]}).to_string();
    let path = "/v1/tenants/victim/endpoints?ping=false";
    client.send("POST", path, &[], &draft).await.of(201);
    let source =
        json!({"profile": "github", "secrets": ["It's a Secret to Everybody"]}).to_string();
    client.send("PUT", "/v1/tenants/victim/sources/hub", &[], &source).await;
    for _ in 0..40 {
        let large = json!({"type": "large", "data": {"filler": "x".repeat(200_000)}}).to_string();
        client.send("POST", "/v1/tenants/victim/events", &[], &large).await.of(202);
    }
}

/// Sends events one by one, each on time, and waits for their POSTs.
async fn measure(client: &Client, came: &Came, prefix: &str, events: u64) -> Figures {
    let mut session = Session::of(client);
    let (mut sent, mut repeated) = (HashMap::new(), 0);
    for number in 0..events {
        let id = format!("{prefix}-{number}");
        let event = json!({"type": "a.b", "source": "/strangers", "id": format!("e-{id}")});
        sent.insert(id, Instant::now());
        eventually(Duration::from_secs(30), async || {
            match session.try_call("POST", "/v1/tenants/victim/events", &event.to_string()).await {
                Some((202, _)) => Ok(()),
                other => {
                    repeated += 1;
                    Err(other)
                }
            }
        })
        .await;
        nap(PAUSE_MS).await;
    }
    let mut took = eventually(Duration::from_mins(1), async || {
        let came = came.lock().unwrap();
        let took = sent.iter().map(|(id, at)| Some(came.get(id)?.duration_since(*at)));
        took.collect::<Option<Vec<Duration>>>().ok_or("some events did not come")
    })
    .await;
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    let [p50, p99] = [50, 99].map(|percent| at(percent).as_secs_f64() * 1_000.0);
    Figures { p50, p99, repeated }
}
