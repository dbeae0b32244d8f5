//! An endpoint's gate on the deployed template: what is over its rate or its slots is held in the table,
//! and the sweep releases it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waxseal_tests::cloud::{Cloud, TamperedCloud};
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::nap;
use waxseal_tests::sink::{CapturedRequest, Sink, SinkAnswer, under_way_most};

/// Ten a window of ten seconds are let through.
const EVENTS: usize = 25;

/// Of them one at a time.
const SLOW: usize = 6;
const TAKES: Duration = Duration::from_millis(400);

#[tokio::test]
async fn what_is_over_its_bounds_is_held_and_released_by_the_sweep() {
    // Not the shared one: `cloud_crash.rs` waits there for what the schedule does, and nobody else may do.
    let tampered = TamperedCloud::take().await;
    let cloud = tampered.cloud;
    tokio::select! {
        () = sweep_each_second(cloud) => {}
        _ = async { tokio::join!(rate(cloud), concurrency(cloud)) } => {}
    }
}

/// Does what the schedule does each minute: a minute of waiting shows no more than a second does. It has no end of
/// its own: its caller drops it once all has arrived for which it waits, by `eventually`.
async fn sweep_each_second(cloud: &Cloud) {
    let sweep = json!({"function": cloud.function("Sweep").await, "payload": "{}"});
    loop {
        let swept = cloud.emulator.cloud("invoke", sweep.clone()).await;
        assert_eq!(swept, json!({"error": null, "answer": null}));
        nap(1_000).await;
    }
}

async fn concurrency(cloud: &Cloud) {
    let sink = Sink::start(vec![SinkAnswer::Silence(TAKES); SLOW]).await;
    let body = json!({"url": sink.url("/"), "max_concurrency": 1}).to_string();
    let path = "/v1/tenants/slow/endpoints?ping=false";
    let (status, endpoint) = cloud.http("POST", path, &body).await;
    assert_eq!((status, &endpoint["max_concurrency"]), (201, &json!(1)), "{endpoint}");
    let events = Value::from(vec![json!({"type": "a.b"}); SLOW]).to_string();
    let (status, answer) = cloud.http("POST", "/v1/tenants/slow/events", &events).await;
    assert_eq!(status, 202, "{answer}");
    let captured = all(&sink, SLOW).await;
    let ids: BTreeSet<&str> = captured.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!((ids.len(), captured.len()), (SLOW, SLOW), "each came once");
    assert_eq!(under_way_most(&captured, TAKES), 1);
    for owed in answer["results"].as_array().unwrap() {
        let path = format!(
            "/v1/tenants/slow/deliveries/{}",
            owed["deliveries"][0]["id"].as_str().unwrap()
        );
        let delivery = cloud.wait_for_status(&path, "delivered").await;
        assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1, "waiting costs no attempt");
    }
}

async fn rate(cloud: &Cloud) {
    let sink = Sink::start(Vec::new()).await;
    let body = json!({"url": sink.url("/"), "max_per_second": 1}).to_string();
    let path = "/v1/tenants/rate/endpoints?ping=false";
    let (status, endpoint) = cloud.http("POST", path, &body).await;
    assert_eq!(status, 201, "{endpoint}");
    let events = Value::from(vec![json!({"type": "a.b"}); EVENTS]).to_string();
    let (status, answer) = cloud.http("POST", "/v1/tenants/rate/events", &events).await;
    assert_eq!(status, 202, "{answer}");
    let captured = all(&sink, EVENTS).await;
    let ids: BTreeSet<&str> = captured.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!((ids.len(), captured.len()), (EVENTS, EVENTS), "each came once");
    // Two windows' tokens may be spent on both sides of their border.
    let most = captured.iter().map(|one| within_a_window(&captured, one.at)).max();
    assert!(most.unwrap() <= 20, "{most:?} came within ten seconds");
    assert!(captured[EVENTS - 1].at - captured[0].at > Duration::from_secs(10));
    let owed = answer["results"][EVENTS - 1]["deliveries"][0]["id"].as_str().unwrap();
    let path = format!("/v1/tenants/rate/deliveries/{owed}");
    let delivery = cloud.wait_for_status(&path, "delivered").await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1, "waiting costs no attempt");
}

/// All of them: what is held is released some seconds later.
async fn all(sink: &Sink, count: usize) -> Vec<CapturedRequest> {
    eventually(Duration::from_mins(3), async || {
        let captured = sink.requests();
        let came = captured.len();
        if came < count { Err(format!("{came} of {count} came")) } else { Ok(captured) }
    })
    .await
}

fn within_a_window(captured: &[CapturedRequest], from: Instant) -> usize {
    let until = from + Duration::from_secs(10);
    captured.iter().filter(|one| one.at >= from && one.at < until).count()
}
