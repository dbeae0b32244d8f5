//! Our receiver accepts what third parties' packages and the five systems sign, with either of a source's
//! secrets, once; and refuses it with a byte flipped or with another's secret. Ingest reads what the
//! CloudEvents SDKs write.

use serde_json::{Value, json};
use waxseal_adapters::clock::SystemClock;
use waxseal_flows::ports::Clock as _;
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::{ED25519_PUBLIC, ED25519_SECRETS, OTHER_SECRETS, SECRET};
use waxseal_tests::hooks::Hook;
use waxseal_tests::process::Server;
use waxseal_tests::thirds::Language::{self, Node, Python};
use waxseal_tests::thirds::{LANGUAGES, Message, sign};
use waxseal_verify::FILES;

/// The secrets that sign: the current, the previous, another's.
const SHARED: [&str; 3] = [SECRET, OTHER_SECRETS[0], OTHER_SECRETS[1]];
const BOTH: &[Language] = &LANGUAGES;

/// A profile, a signer of it, and the languages that have it.
const SIGNERS: &[(&str, &str, &[Language])] = &[
    ("standard", "standardwebhooks", BOTH),
    ("svix", "svix", BOTH),
    ("stripe", "stripe", BOTH),
    ("slack", "slack_sdk", &[Python]),
    ("github", "@octokit/webhooks-methods", &[Node]),
    ("aisentinel", "aisentinel", BOTH),
    ("authensor", "authensor", BOTH),
    ("aisg", "aisg", BOTH),
    ("secureagentics", "secureagentics", BOTH),
    ("omegaengine", "omegaengine", BOTH),
];

/// Profiles that sign as `standard` does, and of which no package signs.
const SIGNED_AS_STANDARD: [&str; 2] = ["cloudevents", "cloudevents-binary"];

#[test]
fn each_profile_is_signed_by_others() {
    for (profile, _) in FILES {
        let has_signer = SIGNERS.iter().any(|(of, ..)| of == profile);
        assert!(has_signer != SIGNED_AS_STANDARD.contains(profile), "{profile} is not in SIGNERS");
    }
}

/// A body as a sender of that profile has it, with an id where its bodies have one.
fn body(profile: &str, id: &str) -> String {
    let data = json!({"text": "Müller & Söhne", "number": 0.85, "id": id});
    let at = "2026-06-15T08:34:00Z";
    let body = match profile {
        "stripe" => {
            json!({"id": id, "object": "event", "type": "a.type", "data": {"object": data}})
        }
        "slack" => json!({"event_id": id, "event": {"type": "a.type", "data": data}}),
        "github" => data,
        "aisentinel" => json!({"id": "evt_1", "event": "a.type", "tenant": "acme", "createdAt": at,
            "auditId": null, "data": data, "deliveryId": id}),
        "authensor" => json!({"type": "a.type", "timestamp": at, "agent_id": null,
            "summary": "s", "details": data, "audit_url": null}),
        "aisg" => json!({"event": "a.type", "project_id": "acme", "webhook_id": id, "data": data}),
        "secureagentics" => json!({"id": id, "type": "a.type", "timestamp": at, "data": data}),
        "omegaengine" => json!({"event": "a.type", "timestamp": at, "data": data}),
        _ => json!({"type": "a.type", "data": data}),
    };
    body.to_string()
}

/// What a signer is asked for: a message by each of these secrets.
fn messages(library: &'static str, profile: &str, secrets: &[&str]) -> Vec<Message> {
    let message = |(number, secret): (usize, &&str)| {
        let id = format!("msg_{number}");
        let body = body(profile, &id);
        Message { library, secret: (*secret).to_owned(), event_type: "a.type".to_owned(), id, body }
    };
    secrets.iter().enumerate().map(message).collect()
}

/// A source of two secrets; its hooks' path.
async fn source(client: &Client, name: &str, profile: &str, secrets: &[&str]) -> String {
    let body = json!({"profile": profile, "secrets": secrets}).to_string();
    let path = format!("/v1/tenants/acme/sources/{name}");
    let (status, answer) = client.call("PUT", &path, &body).await;
    assert_eq!(status, 200, "{answer}");
    answer["path"].as_str().unwrap().to_owned()
}

/// Hooks by the current secret, by the previous one, and by another's.
async fn assert_taken(client: &Client, path: &str, hooks: &[Hook]) {
    let [known @ .., anothers] = hooks else { panic!("no hooks") };
    assert_eq!(known.len(), 2);
    for hook in known {
        assert_eq!(hook.flip_a_bit().post(client, path).await.0, 401, "{path} {hook:?}");
        let (status, first) = hook.post(client, path).await;
        assert_eq!((status, &first["duplicate"]), (200, &json!(false)), "{path} {first}");
        let (status, again) = hook.post(client, path).await;
        assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "{path} {again}");
        assert_eq!(first["id"], again["id"]);
        let id = first["id"].as_str().unwrap();
        let (_, event) = client.call("GET", &format!("/v1/tenants/acme/events/{id}"), "").await;
        // An event's source stays what it was before paths had a tenant: by it duplicates are known.
        let name = path.rsplit('/').next().unwrap();
        let source = json!(format!("/hooks/{name}"));
        assert_eq!((&event["type"], &event["source"]), (&json!("a.type"), &source));
        assert!(event["data"].to_string().contains(r#""text":"Müller & Söhne""#), "{event}");
    }
    assert_eq!(anothers.post(client, path).await.0, 401, "{path}");
}

async fn tenant(client: &Client) {
    assert_eq!(client.call("POST", "/v1/tenants", r#"{"name":"acme"}"#).await.0, 201);
}

#[tokio::test]
async fn what_they_sign_is_taken_once_by_either_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    tenant(&client).await;
    for language in LANGUAGES {
        let its = SIGNERS.iter().filter(|(_, _, languages)| languages.contains(&language));
        let its: Vec<_> = its.collect();
        let asked =
            its.iter().flat_map(|(profile, library, _)| messages(library, profile, &SHARED));
        let hooks = sign(language, &asked.collect::<Vec<_>>()).await;
        for ((profile, ..), hooks) in its.iter().zip(hooks.chunks(SHARED.len())) {
            let name = format!("{profile}-{language:?}").to_lowercase();
            let path = source(&client, &name, profile, &SHARED[..2]).await;
            assert_taken(&client, &path, hooks).await;
        }
    }
}

#[tokio::test]
async fn what_a_private_key_signs_is_taken_by_its_public_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    tenant(&client).await;
    for (language, library) in [(Python, "cryptography"), (Node, "node:crypto")] {
        let name = format!("ed25519-{language:?}").to_lowercase();
        let path = source(&client, &name, "standard", &ED25519_PUBLIC[..2]).await;
        let asked = messages(library, "standard", &ED25519_SECRETS);
        let hooks = sign(language, &asked).await;
        assert_taken(&client, &path, &hooks).await;
    }
}

#[tokio::test]
async fn what_the_crate_standardwebhooks_signs_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    tenant(&client).await;
    let path = source(&client, "crate", "standard", &SHARED[..2]).await;
    let hooks = SHARED.iter().enumerate().map(|(number, secret)| {
        let id = format!("msg_{number}");
        let body = body("standard", &id).into_bytes();
        let now_s = i64::try_from(SystemClock.now().seconds()).unwrap();
        let signer = standardwebhooks::Webhook::new(secret).unwrap();
        let signature = signer.sign(&id, now_s, &body).unwrap();
        let headers = [("id", id), ("timestamp", now_s.to_string()), ("signature", signature)];
        let headers = headers.map(|(name, value)| (format!("webhook-{name}"), value));
        Hook { headers: headers.into(), body }
    });
    assert_taken(&client, &path, &hooks.collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn cloudevents_that_the_sdks_write_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    tenant(&client).await;
    for (language, source) in [(Python, "/thirds/python"), (Node, "/thirds/node")] {
        for (library, id) in
            [("cloudevents-structured", "structured"), ("cloudevents-binary", "binary")]
        {
            let id = format!("{id}-{language:?}").to_lowercase();
            let body = r#"{"text":"Müller & Söhne","number":0.85}"#.to_owned();
            let event_type = "a.type".to_owned();
            let message = Message { library, secret: String::new(), id, event_type, body };
            let [hook] =
                <[Hook; 1]>::try_from(sign(language, std::slice::from_ref(&message)).await)
                    .unwrap();
            let headers = hook.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let headers: Vec<(&str, &str)> = headers.collect();
            let path = "/v1/tenants/acme/events";
            let answer = client.with("POST", path, &headers, hook.body.clone()).await;
            let (status, answer) = answer.unwrap();
            assert_eq!(status, 202, "{language:?} {library} {answer}");
            let path = format!("{path}/{}", message.id);
            let (_, event): (u16, Value) = client.call("GET", &path, "").await;
            let found = (&event["type"], &event["source"], &event["data"]);
            let data = json!({"text": "Müller & Söhne", "number": 0.85});
            assert_eq!(found, (&json!("a.type"), &json!(source), &data), "{event}");
        }
    }
}
