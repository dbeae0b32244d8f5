//! Sign, then verify: for every profile, with every byte flipped, through a rotation, unsigned.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own helpers")]

use waxseal_verify::{Delivery, FILES, Fault, Key, Profile, SignFault, SignedRequest, Window};

const BODY: &[u8] = br#"{"type":"policy.denied","data":{"n":0.85,"text":"\u00e9"}}"#;
const NOW: u64 = 1_700_000_000;

fn delivery(body: &[u8], standard_beside: bool) -> Delivery<'_, '_> {
    Delivery { id: "dlv_1", timestamp_s: NOW, body, standard_beside, variable: &variable }
}

fn variable(name: &str) -> Option<String> {
    (name != "subject").then(|| format!("a-{name}"))
}

fn secret_key(profile: &Profile, seed: u8) -> Key {
    profile.key(&profile.generate_secret([seed; 32])).unwrap()
}

fn lookup<'h>(headers: &'h [(String, String)]) -> impl Fn(&str) -> Option<&'h str> {
    |name| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn verify(profile: &Profile, sent: &SignedRequest<'_>, keys: &[Key]) -> Result<Option<u64>, Fault> {
    let window = Window::around(NOW + 10);
    profile.verify(lookup(&sent.headers), &sent.body, keys, window).map(|hook| hook.timestamp)
}

#[test]
fn what_was_signed_verifies_and_with_another_key_does_not() {
    for profile in Profile::builtins() {
        for beside in [false, true] {
            let key = secret_key(profile, 1);
            let sent = profile.sign(std::slice::from_ref(&key), delivery(BODY, beside)).unwrap();
            let name = profile.name();
            assert_eq!(sent.body == BODY, profile.body_member().is_none(), "{name}");
            let hook = verify(profile, &sent, std::slice::from_ref(&key));
            assert!(hook.is_ok(), "{name}: {hook:?}");
            let other = [secret_key(profile, 2)];
            assert_eq!(verify(profile, &sent, &other), Err(Fault::Mismatch), "{name}");
            assert!(verify(profile, &sent, &[secret_key(profile, 2), key]).is_ok(), "{name}");
            assert_eq!(verify(profile, &sent, &[]), Err(Fault::NoKey), "{name}");
            assert!(!sent.headers.iter().any(|(name, _)| name == "ce-subject"));
        }
    }
}

#[test]
fn ed25519_signs_and_its_public_key_verifies() {
    let profile = Profile::find_builtin("standard").unwrap();
    let signing = profile.key(&profile.generate_signing_secret([1; 32]).unwrap()).unwrap();
    let public = [profile.key(&signing.public_text().unwrap()).unwrap()];
    let hmac = secret_key(&profile, 2);
    let sent = profile.sign(&[hmac.clone(), signing.clone()], delivery(BODY, true)).unwrap();
    let value = lookup(&sent.headers)("webhook-signature").unwrap();
    assert!(value.starts_with("v1,") && value.contains(" v1a,"), "{value}");
    for keys in [&public[..], &[hmac], &[signing]] {
        assert!(verify(&profile, &sent, keys).is_ok());
    }
    assert_eq!(profile.sign(&public, delivery(BODY, false)), Err(SignFault::Key));
    let other = profile.key(&profile.generate_signing_secret([9; 32]).unwrap()).unwrap();
    assert_eq!(verify(&profile, &sent, &[other]), Err(Fault::Mismatch));
}

#[test]
fn one_flipped_bit_is_refused_anywhere() {
    for profile in Profile::builtins() {
        for beside in [false, true] {
            flip_each_bit(profile, beside);
        }
    }
}

fn flip_each_bit(profile: &Profile, beside: bool) {
    let keys = [secret_key(profile, 1)];
    let sent = profile.sign(&keys, delivery(BODY, beside)).unwrap();
    for bit in 0..sent.body.len() * 8 {
        let mut changed = sent.clone();
        changed.body.to_mut()[bit / 8] ^= 1 << (bit % 8);
        let name = profile.name();
        let same = profile.body_member().is_some() && same_json(&changed.body, &sent.body);
        assert!(same || verify(profile, &changed, &keys).is_err(), "{name}: bit {bit}");
    }
    for (index, (name, value)) in sent.headers.iter().enumerate() {
        let unsigned = !name.contains("signature") && !name.contains("timestamp");
        let signed_id = matches!(name.as_str(), "webhook-id" | "svix-id");
        if unsigned && !signed_id {
            continue;
        }
        for bit in 0..value.len() * 8 {
            let mut bytes = value.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(value) = String::from_utf8(bytes) else { continue };
            let mut changed = sent.clone();
            changed.headers[index].1 = value;
            assert!(verify(profile, &changed, &keys).is_err(), "{name}: bit {bit}");
        }
    }
}

/// Where JavaScript's form of the body is what is hashed, another spelling of it is the same body.
fn same_json(one: &[u8], other: &[u8]) -> bool {
    let value = |bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok();
    value(one).is_some() && value(one) == value(other)
}

#[test]
fn a_header_for_one_signature_gets_the_older_secrets() {
    for profile in Profile::builtins() {
        let (new, old) = (secret_key(profile, 1), secret_key(profile, 2));
        let sent = profile.sign(&[new.clone(), old.clone()], delivery(BODY, true)).unwrap();
        let old_holds = verify(profile, &sent, std::slice::from_ref(&old));
        assert!(old_holds.is_ok(), "{}", profile.name());
        let joins = matches!(
            profile.name(),
            "standard" | "svix" | "stripe" | "cloudevents" | "cloudevents-binary"
        );
        assert_eq!(verify(profile, &sent, &[new]).is_ok(), joins, "{}", profile.name());
    }
}

#[test]
fn standards_headers_stand_beside_those_that_do_not_sign_id_and_time() {
    for profile in Profile::builtins() {
        let keys = [secret_key(profile, 1), secret_key(profile, 2)];
        let sent = profile.sign(&keys, delivery(BODY, true)).unwrap();
        let own =
            matches!(profile.name(), "standard" | "svix" | "cloudevents" | "cloudevents-binary");
        assert_eq!(profile.takes_standard_beside(), !own);
        assert_eq!(keys[0].standard_text().is_none(), own);
        if own {
            let count = sent.headers.iter().filter(|(name, _)| name == "webhook-id").count();
            assert_eq!(count, usize::from(profile.name() != "svix"));
            continue;
        }
        let standard = Profile::find_builtin("standard").unwrap();
        for key in &keys {
            let derived = standard.key(&key.standard_text().unwrap()).unwrap();
            assert!(verify(&standard, &sent, &[derived]).is_ok(), "{}", profile.name());
        }
        let late = Window::around(NOW + 301);
        let fault = profile.verify(lookup(&sent.headers), &sent.body, &keys, late);
        assert_eq!(fault, Err(Fault::TooOld), "{}", profile.name());
        let mut cut = sent.clone();
        cut.headers.retain(|(name, _)| name != "webhook-id");
        assert_eq!(verify(profile, &cut, &keys), Err(Fault::Missing("webhook-id".into())));
    }
}

#[test]
fn an_optional_secret_may_be_none() {
    for profile in Profile::builtins() {
        let sent = profile.sign(&[], delivery(BODY, true));
        if !profile.secret_is_optional() {
            assert_eq!(sent, Err(SignFault::NoKey));
            continue;
        }
        let sent = sent.unwrap();
        assert_eq!(sent.body, BODY);
        assert!(!sent.headers.iter().any(|(name, _)| name.contains("signature")));
        let name = profile.signature_header().unwrap().to_owned();
        let fault = verify(profile, &sent, &[secret_key(profile, 1)]);
        assert!(matches!(fault, Err(Fault::Missing(_))), "{name}: {fault:?}");
    }
}

#[test]
fn a_signature_in_the_body_is_found_wherever_it_stands() {
    let profile = Profile::find_builtin("omegaengine").unwrap();
    let keys = [secret_key(&profile, 1)];
    let sent =
        profile.sign(&keys, delivery(r#"{ "b": 1.0, "a": "é" }"#.as_bytes(), false)).unwrap();
    let signature = lookup(&sent.headers)("x-omegaengine-signature").unwrap().to_owned();
    let body = String::from_utf8(sent.body.to_vec()).unwrap();
    assert_eq!(body, format!(r#"{{"b":1,"a":"é","signature":"{signature}"}}"#));
    let verify = |body: &str, header: Option<&str>| {
        let lookup = |name: &str| header.filter(|_| name == "x-omegaengine-signature");
        profile.verify(lookup, body.as_bytes(), &keys, Window::around(NOW)).map(|_| ())
    };
    let header = Some(signature.as_str());
    for same in [
        body.clone(),
        format!(r#"{{"signature":"{signature}","b":1,"a":"é"}}"#),
        format!("{{\n  \"b\": 1.0,\n  \"signature\": \"{signature}\",\n  \"a\": \"\\u00e9\"\n}}"),
    ] {
        assert_eq!(verify(&same, None), Ok(()), "{same}");
        assert_eq!(verify(&same, header), Ok(()), "{same}");
    }
    assert_eq!(verify(r#"{"b":1,"a":"é"}"#, header), Ok(()), "handed over without the member");
    for other in [
        format!(r#"{{"a":"é","b":1,"signature":"{signature}"}}"#),
        format!(r#"{{"b":2,"b":1,"a":"é","signature":"{signature}"}}"#),
        format!(r#"{{"b":1,"a":"é","signature":"x","signature":"{signature}"}}"#),
        r#"{"b":1,"a":"é","signature":"sha256="}"#.to_owned(),
        r#"{"b":1,"a":"é","signature":5}"#.to_owned(),
        r#"{"b":1,"a":"é","signature":""}"#.to_owned(),
    ] {
        assert!(verify(&other, None).is_err(), "{other}");
        assert_eq!(verify(&other, header), Err(Fault::Mismatch), "{other}");
    }
    let missing = Err(Fault::Missing("x-omegaengine-signature".into()));
    assert_eq!(verify(r#"{"b":1,"a":"é"}"#, None), missing);
    assert_eq!(profile.sign(&keys, delivery(b"[1]", false)), Err(SignFault::Body));
}

#[test]
fn an_ambiguous_id_is_neither_signed_nor_verified() {
    let profile = Profile::find_builtin("standard").unwrap();
    let keys = [secret_key(&profile, 1)];
    let dotted = Delivery { id: "a.1", ..delivery(BODY, false) };
    assert_eq!(profile.sign(&keys, dotted), Err(SignFault::Id));
    // Signed for id "dlv_1" at NOW with this body, then cut elsewhere.
    let body = format!("{NOW}.rest");
    let mut sent = profile.sign(&keys, delivery(body.as_bytes(), false)).unwrap();
    sent.headers[0].1 = format!("dlv_1.{NOW}");
    sent.body = b"rest".into();
    assert_eq!(verify(&profile, &sent, &keys), Err(Fault::Id));
}

#[test]
fn headers_are_bounded_and_never_carry_a_line_end() {
    let profile = Profile::find_builtin("github").unwrap();
    let keys = [secret_key(&profile, 1)];
    let evil = |_: &str| Some("push\r\nx-evil: 1".to_owned());
    let bad = Delivery { variable: &evil, ..delivery(BODY, false) };
    assert_eq!(profile.sign(&keys, bad), Err(SignFault::Header("x-github-event".into())));
    for (length, fits) in [(0, false), (1, true), (4_096, true), (4_097, false)] {
        let value = |_: &str| Some("x".repeat(length));
        let sent = Delivery { variable: &value, ..delivery(BODY, false) };
        assert_eq!(profile.sign(&keys, sent).is_ok(), fits, "{length}");
    }
    let mut sent = profile.sign(&keys, delivery(BODY, false)).unwrap();
    sent.headers[0].1 = format!("sha256={}", "0".repeat(4_096));
    let long = Err(Fault::TooLong("x-hub-signature-256".into()));
    assert_eq!(verify(&profile, &sent, &keys), long);

    let standard = Profile::find_builtin("standard").unwrap();
    let keys = [secret_key(&standard, 1)];
    let mut sent = standard.sign(&keys, delivery(BODY, false)).unwrap();
    let good = sent.headers[2].1.clone();
    sent.headers[2].1 = format!("{}{good}", "v1,AA== ".repeat(31));
    assert!(verify(&standard, &sent, &keys).is_ok());
    sent.headers[2].1 = format!("{}{good}", "v1,AA== ".repeat(32));
    assert_eq!(verify(&standard, &sent, &keys), Err(Fault::Mismatch));
}

/// A deployment's own profile, signed over the body alone.
fn own(change: impl Fn(&str) -> String) -> Profile {
    let standard = FILES[0].1.replace("{id}.{timestamp}.{body}", "{body}");
    Profile::parse(&change(&standard)).unwrap()
}

#[test]
fn standards_headers_stand_beside_no_profile_that_has_their_names() {
    let profile = own(str::to_owned);
    let keys = [secret_key(&profile, 1)];
    assert!(!profile.takes_standard_beside() && keys[0].standard().is_none());
    let sent = profile.sign(&keys, delivery(BODY, true)).unwrap();
    assert_eq!(sent.headers.len(), 3);
    assert_eq!(verify(&profile, &sent, &keys), Ok(Some(NOW)));
}

#[test]
fn standards_headers_stand_beside_only_where_all_keys_are_hmac() {
    let profile = own(|text| text.replace("\"webhook-", "\"x-own-"));
    let ed25519 = profile.key(&profile.generate_signing_secret([1; 32]).unwrap()).unwrap();
    let hmac = secret_key(&profile, 2);
    let mixed = [hmac.clone(), ed25519.clone()];
    assert_eq!(profile.sign(&mixed, delivery(BODY, true)).unwrap().headers.len(), 3);
    let mut sent = profile.sign(std::slice::from_ref(&hmac), delivery(BODY, true)).unwrap();
    assert_eq!(sent.headers.len(), 6);
    sent.headers.retain(|(name, _)| name != "webhook-id");
    let missing = Err(Fault::Missing("webhook-id".into()));
    assert_eq!(verify(&profile, &sent, &[hmac]), missing);
    assert_eq!(verify(&profile, &sent, &mixed), Ok(Some(NOW)));
}
