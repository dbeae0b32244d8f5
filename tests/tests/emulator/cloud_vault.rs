//! The key of KMS is disabled: nothing is signed with anything else, nothing is sent, nothing is lost,
//! and whoever asks is told.

use std::time::Duration;

use std::sync::Arc;

use serde_json::Value;
use waxseal_adapters::aws::AwsEngine;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_flows::accept::accept_all;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::ports::{Clock as _, Engine as _, Queue as _};
use waxseal_tests::emulator::Emulator;
use waxseal_tests::faults::Faults;
use waxseal_tests::fixtures;
use waxseal_tests::proxy::Proxy;
use waxseal_tests::sink::Sink;

async fn call(engine: &AwsEngine, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Bearer operator")
        .body(body.to_owned().into())
        .unwrap();
    let answer = waxseal_api::answer(engine, &request).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
}

/// Receives the one message and drives it.
async fn drive_one(engine: &Arc<AwsEngine>) -> Disposition {
    let received = engine.queue().receive(Priority::Normal, 5).await.unwrap().remove(0);
    let receipt = received.receipt.clone();
    let settled = drive(engine, received, engine.clock().now().plus_s(10)).await;
    if settled == Disposition::Done {
        engine.queue().remove(&receipt).await.unwrap();
    } else {
        // The queue would bring it back after its visibility: at once here.
        engine.queue().wait(&receipt, Duration::ZERO).await.unwrap();
    }
    settled
}

#[tokio::test]
async fn without_its_key_it_fails_closed_and_says_so() {
    let emulator = Emulator::shared().await;
    let mut environment = emulator.provision("vault").await;
    let behind = emulator.endpoint_url["http://".len()..].parse().unwrap();
    let proxy = Proxy::start(behind);
    environment.endpoint_url = Some(format!("http://{}", proxy.address));
    environment.address_rules = AddressRules { allow_loopback: true, ..AddressRules::default() };
    let engine = || Arc::new(AwsEngine::new(&environment).unwrap());
    let tenant = fixtures::tenant("acme");
    let sink = Sink::start(Vec::new()).await;
    let first = engine();
    fixtures::endpoint(&*first, &tenant, &sink.url("/"), &[1]).await;
    let event = fixtures::submission(r#"{"type":"a.b","id":"e1"}"#);
    assert!(accept_all(&*first, &tenant, &[event]).await.unwrap()[0].is_ok());

    proxy.disturb(Some(Faults::no_key()));
    // A new instance: it has no opened secret in memory.
    let without = engine();
    assert_eq!(drive_one(&without).await, Disposition::Again);
    assert!(sink.requests().is_empty(), "nothing goes out, signed with nothing or unsigned");
    let draft = format!(r#"{{"url":"{}"}}"#, sink.url("/"));
    let path = "/v1/tenants/acme/endpoints?ping=false";
    let (status, problem) = call(&without, "POST", path, &draft).await;
    assert_eq!(status, 503, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("seal secret"), "it says what does not work: {detail}");
    let (status, said) = call(&without, "GET", "/v1/status", "").await;
    let checks = said["checks"].as_array().unwrap();
    let vault = checks.iter().find(|check| check["name"] == "key vault").unwrap();
    assert_eq!((status, &vault["status"]), (200, &Value::from("fail")), "{said}");
    assert!(vault["detail"].as_str().unwrap().contains("Disabled"), "{said}");

    proxy.disturb(None);
    assert_eq!(drive_one(&engine()).await, Disposition::Done);
    assert!(!sink.wait_for(1).await[0].header("webhook-signature").is_empty());
}
