//! A sixth system, which nobody has: a profile's file alone, and its signature by hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use waxseal_adapters::clock::SystemClock;
use waxseal_flows::ports::Clock as _;

use crate::client::Client;
use crate::hooks::Hook;
use crate::sink::{Sink, SinkAnswer};
use crate::systems::endpoint;

/// Its profile: the file that a deployment is given.
pub const FILE: &str = r#"{
  "name": "nightwatch",
  "title": "Nightwatch",
  "about": "base64 HMAC-SHA256 of the timestamp, the id and the raw body, joined by slashes.",
  "secret": {"form": "text", "generate": "nw_{hex}"},
  "signed": "{timestamp}/{id}/{body}",
  "signatures": [{"algorithm": "hmac-sha256", "encoding": "base64", "item": "proof:{signature}"}],
  "join": ";",
  "headers": {
    "x-nightwatch-watch": "{id}",
    "x-nightwatch-proof": "at={timestamp};{signatures}",
    "x-nightwatch-kind": "{type}"
  },
  "envelope": {
    "content_type": "application/vnd.nightwatch+json",
    "members": [
      {"name": "kind", "value": "type"},
      {"name": "by", "text": "nightwatch"},
      {"name": "round", "members": [
        {"name": "house", "value": "tenant"},
        {"name": "at", "value": "time_s"},
        {"name": "try", "value": "attempt"}
      ]},
      {"name": "score", "attribute": "riskscore"},
      {"name": "finding", "value": "data"}
    ]
  },
  "events": [
    {"type": "door.open", "severity": "high", "example": {"data": {"door": "east"}}}
  ],
  "retry": {"delays_s": [1, 2], "jitter": false},
  "timeout_ms": 2000,
  "endpoints_max": 2,
  "receive": {
    "id": ["{id}"],
    "type": ["{/kind}"],
    "time": ["{/round/at}"],
    "data": ["/finding"],
    "attributes": {"riskscore": "{/score}"}
  }
}"#;
const NAME: &str = "nightwatch";
const SECRET: &str = "the watchword of tonight";
const AT: &str = "2026-03-01T02:03:04Z";
const AT_S: u64 = 1_772_330_584;

/// What the file says, by hand: no profile is read.
fn proof(secret: &str, timestamp: &str, id: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}/{id}/").as_bytes());
    mac.update(body);
    format!("at={timestamp};proof:{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// Adds the profile, sends in it, and receives in it.
pub async fn works_both_ways(client: &Client) {
    let (status, shown) = client.call("PUT", &format!("/v1/profiles/{NAME}"), FILE).await;
    assert_eq!((status, &shown["builtin"]), (200, &json!(false)), "{shown}");
    let (_, one) = client.call("GET", &format!("/v1/profiles/{NAME}"), "").await;
    assert_eq!(one["file"], serde_json::from_str::<Value>(FILE).unwrap());
    let (_, all) = client.call("GET", "/v1/profiles", "").await;
    assert!(all["items"].as_array().unwrap().iter().any(|found| found["name"] == NAME));
    sends(client).await;
    receives(client).await;
}

/// To a receiver that fails once: headers, body, signature, delays and example are the file's.
async fn sends(client: &Client) {
    let sink = Sink::start(vec![SinkAnswer::status(500)]).await;
    let body = json!({"url": sink.url("/"), "profile": NAME, "secret": SECRET});
    let made = endpoint(client, NAME, body, false).await;
    let event =
        json!([{"type": "door.open", "time": AT, "riskscore": 0.5, "data": {"door": "west"}}]);
    let path = format!("/v1/tenants/{NAME}/events");
    let (_, answer) = client.call("POST", &path, &event.to_string()).await;
    let id = answer["results"][0]["deliveries"][0]["id"].as_str().unwrap();
    for (number, one) in (1..).zip(sink.wait_for(2).await) {
        let timestamp = one.header("x-nightwatch-proof").strip_prefix("at=").unwrap();
        let timestamp = timestamp.split(';').next().unwrap();
        let now_s = SystemClock.now().seconds();
        assert!(now_s.abs_diff(timestamp.parse().unwrap()) < 60, "{timestamp}");
        let by_hand = proof(SECRET, timestamp, id, &one.body);
        assert_eq!(one.header("x-nightwatch-proof"), by_hand);
        assert_ne!(one.header("x-nightwatch-proof"), proof("another", timestamp, id, &one.body));
        let kind = (one.header("x-nightwatch-watch"), one.header("x-nightwatch-kind"));
        assert_eq!(kind, (id, "door.open"));
        assert_eq!(one.header("content-type"), "application/vnd.nightwatch+json");
        let body = format!(
            r#"{{"kind":"door.open","by":"nightwatch","round":{{"house":"nightwatch","at":{AT_S},"try":{number}}},"score":0.5,"finding":{{"door":"west"}}}}"#
        );
        assert_eq!(String::from_utf8_lossy(&one.body), body);
    }
    let path = format!("/v1/tenants/{NAME}/endpoints/{}/test", made["id"].as_str().unwrap());
    let (_, tested) = client.call("POST", &path, r#"{"type":"door.open"}"#).await;
    assert_eq!(tested["outcome"], "accepted", "{tested}");
    let example = Hook::of_captured(&sink.requests()[2]).json();
    assert_eq!(example["finding"], json!({"door": "east"}));
}

/// From somebody who signs by hand, with either of two secrets.
async fn receives(client: &Client) {
    let source = json!({"profile": NAME, "secrets": ["tomorrow's watchword", SECRET]});
    let path = format!("/v1/tenants/{NAME}/sources/watch-house");
    let (status, answer) = client.call("PUT", &path, &source.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    for (id, secret) in [("w-1", SECRET), ("w-2", "tomorrow's watchword")] {
        let hook = by_hand(secret, id);
        assert_eq!(post(client, &hook.flip_a_bit()).await.0, 401);
        let (status, taken) = post(client, &hook).await;
        assert_eq!((status, &taken["duplicate"]), (200, &json!(false)), "{taken}");
        assert_eq!(post(client, &hook).await.1["duplicate"], json!(true));
        let path = format!("/v1/tenants/{NAME}/events/{}", taken["id"].as_str().unwrap());
        let (_, event) = client.call("GET", &path, "").await;
        let found = (&event["type"], &event["time"], &event["riskscore"], &event["data"]);
        let data = json!({"door": "north"});
        assert_eq!(found, (&json!("door.shut"), &json!(AT), &json!(0.25), &data));
        assert_eq!(event["source"], "/hooks/watch-house");
    }
    assert_eq!(post(client, &by_hand("another", "w-3")).await.0, 401);
}

/// A hook as the file says, now.
fn by_hand(secret: &str, id: &str) -> Hook {
    let body = json!({"kind": "door.shut", "round": {"at": AT_S}, "score": 0.25,
        "finding": {"door": "north"}});
    let body = body.to_string().into_bytes();
    let now_s = SystemClock.now().seconds().to_string();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-nightwatch-watch", id.to_owned()),
        ("x-nightwatch-proof", proof(secret, &now_s, id, &body)),
        ("x-nightwatch-kind", "door.shut".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    Hook { headers: headers.into(), body }
}

async fn post(client: &Client, hook: &Hook) -> (u16, Value) {
    hook.post(client, "/hooks/watch-house").await
}
