//! After the outage: recovery of what failed or went missing, expunging, and the events about it all.

use std::time::Duration;

use serde_json::{Value, json};
use waxseal_adapters::http::Request;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, End, FailedReason, Guard, StatusName, WriteResult};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::MISSING_AFTER_S;
use waxseal_flows::ports::{Change, DeliveryStore as _, Engine as _, EventStore as _};
use waxseal_tests::by_hand::ByHand;
use waxseal_tests::fixtures;
use waxseal_tests::sink::{Sink, SinkAnswer};

async fn call(world: &ByHand, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request: Request = http::Request::builder()
        .method(method)
        .uri(format!("/v1/tenants/acme/{path}"))
        .header("authorization", "Bearer operator")
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .unwrap();
    let answer = waxseal_api::answer(&*world.engine, &request).await;
    let json = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    (answer.status().as_u16(), json)
}

async fn status(world: &ByHand, endpoint: &Endpoint, event: &str) -> Option<StatusName> {
    let key = fixtures::key(&world.tenant, event, endpoint.id.as_str());
    let row = world.engine.store().delivery(&key).await.unwrap();
    row.map(|row| StatusName::from(&row.status))
}

/// An endpoint that asks for events about endpoints and deliveries only.
async fn listener(world: &ByHand, tenant: &TenantName) -> Sink {
    let sink = Sink::start(Vec::new()).await;
    let mut endpoint = fixtures::endpoint(&*world.engine, tenant, &sink.url("/"), &[]).await;
    endpoint.subscription.event_types = vec!["waxseal.*".parse().unwrap()];
    endpoint.version = 2;
    assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(&endpoint)).await);
    sink
}

fn read_notices(sink: &Sink) -> Vec<Value> {
    let captured = sink.requests();
    captured.iter().map(|one| serde_json::from_slice(&one.body).unwrap()).collect()
}

#[tokio::test]
async fn what_has_failed_is_counted_and_then_sent_again() {
    let world = ByHand::start();
    let sink = Sink::start(vec![SinkAnswer::status(500); 2]).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    world.send(0..3).await;
    world.deliver().await;
    let failed: Vec<String> = {
        let mut failed = Vec::new();
        for number in 0..3 {
            let event = format!("e{number}");
            if status(&world, &endpoint, &event).await == Some(StatusName::Failed) {
                failed.push(event);
            }
        }
        failed
    };
    assert_eq!(failed.len(), 2);
    let path = format!("endpoints/{}/recover", endpoint.id);
    let since = "2020-01-01T00:00:00Z";
    let dry = json!({"since": since, "which": "all", "dry_run": true});
    let (code, answer) = call(&world, "POST", &path, &dry).await;
    assert_eq!((code, &answer["deliveries"], &answer["cursor"]), (200, &json!(2), &Value::Null));
    world.deliver().await;
    assert_eq!(sink.requests().len(), 3, "a dry run sends nothing");
    let (code, answer) = call(&world, "POST", &path, &json!({"since": since})).await;
    assert_eq!((code, &answer["deliveries"]), (202, &json!(2)), "{answer}");
    let (_, again) = call(&world, "POST", &path, &json!({"since": since})).await;
    assert_eq!(again["deliveries"], 0, "they are not failed any more");
    world.deliver().await;
    for event in failed {
        assert_eq!(status(&world, &endpoint, &event).await, Some(StatusName::Delivered));
    }
    let later = json!({"since": "2999-01-01T00:00:00Z", "which": "some", "until": "soon"});
    let (code, answer) = call(&world, "POST", &path, &later).await;
    let pointers: Vec<_> =
        answer["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!((code, pointers), (422, vec![&json!("/until"), &json!("/which"), &json!("/since")]));
}

#[tokio::test]
async fn what_an_earlier_event_of_an_id_left_behind_stands_in_nobodys_way() {
    let world = ByHand::start();
    let sink = Sink::start(Vec::new()).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    world.send(0..3).await;
    let store = world.engine.store();
    let mut ids = Vec::new();
    for number in 0..3 {
        let key = fixtures::key(&world.tenant, &format!("e{number}"), endpoint.id.as_str());
        let (_, event) = store.delivery_and_event(&key).await.unwrap();
        let accepted_at = event.unwrap().event_accepted_at.minus_s(40 * 86_400);
        let left = Delivery::pending(key.clone(), accepted_at, Priority::Normal)
            .end(End::Failed(FailedReason::Exhausted));
        let written = store.record_attempt(Guard::Absent, &left).await.unwrap();
        assert_eq!(written, WriteResult::Done);
        ids.push(key.id());
    }
    let path = |number: usize, action: &str| format!("deliveries/{}/{action}", ids[number]);
    let (code, answer) = call(&world, "POST", &path(0, "replay"), &json!({})).await;
    assert_eq!(code, 202, "{answer}");
    let (code, answer) = call(&world, "POST", &path(1, "cancel"), &json!({})).await;
    assert_eq!((code, &answer["status"]), (200, &json!("cancelled")), "{answer}");
    world.pass(Duration::from_secs(MISSING_AFTER_S));
    let recover = format!("endpoints/{}/recover", endpoint.id);
    let missing = json!({"since": "2020-01-01T00:00:00Z", "which": "missing"});
    let (code, answer) = call(&world, "POST", &recover, &missing).await;
    assert_eq!((code, &answer["deliveries"]), (202, &json!(1)), "{answer}");
    world.deliver().await;
    assert_eq!(sink.requests().len(), 2, "but for the one that was cancelled");
}

#[tokio::test]
async fn what_was_expunged_is_not_sent_and_leaves_its_record() {
    let world = ByHand::start();
    let sink = Sink::start(vec![SinkAnswer::Status(500, Vec::new(), "your e0 was bad")]).await;
    let endpoint =
        fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[3_600]).await;
    let event = r#"{"type":"a.b","id":"e0","severity":"high","summary":"who","data":{"who":"me"}}"#;
    let (code, _) = call_ingest(&world, event).await;
    assert_eq!(code, 202);
    world.deliver().await;
    assert_eq!(status(&world, &endpoint, "e0").await, Some(StatusName::Open));
    assert_eq!(call(&world, "DELETE", "events/e0/content", &json!({})).await.0, 204);
    assert_eq!(call(&world, "DELETE", "events/none/content", &json!({})).await.0, 404);
    let (_, shown) = call(&world, "GET", "events/e0", &json!({})).await;
    assert_eq!((&shown["data"], &shown["expunged"]), (&Value::Null, &json!(true)), "{shown}");
    assert_eq!((shown["type"].as_str(), shown["severity"].as_str()), (Some("a.b"), Some("high")));
    assert!(!shown.to_string().contains("who"), "{shown}");
    let id = shown["deliveries"][0]["id"].as_str().unwrap();
    let (_, delivery) = call(&world, "GET", &format!("deliveries/{id}"), &json!({})).await;
    assert_eq!(
        (&delivery["status"], &delivery["reason"]),
        (&json!("cancelled"), &json!("expunged"))
    );
    assert_eq!(delivery["attempts"][0]["response_excerpt"], Value::Null, "the answer is stripped");
    let (code, _) = call(&world, "POST", &format!("deliveries/{id}/replay"), &json!({})).await;
    assert_eq!(code, 409, "there is nothing to send");
    let stored = world.engine.store().event(&world.tenant, &"e0".parse().unwrap()).await.unwrap();
    assert!(stored.unwrap().event.expunged);
    assert_eq!(call_ingest(&world, event).await.1["duplicate"], true, "its sender may ask again");
}

async fn call_ingest(world: &ByHand, body: &str) -> (u16, Value) {
    let request: Request = http::Request::builder()
        .method("POST")
        .uri("/v1/tenants/acme/events")
        .header("authorization", "Bearer operator")
        .header("content-type", "application/json")
        .body(body.to_owned().into())
        .unwrap();
    let answer = waxseal_ingest::accept(&*world.engine, "acme", &request).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

#[tokio::test]
async fn failures_are_events_for_whoever_asks_by_name() {
    let world = ByHand::start();
    let tenants = listener(&world, &world.tenant).await;
    let operators = listener(&world, &fixtures::tenant("waxseal")).await;
    let bad = Sink::start(vec![SinkAnswer::status(500), SinkAnswer::status(410)]).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &bad.url("/"), &[]).await;
    world.send(0..1).await;
    world.deliver().await;
    world.send(1..2).await;
    world.deliver().await;
    for sink in [&tenants, &operators] {
        let mut types: Vec<String> =
            read_notices(sink).iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect();
        types.sort();
        let failed = "waxseal.delivery.failed";
        let (audit, disabled) = ("waxseal.audit.endpoint.disabled", "waxseal.endpoint.disabled");
        assert_eq!(types, [audit, failed, failed, disabled]);
    }
    let all = read_notices(&operators);
    let exhausted = all.iter().find(|one| one["data"]["reason"] == "exhausted").unwrap();
    assert_eq!(exhausted["data"]["tenant"], "acme");
    assert_eq!(exhausted["data"]["endpoint_id"], endpoint.id.as_str());
    assert_eq!(exhausted["data"]["attempts"], 1);
    let (code, answer) = call_ingest(&world, r#"{"type":"waxseal.delivery.failed"}"#).await;
    assert_eq!((code, &answer["errors"][0]["pointer"]), (422, &json!("/type")), "ours alone");
}

#[tokio::test]
async fn a_notice_that_fails_raises_none() {
    let world = ByHand::start();
    let sink = listener(&world, &world.tenant).await;
    sink.script(vec![SinkAnswer::status(500); 10]);
    let bad = Sink::start(vec![SinkAnswer::status(500)]).await;
    fixtures::endpoint(&*world.engine, &world.tenant, &bad.url("/"), &[]).await;
    world.send(0..1).await;
    world.deliver().await;
    assert_eq!(read_notices(&sink).len(), 1);
}

#[tokio::test]
async fn a_retry_policy_is_data_and_a_window_ends_it() {
    let world = ByHand::start();
    let sink = Sink::start(vec![SinkAnswer::status(500); 9]).await;
    let path = "endpoints?ping=false";
    let bad = json!({"url": sink.url("/"),
        "retry": {"delays_s": [1, 0], "window_s": 0, "jitter": 1}});
    let (code, answer) = call(&world, "POST", path, &bad).await;
    let mut pointers: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        (code, pointers),
        (422, vec!["/retry/delays_s/1", "/retry/jitter", "/retry/window_s"])
    );
    let unknown = json!({"url": sink.url("/"), "retry": {"delays_s": [1], "times": 3}});
    let (code, answer) = call(&world, "POST", path, &unknown).await;
    assert_eq!((code, &answer["errors"][0]["pointer"]), (422, &json!("/retry")));
    let good = json!({"url": sink.url("/"),
        "retry": {"delays_s": [1, 3600, 3600], "window_s": 2, "jitter": true}});
    let (code, made) = call(&world, "POST", path, &good).await;
    assert_eq!((code, &made["retry"]), (201, &good["retry"]), "{made}");
    world.send(0..1).await;
    for _ in 0..4 {
        world.deliver().await;
        world.pass(Duration::from_millis(1_100));
    }
    let (_, shown) = call(&world, "GET", "events/e0", &json!({})).await;
    assert_eq!(sink.requests().len(), 3, "the third is pulled in to the end, and is the last");
    assert_eq!(shown["deliveries"][0]["status"], "failed", "{shown}");
}
