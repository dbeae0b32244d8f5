//! The embedded server is killed at random moments under load, again and again, and started on the
//! same folder: what was acknowledged is delivered, and the receivers saw every id.
//!
//! `WAXSEAL_KILLS=100` for the long form; `WAXSEAL_SEED` to choose the moments again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::nap;
use waxseal_tests::process::Server;
use waxseal_tests::sink::{Answer, Sink};

const KILLS: u64 = 5;
const CLIENTS: u64 = 4;

#[expect(clippy::disallowed_methods, reason = "the one way to ask a test for more")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// What the senders know, over all kills.
#[derive(Debug, Default)]
struct Sent {
    acknowledged: Mutex<BTreeSet<String>>,
    /// Sent without an answer: to be sent again under the same id.
    open: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Sent {
    async fn post(&self, client: &Client, id: String) {
        let body = json!({"id": id, "type": "a.b", "data": {"of": id}}).to_string();
        let answer = client.try_call("POST", "/v1/tenants/acme/events", &body).await;
        match answer {
            Some((202, _)) => drop(self.acknowledged.lock().unwrap().insert(id)),
            Some((status, answer)) => panic!("{status} {answer}"),
            None => self.open.lock().unwrap().push(id),
        }
    }

    /// Sends new events, and now and then one that is open, until the server is gone.
    async fn load(&self, client: Client, name: String) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let again = self.open.lock().unwrap().pop().filter(|_| number % 3 == 0);
            self.post(&client, again.unwrap_or_else(|| format!("{name}-{number}"))).await;
        }
    }
}

/// From a seed: SplitMix64.
fn random(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
}

async fn endpoint(client: &Client, url: &str) {
    let body = json!({"url": url, "retry": {"delays_s": vec![1; 60]}, "timeout_ms": 2_000});
    let path = "/v1/tenants/acme/endpoints?ping=false";
    assert_eq!(client.call("POST", path, &body.to_string()).await.0, 201);
}

/// Statuses of an event's deliveries, counted; it must be known.
async fn statuses(client: &Client, id: &str, counts: &mut BTreeMap<String, usize>) {
    let (found, event) = client.call("GET", &format!("/v1/tenants/acme/events/{id}"), "").await;
    assert_eq!(found, 200, "{id} was acknowledged, and is not known");
    for delivery in event["deliveries"].as_array().unwrap() {
        *counts.entry(delivery["status"].as_str().unwrap().to_owned()).or_default() += 1;
    }
}

async fn settled(client: &Client, ids: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..60 {
        counts.clear();
        for id in ids {
            statuses(client, id, &mut counts).await;
        }
        if counts.keys().all(|status| status == "delivered") {
            break;
        }
        nap(500).await;
    }
    counts
}

fn seen(sink: &Sink) -> BTreeSet<String> {
    let captured = sink.captured();
    let read = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
    captured.iter().map(|one| read(&one.body)["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_acknowledged_survives_every_kill() {
    let seed = setting("WAXSEAL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("WAXSEAL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let well = Sink::start(Vec::new()).await;
    let failing =
        Sink::start([500, 200].repeat(500).into_iter().map(Answer::status).collect()).await;
    let sent = Arc::new(Sent::default());
    for kill in 0..setting("WAXSEAL_KILLS").unwrap_or(KILLS) {
        let server = Server::start(folder.path()).await;
        if kill == 0 {
            endpoint(&server.client(), &well.url("/")).await;
            endpoint(&server.client(), &failing.url("/")).await;
        }
        sent.is_over.store(false, Ordering::Relaxed);
        let load = (0..CLIENTS).map(|number| {
            let (sent, client) = (Arc::clone(&sent), server.client());
            tokio::spawn(async move { sent.load(client, format!("k{kill}-{number}")).await })
        });
        let load: Vec<_> = load.collect();
        nap(20 + random(seed + kill) % 400).await;
        server.kill().await;
        sent.is_over.store(true, Ordering::Relaxed);
        for client in load {
            client.await.unwrap();
        }
    }
    failing.script(Vec::new());
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let open = std::mem::take(&mut *sent.open.lock().unwrap());
    for id in open {
        sent.post(&client, id).await;
    }
    let acknowledged = sent.acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 50, "there was no load: {}", acknowledged.len());
    let counts = settled(&client, &acknowledged).await;
    println!("{} acknowledged: {counts:?}", acknowledged.len());
    let deliveries: usize = counts.values().sum();
    assert_eq!(deliveries, 2 * acknowledged.len(), "acknowledged = delivered + failed + pending");
    assert_eq!(counts.get("delivered"), Some(&deliveries), "{counts:?}");
    for sink in [&well, &failing] {
        let unseen: Vec<_> = acknowledged.difference(&seen(sink)).cloned().collect();
        assert_eq!(unseen, Vec::<String>::new(), "delivered, and the receiver never saw it");
    }
    assert!(server.stop().await.as_secs() < 10);
}
