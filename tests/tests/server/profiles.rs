//! Profiles as the API has them: secrets of their form, pings and test events, limits, keys that receivers
//! look up, and moving from one to another.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use waxseal_domain::profile::Profile;
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::{SECRET, nap};
use waxseal_tests::hooks::Hook;
use waxseal_tests::process::Server;
use waxseal_tests::sink::{CapturedRequest, Sink, SinkAnswer};

const ENDPOINTS: &str = "/v1/tenants/acme/endpoints";

struct World {
    client: Client,
    sink: Sink,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start(script: Vec<SinkAnswer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path()).await;
        let sink = Sink::start(script).await;
        Self { client: server.client(), sink, _server: server, _folder: folder }
    }

    /// Creates an endpoint at the sink with these members; the status and the answer.
    async fn create(&self, query: &str, members: Value) -> (u16, Value) {
        let mut body = members;
        body["url"] = self.sink.url("/h").into();
        self.client.call("POST", &format!("{ENDPOINTS}{query}"), &body.to_string()).await
    }

    /// One without a ping, that must be made.
    async fn endpoint(&self, members: Value) -> Value {
        let (status, answer) = self.create("?ping=false", members).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    async fn post(&self, event: &str) {
        self.count_owed(event).await;
    }

    /// Posts an event; how many deliveries it is owed.
    async fn count_owed(&self, event: &str) -> usize {
        let (status, answer) = self.client.call("POST", "/v1/tenants/acme/events", event).await;
        assert_eq!(status, 202, "{answer}");
        answer["deliveries"].as_array().unwrap().len()
    }

    async fn keys(&self, query: &str) -> Vec<Value> {
        let path = format!("/.well-known/webhook-keys{query}");
        let (status, answer) = self.client.call_without_key("GET", &path).await;
        assert_eq!(status, 200, "{answer}");
        answer["keys"].as_array().unwrap().clone()
    }
}

fn body(captured: &CapturedRequest) -> Value {
    serde_json::from_slice(&captured.body).unwrap()
}

fn verifies(captured: &CapturedRequest, profile: &str, secret: &str) -> bool {
    let dialect = &Profile::find_builtin(profile).unwrap().dialect;
    Hook::of_captured(captured).verify(dialect, secret).is_ok()
}

#[tokio::test]
async fn each_profile_has_a_secret_of_its_form_and_a_ping_that_verifies() {
    let world = World::start(Vec::new()).await;
    let mut pings = 0;
    for profile in Profile::builtins() {
        let name = profile.name();
        let (status, made) = world.create("", json!({"profile": name})).await;
        assert_eq!(status, 201, "{name}: {made}");
        assert_eq!(made["ping"]["outcome"], "accepted", "{name}: {made}");
        assert_eq!((&made["profile"], &made["signed"]), (&json!(name), &json!(true)));
        pings += 1 + usize::from(profile.handshake);
        let captured = world.sink.wait_for(pings).await.pop().unwrap();
        assert!(verifies(&captured, name, made["secret"].as_str().unwrap()), "{name}");
        let beside = made["standard_secret"].as_str();
        assert_eq!(beside.is_some(), profile.dialect.takes_standard_beside(), "{name}");
        if let Some(beside) = beside {
            assert!(verifies(&captured, "standard", beside), "{name}: Standard Webhooks' beside");
        }
        let path = format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap());
        let (_, shown) = world.client.call("GET", &path, "").await;
        assert_eq!(shown.get("secret"), None, "shown once");
    }
    let (_, adrian) = world.create("?ping=false", json!({"profile": "secureagentics"})).await;
    let path = format!("{ENDPOINTS}/{}/test", adrian["id"].as_str().unwrap());
    let (_, tested) = world.client.call("POST", &path, r#"{"type":"policy.violated"}"#).await;
    assert_eq!(tested["response"]["status"], 200, "{tested}");
    let last = world.sink.requests().pop().unwrap();
    assert_eq!(body(&last)["data"]["policy_id"], "pol_3", "the catalogue's own example");
    assert_eq!(body(&last)["type"], "policy.violated");
}

#[tokio::test]
async fn a_secret_that_is_not_of_its_profiles_form_is_refused_and_one_may_be_left_out() {
    let world = World::start(Vec::new()).await;
    for (members, pointer) in [
        (json!({"profile": "nobody"}), "/profile"),
        (json!({"profile": "aisg", "secret": "short"}), "/secret"),
        (json!({"profile": "standard", "secret": "not whsec at all"}), "/secret"),
        (json!({"profile": "aisg", "secret": null}), "/secret"),
        (json!({"profile": "aisg", "algorithm": "ed25519"}), "/algorithm"),
        (
            json!({"profile": "github", "headers": {"x-hub-signature-256": "x"}}),
            "/headers/x-hub-signature-256",
        ),
        (json!({"profile": "cloudevents-binary", "headers": {"ce-type": "x"}}), "/headers/ce-type"),
    ] {
        let (status, answer) = world.create("?ping=false", members.clone()).await;
        assert_eq!(status, 422, "{members}: {answer}");
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{members}: {answer}");
    }
    let unsigned = world.endpoint(json!({"profile": "secureagentics", "secret": null})).await;
    assert_eq!((&unsigned["signed"], &unsigned["secret"]), (&json!(false), &Value::Null));
    world.post(r#"{"type":"agent.error","data":{}}"#).await;
    let captured = world.sink.wait_for(1).await.pop().unwrap();
    for header in ["x-secureagentics-signature", "webhook-signature", "webhook-id"] {
        assert!(!captured.headers.contains_key(header), "{header}");
    }
}

#[tokio::test]
async fn a_profile_bounds_its_endpoints_and_has_its_own_schedule() {
    let world = World::start(Vec::new()).await;
    for _ in 0..5 {
        let made = world.endpoint(json!({"profile": "aisg"})).await;
        assert_eq!(made["retry"], json!({"delays_s": [1, 1], "jitter": false}));
    }
    let (status, answer) = world.create("?ping=false", json!({"profile": "aisg"})).await;
    assert_eq!((status, &answer["errors"][0]["pointer"]), (422, &json!("/profile")), "{answer}");
    let authensor = world.endpoint(json!({"profile": "authensor"})).await;
    let retry = json!({"delays_s": [60, 120, 240, 480], "jitter": false, "window_s": 900});
    assert_eq!(authensor["retry"], retry);
    let (_, listed) = world.client.call("GET", "/v1/profiles/aisg", "").await;
    assert_eq!((&listed["endpoints_max"], &listed["timeout_ms"]), (&json!(5), &json!(10_000)));
    assert_eq!(listed["events"][0]["severity"], "high", "{listed}");
    assert_eq!(listed["file"]["name"], "aisg");
}

#[tokio::test]
async fn ed25519_keys_are_looked_up_and_both_are_there_while_one_rotates() {
    let world = World::start(Vec::new()).await;
    world.endpoint(json!({})).await;
    let made = world.endpoint(json!({"algorithm": "ed25519"})).await;
    let id = made["id"].as_str().unwrap();
    let public = made["public_key"].as_str().unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with("whsk_"), "shown once");
    let keys = world.keys("").await;
    assert_eq!(keys.len(), 1, "HMAC's secrets are in no list: {keys:?}");
    let x = URL_SAFE_NO_PAD.decode(keys[0]["x"].as_str().unwrap()).unwrap();
    assert_eq!(format!("whpk_{}", BASE64.encode(x)), public);
    assert!(keys[0]["kid"].as_str().unwrap().starts_with(&format!("{id}.")));
    assert_eq!((&keys[0]["kty"], &keys[0]["crv"]), (&json!("OKP"), &json!("Ed25519")));

    // Secrets are told apart by when they were made, in milliseconds.
    nap(5).await;
    let path = format!("{ENDPOINTS}/{id}/rotate-secret");
    let (status, rotated) = world.client.call("POST", &path, "{}").await;
    assert_eq!(status, 200, "{rotated}");
    let new = rotated["public_key"].as_str().unwrap();
    assert_ne!(new, public);
    assert_eq!(world.keys(&format!("?tenant=acme&endpoint={id}")).await.len(), 2);
    assert!(world.keys("?tenant=other").await.is_empty());
    world.post(r#"{"type":"a.b"}"#).await;
    let captured = world.sink.wait_for(2).await;
    let signed = |key| captured.iter().filter(|one| verifies(one, "standard", key)).count();
    assert_eq!((signed(public), signed(new)), (1, 1), "both sign one delivery");
    let shown = world.client.call("GET", &format!("{ENDPOINTS}/{id}"), "").await.1.to_string();
    assert!(!shown.contains("whsk_"), "{shown}");
}

#[tokio::test]
async fn while_a_secret_rotates_a_header_that_carries_one_has_the_old_one() {
    let world = World::start(Vec::new()).await;
    let made = world.endpoint(json!({"profile": "aisg"})).await;
    let old = made["secret"].as_str().unwrap();
    let path = format!("{ENDPOINTS}/{}/rotate-secret", made["id"].as_str().unwrap());
    let (_, rotated) = world.client.call("POST", &path, "{}").await;
    let new = rotated["secret"].as_str().unwrap();
    let beside = rotated["standard_secret"].as_str().unwrap();
    world.post(r#"{"type":"dlp.pii_blocked","data":{}}"#).await;
    let captured = world.sink.wait_for(1).await.pop().unwrap();
    let mut own = Hook::of_captured(&captured);
    own.headers.retain(|(name, _)| !name.starts_with("webhook-"));
    let dialect = &Profile::find_builtin("aisg").unwrap().dialect;
    assert!(own.verify(dialect, old).is_ok() && own.verify(dialect, new).is_err());
    for secret in [beside, made["standard_secret"].as_str().unwrap()] {
        assert!(verifies(&captured, "standard", secret), "Standard Webhooks' has both");
    }
}

#[tokio::test]
async fn an_endpoint_moves_to_a_profile_that_takes_its_secret() {
    let world = World::start(Vec::new()).await;
    let made = world.endpoint(json!({"secret": SECRET})).await;
    let path = format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap());
    let (status, answer) = world.client.call("PATCH", &path, r#"{"profile":"stripe"}"#).await;
    assert_eq!((status, &answer["profile"]), (200, &json!("stripe")), "{answer}");
    world.post(r#"{"type":"a.b","data":{}}"#).await;
    let captured = world.sink.wait_for(1).await.pop().unwrap();
    assert!(verifies(&captured, "stripe", SECRET));
    let other = world.endpoint(json!({"profile": "github", "secret": "a text, no base64"})).await;
    let path = format!("{ENDPOINTS}/{}", other["id"].as_str().unwrap());
    let (status, answer) = world.client.call("PATCH", &path, r#"{"profile":"standard"}"#).await;
    assert_eq!((status, &answer["errors"][0]["pointer"]), (422, &json!("/profile")), "{answer}");
    let (status, _) = world.client.call("PATCH", &path, r#"{"profile":"nobody"}"#).await;
    assert_eq!(status, 422);
    let (status, answer) = world.client.call("PATCH", &path, r#"{"profile":null}"#).await;
    assert_eq!((status, &answer["errors"][0]["pointer"]), (422, &json!("/profile")), "{answer}");
    let (_, shown) = world.client.call("GET", &path, "").await;
    assert_eq!(shown["profile"], "github", "nothing was changed");
}

#[tokio::test]
async fn an_endpoint_moves_though_its_tenant_has_as_many_as_it_may() {
    let world = World::start(Vec::new()).await;
    let mut last = Value::Null;
    for _ in 0..100 {
        last = world.endpoint(json!({"secret": SECRET})).await;
    }
    assert_eq!(
        world.create("?ping=false", json!({})).await.0,
        422,
        "there is no room for one more"
    );
    let path = format!("{ENDPOINTS}/{}", last["id"].as_str().unwrap());
    let (status, answer) = world.client.call("PATCH", &path, r#"{"profile":"stripe"}"#).await;
    assert_eq!((status, &answer["profile"]), (200, &json!("stripe")), "{answer}");
}

#[tokio::test]
async fn a_cloud_events_receiver_is_asked_before_it_is_sent_to() {
    let allows = SinkAnswer::Status(200, vec![("webhook-allowed-origin", "*")], "");
    let refuses = SinkAnswer::status(405);
    let world = World::start(vec![allows, SinkAnswer::status(200), refuses]).await;
    let (_, made) = world.create("", json!({"profile": "cloudevents"})).await;
    assert_eq!(made["ping"]["handshake"], json!({"allowed": true}), "{made}");
    let (_, made) = world.create("", json!({"profile": "cloudevents-binary"})).await;
    assert_eq!(made["ping"]["handshake"]["allowed"], false, "{made}");
    let captured = world.sink.requests();
    assert_eq!(captured[0].method, "OPTIONS");
    assert_eq!(captured[0].header("webhook-request-origin"), "127.0.0.1");
    assert_eq!(captured[1].method, "POST");
    assert_eq!(captured[1].header("content-type"), "application/cloudevents+json");
}

#[tokio::test]
async fn scores_and_outcomes_filter_and_an_event_without_a_score_does_not_match() {
    let world = World::start(Vec::new()).await;
    let filter = json!({"riskscore": [{"numeric": [">", 0.8]}], "outcome": ["BLOCK", "ESCALATE"]});
    world.endpoint(json!({"profile": "omegaengine", "filter": filter})).await;
    let mut owed = Vec::new();
    for (score, outcome) in [("0.8", "BLOCK"), ("0.81", "ALLOW"), ("0.81", "BLOCK")] {
        let event = format!(
            r#"{{"type":"decision.blocked","riskscore":{score},"outcome":"{outcome}","data":{{"n":1}}}}"#
        );
        owed.push(world.count_owed(&event).await);
    }
    let without_score = r#"{"type":"decision.blocked","outcome":"BLOCK","data":{"n":2}}"#;
    owed.push(world.count_owed(without_score).await);
    assert_eq!(owed, [0, 0, 1, 0], "strictly above, and a score there is");
    let captured = world.sink.wait_for(1).await;
    assert_eq!(body(&captured[0])["decision"], json!({"n": 1}));
    assert!(body(&captured[0])["signature"].as_str().unwrap().starts_with("sha256="));
}

#[tokio::test]
async fn slacks_question_is_answered_once_it_verifies_and_any_origin_may_ask() {
    let world = World::start(Vec::new()).await;
    let client = &world.client;
    world.endpoint(json!({})).await;
    let source = json!({"profile": "slack", "secrets": ["8f742231b10e8888abcd99yyyzzz85a5"]});
    let path = "/v1/tenants/acme/sources/slack";
    assert_eq!(client.call("PUT", path, &source.to_string()).await.0, 200);
    let question = r#"{"type":"url_verification","challenge":"3eZbrw1a"}"#;
    let hook = Hook::sign("slack", "8f742231b10e8888abcd99yyyzzz85a5", "x", "x", question);
    let headers: Vec<_> = hook.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = client.with("POST", "/hooks/slack", &headers, question).await.unwrap();
    assert_eq!(answer, (200, json!({"challenge": "3eZbrw1a"})));
    let forged = question.replace("3eZ", "xxx");
    assert_eq!(client.with("POST", "/hooks/slack", &headers, forged).await.unwrap().0, 401);
    let asks = [("webhook-request-origin", "sender.example")];
    assert_eq!(client.with("OPTIONS", "/hooks/slack", &asks, "").await.unwrap().0, 204);
}

#[tokio::test]
async fn what_cannot_be_written_as_the_profile_says_fails_at_once_and_says_why() {
    let world = World::start(Vec::new()).await;
    world.endpoint(json!({"profile": "authensor"})).await;
    let long = "é".repeat(2_048);
    let event = json!({"id": "e1", "type": "policy.denied", "agentid": long, "data": {}});
    world.post(&event.to_string()).await;
    let shown = eventually(Duration::from_secs(30), async || {
        let (_, event) = world.client.call("GET", "/v1/tenants/acme/events/e1", "").await;
        let shown = event["deliveries"][0].clone();
        if shown["status"] == "pending" { Err(shown) } else { Ok(shown) }
    })
    .await;
    let path = format!("/v1/tenants/acme/deliveries/{}", shown["id"].as_str().unwrap());
    let (_, delivery) = world.client.call("GET", &path, "").await;
    assert_eq!(
        (&delivery["status"], &delivery["reason"]),
        (&json!("failed"), &json!("unsendable"))
    );
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["outcome"], "unsendable", "{attempt}");
    assert!(attempt["detail"].as_str().unwrap().contains("bytes long"), "{attempt}");
    assert!(world.sink.requests().is_empty());
}

#[tokio::test]
async fn a_body_that_javascript_would_change_is_sent_as_it_is_and_marked() {
    let world = World::start(Vec::new()).await;
    world.endpoint(json!({"profile": "aisentinel"})).await;
    world.post(r#"{"id":"e1","type":"a.b","data":{"n":9007199254740993,"m":1.50}}"#).await;
    let captured = world.sink.wait_for(1).await.pop().unwrap();
    let text = String::from_utf8(captured.body.to_vec()).unwrap();
    assert!(text.contains(r#"{"n":9007199254740993,"m":1.5}"#), "{text}");
    let id = captured.header("x-aisentinel-delivery-id");
    let path = format!("/v1/tenants/acme/deliveries/{id}");
    let delivered = eventually(Duration::from_secs(30), async || {
        let (_, delivery) = world.client.call("GET", &path, "").await;
        if delivery["status"] == "delivered" { Ok(delivery) } else { Err(delivery) }
    })
    .await;
    assert_eq!(delivered["attempts"][0]["inexact"], true, "{delivered}");
}

#[tokio::test]
async fn one_hook_at_once_many_times_is_one_event_and_a_bad_one_is_none() {
    let world = World::start(Vec::new()).await;
    let client = &world.client;
    world.endpoint(json!({})).await;
    let secret = "a secret of a partner's";
    let source = json!({"profile": "aisg", "secrets": [secret]}).to_string();
    assert_eq!(client.call("PUT", "/v1/tenants/acme/sources/aisg", &source).await.0, 200);
    let body = r#"{"event":"dlp.pii_blocked","webhook_id":"w1","text":"x","data":{"n":1.0}}"#;
    let send = |text: String| async move {
        let hook = Hook::sign("aisg", secret, "x", "x", &text);
        let headers: Vec<_> = hook.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        client.with("POST", "/hooks/aisg", &headers, text.clone()).await.unwrap()
    };
    let answers = futures_util::future::join_all((0..20).map(|_| send(body.to_owned()))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    let new = answers.iter().filter(|(_, answer)| answer["duplicate"] == false).count();
    assert_eq!(new, 1, "{answers:?}");
    let captured = world.sink.wait_for(1).await.pop().unwrap();
    assert_eq!(body_of(&captured), json!({"n": 1.0}));
    let (_, events) = client.call("GET", "/v1/tenants/acme/events", "").await;
    let events = events["items"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    let path = format!("/v1/tenants/acme/events/{}", events[0]["id"].as_str().unwrap());
    let (_, event) = client.call("GET", &path, "").await;
    assert_eq!(event["deliveries"].as_array().unwrap().len(), 1, "{event}");

    for (text, status) in [
        (r#"{"event":"a.b","data":{}}"#.to_owned(), 400),
        (r#"{"webhook_id":"w2","data":{}}"#.to_owned(), 400),
        ("not JSON".to_owned(), 400),
        (format!(r#"{{"event":"a.b","webhook_id":"w3","data":"{}"}}"#, "x".repeat(262_144)), 413),
    ] {
        let shown = text.chars().take(40).collect::<String>();
        let (found, problem) = send(text).await;
        assert_eq!(found, status, "{shown}: {problem}");
        assert!(!problem.to_string().contains("sha256="), "no expected signature: {problem}");
    }
}

fn body_of(captured: &CapturedRequest) -> Value {
    body(captured)["data"].clone()
}
