//! `deliver`, `sweep` and `bury` over the protocol's separate steps.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use waxseal_domain::delivery::message::{Message, ReceivedMessage};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::credentials::Credentials;
use waxseal_domain::limits::PARK_AT_RECEIVE;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::accept::accept_all;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::bury::{BuryResult, bury};
use waxseal_flows::cancel::cancel;
use waxseal_flows::ports::{
    Change, Claim, Clock as _, ConfigStore as _, DeliveryStore as _, Engine as _, EventStore as _,
    GateStore as _, KeyVault as _, MaxAge, Release,
};
use waxseal_flows::replay::replay;
use waxseal_flows::sweep::sweep;
use waxseal_tests::fixtures::{self, submission};
use waxseal_tests::scripted::{Play, ScriptedEngine};

struct World {
    engine: Arc<ScriptedEngine>,
    endpoint: Endpoint,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(delays_s: &[u64], play: impl Fn(usize) -> Play + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let posts = AtomicUsize::new(0);
        let engine = ScriptedEngine::new(fixtures::engine(folder.path()), move |_| {
            play(posts.fetch_add(1, Ordering::SeqCst))
        });
        let tenant = fixtures::tenant("acme");
        let endpoint =
            fixtures::endpoint(engine.as_ref(), &tenant, "https://example.com/", delays_s).await;
        Self { engine, endpoint, _folder: folder }
    }

    async fn accept(&self, id: &str) -> DeliveryKey {
        let text = format!(r#"{{"type":"t.a","id":"{id}","source":"s"}}"#);
        let tenant = &self.endpoint.tenant;
        let mut results =
            accept_all(self.engine.as_ref(), tenant, &[submission(&text)]).await.unwrap();
        let acceptance = results.pop().unwrap().unwrap();
        assert_eq!(acceptance.deliveries.len(), 1);
        fixtures::key(tenant, id, self.endpoint.id.as_str())
    }

    fn receive(&self) -> ReceivedMessage {
        // What becomes visible within a minute need not be waited for.
        for _ in 0..60 {
            if let Some(received) = self.engine.queue().inbox(Priority::Normal).receive_now() {
                return received;
            }
            self.engine.clock().advance(Duration::from_secs(1));
        }
        panic!("no message is there, nor within a minute");
    }

    /// Receives a message, or has the sweep send what rests.
    async fn receive_or_sweep(&self) -> ReceivedMessage {
        for _ in 0..40 {
            if let Some(received) = self.engine.queue().inbox(Priority::Normal).receive_now() {
                return received;
            }
            self.engine.clock().advance(Duration::from_secs(5));
            sweep(self.engine.as_ref(), self.deadline()).await.unwrap();
        }
        panic!("no message is there, nor within minutes");
    }

    fn deadline(&self) -> Timestamp {
        self.engine.clock().now().plus_s(15)
    }

    async fn drive(&self, received: ReceivedMessage) -> Disposition {
        let receipt = received.receipt.clone();
        let settled = drive(&self.engine, received, self.deadline()).await;
        if settled == Disposition::Done {
            self.engine.queue().remove(&receipt).await.unwrap();
        }
        settled
    }

    async fn status(&self, key: &DeliveryKey) -> (&'static str, u32) {
        let row = self.engine.store().delivery(key).await.unwrap();
        row.map_or(("pending", 0), |row| (row.status_word(), row.attempts))
    }
}

#[tokio::test]
async fn fails_twice_and_is_taken_the_third_time() {
    let world = World::new(&[1, 1], |post| Play::Answer(if post < 2 { 503 } else { 200 })).await;
    let key = world.accept("e1").await;
    for (settled, status) in [
        (Disposition::Again, ("retrying", 1)),
        (Disposition::Again, ("retrying", 2)),
        (Disposition::Done, ("delivered", 3)),
    ] {
        assert_eq!(world.drive(world.receive()).await, settled);
        assert_eq!(world.status(&key).await, status);
    }
    assert!(world.engine.queue().inbox(Priority::Normal).is_empty());
}

#[tokio::test]
async fn our_own_shortage_is_no_attempt_and_the_delivery_is_tried_until_it_is_over() {
    // More often than a message may come, before it is taken for one that crashes us.
    let world = World::new(&[], |post| match post {
        0..40 => Play::Shortage,
        _ => Play::Answer(200),
    })
    .await;
    let key = world.accept("e1").await;
    for _ in 0..100 {
        let received = world.receive_or_sweep().await;
        assert!(received.receives <= PARK_AT_RECEIVE, "{}", received.receives);
        world.drive(received).await;
        if world.status(&key).await != ("pending", 0) {
            break;
        }
    }
    assert_eq!(world.status(&key).await, ("delivered", 1), "and the shortage is no attempt");
    let endpoint = &world.endpoint;
    let gate = world.engine.store().gate(&endpoint.tenant, &endpoint.id, MaxAge::NOW).await;
    assert!(gate.unwrap().is_none(), "no breaker has opened");
}

#[tokio::test]
async fn exhausts_after_the_last_delay_and_a_replay_delivers() {
    let world = World::new(&[], |post| Play::Answer(if post == 0 { 500 } else { 200 })).await;
    let key = world.accept("e1").await;
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    let row = world.engine.store().delivery(&key).await.unwrap().unwrap();
    assert_eq!((row.status_word(), row.reason_word().as_deref()), ("failed", Some("exhausted")));
    let replayed = replay(world.engine.as_ref(), &key).await.unwrap();
    assert_eq!(replayed.status_word(), "retrying");
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    assert_eq!(world.status(&key).await, ("delivered", 2));
}

#[tokio::test]
async fn gone_disables_the_endpoint_and_ends_what_else_it_is_owed() {
    let world = World::new(&[60], |_| Play::Answer(410)).await;
    let (first, second) = (world.accept("e1").await, world.accept("e2").await);
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    let endpoint = world
        .engine
        .store()
        .endpoint(&first.tenant, &first.endpoint, MaxAge::NOW)
        .await
        .unwrap()
        .unwrap();
    assert!(!endpoint.is_enabled());
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    let reason = |key| async move {
        world.engine.store().delivery(key).await.unwrap().unwrap().reason_word().unwrap()
    };
    let mut reasons = [reason.clone()(&first).await, reason(&second).await];
    reasons.sort();
    assert_eq!(reasons, ["endpoint_disabled", "gone"]);
}

#[tokio::test]
async fn a_long_wait_is_parked_and_the_sweep_brings_it_back_in_time() {
    let world = World::new(&[3_600], |_| Play::Answer(500)).await;
    let key = world.accept("e1").await;
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    assert!(world.engine.queue().inbox(Priority::Normal).is_empty(), "no message waits");
    let row = world.engine.store().delivery(&key).await.unwrap().unwrap();
    let open = row.open().unwrap();
    assert!(open.holder.is_none());
    let swept = waxseal_flows::sweep::sweep(world.engine.as_ref(), world.deadline()).await.unwrap();
    assert_eq!(swept.sent, 0, "an hour ahead nothing is due");
    let now = world.engine.clock().now();
    let due = waxseal_flows::ports::Due {
        key: key.clone(),
        due_at: open.due_at,
        next_at: now.plus_s(1),
        claims: 0,
        priority: Priority::Normal,
    };
    let ticket = world.engine.ticket();
    let claim = Claim { ticket: ticket.clone(), due_at: now.plus_s(240), taken_at: None };
    assert!(world.engine.claim_and_enqueue(&due, claim, Release::default()).await.unwrap());
    let received = world.receive();
    assert_eq!(received.message.ticket, ticket);
    assert!(received.message.check, "a re-issued message reads the row");
}

#[tokio::test]
async fn a_message_that_is_not_the_holder_drops_itself() {
    let world = World::new(&[1, 1], |_| Play::Answer(503)).await;
    let key = world.accept("e1").await;
    let received = world.receive();
    let event_accepted_at = received.message.event_accepted_at;
    assert_eq!(world.drive(received.clone()).await, Disposition::Again);
    let now = world.engine.clock().now();
    let stranger = Message::reissue(&key, event_accepted_at, world.engine.ticket(), now);
    let copy = ReceivedMessage { message: stranger, ..received };
    assert_eq!(drive(&world.engine, copy, world.deadline()).await, Disposition::Done);
    assert_eq!(world.status(&key).await, ("retrying", 1), "no second POST");
}

#[tokio::test]
async fn one_message_received_twice_is_recorded_once() {
    let world = World::new(&[1], |_| Play::Answer(200)).await;
    let key = world.accept("e1").await;
    let received = world.receive();
    let both = [received.clone(), received].map(|one| drive(&world.engine, one, world.deadline()));
    let settled = futures_util::future::join_all(both).await;
    assert_eq!(settled, [Disposition::Done, Disposition::Done]);
    assert_eq!(world.status(&key).await, ("delivered", 1));
}

#[tokio::test]
async fn a_cancelled_delivery_is_not_posted_again() {
    let world = World::new(&[1], |_| Play::Answer(503)).await;
    let key = world.accept("e1").await;
    assert_eq!(world.drive(world.receive()).await, Disposition::Again);
    assert_eq!(cancel(world.engine.as_ref(), &key).await.unwrap().status_word(), "cancelled");
    assert_eq!(cancel(world.engine.as_ref(), &key).await.unwrap_err().into_problem().status, 409);
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    assert_eq!(world.status(&key).await, ("cancelled", 1));
}

#[tokio::test]
async fn a_deleted_endpoint_cancels_what_it_is_owed() {
    let world = World::new(&[1], |_| Play::Answer(200)).await;
    let key = world.accept("e1").await;
    let store = world.engine.store();
    let endpoint = store.endpoint(&key.tenant, &key.endpoint, MaxAge::NOW).await.unwrap().unwrap();
    assert!(fixtures::change(world.engine.as_ref(), Change::RemoveEndpoint(&endpoint)).await);
    assert_eq!(world.drive(world.receive()).await, Disposition::Done);
    assert_eq!(world.status(&key).await, ("cancelled", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_and_a_hang_leave_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = ScriptedEngine::new(fixtures::engine(folder.path()), |request| {
        match request.url.as_str() {
            "https://panic.example.com/" => Play::Panic,
            "https://hang.example.com/" => Play::Hang,
            _ => Play::Answer(200),
        }
    });
    let tenant = fixtures::tenant("acme");
    for host in ["panic", "hang", "good"] {
        let url = format!("https://{host}.example.com/");
        fixtures::endpoint(engine.as_ref(), &tenant, &url, &[1]).await;
    }
    let text = r#"{"type":"t.a","id":"e1","source":"s"}"#;
    accept_all(engine.as_ref(), &tenant, &[submission(text)]).await.unwrap();
    let deadline = engine.clock().now().plus_s(4);
    let mut records = Vec::new();
    for _ in 0..3 {
        records.push(engine.queue().inbox(Priority::Normal).receive().await);
    }
    let each = records.into_iter().map(|received| drive(&engine, received, deadline));
    let mut settled = futures_util::future::join_all(each).await;
    settled.sort_by_key(|settled| *settled == Disposition::Again);
    assert_eq!(settled, [Disposition::Done, Disposition::Again, Disposition::Again]);
    let id = "e1".parse().unwrap();
    let (_, rows) = engine.store().event_with_deliveries(&tenant, &id).await.unwrap().unwrap();
    let words: Vec<_> = rows.iter().map(Delivery::status_word).collect();
    assert_eq!(words, ["delivered"], "our own failures write no row");
}

#[tokio::test]
async fn bury_ends_only_what_its_message_holds() {
    let world = World::new(&[1], |post| Play::Answer(if post == 0 { 503 } else { 200 })).await;
    let key = world.accept("e1").await;
    let received = world.receive();
    assert_eq!(bury(world.engine.as_ref(), &received.message).await.unwrap(), BuryResult::Crashed);
    let row = world.engine.store().delivery(&key).await.unwrap().unwrap();
    assert_eq!(row.reason_word().as_deref(), Some("crashed"));
    assert_eq!(
        bury(world.engine.as_ref(), &received.message).await.unwrap(),
        BuryResult::NothingOwed
    );
    replay(world.engine.as_ref(), &key).await.unwrap();
    assert_eq!(
        bury(world.engine.as_ref(), &received.message).await.unwrap(),
        BuryResult::NothingOwed,
        "the replay's message holds it now"
    );
}

#[tokio::test]
async fn a_duplicate_sends_only_what_has_no_row_and_only_once() {
    let world = World::new(&[1], |_| Play::Answer(200)).await;
    world.accept("e1").await;
    let text = r#"{"type":"t.a","id":"e1","source":"s"}"#;
    let again = || async {
        let tenant = &world.endpoint.tenant;
        let results = accept_all(world.engine.as_ref(), tenant, &[submission(text)]).await;
        results.unwrap().pop().unwrap().unwrap()
    };
    assert!(again().await.duplicate);
    assert_eq!(
        world.engine.queue().inbox(Priority::Normal).len(),
        2,
        "no row yet: sent again, checked"
    );
    again().await;
    assert_eq!(world.engine.queue().inbox(Priority::Normal).len(), 2, "a storm costs one round");
    let other = r#"{"type":"t.a","id":"e1","source":"s","data":1}"#;
    let tenant = &world.endpoint.tenant;
    let mut results =
        accept_all(world.engine.as_ref(), tenant, &[submission(other)]).await.unwrap();
    assert_eq!(results.pop().unwrap().unwrap_err().into_problem().status, 409);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_never_sent_as_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let said: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let seen = Arc::clone(&said);
    let engine = ScriptedEngine::new(fixtures::engine(folder.path()), move |request| {
        seen.lock().unwrap().push(request.headers.get("authorization").cloned());
        Play::Answer(200)
    });
    let tenant = fixtures::tenant("acme");
    let endpoint = fixtures::endpoint(engine.as_ref(), &tenant, "https://example.com/", &[1]).await;
    let context = SecretContext::credentials(&tenant, &endpoint.id);
    let no_text = Secret::new(vec![0xff, 0xfe]);
    let sealed = engine.key_vault().seal(&context, &no_text).await.unwrap();
    let now = engine.clock().now();
    let auth = Some(Credentials::Bearer { sealed });
    let endpoint = Endpoint { auth, ..endpoint }.next_version(now);
    let change = Change::PutEndpoint(&endpoint);
    assert!(fixtures::change(engine.as_ref(), change).await);
    let world = World { engine, endpoint, _folder: folder };
    let key = world.accept("e1").await;
    assert_eq!(world.drive(world.receive()).await, Disposition::Again, "our own failure");
    assert_eq!(*said.lock().unwrap(), [], "nothing was sent");
    assert_eq!(world.status(&key).await, ("pending", 0));
}
