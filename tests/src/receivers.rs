//! Receivers as they are in the world: a steady one, one that fails at times, a slow one; and a ledger
//! of what has come to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use waxseal_adapters::clock::SystemClock;
use waxseal_flows::ports::Clock as _;

use crate::client::Client;
use crate::rng::Rng;
use crate::sink::{CapturedRequest, Sink, SinkAnswer};

/// How the three receivers behave.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Of a hundred POSTs to the failing one so many are answered with 503.
    pub failing_percent: u64,
    /// Retries that the failing one's deliveries have, a second apart.
    pub failing_retries: usize,
    /// So long the slow one takes.
    pub slow_ms: u64,
}

/// What came of one delivery.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When its first POST had come.
    pub first: Instant,
    /// The number of POSTs that came with this id.
    pub posts: u32,
    /// Those that were answered with 200.
    pub taken: u32,
}

/// Arrivals by delivery id.
pub type Ledger = HashMap<String, Arrival>;

/// Three receivers that run, and what came to each of them.
#[derive(Debug)]
pub struct Receivers {
    manners: Manners,
    sinks: [(&'static str, Sink); 3],
    ledger: Arc<Mutex<Ledger>>,
    posts: Arc<Mutex<Vec<LoggedPost>>>,
}

/// A POST, as a receiver's log for `waxseal audit-deliveries` has it.
#[derive(Clone, Debug)]
pub struct LoggedPost {
    /// The id of the delivery.
    pub id: String,
    /// The line of the log, in JSON.
    pub line: String,
}

impl LoggedPost {
    fn of(captured: &CapturedRequest) -> Self {
        let id = captured.header("webhook-id").to_owned();
        let time = SystemClock.now().rfc3339();
        let digest = BASE64.encode(Sha256::digest(&captured.body));
        let line = json!({"id": id, "time": time, "digest": digest}).to_string();
        Self { id, line }
    }
}

impl Receivers {
    /// Starts the three receivers.
    pub async fn start(manners: Manners, seed: u64) -> Self {
        Self::start_with(manners, seed, false).await
    }

    /// Starts them, and has them write down every POST.
    pub async fn start_logging(manners: Manners, seed: u64) -> Self {
        Self::start_with(manners, seed, true).await
    }

    async fn start_with(manners: Manners, seed: u64, logs: bool) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::new()));
        let posts = Arc::new(Mutex::new(Vec::new()));
        let log = logs.then(|| Arc::clone(&posts));
        let mut rng = Rng::new(seed);
        let failing = move || {
            let fails = rng.below(100) < manners.failing_percent;
            SinkAnswer::status(if fails { 503 } else { 200 })
        };
        let slow = SinkAnswer::Silence(Duration::from_millis(manners.slow_ms));
        let sinks = [
            ("steady", start_noting(&ledger, log.clone(), || SinkAnswer::status(200)).await),
            ("failing", start_noting(&ledger, log.clone(), failing).await),
            ("slow", start_noting(&ledger, log, move || slow.clone()).await),
        ];
        Self { manners, sinks, ledger, posts }
    }

    /// An endpoint of a tenant at each of them, wanting everything.
    pub async fn register(&self, client: &Client, tenant: &str) {
        for (name, sink) in &self.sinks {
            let body = json!({
                "url": sink.url("/"), "name": name, "timeout_ms": 5_000,
                "retry": {"delays_s": vec![1; self.manners.failing_retries]},
            });
            let path = format!("/v1/tenants/{tenant}/endpoints?ping=false");
            let (status, answer): (u16, Value) =
                client.call("POST", &path, &body.to_string()).await;
            assert_eq!(status, 201, "{answer}");
        }
    }

    /// What has come so far, looked at in place.
    pub fn look<T>(&self, at: impl FnOnce(&Ledger) -> T) -> T {
        at(&self.ledger.lock().unwrap())
    }

    /// What was written down, in the order in which it came.
    pub fn posts(&self) -> Vec<LoggedPost> {
        self.posts.lock().unwrap().clone()
    }
}

/// A sink that writes each delivery and its answer down.
async fn start_noting(
    ledger: &Arc<Mutex<Ledger>>,
    log: Option<Arc<Mutex<Vec<LoggedPost>>>>,
    mut answer: impl FnMut() -> SinkAnswer + Send + 'static,
) -> Sink {
    let ledger = Arc::clone(ledger);
    let rule = move |captured: &CapturedRequest| {
        let answer = answer();
        if let Some(log) = &log {
            log.lock().unwrap().push(LoggedPost::of(captured));
        }
        let id = captured.header("webhook-id").to_owned();
        let mut ledger = ledger.lock().unwrap();
        let new = Arrival { first: captured.at, posts: 0, taken: 0 };
        let arrival = ledger.entry(id).or_insert(new);
        arrival.posts += 1;
        arrival.taken += u32::from(!matches!(answer, SinkAnswer::Status(503, ..)));
        answer
    };
    Sink::start_with_rule(rule).await
}
