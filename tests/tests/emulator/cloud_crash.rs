//! Crashes of our own, on the deployed template: what the queue gives up on is failed, seen and
//! replayed; what lost its message is brought back by the scheduled sweep.

use std::time::Duration;

use serde_json::{Value, json};
use waxseal_domain::delivery::{DeliveryKey, Guard, WriteResult};
use waxseal_domain::id::DeliveryId;
use waxseal_flows::ports::{Clock as _, DeliveryStore as _, Engine as _};
use waxseal_tests::cloud::{Cloud, TamperedCloud, build_folder};
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::tenant;
use waxseal_tests::sink::{Sink, SinkAnswer};

/// The deployment with a queue that gives up on a message after two receives, a second apart.
struct Crashing {
    tampered: TamperedCloud,
    tenant: &'static str,
}

impl Crashing {
    async fn start(tenant: &'static str) -> Self {
        let tampered = TamperedCloud::take().await;
        tampered.hasten(2, 1).await;
        Self { tampered, tenant }
    }

    /// From now on `deliver` is a program that ends at once.
    async fn crash(&self) {
        self.tampered.replace_deliver(Value::Null).await;
    }

    async fn mend(&self) {
        self.tampered.replace_deliver(json!(build_folder().join("Deliver/bootstrap"))).await;
    }

    /// Whether `bury` takes what the queue has given up on.
    async fn buries(&self, enabled: bool) {
        let switch = json!({"function": self.tampered.bury, "enabled": enabled});
        assert_eq!(self.tampered.cloud.emulator.cloud("listen", switch).await["mappings"], 1);
    }

    /// Waits until the queue has given up on a message; its dead letters.
    async fn wait_until_given_up(&self) -> &str {
        let cloud = self.tampered.cloud;
        let dead = cloud.output("DeadLettersQueueUrl");
        eventually(Duration::from_mins(1), async || {
            let count = cloud.emulator.cloud("count", json!({"queue": dead})).await;
            if count == json!(1) { Ok(dead) } else { Err(format!("{count} dead letters")) }
        })
        .await
    }

    /// Posts an event; the path of its one delivery.
    async fn post(&self) -> String {
        let path = format!("/v1/tenants/{}/events", self.tenant);
        let answer = self.tampered.cloud.http("POST", &path, r#"{"type":"a.b"}"#).await;
        assert_eq!(answer.0, 202, "{}", answer.1);
        let id = answer.1["deliveries"][0]["id"].as_str().unwrap();
        format!("/v1/tenants/{}/deliveries/{id}", self.tenant)
    }
}

#[tokio::test]
async fn what_kept_crashing_is_failed_seen_and_replayed() {
    let crashing = Crashing::start("crashed").await;
    let cloud = crashing.tampered.cloud;
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint("crashed", &sink.url("/"), json!({"delays_s": [1]})).await;
    let told = Sink::start(Vec::new()).await;
    let notices = json!({"url": told.url("/"), "event_types": ["waxseal.delivery.*"]}).to_string();
    let path = "/v1/tenants/crashed/endpoints?ping=false";
    assert_eq!(cloud.http("POST", path, &notices).await.0, 201);
    // Buried once it is mended: the notice's own message would be given up on as well.
    crashing.buries(false).await;
    crashing.crash().await;
    let delivery = crashing.post().await;
    crashing.wait_until_given_up().await;
    crashing.mend().await;
    crashing.buries(true).await;
    let failed = cloud.wait_for_status(&delivery, "failed").await;
    assert_eq!(failed["reason"], "crashed", "{failed}");
    assert_eq!(failed["attempts"], json!([]), "nothing was sent");
    let logs = cloud.emulator.cloud("logs", json!({"function": crashing.tampered.bury})).await;
    let counted = logs.as_array().unwrap().iter().filter_map(Value::as_str);
    let counted = counted.filter(|line| line.contains(r#""Crashed":1"#)).count();
    assert_eq!(counted, 1, "the metric that alarms: {logs}");

    assert_eq!(cloud.http("POST", &format!("{delivery}/replay"), "").await.0, 202);
    cloud.wait_for_status(&delivery, "delivered").await;
    assert_eq!(sink.requests().len(), 1);
    let notice: Value = serde_json::from_slice(&told.wait_for(1).await[0].body).unwrap();
    assert_eq!(notice["type"], "waxseal.delivery.failed", "{notice}");
    assert_eq!(notice["data"]["reason"], "crashed", "{notice}");
}

#[tokio::test]
async fn a_redrive_before_bury_ran_delivers() {
    let crashing = Crashing::start("redriven").await;
    let cloud = crashing.tampered.cloud;
    let sink = Sink::start(Vec::new()).await;
    cloud.endpoint("redriven", &sink.url("/"), json!({"delays_s": [1]})).await;
    crashing.buries(false).await;
    crashing.crash().await;
    let delivery = crashing.post().await;
    let dead = crashing.wait_until_given_up().await;
    crashing.mend().await;
    let redrive = json!({"queue": dead, "to": cloud.output("DeliveriesQueueUrl")});
    assert_eq!(cloud.emulator.cloud("redrive", redrive).await["count"], 1, "no dead letter came");
    cloud.wait_for_status(&delivery, "delivered").await;
    assert_eq!(sink.requests().len(), 1);
}

#[tokio::test]
async fn the_scheduled_sweep_brings_back_what_is_due() {
    let cloud = Cloud::shared().await;
    let sink = Sink::start(vec![SinkAnswer::status(500)]).await;
    cloud.endpoint("swept", &sink.url("/"), json!({"delays_s": [3600]})).await;
    let path = "/v1/tenants/swept/events";
    let (_, answer) = cloud.http("POST", path, r#"{"type":"a.b"}"#).await;
    let id = answer["deliveries"][0]["id"].as_str().unwrap();
    let path = format!("/v1/tenants/swept/deliveries/{id}");
    cloud.wait_for_status(&path, "retrying").await;
    assert_eq!(sink.requests().len(), 1, "it is parked for an hour");

    // The hour passes: the row is as it would be then, and no message knows of it.
    let engine = cloud.engine();
    let id: DeliveryId = id.parse().unwrap();
    let key = DeliveryKey { tenant: tenant("swept"), event: id.event, endpoint: id.endpoint };
    let row = engine.store().delivery(&key).await.unwrap().unwrap();
    let guard = Guard::unchanged_since(Some(&row));
    let due = row.park(engine.clock().now());
    let written = engine.store().record_attempt(guard, &due).await.unwrap();
    assert_eq!(written, WriteResult::Done);
    cloud.wait_for_status(&path, "delivered").await;
    assert_eq!(sink.requests().len(), 2);
}
