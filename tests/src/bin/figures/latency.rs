//! From an event's request leaving the client to its POST having come whole at the receiver.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Value, json};
use waxseal_tests::cloud::Cloud;
use waxseal_tests::fixtures::nap;
use waxseal_tests::sink::Sink;

const EVENTS: usize = 200;
const WARM_UP: usize = 20;

/// Latencies of the deliveries that were measured, in milliseconds.
pub struct Latency {
    pub count: usize,
    pub p50: f64,
    pub p99: f64,
}

/// One event at a time, as a quiet tenant sends them, by the HTTP API.
pub async fn measure(cloud: &Cloud) -> Latency {
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint("figures", &sink.url("/"), json!({"delays_s": []})).await;
    let client = cloud.client();
    let mut sent = HashMap::new();
    for number in 0..WARM_UP + EVENTS {
        let body = json!({"id": format!("f{number}"), "type": "figures.latency"}).to_string();
        let began = Instant::now();
        let (status, answer) = client.call("POST", "/v1/tenants/figures/events", &body).await;
        assert_eq!(status, 202, "{answer}");
        sink.wait_for(number + 1).await;
        if number >= WARM_UP {
            sent.insert(format!("f{number}"), began);
        }
        nap(5).await;
    }
    let mut times = Vec::new();
    for one in sink.requests() {
        let event: Value = serde_json::from_slice(&one.body).unwrap();
        let id = event["id"].as_str().unwrap_or_default();
        if let Some(began) = sent.get(id) {
            times.push(one.at.duration_since(*began).as_secs_f64() * 1_000.0);
        }
    }
    times.sort_by(f64::total_cmp);
    let count = times.len();
    Latency { count, p50: times[count / 2], p99: times[count * 99 / 100] }
}
