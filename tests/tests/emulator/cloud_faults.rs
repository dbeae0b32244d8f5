//! Faults of the cloud, on the deployed template: calls that fail or lose their answer, a function
//! that is killed, a message that is none of ours, a receiver that hangs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use waxseal_tests::cloud::{Cloud, TamperedCloud};
use waxseal_tests::eventually::eventually;
use waxseal_tests::faults::{Faults, Shares};
use waxseal_tests::poster::{AcknowledgedEvent, Poster};
use waxseal_tests::receivers::{Manners, Receivers};
use waxseal_tests::settings::seed;
use waxseal_tests::sink::{CapturedRequest, Sink, SinkAnswer};

const EVENTS: usize = 48;
const POSTERS: usize = 4;
const SHARES: Shares = Shares { refused: 15, cut: 15 };
/// Our own back-off after a failure is ten seconds at the first receive, and doubles with each.
const SETTLE_MAX: Duration = Duration::from_mins(5);
const MANNERS: Manners = Manners { failing_percent: 10, failing_retries: 12, slow_ms: 200 };

/// The deployment, with a `deliver` that can be made to wait, so that messages gather for one batch.
struct Batching {
    tampered: TamperedCloud,
    cloud: &'static Cloud,
}

impl Batching {
    /// Messages that are not settled come again after five seconds.
    async fn start() -> Self {
        let tampered = TamperedCloud::take().await;
        tampered.hasten(20, 5).await;
        Self { cloud: tampered.cloud, tampered }
    }

    async fn listen(&self, enabled: bool) {
        let argument = json!({"function": self.tampered.deliver, "enabled": enabled});
        assert_eq!(self.cloud.emulator.cloud("listen", argument).await["mappings"], 2);
    }

    /// Posts an event of each of these tenants; the paths of their deliveries.
    async fn post(&self, tenants: &[&str]) -> Vec<String> {
        let mut paths = Vec::new();
        for tenant in tenants {
            let path = format!("/v1/tenants/{tenant}/events");
            let (status, answer) = self.cloud.http("POST", &path, r#"{"type":"a.b"}"#).await;
            assert_eq!(status, 202, "{answer}");
            let id = answer["deliveries"][0]["id"].as_str().unwrap();
            paths.push(format!("/v1/tenants/{tenant}/deliveries/{id}"));
        }
        paths
    }

    async fn assert_waiting(&self, messages: usize) {
        let queue = json!({"queue": self.cloud.output("DeliveriesQueueUrl")});
        assert_eq!(self.cloud.emulator.cloud("count", queue).await, json!(messages));
    }
}

/// How often each delivery came.
fn posts(captured: &[CapturedRequest]) -> BTreeMap<&str, usize> {
    captured.iter().fold(BTreeMap::new(), |mut posts, one| {
        *posts.entry(one.header("webhook-id")).or_default() += 1;
        posts
    })
}

async fn post_all(cloud: &Cloud) -> Vec<AcknowledgedEvent> {
    let (_told, server) = watch::channel(cloud.client());
    let posters = (0..POSTERS).map(|name| {
        let mut poster = Poster::at(server.clone());
        tokio::spawn(async move {
            let mut all = Vec::new();
            for number in 0..EVENTS / POSTERS {
                let tenant = ["flaky", "globex"][number % 2];
                all.push(poster.post(tenant, &format!("f{name}-{number}")).await);
            }
            all
        })
    });
    let mut all = Vec::new();
    for poster in posters.collect::<Vec<_>>() {
        all.extend(poster.await.unwrap());
    }
    all
}

/// Deliveries of acknowledged events that no receiver has taken yet.
fn find_missing<'a>(
    acknowledged: &'a [AcknowledgedEvent],
    receivers: &Receivers,
) -> Vec<&'a String> {
    let owed = acknowledged.iter().flat_map(|one| &one.deliveries);
    receivers.look(|ledger| {
        owed.filter(|id| ledger.get(*id).is_none_or(|arrival| arrival.taken == 0)).collect()
    })
}

/// The API tells the same, once what had no answer is recorded.
async fn assert_delivered(cloud: &Cloud, one: &AcknowledgedEvent) {
    let path = format!("/v1/tenants/{}/events/{}", one.tenant, one.event);
    eventually(SETTLE_MAX, async || {
        let (_, event) = cloud.http("GET", &path, "").await;
        let deliveries = event["deliveries"].as_array().unwrap();
        let are_delivered = deliveries.iter().all(|delivery| delivery["status"] == "delivered");
        if are_delivered { Ok(()) } else { Err(event) }
    })
    .await;
}

#[tokio::test]
async fn calls_that_fail_or_lose_their_answer_lose_no_event() {
    let seed = seed();
    let tampered = TamperedCloud::take().await;
    let (cloud, proxy) = (tampered.cloud, tampered.proxy);
    tampered.hasten(20, 20).await;
    let receivers = Receivers::start(MANNERS, seed).await;
    for tenant in ["flaky", "globex"] {
        receivers.register(&cloud.client(), tenant).await;
    }
    proxy.take();
    proxy.disturb(Some(Faults::new(SHARES, seed)));
    let acknowledged = post_all(cloud).await;
    let began = Instant::now();
    eventually(SETTLE_MAX, async || {
        let missing = find_missing(&acknowledged, &receivers);
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are missing")) }
    })
    .await;
    proxy.disturb(None);
    let calls = proxy.take();
    println!("{calls:?}, the last came after {:.0} s", began.elapsed().as_secs_f64());
    for one in &acknowledged {
        assert_eq!(one.deliveries.len(), 3, "{one:?}");
        assert_delivered(cloud, one).await;
    }
    for fault in ["Fails ", "Throttled ", "Cut "] {
        assert!(calls.keys().any(|call| call.starts_with(fault)), "{fault} never came: {calls:?}");
    }
}

#[tokio::test]
async fn what_a_killed_function_held_comes_again_and_is_delivered() {
    let batching = Batching::start().await;
    let cloud = batching.cloud;
    let sink = Sink::start(vec![SinkAnswer::Silence(Duration::from_secs(8)); 5]).await;
    cloud.endpoint_within("killed", &sink.url("/"), json!({"delays_s": []}), 10_000).await;
    batching.listen(false).await;
    let deliveries = batching.post(&["killed"; 5]).await;
    batching.assert_waiting(5).await;
    batching.listen(true).await;
    sink.wait_for(5).await;
    let held = cloud.emulator.environments(&batching.tampered.deliver);
    assert_eq!(held.len(), 1, "one batch, one environment");
    let kill = std::process::Command::new("kill").args(["-KILL", &held[0].to_string()]).status();
    assert!(kill.unwrap().success());
    for delivery in &deliveries {
        let delivered = cloud.wait_for_status(delivery, "delivered").await;
        assert_eq!(delivered["attempt_count"], 1, "the killed one's was never recorded");
    }
    let captured = sink.requests();
    assert_eq!(posts(&captured).into_values().collect::<Vec<_>>(), [2; 5], "under the same ids");
    assert!(!cloud.emulator.environments(&batching.tampered.deliver).contains(&held[0]));
}

#[tokio::test]
async fn a_message_that_is_none_of_ours_is_put_aside_and_its_neighbours_are_delivered() {
    let batching = Batching::start().await;
    let cloud = batching.cloud;
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint("poisoned", &sink.url("/"), json!({"delays_s": []})).await;
    batching.listen(false).await;
    let mut deliveries = batching.post(&["poisoned"; 2]).await;
    let queue = cloud.output("DeliveriesQueueUrl");
    let poison = [r#"{"v":1,"tenant":"acme"}"#, "\u{1f41f} not JSON", r#"{"v":99}"#];
    for body in poison {
        let argument = json!({"queue": queue, "body": body, "tenant": "poisoned"});
        cloud.emulator.cloud("send", argument).await;
    }
    deliveries.extend(batching.post(&["poisoned"; 2]).await);
    batching.assert_waiting(7).await;
    batching.listen(true).await;
    for delivery in &deliveries {
        cloud.wait_for_status(delivery, "delivered").await;
    }
    let mut rejected = BTreeMap::new();
    while rejected.len() < poison.len() {
        let argument = json!({"queue": cloud.output("RejectedQueueUrl")});
        let received = cloud.emulator.cloud("receive", argument).await;
        assert_ne!(received, json!([]), "of {poison:?} there came {rejected:?}");
        for one in received.as_array().unwrap() {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            rejected.insert(text("body"), text("reason"));
        }
    }
    assert!(poison.iter().all(|body| !rejected[*body].is_empty()), "{rejected:?}");
    assert_eq!(posts(&sink.requests()).into_values().collect::<Vec<_>>(), [1; 4]);
    batching.assert_waiting(0).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_past_the_functions_time_out_holds_up_no_neighbour() {
    let batching = Batching::start().await;
    let cloud = batching.cloud;
    let shorter = json!({"function": batching.tampered.deliver, "seconds": 6});
    cloud.emulator.cloud("time_out", shorter).await;
    let hanging = Sink::start(vec![SinkAnswer::Silence(Duration::from_mins(1)); 9]).await;
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint_within("hangs", &hanging.url("/"), json!({"delays_s": []}), 10_000).await;
    cloud.endpoint("hung", &sink.url("/"), json!({"delays_s": []})).await;
    batching.listen(false).await;
    let deliveries = batching.post(&["hung", "hung", "hangs", "hung", "hung"]).await;
    batching.assert_waiting(5).await;
    let (hangs, neighbours): (Vec<&String>, Vec<&String>) =
        deliveries.iter().partition(|path| path.contains("/hangs/"));
    batching.listen(true).await;
    for delivery in neighbours {
        let delivered = cloud.wait_for_status(delivery, "delivered").await;
        assert_eq!(delivered["attempt_count"], 1);
    }
    let failed = cloud.wait_for_status(hangs[0], "failed").await;
    assert_eq!((&failed["reason"], &failed["attempt_count"]), (&json!("exhausted"), &json!(1)));
    let attempt: &Value = &failed["attempts"][0];
    assert_eq!(attempt["outcome"], "timed_out");
    assert!(attempt["duration_ms"].as_u64().unwrap() < 6_000, "cut by the function's: {failed}");
    assert_eq!(posts(&sink.requests()).into_values().collect::<Vec<_>>(), [1; 4]);
    assert_eq!(hanging.requests().len(), 1);
}

#[tokio::test]
async fn a_critical_event_passes_a_queue_that_stands_still() {
    let batching = Batching::start().await;
    let cloud = batching.cloud;
    let queue = cloud.output("DeliveriesQueueUrl");
    let sink = Sink::start(vec![SinkAnswer::status(500)]).await;
    cloud.endpoint("urgent", &sink.url("/"), json!({"delays_s": [1]})).await;
    let listen = |enabled: bool| {
        let argument =
            json!({"function": batching.tampered.deliver, "enabled": enabled, "queue": queue});
        cloud.emulator.cloud("listen", argument)
    };
    assert_eq!(listen(false).await["mappings"], 1);
    let usual = batching.post(&["urgent"]).await;
    let path = "/v1/tenants/urgent/events";
    let event = r#"{"id":"now","type":"a.b","severity":"critical"}"#;
    assert_eq!(cloud.http("POST", path, event).await.0, 202);
    let captured = sink.wait_for(2).await;
    let critical = |one: &CapturedRequest| one.header("webhook-id").ends_with("now");
    assert!(captured.iter().all(critical), "its attempt and its retry: {captured:?}");
    batching.assert_waiting(1).await;
    assert_eq!(listen(true).await["mappings"], 1);
    cloud.wait_for_status(&usual[0], "delivered").await;
}
