//! The tenant that does nothing wrong: its events, and when each comes to its receiver.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use waxseal_tests::client::{Client, Session};
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::nap;
use waxseal_tests::sink::{Sink, SinkAnswer};

/// Milliseconds between two events.
const PAUSE_MS: u64 = 20;

/// When each event's POST had come, by the event's id.
type Came = Arc<Mutex<HashMap<String, Instant>>>;

/// A tenant with one endpoint.
pub struct Neighbour {
    client: Client,
    came: Came,
    _sink: Sink,
}

/// How long events took from the request that brings them until their POST had come whole.
pub struct Latencies(Vec<f64>);

impl Neighbour {
    /// Makes the tenant, its endpoint and its receiver.
    pub async fn start(operator: &Client) -> Self {
        let came = Came::default();
        let keep = Arc::clone(&came);
        let sink = Sink::start_with_rule(move |request| {
            let id = request.header("webhook-id").to_owned();
            keep.lock().unwrap().entry(id).or_insert(request.at);
            SinkAnswer::status(200)
        })
        .await;
        let draft = json!({"url": sink.url("/"), "event_types": ["quiet"]}).to_string();
        let path = "/v1/tenants/acme/endpoints?ping=false";
        let (status, made) = operator.call("POST", path, &draft).await;
        assert_eq!(status, 201, "{made}");
        Self { client: operator.clone(), came, _sink: sink }
    }

    /// Sends events for so long, one at a time, and waits until all have come.
    pub async fn measure(&self, time: Duration) -> Latencies {
        let (began, mut sent) = (Instant::now(), Vec::new());
        let mut session = Session::of(&self.client);
        while began.elapsed() < time {
            let at = Instant::now();
            let event = json!({"type": "quiet", "data": {"n": 1}}).to_string();
            let path = "/v1/tenants/acme/events";
            let (status, answer) = session.try_call("POST", path, &event).await.expect("an answer");
            assert_eq!(status, 202, "{answer}");
            sent.push((answer["deliveries"][0]["id"].as_str().unwrap().to_owned(), at));
            nap(PAUSE_MS).await;
        }
        let took = eventually(Duration::from_mins(1), async || {
            let came = self.came.lock().unwrap();
            let took = sent.iter().map(|(id, at)| {
                let at_sink = came.get(id).ok_or_else(|| format!("{id} has not come"))?;
                Ok(at_sink.duration_since(*at).as_secs_f64() * 1_000.0)
            });
            took.collect::<Result<Vec<_>, String>>()
        });
        let mut took = took.await;
        took.sort_unstable_by(f64::total_cmp);
        Latencies(took)
    }
}

impl Latencies {
    /// Returns the milliseconds within which so many percent came.
    pub fn at(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}
