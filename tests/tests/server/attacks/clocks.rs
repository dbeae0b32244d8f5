//! A clock that jumps loses nothing: the server, on a clock that is set wrong and right again while it runs, while it is
//! down, and before it starts.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use waxseal_adapters::clock::MovableClock;
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_server::{Server, Settings, start_by};
use waxseal_tests::attack::{Attack, short_or_long};
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::process::free_address;
use waxseal_tests::sink::{Sink, SinkAnswer};

const DAYS_40_MS: i64 = 40 * 86_400_000;
const WITHIN: Duration = Duration::from_mins(1);

/// A server on a clock that the attack sets, and a receiver that fails at first.
struct Target {
    server: Server,
    settings: Settings,
    clock: MovableClock,
    client: Client,
    events: usize,
}

impl Target {
    async fn start(folder: &Path, clock: MovableClock) -> Self {
        let listen = free_address();
        let (address, data) = (listen.to_string(), folder.to_str().unwrap());
        let settings = Settings::of_flags([
            "--listen",
            &address,
            "--data",
            data,
            "--api-key",
            "operator",
            "--allow-loopback",
            "--breaker-percent",
            "100",
        ])
        .unwrap();
        let server = start_by(&settings, clock.clone()).await.unwrap();
        let client = Client { address: listen, key: "operator".to_owned(), host: None };
        Self { server, settings, clock, client, events: 0 }
    }

    /// Stops the server, and starts it again on its folder; `meanwhile` sets the clock.
    async fn restart(self, meanwhile: impl FnOnce(&MovableClock)) -> Self {
        self.server.stop().await;
        meanwhile(&self.clock);
        let server = start_by(&self.settings, self.clock.clone()).await.unwrap();
        Self { server, ..self }
    }

    async fn post(&mut self, count: usize) {
        for _ in 0..count {
            let event = json!({"type": "a.b", "id": format!("e{}", self.events)}).to_string();
            let (status, answer) =
                self.client.call("POST", "/v1/tenants/acme/events", &event).await;
            assert_eq!(status, 202, "{answer}");
            self.events += 1;
        }
    }

    async fn register(&self, tenant: &str, endpoint: &Value) {
        let path = format!("/v1/tenants/{tenant}/endpoints?ping=false");
        let (status, answer) = self.client.call("POST", &path, &endpoint.to_string()).await;
        assert_eq!(status, 201, "{answer}");
    }

    /// Sets the clock, and waits until the server has said so.
    async fn set(&self, by_ms: i64) {
        self.clock.set(by_ms);
        eventually(WITHIN, async || {
            let (_, status) = self.client.call("GET", "/v1/status", "").await;
            let checks = status["checks"].as_array().unwrap();
            let clock = checks.iter().find(|check| check["name"] == "clock").unwrap().clone();
            let detail = clock["detail"].as_str().unwrap();
            let said = detail.strip_prefix("jumped by ").and_then(|rest| rest.split(' ').next());
            // In whole seconds, of which the looks at two clocks may lie on either side.
            let said_s: i64 = said.and_then(|text| text.parse().ok()).unwrap_or_default();
            if said_s.abs_diff(by_ms / 1_000) <= 1 { Ok(()) } else { Err(clock) }
        })
        .await;
    }

    /// How many of the events are gone, or have ended in another way than by being delivered.
    async fn lost(&self) -> u64 {
        let mut lost = 0;
        for number in 0..self.events {
            let path = format!("/v1/tenants/acme/events/e{number}");
            let (status, event) = self.client.call("GET", &path, "").await;
            let delivery = event["deliveries"][0]["status"].as_str().unwrap_or_default();
            let is_well = ["pending", "retrying", "delivered"].contains(&delivery);
            lost += u64::from(status != 200 || !is_well);
        }
        lost
    }

    /// How many of the events are not delivered once they had an hour, by a clock that shows any time.
    async fn undelivered_in_an_hour(&self, sink: &Sink) -> u64 {
        self.clock.advance(Duration::from_hours(1));
        let mut standing = Vec::new();
        let delivered = eventually(WITHIN, async || {
            standing.clear();
            for number in 0..self.events {
                let path = format!("/v1/tenants/acme/events/e{number}");
                let (_, event) = self.client.call("GET", &path, "").await;
                standing.push(event["deliveries"][0]["status"].to_string());
            }
            let delivered = standing.iter().filter(|one| *one == "\"delivered\"").count();
            if delivered == self.events { Ok(delivered) } else { Err(standing.clone()) }
        })
        .await;
        assert!(sink.requests().len() >= delivered);
        u64::try_from(self.events - delivered).unwrap()
    }

    /// Has an event of another tenant expire as it should, and waits until it is removed: what else was to be removed
    /// by the clock as it is now is gone by then. By a clock that was set back nothing is.
    async fn wait_for_expiry(&self, wrong_ms: i64) {
        self.clock.advance(Duration::from_mins(2));
        if wrong_ms < 0 {
            return;
        }
        let path = "/v1/tenants/other/events/old";
        eventually(WITHIN, async || {
            let (status, _) = self.client.call("GET", path, "").await;
            if status == 404 { Ok(()) } else { Err(status) }
        })
        .await;
    }
}

/// A target whose events were tried once, and an event of another tenant that is 36 days old.
async fn attacked(folder: &Path, count: usize) -> (Target, Sink) {
    let mut target = Target::start(folder, MovableClock::default()).await;
    let sink = Sink::start(vec![SinkAnswer::status(503); count]).await;
    target.register("other", &json!({"url": sink.url("/none"), "event_types": ["no.such"]})).await;
    let old = r#"{"type":"a.b","id":"old"}"#;
    let (status, _) = target.client.call("POST", "/v1/tenants/other/events", old).await;
    assert_eq!(status, 202);
    target.clock.advance(Duration::from_secs(EVENT_RETENTION_S - 60));
    let endpoint = json!({"url": sink.url("/"), "retry": {"delays_s": [3600, 3600]}});
    target.register("acme", &endpoint).await;
    target.post(count).await;
    eventually(WITHIN, async || {
        let came = sink.requests().len();
        if came == count { Ok(()) } else { Err(came) }
    })
    .await;
    (target, sink)
}

fn held_against(name: &'static str, lost: u64, undelivered: u64) {
    Attack { name, counted: "acknowledged events that were lost", bound: 0 }.took(lost);
    Attack { name, counted: "events late by more than their schedule", bound: 0 }.took(undelivered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_wrong_and_right_again_under_a_running_server() {
    let rows = [
        ("the clock 40 days ahead and back", DAYS_40_MS),
        ("40 days behind and back", -DAYS_40_MS),
    ];
    for (name, wrong_ms) in rows {
        let folder = tempfile::tempdir().unwrap();
        let (target, sink) = attacked(folder.path(), short_or_long(10, 500)).await;
        target.set(wrong_ms).await;
        target.wait_for_expiry(wrong_ms).await;
        let lost = target.lost().await;
        target.set(-wrong_ms).await;
        let lost = lost + target.lost().await;
        let undelivered = target.undelivered_in_an_hour(&sink).await;
        assert_eq!(sink.requests().len(), target.events * 2, "and none early");
        held_against(name, lost, undelivered);
        target.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_with_a_wrong_clock() {
    let rows = [
        ("a start 40 days ahead, then right", DAYS_40_MS),
        ("a start 40 days behind, then right", -DAYS_40_MS),
    ];
    for (name, wrong_ms) in rows {
        let folder = tempfile::tempdir().unwrap();
        let count = short_or_long(10, 500);
        let (target, sink) = attacked(folder.path(), count).await;
        let mut target = target.restart(|clock| clock.set(wrong_ms)).await;
        target.wait_for_expiry(wrong_ms).await;
        let mut lost = target.lost().await;
        // Accepted by the wrong clock, and delivered at once: the receiver is well by now.
        target.post(count).await;
        let target = target.restart(|clock| clock.set(-wrong_ms)).await;
        lost += target.lost().await;
        let undelivered = target.undelivered_in_an_hour(&sink).await;
        held_against(name, lost, undelivered);
        target.server.stop().await;
    }
}
