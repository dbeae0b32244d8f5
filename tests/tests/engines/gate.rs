//! The circuit breaker over real sockets: an endpoint that fails is cut off, probed, and caught up
//! with; its neighbour is not delayed. The sweep is run by hand, as the clock would.

use std::time::Duration;

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::gate::Mode;
use waxseal_domain::limits::RATE_WINDOW_S;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::accept::accept_all;
use waxseal_flows::ports::{
    Change, Clock as _, DeliveryStore as _, Engine as _, GateStore as _, MaxAge,
};
use waxseal_tests::by_hand::ByHand;
use waxseal_tests::fixtures;
use waxseal_tests::sink::{Sink, SinkAnswer, under_way_most};

#[tokio::test]
async fn a_failing_endpoint_is_broken_off_probed_and_caught_up_with() {
    let world = ByHand::start();
    let failing = Sink::start(vec![SinkAnswer::status(500); 5]).await;
    let well = Sink::start(Vec::new()).await;
    let delays_s = [3_600];
    let endpoint =
        fixtures::endpoint(&*world.engine, &world.tenant, &failing.url("/"), &delays_s).await;
    fixtures::endpoint(&*world.engine, &world.tenant, &well.url("/"), &delays_s).await;
    world.send(0..4).await;
    world.deliver().await;
    assert_eq!(world.mode(&endpoint).await, Some(Mode::Open), "four of four have failed");
    world.send(4..10).await;
    world.deliver().await;
    assert_eq!(failing.requests().len(), 4, "nothing is sent while the breaker is open");
    assert_eq!(well.requests().len(), 10, "its neighbour gets all");

    assert_eq!(world.sweep().await, 0, "its first probe is not due");
    world.pass(Duration::from_millis(1_100));
    assert_eq!(world.sweep().await, 1, "one probe");
    assert_eq!(world.sweep().await, 0, "and no second one within the interval");
    world.deliver().await;
    assert_eq!((failing.requests().len(), world.mode(&endpoint).await), (5, Some(Mode::Open)));
    world.pass(Duration::from_millis(1_100));
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    assert_eq!(failing.requests().len(), 6);
    assert_eq!(world.mode(&endpoint).await, Some(Mode::Pacing), "the second probe was accepted");
    assert_eq!(world.sweep().await, 4, "the rest is released");
    world.deliver().await;
    assert_eq!(failing.requests().len(), 10, "all but the four that wait for their retry");
}

#[tokio::test]
async fn a_throttled_endpoint_is_left_alone_for_as_long_as_it_asks() {
    let world = ByHand::start();
    let busy = SinkAnswer::Status(429, vec![("retry-after", "600")], "");
    let sink = Sink::start(vec![busy]).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[1]).await;
    world.send(0..1).await;
    world.deliver().await;
    assert_eq!(world.mode(&endpoint).await, Some(Mode::Pacing));
    world.send(1..5).await;
    world.deliver().await;
    assert_eq!((world.sweep().await, sink.requests().len()), (0, 1), "held, and not due");
    let gate =
        world.engine.store().gate(&world.tenant, &endpoint.id, MaxAge::NOW).await.unwrap().unwrap();
    let wait_s = gate.due_at.wait_s(world.engine.clock().now());
    assert!((590..=600).contains(&wait_s), "{wait_s} s");
}

#[tokio::test]
async fn what_is_over_its_rate_waits_and_costs_no_attempt() {
    let world = ByHand::start();
    let sink = Sink::start(Vec::new()).await;
    let mut endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    endpoint.max_per_second = Some(1);
    endpoint.version = 2;
    assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(&endpoint)).await);
    let window = |now: Timestamp| now.seconds() / RATE_WINDOW_S;
    let began = world.engine.clock().now();
    world.send(0..30).await;
    world.deliver().await;
    let sent = sink.requests().len();
    let windows = usize::try_from(window(world.engine.clock().now()) - window(began)).unwrap() + 1;
    assert!((10..=10 * windows).contains(&sent), "{sent} in {windows} windows");
    assert_eq!(world.mode(&endpoint).await, Some(Mode::Pacing));
    let later = began.plus_s(3_600);
    let held = world
        .engine
        .store()
        .held_deliveries(&world.tenant, &endpoint.id, later, 100)
        .await
        .unwrap();
    assert_eq!(held.len(), 30 - sent, "held, every one");
    for due in &held {
        let row = world.engine.store().delivery(&due.key).await.unwrap().unwrap();
        assert_eq!((row.attempts, row.log.len()), (0, 0), "it cost no attempt");
    }
    // The review comes with the next window, and spreads what it releases over its tokens.
    let gate =
        world.engine.store().gate(&world.tenant, &endpoint.id, MaxAge::NOW).await.unwrap().unwrap();
    assert!(gate.due_at.wait_s(world.engine.clock().now()) <= RATE_WINDOW_S);
}

#[tokio::test]
async fn what_is_over_its_concurrency_waits_and_costs_no_attempt() {
    const TAKES: Duration = Duration::from_millis(400);
    let world = ByHand::start();
    let sink = Sink::start(vec![SinkAnswer::Silence(TAKES); 20]).await;
    let mut endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    endpoint.max_concurrency = Some(2);
    endpoint.version = 2;
    assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(&endpoint)).await);
    world.send(0..20).await;
    assert_eq!(world.deliver_together().await, 20, "sent or held");
    let sent = sink.requests().len();
    assert!((2..20).contains(&sent), "{sent} within the time that an attempt waits for a slot");
    assert_eq!(world.mode(&endpoint).await, Some(Mode::Pacing));
    let later = world.engine.clock().now().plus_s(3_600);
    let held = world
        .engine
        .store()
        .held_deliveries(&world.tenant, &endpoint.id, later, 100)
        .await
        .unwrap();
    assert_eq!(held.len(), 20 - sent, "held, every one");
    for due in &held {
        let row = world.engine.store().delivery(&due.key).await.unwrap().unwrap();
        assert_eq!((row.attempts, row.log.len()), (0, 0), "it cost no attempt");
    }
    while sink.requests().len() < 20 {
        world.review_now(&endpoint).await;
        world.sweep().await;
        world.deliver_together().await;
    }
    let captured = sink.requests();
    let ids: std::collections::BTreeSet<_> =
        captured.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!((captured.len(), ids.len()), (20, 20), "each came once");
    assert_eq!(under_way_most(&captured, TAKES), 2);
}

#[tokio::test]
async fn a_paused_endpoint_gets_nothing_and_what_it_wants_once_it_is_resumed() {
    let world = ByHand::start();
    let sink = Sink::start(Vec::new()).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await;
    let change = |paused_at, version| Endpoint { paused_at, version, ..endpoint.clone() };
    let put = async |endpoint: &Endpoint| {
        assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(endpoint)).await);
    };
    put(&change(Some(world.engine.clock().now()), 2)).await;
    world.send(0..5).await;
    world.deliver().await;
    for _ in 0..3 {
        world.review_now(&endpoint).await;
        assert_eq!(world.sweep().await, 0, "nothing is released");
    }
    assert_eq!((sink.requests().len(), world.mode(&endpoint).await), (0, Some(Mode::Pacing)));
    put(&change(None, 3)).await;
    world.send(5..6).await;
    world.deliver().await;
    assert_eq!(sink.requests().len(), 1, "what comes now does not wait");
    world.review_now(&endpoint).await;
    assert_eq!(world.sweep().await, 5, "what was kept is released");
    world.deliver().await;
    assert_eq!(sink.requests().len(), 6);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_read_keeps_the_sweep_from_no_other() {
    let world = ByHand::start();
    let (idle, busy) =
        (Sink::start(Vec::new()).await, Sink::start(vec![SinkAnswer::status(500)]).await);
    let held = fixtures::endpoint(&*world.engine, &world.tenant, &idle.url("/"), &[]).await;
    let paused_at = Some(world.engine.clock().now());
    let paused = Endpoint { paused_at, version: 2, ..held };
    assert!(fixtures::change(world.engine.as_ref(), Change::PutEndpoint(&paused)).await);
    world.send(0..1).await;
    world.deliver().await;
    assert!(world.mode(&paused).await.is_some(), "its delivery is held");

    let other = fixtures::tenant("umbra");
    fixtures::endpoint(&*world.engine, &other, &busy.url("/"), &[3_600]).await;
    let event = fixtures::submission(r#"{"type":"a.b","id":"e1"}"#);
    assert!(accept_all(&*world.engine, &other, &[event]).await.unwrap()[0].is_ok());
    world.deliver().await;
    assert_eq!(busy.requests().len(), 1, "its retry is an hour away");

    world.spoil(&paused).await;
    world.pass(Duration::from_hours(2));
    world.sweep().await;
    world.deliver().await;
    assert_eq!(busy.requests().len(), 2, "the other tenant's retry is made");
    assert_eq!(idle.requests().len(), 0);
    let now = world.engine.clock().now();
    let due = world.engine.store().due_gates(now, 10).await.unwrap();
    assert_eq!(due, [], "it is put off, and takes nobody's place at the next sweep");
}

#[tokio::test]
async fn a_probe_that_failed_is_none_when_it_is_tried_again() {
    let world = ByHand::start();
    let sink = Sink::start(vec![SinkAnswer::status(500); 20]).await;
    let endpoint = fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[5, 5]).await;
    world.send(0..4).await;
    world.deliver().await;
    assert_eq!(world.mode(&endpoint).await, Some(Mode::Open));
    world.pass(Duration::from_secs(6));
    world.deliver().await;
    assert_eq!(sink.requests().len(), 4, "their retries are held");
    assert_eq!(world.sweep().await, 1, "one of them is the probe");
    world.deliver().await;
    assert_eq!(sink.requests().len(), 5);
    world.pass(Duration::from_secs(6));
    world.deliver().await;
    assert_eq!(sink.requests().len(), 5, "it waited by visibility, and passes no open gate");
    assert_eq!(world.sweep().await, 1, "but as the next probe of the gate's own");
}
