//! The five systems, each played by us to receivers that are not ours.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::eventually::eventually;
use crate::fixtures::sample_events;
use crate::hooks::Hook;
use crate::sink::Sink;
use crate::thirds::{Language, Receiver};

/// Their names: those of their profiles, and of their sample events.
pub const SYSTEMS: [&str; 5] = ["aisentinel", "authensor", "aisg", "secureagentics", "omegaengine"];

/// A system's secret here. That of AISG is one that other contracts would decode.
pub fn secret(system: &str) -> String {
    match system {
        "aisg" => crate::fixtures::SECRET.to_owned(),
        _ => format!("a secret of {system}"),
    }
}

/// A program of receivers, and its paths.
#[derive(Debug)]
pub struct Script {
    language: Language,
    name: &'static str,
    paths: &'static [&'static str],
}

/// Flask, over the raw bytes.
pub const FLASK: Script = Script {
    language: Language::Python,
    name: "receivers_flask",
    paths: &[
        "aisentinel",
        "authensor",
        "aisg",
        "secureagentics",
        "omegaengine",
        "omegaengine-header",
    ],
};

/// FastAPI, and a Lambda function's handler behind it.
pub const FASTAPI: Script = Script {
    language: Language::Python,
    name: "receivers_fastapi",
    paths: &["aisentinel", "aisg-lambda"],
};

/// Node, some of it over what was parsed and written again.
pub const NODE: Script = Script {
    language: Language::Node,
    name: "receivers_node",
    paths: &["aisentinel", "authensor", "secureagentics", "omegaengine", "omegaengine-header"],
};

/// The receivers of the five systems, running.
#[derive(Debug)]
pub struct Receivers(Vec<(&'static Script, Receiver)>);

/// A path of a receiver, for one system.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    receiver: &'a Receiver,
    path: &'static str,
}

impl Receivers {
    /// With every system's secret.
    pub async fn start(scripts: &[&'static Script]) -> Self {
        let secrets = SYSTEMS.iter().map(|system| ((*system).to_owned(), secret(system).into()));
        Self::start_with(scripts, &Value::Object(secrets.collect())).await
    }

    /// With these secrets, by system.
    pub async fn start_with(scripts: &[&'static Script], secrets: &Value) -> Self {
        let mut receivers = Vec::new();
        for script in scripts {
            let receiver = Receiver::start(script.language, script.name, secrets).await;
            receivers.push((*script, receiver));
        }
        Self(receivers)
    }

    /// Where a system's hooks may go.
    pub fn of(&self, system: &str) -> Vec<Place<'_>> {
        let is_its = |path: &&str| path.split('-').next() == Some(system);
        let places = self.0.iter().flat_map(|(script, receiver)| {
            let paths = script.paths.iter().copied().filter(is_its);
            paths.map(move |path| Place { receiver, path })
        });
        places.collect()
    }
}

impl Place<'_> {
    /// Returns the URL at which the receiver takes hooks.
    pub fn url(&self) -> String {
        self.receiver.url(self.path)
    }

    /// Refuses every one of these with a byte flipped, and accepts it as it was.
    pub async fn refuses_flipped(&self, hooks: &[Hook]) {
        for hook in hooks {
            let said = (
                self.receiver.post(self.path, &hook.flip_a_bit()).await,
                self.receiver.post(self.path, hook).await,
            );
            let body = String::from_utf8_lossy(&hook.body);
            assert_eq!(said, (401, 200), "{self:?} {body}");
        }
    }

    /// What it has accepted, as `{"id", "type"}` in order of the ids; nothing else may have come.
    pub async fn read_accepted(&self) -> Vec<Value> {
        let mut seen = self.receiver.read_seen(self.path).await;
        assert_eq!((&seen["refused"], &seen["malformed"]), (&json!(0), &json!([])), "{self:?}");
        let mut accepted: Vec<Value> = serde_json::from_value(seen["accepted"].take()).unwrap();
        accepted.sort_by_key(ToString::to_string);
        accepted
    }
}

/// What came of a system's sample events.
#[derive(Debug)]
pub struct SystemRun {
    /// The endpoint at a sink, as it was answered when it was made.
    pub endpoint: Value,
    /// What came to the sink: every event once.
    pub hooks: Vec<Hook>,
}

/// An endpoint of a profile, pinged or not; the 201.
pub async fn endpoint(client: &Client, tenant: &str, body: Value, ping: bool) -> Value {
    let path = format!("/v1/tenants/{tenant}/endpoints?ping={ping}");
    let (status, answer) = client.call("POST", &path, &body.to_string()).await;
    assert_eq!(status, 201, "{answer}");
    answer
}

/// Sends an array of events, and waits until every delivery of theirs is delivered; the answer's
/// `results`.
pub async fn deliver(client: &Client, tenant: &str, events: &str) -> Vec<Value> {
    let path = format!("/v1/tenants/{tenant}/events");
    let (status, mut answer) = client.call("POST", &path, events).await;
    assert_eq!(status, 202, "{answer}");
    let results: Vec<Value> = serde_json::from_value(answer["results"].take()).unwrap();
    for result in &results {
        wait_until_delivered(client, &format!("{path}/{}", result["id"].as_str().unwrap())).await;
    }
    results
}

/// Waits until all of an event's deliveries are delivered, at most a minute.
async fn wait_until_delivered(client: &Client, path: &str) {
    eventually(Duration::from_mins(1), async || {
        let deliveries = client.call("GET", path, "").await.1["deliveries"].take();
        let done = |one: &Value| one["status"] == "delivered";
        let are_done = deliveries.as_array().is_some_and(|all| all.iter().all(done));
        if are_done { Ok(()) } else { Err(format!("{path}: {deliveries}")) }
    })
    .await;
}

/// Plays a system, in a tenant of its name: an endpoint at each receiver of it and at a sink, and
/// every sample event. Each receiver must have accepted each, and nothing else.
pub async fn play(client: &Client, receivers: &Receivers, system: &str) -> SystemRun {
    let sink = Sink::start(Vec::new()).await;
    let places = receivers.of(system);
    let body = |url: String| json!({"url": url, "profile": system, "secret": secret(system)});
    let at_sink = endpoint(client, system, body(sink.url("/")), false).await;
    let mut endpoints = Vec::new();
    for place in &places {
        endpoints.push(endpoint(client, system, body(place.url()), false).await);
    }
    let events = sample_events(system);
    let results = deliver(client, system, &events).await;
    for (place, endpoint) in places.iter().zip(&endpoints) {
        assert_eq!(
            place.read_accepted().await,
            expected_results(&events, &results, endpoint),
            "{place:?}"
        );
    }
    let hooks: Vec<Hook> = sink.requests().iter().map(Hook::of_captured).collect();
    assert_eq!(hooks.len(), results.len());
    SystemRun { endpoint: at_sink, hooks }
}

/// Each event's type under the id of its delivery to an endpoint, in order of the ids.
fn expected_results(events: &str, results: &[Value], endpoint: &Value) -> Vec<Value> {
    let of = |(event, result): (&Value, &Value)| {
        let deliveries = result["deliveries"].as_array().unwrap();
        let its = deliveries.iter().find(|one| one["endpoint_id"] == endpoint["id"]).unwrap();
        json!({"id": its["id"], "type": event["type"]})
    };
    let events: Vec<Value> = serde_json::from_str(events).unwrap();
    let mut expected: Vec<Value> = events.iter().zip(results).map(of).collect();
    expected.sort_by_key(ToString::to_string);
    expected
}

/// The link in a hook of Authensor whose event was too long, as its path on the server; the body is
/// within the contract's bound.
pub fn link(played: &SystemRun) -> String {
    let is_short = |hook: &&Hook| {
        assert!(hook.body.len() <= 4_095, "{} bytes", hook.body.len());
        hook.json()["details"]["truncated"] == true
    };
    let shortened: Vec<&Hook> = played.hooks.iter().filter(is_short).collect();
    assert_eq!(shortened.len(), 1);
    let details = &shortened[0].json()["details"];
    assert!(details["size_bytes"].as_u64().unwrap() > 4_095, "{details}");
    let url = details["url"].as_str().unwrap();
    let (_, behind_scheme) = url.split_once("://").unwrap();
    behind_scheme[behind_scheme.find('/').unwrap()..].to_owned()
}

/// What a link answers to somebody without a key: the stored event, until it is expunged, and nothing
/// where a letter of it is another.
pub async fn follows_link(client: &Client, link: &str) {
    let stranger = Client { key: String::new(), ..client.clone() };
    let events: Vec<Value> = serde_json::from_str(&sample_events("authensor")).unwrap();
    let long = events.last().unwrap();
    let (status, event) = stranger.call("GET", link, "").await;
    assert_eq!((status, &event["id"], &event["data"]), (200, &long["id"], &long["data"]));
    let other = if link.ends_with('0') { '1' } else { '0' };
    let forged = format!("{}{other}", &link[..link.len() - 1]);
    let later = link.replacen("expires=1", "expires=2", 1);
    let another = link.replacen("evt_aut_0006", "evt_aut_0001", 1);
    for bad in [&forged, &later, &another] {
        assert_ne!(bad, link);
        assert_eq!(stranger.call("GET", bad, "").await.0, 403, "{bad}");
    }
    let content = link.split('?').next().unwrap();
    assert_eq!(stranger.call("DELETE", content, "").await.0, 401);
    assert_eq!(client.call("DELETE", content, "").await.0, 204);
    let (status, problem) = stranger.call("GET", link, "").await;
    assert_eq!((status, problem.get("data")), (410, None), "{problem}");
}
