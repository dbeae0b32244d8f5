//! The five systems, played by the embedded server to receivers that are not ours: every sample event is
//! accepted, a flipped byte is not, and what each contract says of ids, retries, links and pings holds.

use serde_json::{Value, json};
use waxseal_tests::fixtures::sample_events;
use waxseal_tests::hooks::Hook;
use waxseal_tests::process::Server;
use waxseal_tests::sink::{Sink, SinkAnswer};
use waxseal_tests::systems::{
    FASTAPI, FLASK, NODE, Place, Receivers, SYSTEMS, deliver, endpoint, follows_link, link, play,
    secret,
};
use waxseal_tests::thirds::{Case, LANGUAGES, accepts};

#[tokio::test]
async fn every_event_is_accepted_by_every_receiver_and_a_flipped_byte_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let receivers = Receivers::start(&[&FLASK, &FASTAPI, &NODE]).await;
    let mut places = Vec::new();
    for system in SYSTEMS {
        let played = play(&server.client(), &receivers, system).await;
        for place in receivers.of(system) {
            place.refuses_flipped(&played.hooks).await;
            places.push(place);
        }
    }
    assert_eq!(places.len(), 13);
}

#[tokio::test]
async fn standard_webhooks_headers_beside_verify_with_the_secret_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let none = Receivers::start(&[]).await;
    let mut all = Vec::new();
    for system in SYSTEMS {
        all.push(play(&server.client(), &none, system).await);
    }
    let mut cases = Vec::new();
    for (played, system) in all.iter().zip(SYSTEMS) {
        let secret = played.endpoint["standard_secret"].as_str().unwrap();
        assert_ne!(secret, waxseal_tests::systems::secret(system));
        let of = |hook: &Hook| Case { library: "standardwebhooks", secret, hook: hook.clone() };
        cases.extend(played.hooks.iter().map(of));
    }
    assert_eq!(cases.len(), 26);
    for language in LANGUAGES {
        accepts(language, &cases).await;
    }
}

#[tokio::test]
async fn an_endpoint_without_a_secret_gets_hooks_without_a_signature() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    // Without secrets these receivers take what is unsigned.
    let receivers = Receivers::start_with(&[&FLASK, &NODE], &json!({})).await;
    for system in ["authensor", "secureagentics"] {
        let sink = Sink::start(Vec::new()).await;
        let places = receivers.of(system);
        let urls = places.iter().map(Place::url).chain([sink.url("/")]);
        for url in urls {
            let body = json!({"url": url, "profile": system, "secret": null});
            let made = endpoint(&client, system, body, false).await;
            let shown = (&made["signed"], &made["secret"], made.get("standard_secret"));
            assert_eq!(shown, (&json!(false), &Value::Null, None), "{made}");
        }
        let events = sample_events(system);
        let results = deliver(&client, system, &events).await;
        for place in places {
            assert_eq!(place.read_accepted().await.len(), results.len());
        }
        for one in sink.requests() {
            let is_signed =
                |name: &&str| name.ends_with("signature") || name.starts_with("webhook-");
            let found: Vec<&str> =
                one.headers.keys().map(http::HeaderName::as_str).filter(is_signed).collect();
            assert!(found.is_empty(), "{found:?}");
        }
    }
    for system in ["aisentinel", "aisg", "omegaengine"] {
        let body = json!({"url": "http://127.0.0.1:9999/", "profile": system, "secret": null});
        let path = format!("/v1/tenants/{system}/endpoints?ping=false");
        let (status, problem) = client.call("POST", &path, &body.to_string()).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/secret")));
    }
}

#[tokio::test]
async fn authensors_long_event_is_a_link_until_it_is_expunged() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let played = play(&client, &Receivers::start(&[]).await, "authensor").await;
    follows_link(&client, &link(&played)).await;
}

#[tokio::test]
async fn an_id_stays_over_a_retry_while_the_attempt_rises() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    for (system, member) in [("aisg", "webhook_id"), ("aisentinel", "deliveryId")] {
        let sink = Sink::start(vec![SinkAnswer::status(500)]).await;
        let retry = json!({"delays_s": [1, 1]});
        let body = json!({"url": sink.url("/"), "profile": system, "retry": retry});
        endpoint(&client, system, body, false).await;
        let results =
            deliver(&client, system, r#"[{"type":"a.b","data":{"decision":"deny"}}]"#).await;
        let id = &results[0]["deliveries"][0]["id"];
        let captured = sink.requests();
        assert_eq!(captured.len(), 2);
        let bodies: Vec<Value> =
            captured.iter().map(|one| serde_json::from_slice(&one.body).unwrap()).collect();
        assert!(bodies.iter().all(|body| &body[member] == id), "{bodies:?}");
        if system == "aisg" {
            assert_eq!(captured[0].body, captured[1].body, "nothing else changes");
            continue;
        }
        let retries: Vec<&Value> = bodies.iter().map(|body| &body["retry"]).collect();
        let attempts: Vec<&Value> = retries.iter().map(|retry| &retry["attempt"]).collect();
        assert_eq!(attempts, [&json!(1), &json!(2)]);
        assert_eq!(
            (&retries[0]["reason"], &retries[1]["reason"]),
            (&Value::Null, &json!("server_error"))
        );
        assert_eq!(retries[0]["firstAttemptAt"], retries[1]["firstAttemptAt"]);
        assert!(retries.iter().all(|retry| retry["maxAttempts"] == 3));
        for (one, number) in captured.iter().zip(["1", "2"]) {
            assert_eq!(one.header("x-aisentinel-delivery-id"), id);
            assert_eq!(one.header("x-aisentinel-attempt"), number);
        }
    }
}

#[tokio::test]
async fn adrians_receivers_are_pinged_on_save_and_sent_chosen_test_events() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let receivers = Receivers::start(&[&FLASK, &NODE]).await;
    for place in receivers.of("secureagentics") {
        let secret = secret("secureagentics");
        let body = json!({"url": place.url(), "profile": "secureagentics", "secret": secret});
        let made = endpoint(&client, "adrian", body, true).await;
        let answered = (&made["ping"]["outcome"], &made["ping"]["response"]["status"]);
        assert_eq!(answered, (&json!("accepted"), &json!(200)), "{made}");
        let path = format!("/v1/tenants/adrian/endpoints/{}/test", made["id"].as_str().unwrap());
        let (_, tested) = client.call("POST", &path, r#"{"type":"policy.violated"}"#).await;
        let said = tested["response"]["body"].as_str().unwrap();
        let said: Value = serde_json::from_str(said).unwrap();
        assert_eq!(said, json!({"received": true, "duplicate": false}));
        let mut types: Vec<Value> =
            place.read_accepted().await.iter().map(|one| one["type"].clone()).collect();
        types.sort_by_key(ToString::to_string);
        assert_eq!(types, ["policy.violated", "webhook.ping"]);
    }
}
