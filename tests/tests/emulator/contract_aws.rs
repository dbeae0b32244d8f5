//! The contract suite on DynamoDB, SQS and KMS, on the emulator.

use std::sync::Arc;
use std::time::Duration;

use waxseal_adapters::aws::AwsEngine;
use waxseal_adapters::clock::{MovableClock, SystemClock};
use waxseal_domain::api_key::hash_of;
use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::priority::Priority;
use waxseal_flows::accept::accept_all;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::ports::{CheckStatus, Clock as _, DeliveryStore as _, Engine as _, Queue as _};
use waxseal_tests::emulator::Emulator;
use waxseal_tests::sink::{Sink, SinkAnswer};
use waxseal_tests::{contract, fixtures};

macro_rules! contract {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let emulator = Emulator::shared().await;
            let engine = emulator.engine().await;
            contract::$check(&engine, &fixtures::tenant("acme")).await;
        }
    )*};
}

waxseal_tests::contract_checks!(contract);

#[tokio::test]
async fn a_message_comes_again_when_it_was_told_to_and_once_it_is_removed_no_more() {
    let emulator = Emulator::shared().await;
    let engine = emulator.engine().await;
    let now = engine.clock().now();
    let key = fixtures::key(&fixtures::tenant("acme"), "e1", "ep_1");
    let message = Message::reissue(&key, now, engine.ticket(), now);
    assert!(engine.queue().enqueue(std::slice::from_ref(&message)).await.is_empty());
    let received = engine.queue().receive(Priority::Normal, 5).await.unwrap();
    assert_eq!((received[0].receives, &received[0].message.ticket), (1, &message.ticket));
    engine.queue().wait(&received[0].receipt, Duration::from_secs(1)).await.unwrap();
    let again = engine.queue().receive(Priority::Normal, 5).await.unwrap();
    assert_eq!(again[0].receives, 2);
    engine.queue().remove(&again[0].receipt).await.unwrap();
    engine
        .queue()
        .wait(&again[0].receipt, Duration::from_secs(1))
        .await
        .expect("a stale receipt is no failure");
    assert!(engine.queue().receive(Priority::Normal, 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_operators_key_is_the_secrets() {
    let emulator = Emulator::shared().await;
    let engine = emulator.engine().await;
    assert_eq!(engine.operator_key_hash().await.unwrap(), hash_of("operator"));
}

/// By how much a machine's clock is set wrong.
const WRONG_MS: [i64; 2] = [40 * 86_400_000, -40 * 86_400_000];

#[tokio::test]
async fn a_machine_whose_clock_is_wrong_goes_by_what_aws_tells() {
    let emulator = Emulator::shared().await;
    let right = SystemClock;
    for (number, wrong_ms) in WRONG_MS.into_iter().enumerate() {
        let environment = emulator.provision(&format!("clock{number}")).await;
        let clock = MovableClock::default();
        let engine = AwsEngine::with_clock(&environment, clock.clone()).unwrap();
        clock.set(wrong_ms);
        assert!(engine.clock().now().diff_ms(right.now()).abs() > 1_000_000, "nothing was told");
        let tenant = fixtures::tenant("acme");
        let sink = Sink::start(vec![SinkAnswer::status(500)]).await;
        let endpoint = fixtures::endpoint(&engine, &tenant, &sink.url("/"), &[5]).await;
        let event = fixtures::submission(r#"{"type":"a.b","id":"e1"}"#);
        let accepted = accept_all(&engine, &tenant, std::slice::from_ref(&event)).await.unwrap();
        assert!(accepted[0].is_ok());
        let key = fixtures::key(&tenant, "e1", endpoint.id.as_str());
        let (_, row) = engine.store().delivery_and_event(&key).await.unwrap();
        let row = row.unwrap();
        assert!(row.event_accepted_at.diff_ms(right.now()).abs() < 60_000, "and so is its `ttl`");
        let engine = Arc::new(engine);
        for received in engine.queue().receive(Priority::Normal, 5).await.unwrap() {
            let deadline = engine.clock().now().plus_s(15);
            assert_eq!(drive(&engine, received, deadline).await, Disposition::Again);
        }
        let retrying = engine.store().delivery(&key).await.unwrap().unwrap();
        let next_at = retrying.open().expect("it has not expired").next_at;
        assert!(next_at.diff_ms(right.now()).abs() < 60_000, "in five seconds");
        let checks = engine.checks().await;
        let check = checks.iter().find(|check| check.name == "clock").unwrap();
        assert_eq!(check.status, CheckStatus::Warn, "{}", check.detail);

        // Set right, and wrong again, between two answers: by its own clock alone the event would have expired.
        for set_ms in [-wrong_ms, WRONG_MS[0]] {
            clock.set(set_ms);
            let again = accept_all(&*engine, &tenant, std::slice::from_ref(&event)).await.unwrap();
            assert!(again[0].as_ref().unwrap().duplicate, "its id is not free");
        }
    }
}
