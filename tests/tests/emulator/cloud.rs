//! The real template with the real function binaries, on the emulator, driven as a cloud would.

use std::time::Duration;

use serde_json::{Value, json};
use waxseal_domain::profile::Profile;
use waxseal_tests::cloud::Cloud;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::hooks::Hook;
use waxseal_tests::sink::{CapturedRequest, Sink, SinkAnswer};

/// A status and its JSON, as cloud.py tells them.
fn read(answer: &Value) -> (u64, Value) {
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap_or(Value::Null);
    (answer["status"].as_u64().unwrap(), body)
}

fn assert_signed(one: &CapturedRequest) {
    Hook::of_captured(one).verify(&Profile::standard().dialect, SECRET).unwrap();
}

/// The event types that came, sorted.
fn types(captured: &[CapturedRequest]) -> Vec<String> {
    let read = |one: &CapturedRequest| serde_json::from_slice::<Value>(&one.body).unwrap();
    let mut types: Vec<String> =
        captured.iter().map(|one| read(one)["type"].as_str().unwrap().to_owned()).collect();
    types.sort();
    types
}

#[tokio::test]
async fn events_of_every_source_arrive_signed() {
    let cloud = Cloud::shared().await;
    assert_eq!(cloud.http("GET", "/healthz", "").await.0, 200);
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint("sources", &sink.url("/h"), json!({"delays_s": [1]})).await;
    let path = "/v1/tenants/sources/events";
    let (status, answer) = cloud.http("POST", path, r#"{"type":"by.http"}"#).await;
    assert_eq!(status, 202, "{answer}");
    let url = format!("/_aws/lambda-url/{}{path}", cloud.label("IngestUrl"));
    let argument = json!({"path": url, "headers": cloud.headers(), "body": r#"{"type":"by.url"}"#});
    let (status, answer) = read(&cloud.emulator.cloud("http_signed", argument).await);
    assert_eq!(status, 202, "{answer}");
    for (action, argument) in [
        (
            "put_event",
            json!({"bus": cloud.output("BusName"), "source": "my.app", "detail_type": "by.bus",
                "detail": r#"{"tenant":"sources","n":1.0}"#}),
        ),
        (
            "publish",
            json!({"topic": cloud.output("TopicArn"), "message": r#"{"type":"by.sns"}"#, "tenant": "sources"}),
        ),
        (
            "send",
            json!({"queue": cloud.output("EventsQueueUrl"), "body": r#"{"type":"by.sqs"}"#, "tenant": "sources"}),
        ),
        (
            "send",
            json!({"queue": cloud.output("EventsQueueUrl"), "body": r#"{"id":"no-type"}"#, "tenant": "sources"}),
        ),
    ] {
        cloud.emulator.cloud(action, argument).await;
    }
    let payload = r#"{"tenant":"sources","events":[{"type":"by.direct"},{"data":1}]}"#;
    let argument = json!({"function": cloud.output("IngestFunction"), "payload": payload});
    let invoked = cloud.emulator.cloud("invoke", argument).await;
    assert_eq!(invoked["answer"]["results"][0]["duplicate"], false, "{invoked}");
    assert_eq!(invoked["answer"]["results"][1]["status"], 422, "{invoked}");

    let captured = sink.wait_for(6).await;
    captured.iter().for_each(assert_signed);
    assert_eq!(types(&captured), ["by.bus", "by.direct", "by.http", "by.sns", "by.sqs", "by.url"]);
    let queue = json!({"queue": cloud.output("RejectedQueueUrl")});
    let rejected = cloud.emulator.cloud("receive", queue).await;
    assert!(rejected[0]["reason"].as_str().unwrap().contains("/type"), "{rejected}");
}

#[tokio::test]
async fn a_rest_apis_event_and_a_verified_hook_arrive_too() {
    let cloud = Cloud::shared().await;
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint("rest", &sink.url("/h"), json!({"delays_s": []})).await;
    // What a REST API sends, whole, body in base64: its payload is another one than an HTTP API's.
    let payload = json!({"resource": "/v1/tenants/{tenant}/events", "httpMethod": "POST",
        "path": "/v1/tenants/rest/events",
        "headers": {"AUTHORIZATION": cloud.headers()["authorization"], "Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": null, "pathParameters": {"tenant": "rest"},
        "requestContext": {"resourcePath": "/v1/tenants/{tenant}/events", "httpMethod": "POST",
            "stage": "prod", "identity": {"sourceIp": "127.0.0.1"}, "requestId": "r"},
        "body": "eyJ0eXBlIjoiYnkucmVzdCJ9", "isBase64Encoded": true});
    let argument =
        json!({"function": cloud.output("IngestFunction"), "payload": payload.to_string()});
    let invoked = cloud.emulator.cloud("invoke", argument).await;
    assert_eq!(invoked["answer"]["statusCode"], 202, "{invoked}");

    let source = json!({"secrets": [SECRET]}).to_string();
    assert_eq!(cloud.http("PUT", "/v1/tenants/rest/sources/github", &source).await.0, 200);
    let body = r#"{"type":"by.hook","data":{"n":1.0}}"#;
    let hook = Hook::sign("standard", SECRET, "msg_1", "by.hook", body);
    let headers: Vec<_> = hook.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let client = cloud.client();
    let forged = client.with("POST", "/hooks/github", &headers, body.replace('1', "2")).await;
    assert_eq!(forged.unwrap().0, 401);
    let taken = client.with("POST", "/hooks/github", &headers, body).await.unwrap();
    assert_eq!(taken.0, 200, "{}", taken.1);
    let again = client.with("POST", "/hooks/github", &headers, body).await.unwrap();
    assert_eq!((again.0, &again.1["duplicate"]), (200, &json!(true)));

    let captured = sink.wait_for(2).await;
    captured.iter().for_each(assert_signed);
    assert_eq!(types(&captured), ["by.hook", "by.rest"]);
}

#[tokio::test]
async fn failures_are_retried_on_schedule_shown_and_replayed() {
    let cloud = Cloud::shared().await;
    let path = "/v1/tenants/retried/events";
    let sink = Sink::start(vec![SinkAnswer::status(503), SinkAnswer::status(503)]).await;
    cloud.endpoint("retried", &sink.url("/"), json!({"delays_s": [2, 3]})).await;
    cloud.http("POST", path, r#"{"type":"a.b","id":"e1"}"#).await;
    let captured = sink.wait_for(3).await;
    let gap = |one: usize| captured[one + 1].at.duration_since(captured[one].at);
    assert!(gap(0) >= Duration::from_secs(1), "{:?}", gap(0));
    assert!(gap(1) >= Duration::from_secs(2), "{:?}", gap(1));
    captured.iter().for_each(assert_signed);
    let id = captured[0].header("webhook-id").to_owned();
    let path_of = |id: &str| format!("/v1/tenants/retried/deliveries/{id}");
    let delivered = cloud.wait_for_status(&path_of(&id), "delivered").await;
    assert_eq!(delivered["attempts"].as_array().unwrap().len(), 3);

    let silent = Sink::start(vec![SinkAnswer::Silence(Duration::from_mins(1))]).await;
    let made = cloud.endpoint("silent", &silent.url("/"), json!({"delays_s": []})).await;
    let path = "/v1/tenants/silent/events";
    let (_, answer) = cloud.http("POST", path, r#"{"type":"a.b"}"#).await;
    let id = answer["deliveries"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer} {made}"));
    let path = format!("/v1/tenants/silent/deliveries/{id}");
    let failed = cloud.wait_for_status(&path, "failed").await;
    assert_eq!(failed["reason"], "exhausted");
    assert_eq!(failed["attempts"][0]["outcome"], "timed_out");
    assert_eq!(cloud.http("POST", &format!("{path}/replay"), "").await.0, 202);
    cloud.wait_for_status(&path, "delivered").await;
}
