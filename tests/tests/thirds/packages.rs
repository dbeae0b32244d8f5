//! Third parties' packages accept what we send: PyPI's, npm's and crates.io's verifiers, in every profile
//! that has one, and the CloudEvents SDKs.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::{
    ED25519_PUBLIC, ED25519_SECRETS, OTHER_SECRETS, SECRET, sample_events,
};
use waxseal_tests::hooks::Hook;
use waxseal_tests::process::Server;
use waxseal_tests::sink::Sink;
use waxseal_tests::systems::{SYSTEMS, deliver, endpoint};
use waxseal_tests::thirds::Language::{self, Node, Python};
use waxseal_tests::thirds::{Case, LANGUAGES, accepts, verify};
use waxseal_verify::FILES;

const ROTATED: &str = OTHER_SECRETS[0];

type Verifiers = &'static [(Language, &'static str)];
const STANDARD: Verifiers =
    &[(Python, "standardwebhooks"), (Node, "standardwebhooks"), (Python, "svix"), (Node, "svix")];
const SVIX: Verifiers = &[(Python, "svix"), (Node, "svix")];
const ED25519: Verifiers = &[(Python, "cryptography"), (Node, "node:crypto")];
const STRIPE: Verifiers = &[(Python, "stripe"), (Node, "stripe")];

/// A profile, an endpoint's secret, what its receiver verifies with, and by which packages.
type Scheme = (&'static str, &'static str, &'static str, Verifiers);
const SCHEMES: &[Scheme] = &[
    ("standard", SECRET, SECRET, STANDARD),
    ("standard", ED25519_SECRETS[0], ED25519_PUBLIC[0], ED25519),
    ("svix", SECRET, SECRET, SVIX),
    ("stripe", SECRET, SECRET, STRIPE),
    ("github", "of GitHub", "of GitHub", &[(Node, "@octokit/webhooks-methods")]),
    ("slack", "of Slack", "of Slack", &[(Python, "slack_sdk")]),
    ("cloudevents", SECRET, SECRET, STANDARD),
    ("cloudevents-binary", SECRET, SECRET, STANDARD),
];
/// Those whose header carries two signatures: with the secret to come.
const ROTATING: &[(Scheme, Scheme)] = &[
    (SCHEMES[0], ("standard", ROTATED, ROTATED, STANDARD)),
    (SCHEMES[1], ("standard", ED25519_SECRETS[1], ED25519_PUBLIC[1], ED25519)),
    (SCHEMES[2], ("svix", ROTATED, ROTATED, SVIX)),
    (SCHEMES[3], ("stripe", ROTATED, ROTATED, STRIPE)),
];

#[test]
fn each_profile_is_verified_by_others() {
    for (profile, _) in FILES {
        let has_package = SCHEMES.iter().any(|(of, ..)| of == profile);
        assert!(has_package || SYSTEMS.contains(profile), "{profile} is not in SCHEMES");
    }
}

/// An endpoint of a profile at a sink of its own.
async fn at_sink(client: &Client, profile: &str, secret: Option<&str>) -> (Value, Sink) {
    let sink = Sink::start(Vec::new()).await;
    let body = json!({"url": sink.url("/"), "profile": profile, "secret": secret});
    (endpoint(client, "acme", body, false).await, sink)
}

/// Delivers the 26 sample events to every endpoint; the events.
async fn deliver_samples(client: &Client) -> Vec<Value> {
    let mut sent = Vec::new();
    for system in SYSTEMS {
        let events = sample_events(system);
        deliver(client, "acme", &events).await;
        sent.extend(serde_json::from_str::<Vec<Value>>(&events).unwrap());
    }
    assert_eq!(sent.len(), 26);
    sent
}

fn read_hooks(sink: &Sink) -> Vec<Hook> {
    let hooks: Vec<Hook> = sink.requests().iter().map(Hook::of_captured).collect();
    assert_eq!(hooks.len(), 26);
    hooks
}

/// Every verifier of each scheme accepts every hook of its sink, and none with a byte flipped.
async fn assert_accepted(schemes: &[(Scheme, &Sink)]) {
    for language in LANGUAGES {
        let mut cases = Vec::new();
        for ((_, _, public, verifiers), sink) in schemes {
            for (_, library) in verifiers.iter().filter(|(its, _)| *its == language) {
                let of = |hook| Case { library, secret: public, hook };
                cases.extend(read_hooks(sink).into_iter().map(of));
            }
        }
        accepts(language, &cases).await;
    }
}

#[tokio::test]
async fn every_sample_event_is_accepted_in_every_profile() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let mut sinks = Vec::new();
    for scheme in SCHEMES {
        let (made, sink) = at_sink(&client, scheme.0, Some(scheme.1)).await;
        if scheme.1 != scheme.2 {
            assert_eq!(made["public_key"], scheme.2, "{made}");
        }
        sinks.push(sink);
    }
    deliver_samples(&client).await;
    assert_accepted(&SCHEMES.iter().copied().zip(&sinks).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn while_a_secret_rotates_both_verify() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let mut sinks = Vec::new();
    for (before, after) in ROTATING {
        let (made, sink) = at_sink(&client, before.0, Some(before.1)).await;
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/tenants/acme/endpoints/{id}/rotate-secret");
        let rotate = json!({"secret": after.1}).to_string();
        let (status, rotated) = client.call("POST", &path, &rotate).await;
        assert_eq!(status, 200, "{rotated}");
        sinks.push(sink);
    }
    deliver_samples(&client).await;
    let both = |(rotating, sink): (&(Scheme, Scheme), _)| [(rotating.0, sink), (rotating.1, sink)];
    assert_accepted(&ROTATING.iter().zip(&sinks).flat_map(both).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn cloudevents_sdks_parse_what_we_send() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let (_, structured) = at_sink(&client, "cloudevents", None).await;
    let (_, binary) = at_sink(&client, "cloudevents-binary", Some(SECRET)).await;
    let sent = deliver_samples(&client).await;
    let pick = |one: &Value| json!({"type": one["type"], "source": one["source"], "id": one["id"]});
    let mut wanted: Vec<Value> = sent.iter().map(pick).collect();
    wanted.sort_by_key(ToString::to_string);
    for sink in [structured, binary] {
        for language in LANGUAGES {
            let of = |hook| Case { library: "cloudevents", secret: "", hook };
            let cases: Vec<Case<'_>> = read_hooks(&sink).into_iter().map(of).collect();
            let said = verify(language, &cases).await;
            assert!(said.refusals.iter().all(Option::is_none), "{language:?} {said:?}");
            let mut parsed = said.parsed;
            parsed.sort_by_key(ToString::to_string);
            assert_eq!(parsed, wanted, "{language:?}");
        }
    }
}

fn header_map(hook: &Hook) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
    };
    hook.headers.iter().map(pair).collect()
}

#[tokio::test]
async fn the_crate_standardwebhooks_accepts_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let (_, standard) = at_sink(&client, "standard", Some(SECRET)).await;
    let (aisg, beside) = at_sink(&client, "aisg", Some(SECRET)).await;
    deliver_samples(&client).await;
    let beside_secret = aisg["standard_secret"].as_str().unwrap();
    for (sink, secret) in [(&standard, SECRET), (&beside, beside_secret)] {
        let verifier = standardwebhooks::Webhook::new(secret).unwrap();
        for hook in read_hooks(sink) {
            let headers = header_map(&hook);
            verifier.verify(&hook.body, &headers).unwrap();
            assert!(verifier.verify(&hook.flip_a_bit().body, &headers).is_err());
        }
    }
}
