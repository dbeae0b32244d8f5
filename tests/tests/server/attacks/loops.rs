//! Deliveries that come back to us.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use waxseal_adapters::clock::SystemClock;
use waxseal_domain::limits::{HOPS_MAX, RATE_WINDOW_S};
use waxseal_flows::ports::Clock as _;
use waxseal_tests::attack::{Attack, short_or_long};
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::hooks::Hook;
use waxseal_tests::process::Server;
use waxseal_tests::proxy::Proxy;
use waxseal_tests::sink::{Sink, SinkAnswer};

/// Everything must be over within this.
const WITHIN: Duration = Duration::from_mins(1);

/// A server with the tenant `acme`, whose hooks come in at the source `ring`.
struct Ring {
    server: Server,
    operator: Client,
    _folder: tempfile::TempDir,
}

impl Ring {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with these settings.
    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_with(folder.path(), settings).await;
        let operator = server.client();
        let ring = Self { server, operator, _folder: folder };
        ring.make("POST", "/v1/tenants", json!({"name": "acme"})).await;
        ring.make("PUT", "/v1/tenants/acme/sources/ring", json!({"secrets": [SECRET]})).await;
        ring
    }

    async fn make(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.operator.call(method, path, &body.to_string()).await;
        assert!(status < 300, "{path}: {answer}");
        answer
    }

    /// An endpoint that wants all, and does not say `waxseal-hops` itself.
    async fn lead_to(&self, url: &str) {
        let draft = json!({"url": url, "secret": SECRET});
        self.make("POST", "/v1/tenants/acme/endpoints?ping=false", draft).await;
    }

    /// Sends one event with a key that may make one request a second.
    async fn send_one(&self) {
        let key = json!({"scopes": ["ingest"], "max_per_second": 1});
        let key = self.make("POST", "/v1/tenants/acme/keys", key).await;
        let key = key["key"].as_str().unwrap().to_owned();
        let client = Client { key, ..self.operator.clone() };
        let event = json!({"type": "policy.denied", "data": {"n": 1}}).to_string();
        let (status, answer) = client.call("POST", "/v1/tenants/acme/events", &event).await;
        assert_eq!(status, 202, "{answer}");
    }

    /// Every event, with its deliveries.
    async fn events(&self) -> Vec<Value> {
        let (mut events, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/tenants/acme/events?limit=200{cursor}");
            let page = self.make("GET", &path, Value::Null).await;
            for event in page["items"].as_array().unwrap() {
                let path = format!("/v1/tenants/acme/events/{}", event["id"].as_str().unwrap());
                events.push(self.make("GET", &path, Value::Null).await);
            }
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return events,
            }
        }
    }

    /// Every event, once no delivery of any is owed any more.
    async fn events_once_over(&self) -> Vec<Value> {
        self.events_once(|_| true).await
    }

    /// The same, once they are such.
    async fn events_once(&self, are_such: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut before = 0;
        eventually(WITHIN, async || {
            let events = self.events().await;
            let statuses: Vec<_> = statuses(&events).collect();
            let is_over = statuses.iter().all(|one| one == "delivered" || one == "failed");
            // What was delivered while they were read may have become an event that is not among them.
            let is_all = std::mem::replace(&mut before, events.len()) == events.len();
            if is_over && is_all && are_such(&events) { Ok(events) } else { Err(statuses) }
        })
        .await
    }

    /// The failed deliveries of these events, whole.
    async fn failed(&self, events: &[Value]) -> Vec<Value> {
        let mut failed = Vec::new();
        let deliveries = events.iter().flat_map(|event| event["deliveries"].as_array().unwrap());
        for one in deliveries.filter(|one| one["status"] == "failed") {
            let path = format!("/v1/tenants/acme/deliveries/{}", one["id"].as_str().unwrap());
            failed.push(self.make("GET", &path, Value::Null).await);
        }
        failed
    }
}

fn statuses(events: &[Value]) -> impl Iterator<Item = String> {
    let deliveries = events.iter().flat_map(|event| event["deliveries"].as_array().unwrap());
    deliveries.map(|one| one["status"].as_str().unwrap().to_owned())
}

fn count<T>(all: &[T]) -> u64 {
    u64::try_from(all.len()).unwrap()
}

/// The proxy stands for a relay of somebody else's that passes on what it is sent: no address of our own is seen,
/// and nothing but the hops ends it.
#[tokio::test]
async fn one_event_and_endpoints_that_lead_back_make_no_more_than_the_hops_allow() {
    let endpoints: u64 = short_or_long(3, 8);
    let ring = Ring::start().await;
    let relay = Proxy::start(ring.server.address);
    for _ in 0..endpoints {
        ring.lead_to(&format!("http://{}/hooks/ring", relay.address)).await;
    }
    ring.send_one().await;
    let events = ring.events_once_over().await;
    // 1 + f + f² + f³, and each of the last is refused wherever it leads back.
    let bound: u64 = (0..=HOPS_MAX).map(|hops| endpoints.pow(hops)).sum();
    let name = "one event, and endpoints that lead back by a relay";
    Attack { name, counted: "events", bound }.took(count(&events));
    assert_eq!(count(&events), bound, "nothing below the bound is refused");
    let posts: u64 = relay.take().values().sum();
    Attack { name, counted: "messages", bound: bound * endpoints }.took(posts);
    let failed = ring.failed(&events).await;
    assert_eq!(count(&failed), endpoints.pow(HOPS_MAX + 1), "the last ones, each said");
    for delivery in failed {
        assert_eq!(
            (&delivery["reason"], &delivery["attempt_count"]),
            (&json!("looped"), &json!(1))
        );
        let attempt = &delivery["attempts"][0];
        assert_eq!(attempt["response_status"], 508, "{delivery}");
        let said = attempt["response_excerpt"].as_str().unwrap();
        assert!(said.contains("are the most"), "{delivery}");
    }
}

/// Two deployments that lead to each other are one chain.
#[tokio::test]
async fn a_chain_over_two_deployments_ends() {
    let (one, other) = (Ring::start().await, Ring::start().await);
    one.lead_to(&format!("http://{}/hooks/ring", other.server.address)).await;
    other.lead_to(&format!("http://{}/hooks/ring", one.server.address)).await;
    one.send_one().await;
    let mut events = one.events_once_over().await;
    // The first deployment's are over only when the other's are.
    let ends = eventually(WITHIN, async || {
        let (mut all, here) = (one.events_once_over().await, other.events_once_over().await);
        all.extend(here);
        if statuses(&all).any(|status| status == "failed") { Ok(all) } else { Err(all.len()) }
    });
    events.extend(ends.await);
    let hops = |event: &Value| event["waxsealhops"].as_u64().unwrap_or_default();
    events.sort_by_key(hops);
    events.dedup_by_key(|event| hops(event));
    let seen: Vec<u64> = events.iter().map(hops).collect();
    let name = "two deployments that lead to each other";
    Attack { name, counted: "events", bound: u64::from(HOPS_MAX) + 1 }.took(count(&events));
    assert_eq!(seen, (0..=u64::from(HOPS_MAX)).collect::<Vec<_>>());
}

/// A relay that passes on bodies and signatures but no hops makes each event a new one: what bounds the circle then is
/// what its tenant may have delivered.
#[tokio::test]
async fn a_circle_that_hides_its_hops_is_bounded_by_its_tenants_deliveries() {
    let ring = Ring::start_with(&[("WAXSEAL_TENANT_DELIVERIES_PER_MINUTE", "60")]).await;
    let (passed_on, mut to_pass_on) = tokio::sync::mpsc::unbounded_channel();
    let relay = Sink::start_with_rule(move |request| {
        let _ended = passed_on.send(Hook::of_captured(request));
        SinkAnswer::status(200)
    })
    .await;
    for _ in 0..3 {
        ring.lead_to(&relay.url("/")).await;
    }
    let began_s = SystemClock.now().seconds();
    ring.send_one().await;
    let mut posts = 0;
    // Three times what a window lets pass would come at once.
    while let Ok(Some(hook)) = timeout(Duration::from_secs(2), to_pass_on.recv()).await {
        posts += 1;
        let headers = hook.headers.into_iter().filter(|(name, _)| name != "waxseal-hops").collect();
        let (status, answer) =
            Hook { headers, ..hook }.post(&ring.operator, "/hooks/acme/ring").await;
        assert_eq!(status, 200, "{answer}");
        if posts >= 40 {
            break;
        }
    }
    let windows = SystemClock.now().seconds() / RATE_WINDOW_S - began_s / RATE_WINDOW_S + 1;
    let name = "endpoints that lead back by a relay which hides it";
    // Ten a window, and the one that is let through unasked.
    Attack { name, counted: "messages in each window", bound: 11 * windows }.took(posts);
    let events = ring.events().await;
    assert!(
        statuses(&events).all(|status| status == "delivered" || status == "pending"),
        "none failed"
    );
    assert!(statuses(&events).any(|status| status == "pending"), "they wait");
}

/// A courtesy: whoever names one of our own addresses is told so, however it is written; and what was configured before
/// the address was ours is not sent.
#[tokio::test]
async fn our_own_addresses_are_refused_in_any_spelling() {
    let ring = Ring::start_with(&[("WAXSEAL_PUBLIC_URL", "https://hooks.example/waxseal")]).await;
    let port = ring.server.address.port();
    let mut taken = 0;
    let own = [
        format!("http://127.0.0.1:{port}/hooks/acme/ring"),
        format!("http://localhost:{port}/"),
        format!("http://ring.localhost.:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.0.0.1:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        "https://hooks.example/waxseal/hooks/acme/ring".to_owned(),
        "https://HOOKS.example.:443/waxseal".to_owned(),
    ];
    for url in &own {
        let draft = json!({"url": url}).to_string();
        let path = "/v1/tenants/acme/endpoints?ping=false";
        let (status, answer) = ring.operator.call("POST", path, &draft).await;
        taken += u64::from(status < 300);
        let said = answer["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(said.contains("leads back to Waxseal itself"), "{url}: {answer}");
    }
    Attack { name: "endpoints at our own addresses", counted: "taken", bound: 0 }.took(taken);
    // Others on this machine, and others of this name.
    let other = Sink::start(Vec::new()).await;
    for url in [other.url("/"), "https://hooks.example/siem".to_owned()] {
        ring.lead_to(&url).await;
    }
}

/// What is told of a chain's end goes no further than the chain.
#[tokio::test]
async fn a_notice_of_a_chains_end_begins_no_other() {
    let ring = Ring::start().await;
    let relay = Proxy::start(ring.server.address);
    let url = format!("http://{}/hooks/ring", relay.address);
    let draft = json!({"url": url, "secret": SECRET, "event_types": ["*", "waxseal.*"]});
    ring.make("POST", "/v1/tenants/acme/endpoints?ping=false", draft).await;
    ring.send_one().await;
    let is_of = |event: &&Value, prefix: &str| event["type"].as_str().unwrap().starts_with(prefix);
    let is_told =
        |events: &[Value]| events.iter().any(|one| is_of(&one, "waxseal.delivery.failed"));
    let events = ring.events_once(is_told).await;
    // The chain, then the audit log's word of what was configured with chains of its own, and the notice of the end,
    // which goes out once and is refused.
    let notices: Vec<_> =
        events.iter().filter(|event| is_of(event, "waxseal.delivery.failed")).collect();
    let name = "an endpoint that leads back and wants the notice of its failure";
    Attack { name, counted: "notices and their copies", bound: 1 }.took(count(&notices));
    assert_eq!(notices[0]["waxsealhops"], HOPS_MAX);
    let chain = events.iter().filter(|event| is_of(event, "policy.")).count();
    assert_eq!(u64::try_from(chain).unwrap(), u64::from(HOPS_MAX) + 1);
}
