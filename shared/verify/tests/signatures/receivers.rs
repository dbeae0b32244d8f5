//! What we sign, verified by receivers that are not ours: Node's own cryptography, each receiver
//! written as its system's page describes it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use waxseal_verify::{Delivery, Profile};

const NOW: u64 = 1_700_000_000;
const BODY: &str = r#"{"id":"evt_1","event":"decision.blocked","data":{"risk":0.85,"text":"é"}}"#;

const RECEIVERS: &str = r"
const { createHmac, createPublicKey, verify } = require('crypto');
const hex = (key, text) => createHmac('sha256', key).update(text).digest('hex');
const standard = (key, h, name, body) =>
  h[name + 'signature'] === 'v1,' + createHmac('sha256', key)
    .update(h[name + 'id'] + '.' + h[name + 'timestamp'] + '.' + body).digest('base64');
const whsec = secret => Buffer.from(secret.slice(6), 'base64');
const receivers = {
  standard: (s, h, body) => standard(whsec(s), h, 'webhook-', body),
  svix: (s, h, body) => standard(whsec(s), h, 'svix-', body),
  // FastAPI's raw bytes, and n8n's JSON.stringify of what it parsed.
  aisentinel: (s, h, body) => h['x-aisentinel-signature'] === hex(s, body) &&
    h['x-aisentinel-signature'] === hex(s, JSON.stringify(JSON.parse(body))),
  authensor: (s, h, body) => h['x-authensor-signature'] === 'sha256=' + hex(s, body),
  aisg: (s, h, body) => h['x-aisg-signature'] === 'sha256=' + hex(s, body),
  secureagentics: (s, h, body) => h['x-secureagentics-signature'] === hex(s, body),
  omegaengine: (s, h, body) => {
    const { signature, ...rest } = JSON.parse(body);
    return signature === 'sha256=' + hex(s, JSON.stringify(rest)) &&
      signature === h['x-omegaengine-signature'];
  },
  github: (s, h, body) => h['x-hub-signature-256'] === 'sha256=' + hex(s, body),
  stripe: (s, h, body) => {
    const { t, v1 } = Object.fromEntries(h['stripe-signature'].split(',').map(p => p.split('=')));
    return v1 === hex(s, t + '.' + body);
  },
  slack: (s, h, body) => h['x-slack-signature'] ===
    'v0=' + hex(s, 'v0:' + h['x-slack-request-timestamp'] + ':' + body),
};
receivers.cloudevents = receivers['cloudevents-binary'] = receivers.standard;
const beside = (s, h, body) => standard(
  createHmac('sha256', s).update('waxseal/standard-webhooks/v1').digest(), h, 'webhook-', body);
const ed25519 = (x, h, body) => {
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const text = h['webhook-id'] + '.' + h['webhook-timestamp'] + '.' + body;
  return verify(null, Buffer.from(text), key, Buffer.from(h['webhook-signature'].slice(4), 'base64'));
};
const hooks = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(hooks.map(({ receiver, secret, headers, body }) =>
  ({ ...receivers, beside, ed25519 })[receiver](secret, headers, body))));
";

fn verify_all(hooks: &[Value]) -> Vec<bool> {
    let mut node = Command::new("node")
        .args(["-e", RECEIVERS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed for this test");
    let mut stdin = node.stdin.take().expect("it is piped");
    stdin.write_all(&serde_json::to_vec(hooks).expect("plain values")).expect("node reads");
    drop(stdin);
    let output = node.wait_with_output().expect("node ends");
    serde_json::from_slice(&output.stdout).expect("node answers a list")
}

fn hook(receiver: &str, profile: &Profile, signs_with: &str, verifies_with: &str) -> Value {
    let delivery = Delivery {
        id: "dlv_1",
        timestamp_s: NOW,
        body: BODY.as_bytes(),
        standard_beside: true,
        variable: &|name| Some(name.to_owned()),
    };
    let key = profile.key(signs_with).expect("a good secret");
    let sent = profile.sign(&[key], delivery).expect("a good delivery");
    let headers: serde_json::Map<String, Value> =
        sent.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let body = String::from_utf8(sent.body.into_owned()).expect("JSON is UTF-8");
    json!({ "receiver": receiver, "secret": verifies_with, "headers": headers, "body": body })
}

#[test]
fn every_receiver_takes_our_hooks_and_no_other_secrets() {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for profile in Profile::builtins() {
        let (secret, other) = (profile.generate_secret([1; 32]), profile.generate_secret([2; 32]));
        let mut receivers = vec![profile.name()];
        receivers.extend(profile.takes_standard_beside().then_some("beside"));
        for receiver in receivers {
            good.push(hook(receiver, profile, &secret, &secret));
            bad.push(hook(receiver, profile, &secret, &other));
        }
    }
    let standard = Profile::find_builtin("standard").expect("the default");
    let secret = |seed| standard.generate_signing_secret([seed; 32]).expect("it has ed25519");
    let public = |seed| {
        let text = standard.key(&secret(seed)).ok().and_then(|key| key.public_text());
        let text = text.expect("ed25519 has a public key");
        text.trim_start_matches("whpk_").replace('+', "-").replace('/', "_").replace('=', "")
    };
    good.push(hook("ed25519", &standard, &secret(1), &public(1)));
    bad.push(hook("ed25519", &standard, &secret(1), &public(2)));
    assert_eq!(verify_all(&good), vec![true; good.len()]);
    assert_eq!(verify_all(&bad), vec![false; bad.len()]);
    assert!(good.len() > 20, "{}", good.len());
}
