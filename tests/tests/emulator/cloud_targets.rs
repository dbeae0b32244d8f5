//! Endpoints that are SQS queues and EventBridge buses: the real template on the emulator, allowed to send
//! to queues and a bus that somebody else has made.

use serde_json::{Value, json};
use waxseal_domain::profile::Profile;
use waxseal_tests::cloud::Cloud;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::hooks::Hook;

const ENDPOINTS: &str = "/v1/tenants/targets/endpoints";

/// What arrives at a queue, once so many have.
async fn receive_all(cloud: &Cloud, queue: &str, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for _ in 0..12 {
        let got = cloud.emulator.cloud("receive", json!({"queue": queue})).await;
        all.extend(got.as_array().unwrap().iter().cloned());
        if all.len() >= count {
            break;
        }
    }
    assert_eq!(all.len(), count, "{all:?}");
    all
}

fn body(message: &Value) -> Value {
    serde_json::from_str(message["body"].as_str().unwrap()).unwrap()
}

/// A message as a hook: its attributes are the headers.
fn hook(message: &Value) -> Hook {
    let attributes = message["attributes"].as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Hook {
        headers: attributes.map(|(name, value)| (name.clone(), text(value))).collect(),
        body: text(&message["body"]).into_bytes(),
    }
}

/// Sends an event, and answers with its deliveries' paths.
async fn send(cloud: &Cloud, tenant: &str, event: &Value) -> Vec<String> {
    let path = format!("/v1/tenants/{tenant}/events");
    let (status, answer) = cloud.http("POST", &path, &event.to_string()).await;
    assert_eq!(status, 202, "{answer}");
    let deliveries = answer["deliveries"].as_array().unwrap().iter();
    let path =
        |one: &Value| format!("/v1/tenants/{tenant}/deliveries/{}", one["id"].as_str().unwrap());
    deliveries.map(path).collect()
}

#[tokio::test]
async fn an_event_reaches_queues_signed_and_a_bus() {
    let (cloud, elsewhere) = Cloud::shared_with_targets().await;
    // With a ping: the API's function sends to targets too.
    let wanted = json!({"url": elsewhere.queue.0, "secret": SECRET}).to_string();
    let (status, made) = cloud.http("POST", ENDPOINTS, &wanted).await;
    assert_eq!((status, &made["url"]), (201, &json!(elsewhere.queue.0)), "{made}");
    let ping = receive_all(cloud, &elsewhere.queue.1, 1).await.remove(0);
    assert_eq!(body(&ping)["type"], "webhook.ping");
    cloud.endpoint("targets", &elsewhere.fifo.0, json!({"delays_s": [1]})).await;
    cloud.endpoint("targets", &elsewhere.bus.0, json!({"delays_s": [1]})).await;

    let event = json!({"type": "policy.denied", "source": "/guard", "data": {"n": 1.5}});
    let deliveries = send(cloud, "targets", &event).await;
    for path in &deliveries {
        let delivered = cloud.wait_for_status(path, "delivered").await;
        assert_eq!(delivered["attempts"][0]["response_status"], 200, "{delivered}");
    }
    for (queue, group) in [(&elsewhere.queue.1, Value::Null), (&elsewhere.fifo.1, json!("targets"))]
    {
        let message = receive_all(cloud, queue, 1).await.remove(0);
        assert_eq!(body(&message)["type"], "policy.denied");
        assert_eq!(body(&message)["data"], json!({"n": 1.5}));
        let hook = hook(&message);
        hook.verify(&Profile::standard().dialect, SECRET).unwrap();
        assert_eq!(hook.header("content-type"), Some("application/json"));
        let id = hook.header("webhook-id").unwrap();
        assert!(deliveries.iter().any(|path| path.ends_with(id)), "{id} {deliveries:?}");
        assert_eq!(message["group"], group);
        if group != Value::Null {
            assert_eq!(message["deduplication_id"], id);
        }
    }
    let caught = body(&receive_all(cloud, &elsewhere.bus.1, 1).await[0]);
    assert_eq!(caught["source"], "waxseal:/guard", "{caught}");
    assert_eq!(caught["detail-type"], "policy.denied");
    assert_eq!(caught["detail"]["data"], json!({"n": 1.5}));
    let id = caught["resources"][0].as_str().unwrap();
    assert!(deliveries.iter().any(|path| path.ends_with(id)), "{id} {deliveries:?}");
}

#[tokio::test]
async fn only_allowed_targets_and_a_queue_that_is_gone_is_named() {
    let (cloud, elsewhere) = Cloud::shared_with_targets().await;
    let other = elsewhere.queue.0.replace("findings", "others");
    let own = elsewhere.queue.0.replace("findings", "waxseal-deliveries");
    for (url, said) in [(&other, "is not among"), (&own, "Waxseal's own")] {
        let (status, answer) =
            cloud.http("POST", ENDPOINTS, &json!({ "url": url }).to_string()).await;
        assert_eq!(status, 422, "{url} {answer}");
        assert_eq!(answer["errors"][0]["pointer"], "/url", "{answer}");
        assert!(answer["errors"][0]["detail"].as_str().unwrap().contains(said), "{answer}");
    }

    cloud.endpoint("doomed", &elsewhere.doomed.0, json!({"delays_s": [1]})).await;
    cloud.emulator.cloud("delete_queue", json!({"queue": elsewhere.doomed.1})).await;
    let deliveries = send(cloud, "doomed", &json!({"type": "policy.denied"})).await;
    let failed = cloud.wait_for_status(&deliveries[0], "failed").await;
    let attempts = failed["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "{failed}");
    for attempt in attempts {
        assert_eq!(attempt["outcome"], "rejected", "{attempt}");
        assert!(attempt["detail"].as_str().unwrap().contains("NonExistentQueue"), "{attempt}");
    }
}
