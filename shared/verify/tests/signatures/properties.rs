//! For any input: nothing panics, and only what was signed verifies.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own helpers")]

use std::sync::Arc;

use proptest::prelude::*;
use waxseal_verify::{Delivery, FILES, Fault, Key, Profile, SignedRequest, Window, json};

const NOW: u64 = 1_700_000_000;

fn profile() -> impl Strategy<Value = Arc<Profile>> {
    (0..FILES.len()).prop_map(|index| Profile::builtins()[index].clone())
}

fn key(profile: &Profile, seed: u8) -> Key {
    profile.key(&profile.generate_secret([seed; 32])).unwrap()
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let object = prop::collection::hash_map("[a-z]{1,6}", any::<u16>(), 0..5);
    prop_oneof![
        object.prop_map(|members| serde_json::to_vec(&members).unwrap()),
        ("[a-z]{0,6}", any::<u32>()).prop_map(|(text, number)| {
            format!("{{ \"{text}\" : [ {number}.0, \"\\u00e9\" ] }}").into_bytes()
        }),
    ]
}

/// What may stand in a header that somebody else wrote.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(t=|v1=|v1,|v1a,|sha256=|v0=|,| |=|[0-9a-f]{64}|[A-Za-z0-9+/]{43}=|[0-9]{1,20}){0,6}",
    ]
}

fn sign<'b>(
    profile: &Profile,
    key: &Key,
    id: &str,
    at: u64,
    body: &'b [u8],
    beside: bool,
) -> SignedRequest<'b> {
    let variable = |name: &str| Some(name.to_owned());
    let delivery =
        Delivery { id, timestamp_s: at, body, standard_beside: beside, variable: &variable };
    profile.sign(std::slice::from_ref(key), delivery).unwrap()
}

fn verify(profile: &Profile, sent: &SignedRequest<'_>, key: &Key, now_s: u64) -> Result<(), Fault> {
    let header = |name: &str| {
        sent.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    };
    let keys = std::slice::from_ref(key);
    profile.verify(header, &sent.body, keys, Window::around(now_s)).map(|_| ())
}

proptest! {
    #[test]
    fn what_was_signed_verifies(
        profile in profile(), seed: u8, id in "[A-Za-z0-9_-]{1,40}", at: u32, body in body(), beside: bool,
    ) {
        let key = key(&profile, seed);
        let sent = sign(&profile, &key, &id, at.into(), &body, beside);
        prop_assert_eq!(verify(&profile, &sent, &key, at.into()), Ok(()));
    }

    #[test]
    fn nothing_else_verifies(
        profile in profile(), seeds: (u8, u8), bodies in (body(), body()), beside: bool, shift in 0_u64..3,
    ) {
        let signing = key(&profile, seeds.0);
        let mut sent = sign(&profile, &signing, "dlv_1", NOW, &bodies.0, beside);
        let other = sign(&profile, &key(&profile, seeds.1), "dlv_1", NOW + shift, &bodies.1, beside);
        // The other's body and everything but the signatures, under the first one's signatures.
        let is_signature = |name: &str| name.contains("signature");
        for (mine, others) in sent.headers.iter_mut().zip(&other.headers) {
            if !is_signature(&mine.0) {
                mine.1.clone_from(&others.1);
            } else if mine.1.starts_with("t=") {
                mine.1 = mine.1.replace(&NOW.to_string(), &(NOW + shift).to_string());
            }
        }
        let covers_time = beside || sent.headers.iter().any(|(name, value)| {
            name.contains("timestamp") || value.starts_with("t=")
        });
        sent.body = other.body.clone();
        if profile.body_member().is_some() {
            // The other's member goes with its body; only its own key can have made that.
            let holds = verify(&profile, &sent, &signing, NOW).is_ok();
            prop_assert_eq!(holds, seeds.0 == seeds.1 && bodies.0 == bodies.1 && (!beside || shift == 0));
        } else {
            let same = bodies.0 == bodies.1 && (shift == 0 || !covers_time);
            prop_assert_eq!(verify(&profile, &sent, &signing, NOW).is_ok(), same);
        }
    }

    #[test]
    fn no_hook_makes_it_panic_or_verifies_by_chance(
        profile in profile(),
        values in prop::collection::vec(value(), 4),
        body in prop_oneof![any::<Vec<u8>>(), body(), any::<String>().prop_map(String::into_bytes)],
        secret in prop_oneof![any::<String>(), "(whsec_|whsk_|whpk_)[A-Za-z0-9+/]{32,44}={0,2}"],
        now_s: u64,
        tolerance_s: u64,
    ) {
        let header = |name: &str| Some(values[name.len() % 4].as_str());
        let window = Window { now_s, tolerance_s };
        let explanation = profile.explain(header, &body, &[&secret], window);
        prop_assert!(!explanation.valid && !explanation.mistakes.is_empty());
        let keys: Vec<Key> = profile.key(&secret).into_iter().collect();
        prop_assert!(profile.verify(header, &body, &keys, window).is_err());
    }

    #[test]
    fn no_text_makes_stringify_panic(text in prop_oneof![any::<String>(), "[\\[\\]{}\",:0-9.eE\\\\ud-]{0,40}"]) {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let written = json::stringify(&text);
        prop_assert_eq!(written.is_some(), is_json);
        if let Some(written) = written {
            // Written again, it is the same.
            prop_assert_eq!(json::stringify(&written.text), Some(written));
        }
    }

    #[test]
    fn no_file_makes_parse_panic(index in 0..FILES.len(), at: prop::sample::Index, with in "[{}\"a-z,:.= ]{0,12}") {
        let text = FILES[index].1;
        // By characters: a file has some of more than one byte.
        let at = at.index(text.chars().count());
        let before = text.chars().take(at);
        let after = text.chars().skip(at + with.len());
        let changed: String = before.chain(with.chars()).chain(after).collect();
        if let Ok(profile) = Profile::parse(&changed) {
            let secret = profile.generate_secret([1; 32]);
            if let Ok(key) = profile.key(&secret) {
                let delivery = Delivery {
                    id: "1", timestamp_s: NOW, body: b"{}", standard_beside: false,
                    variable: &|_| None,
                };
                if let Ok(sent) = profile.sign(std::slice::from_ref(&key), delivery) {
                    prop_assert_eq!(verify(&profile, &sent, &key, NOW), Ok(()), "{}", changed);
                }
            }
        }
    }
}
