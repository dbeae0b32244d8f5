//! A clock that is set wrong, and right again, under an engine that is driven by hand: nothing that is owed is lost,
//! early or late by it.

use std::time::Duration;

use waxseal_domain::delivery::{Delivery, FailedReason, Status};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_flows::accept::accept_all;
use waxseal_flows::ports::{
    Clock as _, DeliveryStore as _, Engine as _, EventStore as _, GateStore as _, MaxAge,
};
use waxseal_tests::by_hand::ByHand;
use waxseal_tests::fixtures;
use waxseal_tests::sink::{Sink, SinkAnswer};

const DAYS_40_MS: i64 = 40 * 86_400_000;
/// The two ways in which a clock is wrong.
const WRONG_MS: [i64; 2] = [DAYS_40_MS, -DAYS_40_MS];
const HOUR: Duration = Duration::from_hours(1);
/// Longer than an event is kept for.
const RETENTION: Duration = Duration::from_secs(EVENT_RETENTION_S + 60);

/// An endpoint that fails once for each of three events, which are then tried again in an hour.
async fn three_that_wait(world: &ByHand) -> (Sink, Endpoint) {
    let sink = Sink::start(vec![SinkAnswer::status(500); 3]).await;
    let endpoint =
        fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[3_600]).await;
    world.send(0..3).await;
    world.deliver().await;
    assert_eq!(sink.requests().len(), 3);
    (sink, endpoint)
}

async fn row(world: &ByHand, endpoint: &Endpoint, event: &str) -> Option<Delivery> {
    let key = fixtures::key(&world.tenant, event, endpoint.id.as_str());
    world.engine.store().delivery(&key).await.unwrap()
}

/// The stored events among `e0`, `e1` and so on.
async fn stored(world: &ByHand, numbers: std::ops::Range<u32>) -> usize {
    let mut stored = 0;
    for number in numbers {
        let id = format!("e{number}").parse().unwrap();
        let found = world.engine.store().event(&world.tenant, &id).await.unwrap();
        stored += usize::from(found.is_some());
    }
    stored
}

/// Does all that comes by itself.
async fn turn(world: &ByHand) {
    world.engine.expire().await.unwrap();
    world.sweep().await;
    world.deliver().await;
}

#[tokio::test]
async fn a_clock_that_is_set_wrong_and_right_again_changes_nothing_that_is_planned() {
    for wrong_ms in WRONG_MS {
        let world = ByHand::start();
        let (sink, endpoint) = three_that_wait(&world).await;
        for set_ms in [wrong_ms, -wrong_ms] {
            world.set_clock(set_ms).await;
            turn(&world).await;
            assert_eq!((stored(&world, 0..3).await, sink.requests().len()), (3, 3));
            let open = row(&world, &endpoint, "e0").await.unwrap();
            let wait_s = open.open().unwrap().next_at.wait_s(world.engine.clock().now());
            assert!((3_590..=3_600).contains(&wait_s), "{wait_s} s after {set_ms} ms");
        }
        world.pass(HOUR);
        turn(&world).await;
        assert_eq!(sink.requests().len(), 6, "an hour after the first, as it was planned");
    }
}

#[tokio::test]
async fn what_is_accepted_by_a_wrong_clock_is_sent_once_it_is_right() {
    for wrong_ms in WRONG_MS {
        let world = ByHand::start();
        let sink = Sink::start(vec![SinkAnswer::status(500); 3]).await;
        let endpoint =
            fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[3_600]).await;
        world.set_clock(wrong_ms).await;
        world.send(0..3).await;
        world.deliver().await;
        // Nobody has looked at these when the clock is set right.
        world.send(3..6).await;
        world.set_clock(-wrong_ms).await;
        turn(&world).await;
        assert_eq!((stored(&world, 0..6).await, sink.requests().len()), (6, 6));
        world.pass(HOUR);
        turn(&world).await;
        assert_eq!(sink.requests().len(), 9, "a retry is late by nothing");
        for number in 0..6 {
            let row = row(&world, &endpoint, &format!("e{number}")).await.unwrap();
            assert_eq!(row.status, Status::Delivered);
        }
    }
}

#[tokio::test]
async fn a_jump_that_is_not_followed_yet_is_not_gone_by() {
    for wrong_ms in WRONG_MS {
        let world = ByHand::start();
        let (sink, endpoint) = three_that_wait(&world).await;
        let before = world.engine.clock().now();
        world.engine.clock().set(wrong_ms);
        turn(&world).await;
        let now = world.engine.clock().now();
        assert!(now.since_ms(before) < 60_000 && now >= before);
        assert_eq!((stored(&world, 0..3).await, sink.requests().len()), (3, 3));
        assert!(row(&world, &endpoint, "e0").await.unwrap().open().is_some());
    }
}

#[tokio::test]
async fn a_start_with_a_wrong_clock_loses_nothing() {
    for wrong_ms in WRONG_MS {
        // The second file does not say how long the machine was off: as after a move to another.
        for forgets_uptime in [false, true] {
            let world = ByHand::start();
            let (sink, endpoint) = three_that_wait(&world).await;
            turn(&world).await;
            let world = world.restart(|clock, file| {
                clock.set(wrong_ms);
                if forgets_uptime {
                    let sql = "UPDATE clock SET doc = json_set(doc, '$.uptime', NULL)";
                    assert_eq!(file.execute(sql, []).unwrap(), 1);
                }
            });
            turn(&world).await;
            assert_eq!(stored(&world, 0..3).await, 3);
            let is_known = !forgets_uptime || wrong_ms < 0;
            assert_eq!(sink.requests().len(), if is_known { 3 } else { 6 }, "early, if at all");
            let world = world.restart(|clock, _| clock.set(-wrong_ms));
            world.pass(HOUR);
            turn(&world).await;
            assert_eq!(sink.requests().len(), 6);
            let row = row(&world, &endpoint, "e0").await.unwrap();
            assert_eq!(row.status, Status::Delivered);
        }
    }
}

#[tokio::test]
async fn a_file_of_before_clocks_were_compared_is_opened_by_a_wrong_clock() {
    let world = ByHand::start();
    let (sink, endpoint) = three_that_wait(&world).await;
    let world = world.restart(|clock, file| {
        file.execute("DROP TABLE clock", []).unwrap();
        clock.set(DAYS_40_MS);
    });
    turn(&world).await;
    assert_eq!((stored(&world, 0..3).await, sink.requests().len()), (3, 6));
    assert_eq!(row(&world, &endpoint, "e0").await.unwrap().status, Status::Delivered);
}

#[tokio::test]
async fn what_is_owed_outlasts_its_retention_until_it_is_judged() {
    let world = ByHand::start();
    let (sink, endpoint) = three_that_wait(&world).await;
    world.pass(RETENTION);
    world.engine.expire().await.unwrap();
    assert_eq!(stored(&world, 0..3).await, 3, "three deliveries are open");
    world.sweep().await;
    world.deliver().await;
    let ended = row(&world, &endpoint, "e0").await.unwrap();
    assert_eq!(ended.status, Status::Failed(FailedReason::Expired), "judged, and told");
    world.engine.expire().await.unwrap();
    assert_eq!((stored(&world, 0..3).await, row(&world, &endpoint, "e0").await), (0, None));
    assert_eq!(sink.requests().len(), 3);
}

#[tokio::test]
async fn a_delivery_that_nobody_works_on_ends_with_its_event_and_is_told() {
    let world = ByHand::start();
    let sink = Sink::start(Vec::new()).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    world.send(0..1).await;
    let world = world.restart(|_, file| {
        assert_eq!(file.execute("DELETE FROM messages", []).unwrap(), 1);
    });
    world.set_clock(DAYS_40_MS).await;
    assert!(world.engine.expire().await.unwrap().is_empty(), "its event is young");
    assert_eq!(row(&world, &endpoint, "e0").await, None);
    world.pass(RETENTION);
    let told = world.engine.expire().await.unwrap();
    let [(delivery, event)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((delivery.key.event.as_str(), event.event.id.as_str()), ("e0", "e0"));
    assert_eq!(delivery.status, Status::Failed(FailedReason::Expired));
    assert!(world.engine.expire().await.unwrap().is_empty(), "told once");
    assert_eq!(stored(&world, 0..1).await, 0);
}

#[tokio::test]
async fn an_id_is_not_used_again_while_its_event_is_owed() {
    let world = ByHand::start();
    let (sink, _) = three_that_wait(&world).await;
    let accept = async |text: &str| {
        let event = fixtures::submission(text);
        accept_all(&*world.engine, &world.tenant, &[event]).await.unwrap().remove(0)
    };
    let same = r#"{"type":"a.b","id":"e0"}"#;
    world.set_clock(DAYS_40_MS).await;
    assert!(accept(same).await.unwrap().duplicate, "a clock ahead makes no id free");
    world.pass(RETENTION);
    assert!(accept(same).await.unwrap().duplicate, "nor does time, while something is open");
    turn(&world).await;
    assert!(!accept(same).await.unwrap().duplicate, "it has ended");
    assert_eq!(sink.requests().len(), 3);
}

#[tokio::test]
async fn what_a_gate_holds_is_neither_given_up_nor_released_by_a_jump() {
    for wrong_ms in WRONG_MS {
        let world = ByHand::start();
        let sink = Sink::start(vec![SinkAnswer::status(500); 4]).await;
        let endpoint =
            fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[3_600]).await;
        world.send(0..4).await;
        world.deliver().await;
        world.send(4..8).await;
        world.deliver().await;
        world.set_clock(wrong_ms).await;
        let gate = world.engine.store().gate(&world.tenant, &endpoint.id, MaxAge::NOW).await;
        let due_at = gate.unwrap().expect("its breaker is open").due_at;
        let now = world.engine.clock().now();
        assert!(due_at.wait_s(now) <= 1 && now.since_ms(due_at) < 10_000, "the probe is due soon");
        world.pass(Duration::from_secs(2));
        assert_eq!(world.sweep().await, 1, "one probe, of an endpoint that is still enabled");
        world.deliver().await;
        assert_eq!(world.sweep().await, 3, "the rest of what it held");
        world.deliver().await;
        assert_eq!(sink.requests().len(), 8);
    }
}
