//! What every tenant may do at the most: requests of all its keys, hooks of a source, deliveries. What is over a bound
//! is refused where somebody waits for an answer, and waits where it is owed.

use std::time::Duration;

use waxseal_domain::api_key::{ApiKey, Caller, Scope, hash_of};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::hops::Hops;
use waxseal_domain::flow_control::gate::Mode;
use waxseal_domain::flow_control::tenant_bounds::TenantBounds;
use waxseal_domain::id::{ApiKeyId, TenantName};
use waxseal_domain::limits::RATE_WINDOW_S;
use waxseal_domain::problem::Problem;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::source::{HookPath, Source};
use waxseal_flows::accept::accept_all;
use waxseal_flows::authenticate::authenticate;
use waxseal_flows::ports::{
    Change, Clock as _, Engine as _, EventStore as _, KeyVault as _, PageRequest,
};
use waxseal_flows::receive::{Incoming, receive};
use waxseal_flows::refusal::Refusal;
use waxseal_tests::by_hand::ByHand;
use waxseal_tests::fixtures::{self, SECRET};
use waxseal_tests::hooks::Hook;
use waxseal_tests::sink::Sink;

/// What a bound of one a second lets pass in a window: ten, and the one that an instance lets pass unasked.
const OF_A_WINDOW: usize = 11;

/// The windows that have begun since a time, that one included.
fn windows_since(world: &ByHand, began_s: u64) -> usize {
    let now_s = world.engine.clock().now().seconds();
    usize::try_from(now_s / RATE_WINDOW_S - began_s / RATE_WINDOW_S).unwrap() + 1
}

fn problem(refusal: Refusal) -> Problem {
    let Refusal::Problem(problem) = refusal else { panic!("{refusal:?}") };
    problem
}

/// A key of a tenant that may make a hundred requests a second.
async fn key(world: &ByHand, tenant: &TenantName, text: &str) -> Caller {
    let key = ApiKey {
        id: ApiKeyId::from_entropy(world.engine.entropy()),
        tenant: tenant.clone(),
        scopes: vec![Scope::Ingest],
        hash: hash_of(text),
        name: None,
        max_per_second: None,
        created_at: world.engine.clock().now(),
    };
    assert!(fixtures::change(&*world.engine, Change::AddApiKey(&key)).await);
    Caller::Key(text.to_owned())
}

#[tokio::test]
async fn the_keys_of_a_tenant_have_one_bound_together() {
    let bounds = TenantBounds { requests_per_second: 1, ..TenantBounds::default() };
    let world = ByHand::start_with(bounds);
    let other = fixtures::tenant("other");
    let mut keys = Vec::new();
    for number in 0..10 {
        keys.push(key(&world, &world.tenant, &format!("wxs_{number}")).await);
    }
    let others = key(&world, &other, "wxs_other").await;
    let began_s = world.engine.clock().now().seconds();
    let (mut passed, mut refused) = (0, Vec::new());
    for caller in keys.iter().cycle().take(100) {
        match authenticate(&*world.engine, caller).await {
            Ok(_) => passed += 1,
            Err(refusal) => refused.push(problem(refusal)),
        }
    }
    let most = OF_A_WINDOW * windows_since(&world, began_s);
    assert!((OF_A_WINDOW..=most).contains(&passed), "{passed} of at most {most}");
    let last = refused.last().unwrap();
    assert_eq!(last.status, 429);
    assert!(last.detail.contains("tenant") && last.detail.contains("1 requests"), "{last:?}");
    assert!(authenticate(&*world.engine, &others).await.is_ok(), "another tenant's key");
    world.pass(Duration::from_secs(RATE_WINDOW_S));
    assert!(authenticate(&*world.engine, &keys[0]).await.is_ok(), "in the next window");
}

#[tokio::test]
async fn a_source_has_a_bound_that_no_stranger_uses_up() {
    let world = ByHand::start();
    let name = "github".parse().unwrap();
    let context = SecretContext::source(&world.tenant, &name);
    let secret = Secret::new(SECRET.as_bytes().to_vec());
    let now = world.engine.clock().now();
    let source = Source {
        name,
        tenant: world.tenant.clone(),
        profile: "standard".to_owned(),
        secrets: vec![SealedSecret {
            sealed: world.engine.key_vault().seal(&context, &secret).await.unwrap(),
            created_at: now,
            until: None,
            public_key: None,
        }],
        tolerance_s: 300,
        max_per_second: Some(1),
        has_short_path: true,
    };
    fixtures::endpoint(&*world.engine, &world.tenant, "https://example.com/", &[]).await;
    assert!(fixtures::change(&*world.engine, Change::PutSource(&source)).await);
    let send = async |id: &str, secret: &str| {
        let body = r#"{"type":"a.b","timestamp":"2026-11-21T10:00:00Z","data":{}}"#;
        let hook = Hook::sign("standard", secret, id, "a.b", body);
        let headers = hook.headers.into_iter().collect();
        let incoming = Incoming { headers, body: hook.body, hops: Hops::default() };
        let path = HookPath { tenant: Some("acme"), source: "github" };
        receive(&*world.engine, path, incoming).await.map_err(|refusal| problem(refusal).status)
    };
    let began_s = world.engine.clock().now().seconds();
    let strangers = "whsec_c3RyYW5nZXJzIGRvIG5vdCBrbm93IGl0IQ==";
    for number in 0..50 {
        assert_eq!(send(&format!("s{number}"), strangers).await.unwrap_err(), 401);
    }
    let mut passed = 0;
    for number in 0..50 {
        match send(&format!("h{number}"), SECRET).await {
            Ok(_) => passed += 1,
            Err(status) => assert_eq!(status, 429),
        }
    }
    let most = OF_A_WINDOW * windows_since(&world, began_s);
    assert!((OF_A_WINDOW..=most).contains(&passed), "{passed} of at most {most}");
}

#[tokio::test]
async fn deliveries_over_their_tenants_bound_wait_and_all_are_made() {
    let bounds = TenantBounds { deliveries_per_minute: 60, ..TenantBounds::default() };
    let world = ByHand::start_with(bounds);
    let (sink, others) = (Sink::start(Vec::new()).await, Sink::start(Vec::new()).await);
    let endpoints: [Endpoint; 2] = [
        fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await,
        fixtures::endpoint(&*world.engine, &world.tenant, &sink.url("/"), &[]).await,
    ];
    let other = fixtures::tenant("other");
    fixtures::endpoint(&*world.engine, &other, &others.url("/"), &[]).await;
    let began_s = world.engine.clock().now().seconds();
    world.send(0..15).await;
    let event = fixtures::submission(r#"{"type":"a.b","id":"e"}"#);
    accept_all(&*world.engine, &other, &[event]).await.unwrap();
    world.deliver().await;
    let made = sink.requests().len();
    let most = OF_A_WINDOW * windows_since(&world, began_s);
    assert!((OF_A_WINDOW..=most).contains(&made), "{made} of at most {most}");
    assert_eq!(others.requests().len(), 1, "another tenant's goes at once");
    assert_eq!(world.engine.memory().take_put_off(), 30 - made, "each is counted");
    assert_eq!(world.mode(&endpoints[0]).await, Some(Mode::Closing), "it stops nothing else");

    // Each window brings as many again, in whatever order the reviews fall.
    for _ in 0..60 {
        world.pass(Duration::from_secs(RATE_WINDOW_S));
        world.sweep().await;
        world.deliver().await;
        let most = OF_A_WINDOW * windows_since(&world, began_s);
        assert!(sink.requests().len() <= most, "{} of at most {most}", sink.requests().len());
    }
    assert_eq!(sink.requests().len(), 30, "all are made, and each once");
    let page = PageRequest { limit: 100, cursor: None };
    let now = world.engine.clock().now();
    let events = world.engine.store().events_by_time(&world.tenant, &page, now).await.unwrap();
    for row in events.items {
        let stored = world.engine.store().event_with_deliveries(&world.tenant, &row.event.id);
        let (_, deliveries) = stored.await.unwrap().unwrap();
        assert_eq!(deliveries.len(), 2);
        for delivery in deliveries {
            let (status, attempts) = (delivery.status_word(), delivery.attempts);
            assert_eq!((status, attempts, delivery.log.len()), ("delivered", 1, 1));
        }
    }
    assert_eq!(world.mode(&endpoints[0]).await, None, "and the gate is gone");
}
