//! The contract suite on DynamoDB, SQS and KMS, on the emulator.

use std::time::Duration;

use waxseal_domain::api_key::hash_of;
use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::priority::Priority;
use waxseal_flows::ports::{Clock as _, Engine as _, Queue as _};
use waxseal_tests::emulator::Emulator;
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
