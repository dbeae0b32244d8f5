//! The sender on AWS, whose SQS and EventBridge are a sink: what is asked of them, once, and what their
//! answers mean.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use waxseal_adapters::aws::AwsEngine;
use waxseal_domain::delivery::attempt::{Outcome, SendResult};
use waxseal_domain::delivery::dispatch::{Request, Subject};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::endpoint::target::{CloudTargets, Target};
use waxseal_domain::event::hops::Hops;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Engine as _, FailureKind, Sender as _};
use waxseal_tests::emulator::environment;
use waxseal_tests::sink::{Sink, SinkAnswer};

const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:findings";
const FIFO: &str = "arn:aws:sqs:us-east-1:123456789012:in-order.fifo";
const BUS: &str = "arn:aws:events:ap-south-1:123456789012:event-bus/security";
const ALLOWED: [&str; 3] = [QUEUE, FIFO, BUS];
const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The parameter of the template by which an operator allows targets of a kind; none for URLs.
fn parameter_of(target: &Target) -> Option<&'static str> {
    match target {
        Target::Http(_) => None,
        Target::Queue(_) => Some("TargetQueueArns"),
        Target::Bus(_) => Some("TargetBusArns"),
    }
}

#[test]
fn the_template_has_a_list_for_each_kind_of_target() {
    let targets = CloudTargets { allowed: ALLOWED.map(str::to_owned).to_vec(), own: Vec::new() };
    for arn in ALLOWED {
        let target = targets.check(arn).unwrap();
        let parameter = parameter_of(&target).unwrap();
        assert!(TEMPLATE.contains(&format!("\n  {parameter}:")), "{parameter}, for {arn}");
    }
}

fn request(url: &str) -> Request {
    Request {
        method: waxseal_domain::delivery::dispatch::Method::Post,
        tenant: "acme".parse().unwrap(),
        url: url.to_owned(),
        headers: BTreeMap::from([("webhook-id".to_owned(), "dlv_1_e".to_owned())]),
        body: b"{\"type\": \"a.b\", \"n\": 1.0}".to_vec(),
        timeout_ms: 1_000,
        response_chars_max: 1_024,
        subject: Subject {
            delivery: "dlv_1_e".to_owned(),
            event_type: "a.b".to_owned(),
            source: "/guard".to_owned(),
            time: Timestamp::parse_rfc3339("2026-01-02T03:04:05Z"),
            verified_by: vec!["webhook-id".to_owned()],
            hops: Hops::new(1),
        },
    }
}

/// Sends to a service that answers so; and what it was asked.
async fn send(request: Request, answer: SinkAnswer) -> (SendResult, Vec<(String, Value)>) {
    let sink = Sink::start(vec![answer]).await;
    let mut environment = environment(&sink.url(""));
    let allowed = ALLOWED.map(str::to_owned).to_vec();
    let cloud_targets = Some(CloudTargets { allowed, own: Vec::new() });
    environment.address_rules = AddressRules { cloud_targets, ..AddressRules::default() };
    let sent = AwsEngine::new(&environment).unwrap().sender().send(request).await.unwrap();
    let captured = sink.requests();
    let read = |body: &[u8]| serde_json::from_slice(body).unwrap();
    let calls =
        captured.iter().map(|one| (one.header("authorization").to_owned(), read(&one.body)));
    (sent, calls.collect())
}

#[tokio::test]
async fn a_service_whose_name_is_not_looked_up_is_our_failure_and_no_outcome() {
    // RFC 6761: no name server knows this one, and each of AWS's is known.
    let mut environment = environment("http://sqs.invalid");
    let allowed = ALLOWED.map(str::to_owned).to_vec();
    let cloud_targets = Some(CloudTargets { allowed, own: Vec::new() });
    environment.address_rules = AddressRules { cloud_targets, ..AddressRules::default() };
    let engine = AwsEngine::new(&environment).unwrap();
    for url in [QUEUE, BUS] {
        let long = Request { timeout_ms: 30_000, ..request(url) };
        let error = engine.sender().send(long).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Shortage, "{error}");
    }
}

fn refuse(status: u16, code: &'static str) -> SinkAnswer {
    SinkAnswer::Status(status, vec![("content-type", "application/x-amz-json-1.0")], code)
}

#[tokio::test]
async fn a_queue_is_sent_the_body_and_the_headers_in_its_own_region() {
    let answer = SinkAnswer::Status(200, Vec::new(), r#"{"MessageId": "m-1"}"#);
    let (sent, calls) = send(request(QUEUE), answer).await;
    let response = sent.response.unwrap();
    assert_eq!((sent.outcome, response.status), (Outcome::Accepted, 200));
    assert_eq!(response.excerpt, "m-1");
    let [(authorization, call)] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(authorization.contains("/eu-central-1/sqs/"), "{authorization}");
    let wanted = json!({
        "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/findings",
        "MessageBody": "{\"type\": \"a.b\", \"n\": 1.0}",
        "MessageAttributes": {"webhook-id": {"DataType": "String", "StringValue": "dlv_1_e"}},
    });
    assert_eq!(call, &wanted);
}

#[tokio::test]
async fn a_fifo_queue_is_told_group_and_delivery() {
    let (sent, calls) = send(request(FIFO), SinkAnswer::Status(200, Vec::new(), "{}")).await;
    assert_eq!(sent.outcome, Outcome::Accepted);
    assert_eq!(calls[0].1["MessageGroupId"], "acme");
    assert_eq!(calls[0].1["MessageDeduplicationId"], "dlv_1_e");
}

#[tokio::test]
async fn a_bus_is_put_one_event_in_its_own_region() {
    let answer = SinkAnswer::Status(
        200,
        Vec::new(),
        r#"{"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}"#,
    );
    let (sent, calls) = send(request(BUS), answer).await;
    assert_eq!((sent.outcome, sent.response.unwrap().excerpt.as_str()), (Outcome::Accepted, "e-1"));
    let [(authorization, call)] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(authorization.contains("/ap-south-1/events/"), "{authorization}");
    let wanted = json!({"Entries": [{
        "EventBusName": BUS,
        "Source": "waxseal:/guard",
        "DetailType": "a.b",
        "Detail": "{\"type\": \"a.b\", \"n\": 1.0}",
        "Time": 1_767_323_045,
        "Resources": ["dlv_1_e", "waxseal-hops/1"],
    }]});
    assert_eq!(call, &wanted);
}

#[tokio::test]
async fn every_refusal_is_an_outcome_that_names_its_code_after_one_call() {
    let entry = |body: &'static str| SinkAnswer::Status(200, Vec::new(), body);
    for (url, answer, outcome, code) in [
        (
            QUEUE,
            refuse(400, r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}"#),
            Outcome::Rejected,
            "QueueDoesNotExist",
        ),
        (
            QUEUE,
            refuse(403, r#"{"__type": "AccessDenied", "message": "role arn:secret"}"#),
            Outcome::Rejected,
            "AccessDenied",
        ),
        (
            QUEUE,
            refuse(400, r#"{"__type": "RequestThrottled", "message": "slow"}"#),
            Outcome::Throttled,
            "RequestThrottled",
        ),
        (
            BUS,
            refuse(400, r#"{"__type": "ThrottlingException", "message": "slow"}"#),
            Outcome::Throttled,
            "ThrottlingException",
        ),
        (
            BUS,
            refuse(500, r#"{"__type": "InternalException", "message": "no"}"#),
            Outcome::ServerError,
            "InternalException",
        ),
        (
            BUS,
            entry(
                r#"{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "no"}]}"#,
            ),
            Outcome::Unsendable,
            "MalformedDetail",
        ),
        (
            BUS,
            entry(r#"{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}"#),
            Outcome::Throttled,
            "ThrottlingException",
        ),
        (BUS, entry(r#"{"FailedEntryCount": 0, "Entries": []}"#), Outcome::ServerError, "NoEntry"),
    ] {
        let (sent, calls) = send(request(url), answer).await;
        assert_eq!(sent.outcome, outcome, "{sent:?}");
        let detail = sent.detail.unwrap();
        assert!(detail.ends_with(&format!("answered {code}")), "{detail}");
        assert!(sent.response.is_none());
        assert_eq!(calls.len(), 1, "{calls:?}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_attempts_own_time_out() {
    for url in [QUEUE, BUS] {
        let (sent, calls) = send(request(url), SinkAnswer::Silence(Duration::from_mins(1))).await;
        assert_eq!((sent.outcome, calls.len()), (Outcome::TimedOut, 1));
        assert_eq!(sent.detail.unwrap(), "no answer within 1000 ms");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_or_may_not_be_is_not_called() {
    let not_text = Request { body: vec![0xff], ..request(QUEUE) };
    let too_long = Request { body: vec![b'a'; 1024 * 1024], ..request(QUEUE) };
    let too_long_for_a_bus = Request { body: vec![b'a'; 1024 * 1024], ..request(BUS) };
    let other = format!("{QUEUE}s");
    for (request, outcome) in [
        (not_text, Outcome::Unsendable),
        (too_long, Outcome::Unsendable),
        (too_long_for_a_bus, Outcome::Unsendable),
        (request(&other), Outcome::Blocked),
        (request("http://127.0.0.1:1/"), Outcome::Blocked),
    ] {
        let (sent, calls) = send(request, SinkAnswer::status(200)).await;
        assert_eq!(sent.outcome, outcome, "{sent:?}");
        assert!(calls.is_empty(), "{calls:?}");
    }
}
