//! What a queue or a bus was sent comes back as an event, again and again: the chain ends.

use std::sync::Arc;

use serde_json::{Value, json};
use waxseal_adapters::aws::AwsEngine;
use waxseal_adapters::aws::cloud_event::CloudEvent;
use waxseal_adapters::aws::cloud_message;
use waxseal_domain::delivery::Round;
use waxseal_domain::delivery::dispatch::{Outgoing, prepare};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::endpoint::target::CloudTargets;
use waxseal_domain::event::Event;
use waxseal_domain::limits::HOPS_MAX;
use waxseal_domain::profile::Profile;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, Engine as _, EventStore as _, PageRequest, Sender as _};
use waxseal_flows::take_in::{CloudMessage, take_in_or_put_aside};
use waxseal_tests::attack::Attack;
use waxseal_tests::by_hand::ByHand;
use waxseal_tests::emulator::environment;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::sink::{Sink, SinkAnswer};

const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:findings";
const BUS: &str = "arn:aws:events:eu-central-1:123456789012:event-bus/security";
/// More rounds than a chain may have: one that goes on is noticed.
const ROUNDS: usize = 20;

/// Delivers an event to a queue or a bus whose service is a sink, and returns what the service was asked.
async fn deliver(arn: &str, event: &Event) -> Value {
    let taken = r#"{"MessageId": "m", "FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}"#;
    let sink = Sink::start(vec![SinkAnswer::Status(200, Vec::new(), taken)]).await;
    let mut environment = environment(&sink.url(""));
    let cloud_targets = Some(CloudTargets { allowed: vec![arn.to_owned()], own: Vec::new() });
    environment.address_rules = AddressRules { cloud_targets, ..AddressRules::default() };
    let profile = Profile::standard();
    let now = Timestamp::from_ms(1_000);
    let id = "ep_1".parse().unwrap();
    let endpoint = Endpoint::new(id, event.tenant.clone(), "standard".to_owned(), now);
    let endpoint = Endpoint {
        url: arn.to_owned(),
        // It overwrites nothing of ours.
        headers: [("waxseal-hops".to_owned(), "0".to_owned())].into(),
        ..endpoint
    };
    let delivery = format!("dlv_1_{}", event.id);
    let (endpoint, profile, round) = (&endpoint, &profile, Round::single(now));
    let outgoing = Outgoing { endpoint, profile, event, id: &delivery, round };
    let keys = [profile.dialect.key(SECRET).unwrap()];
    let request = prepare(outgoing, &keys, None, now).unwrap().request;
    let sent = AwsEngine::new(&environment).unwrap().sender().send(request).await.unwrap();
    assert_eq!(sent.response.map(|answer| answer.status), Some(200));
    serde_json::from_slice(&sink.requests()[0].body).unwrap()
}

/// The body of a queue's message without the event's id: with it the event would be known for the one that it was, and
/// be refused as such.
fn without_id(call: &Value) -> String {
    let mut body: Value = serde_json::from_str(call["MessageBody"].as_str().unwrap()).unwrap();
    body.as_object_mut().unwrap().remove("id").unwrap();
    body.to_string()
}

/// The message of a queue, as Lambda hands it over.
fn of_queue(call: &Value, round: usize) -> CloudMessage {
    let attributes: serde_json::Map<String, Value> = call["MessageAttributes"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, one)| (name.clone(), json!({"stringValue": one["StringValue"]})))
        .collect();
    let record = json!({"eventSource": "aws:sqs", "messageId": format!("m-{round}"),
        "receiptHandle": "r", "body": without_id(call), "messageAttributes": attributes});
    let Ok(CloudEvent::Sqs(records)) = CloudEvent::parse(&json!({"Records": [record]}).to_string())
    else {
        panic!("no record")
    };
    cloud_message::from_queue(&records[0])
}

/// The message of a topic that the queue's messages are copied to, with their attributes.
fn of_topic(call: &Value, round: usize) -> CloudMessage {
    let attributes: serde_json::Map<String, Value> = call["MessageAttributes"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, one)| (name.clone(), json!({"Value": one["StringValue"]})))
        .collect();
    let record = json!({"EventSource": "aws:sns", "Sns": {"MessageId": format!("m-{round}"),
        "Message": without_id(call), "MessageAttributes": attributes}});
    let Ok(CloudEvent::Sns(records)) = CloudEvent::parse(&json!({"Records": [record]}).to_string())
    else {
        panic!("no record")
    };
    cloud_message::from_topic(records.into_iter().next().unwrap())
}

/// The event of a bus, as a rule hands it over.
fn of_bus(call: &Value, round: usize) -> CloudMessage {
    let entry = &call["Entries"][0];
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let event = json!({"id": format!("b-{round}"), "source": entry["Source"],
        "time": "2026-11-21T10:00:00Z", "detail-type": entry["DetailType"],
        "resources": entry["Resources"], "detail": detail});
    let Ok(CloudEvent::EventBridge(event)) = CloudEvent::parse(&event.to_string()) else {
        panic!("no event")
    };
    cloud_message::from_bus(&event).unwrap()
}

/// Sends what came in out again until it is put aside, and returns how many events there are then.
async fn go_round(arn: &str, comes_back: fn(&Value, usize) -> CloudMessage) -> usize {
    let by_hand = ByHand::start();
    waxseal_tests::fixtures::endpoint(
        &*by_hand.engine,
        &by_hand.tenant,
        "http://127.0.0.1:9/",
        &[],
    )
    .await;
    by_hand.send(0..1).await;
    let engine = Arc::clone(&by_hand.engine);
    let page = PageRequest { limit: 2 * ROUNDS, cursor: None };
    let events = async || {
        let now = engine.clock().now();
        engine.store().events_by_time(&by_hand.tenant, &page, now).await.unwrap().items
    };
    for round in 0..ROUNDS {
        let all = events().await;
        let last = all.iter().max_by_key(|row| row.event.hops).unwrap();
        let message = comes_back(&deliver(arn, &last.event).await, round);
        if take_in_or_put_aside(&*engine, &message, Some("acme")).await.unwrap() > 0 {
            break;
        }
    }
    events().await.len()
}

/// Makes of what was sent what comes back, in which round.
type ComesBack = fn(&Value, usize) -> CloudMessage;

#[tokio::test]
async fn a_chain_by_way_of_a_queue_a_topic_or_a_bus_ends() {
    let bound = u64::from(HOPS_MAX) + 1;
    let ways: [(&str, &str, ComesBack); 3] = [
        ("a queue's messages come back", QUEUE, of_queue),
        ("a queue's messages come back by a topic", QUEUE, of_topic),
        ("a bus's events come back", BUS, of_bus),
    ];
    for (name, arn, comes_back) in ways {
        let events = go_round(arn, comes_back).await;
        Attack { name, counted: "events of one", bound }.took(u64::try_from(events).unwrap());
        assert_eq!(u64::try_from(events).unwrap(), bound, "{name}: nor is it cut short");
    }
}
