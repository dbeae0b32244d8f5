//! Profiles' files: the crate's own are read, and faults in others are named, all of them.

use serde_json::{Value, json};
use waxseal_verify::{Algorithm, FILES, Profile};

#[test]
fn the_crates_own_are_read_under_their_names() {
    assert_eq!(Profile::builtins().len(), FILES.len());
    for (name, text) in FILES {
        let profile = Profile::parse(text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(profile.name(), *name);
        assert!(!profile.title().is_empty() && profile.about().len() > 20, "{name}");
        assert!(profile.signature_header().is_some(), "{name}");
        assert_eq!(Profile::find_builtin(name).unwrap().name(), *name);
    }
    assert_eq!(Profile::builtins()[0].name(), "standard");
    assert!(Profile::find_builtin("other").is_none());
}

#[test]
fn new_secrets_have_the_form_of_their_profile() {
    for profile in Profile::builtins() {
        let secret = profile.generate_secret([7; 32]);
        assert_ne!(*secret, *profile.generate_secret([8; 32]));
        assert_eq!(profile.key(&secret).unwrap().algorithm(), Algorithm::HmacSha256);
        if let Some(secret) = profile.generate_signing_secret([7; 32]) {
            let key = profile.key(&secret).unwrap();
            assert_eq!(key.algorithm(), Algorithm::Ed25519);
            assert_eq!(profile.key(&key.public_text().unwrap()).unwrap().public(), key.public());
        }
    }
    assert!(Profile::find_builtin("aisg").unwrap().generate_secret([7; 32]).starts_with("whsec_"));
}

#[test]
fn secrets_of_another_form_are_refused() {
    use base64::Engine as _;
    let encode = |bytes: usize| base64::engine::general_purpose::STANDARD.encode(vec![1; bytes]);
    let standard = Profile::find_builtin("standard").unwrap();
    for bytes in [0, 23, 65] {
        assert!(standard.key(&format!("whsec_{}", encode(bytes))).is_err(), "{bytes}");
    }
    for bytes in [24, 64] {
        assert!(standard.key(&format!("whsec_{}", encode(bytes))).is_ok(), "{bytes}");
    }
    let weak = format!("whpk_{}A=", "A".repeat(42));
    for bad in ["", "whsec_***", &encode(32), &weak, &format!("whsk_{}", encode(31))] {
        assert!(standard.key(bad).is_err(), "{bad}");
    }
    let svix = Profile::find_builtin("svix").unwrap();
    assert!(svix.key(&format!("whsk_{}", encode(32))).is_err());
    let github = Profile::find_builtin("github").unwrap();
    for bad in ["", "1234567", "12345678\n", "zwölf Zeichen", &"x".repeat(257)] {
        assert!(github.key(bad).is_err(), "{bad:?}");
    }
    assert!(github.key("12345678").is_ok() && github.key(&"x".repeat(256)).is_ok());
}

fn good() -> Value {
    json!({
        "name": "mine", "title": "Mine",
        "secret": { "form": "text" },
        "signed": "{timestamp}.{body}",
        "signatures": [{ "algorithm": "hmac-sha256", "encoding": "hex", "item": "v1={signature}" }],
        "join": ",",
        "headers": { "x-signature": "t={timestamp},{signatures}" },
        "retry": { "of": "another reader" },
    })
}

fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut file = good();
    change(&mut file);
    Profile::parse(&file.to_string()).map_or_else(|fault| fault.faults, |_| Vec::new())
}

#[test]
fn each_fault_is_named() {
    assert_eq!(faults(|_| {}), Vec::<String>::new());
    let cases: [(&str, Value, &str); 26] = [
        ("/name", json!("Mine!"), "name: must be"),
        ("/title", json!(""), "title: must be"),
        ("/signed", json!("{timestamp}.{nonce}.{body}"), "signed: {nonce}"),
        ("/signed", json!("{timestamp}.body"), "signed: must have {body} once"),
        ("/signed", json!("{body}{timestamp}"), "signed: text must stand"),
        ("/signed", json!("{timestamp}.{timestamp}.{body}"), "signed: has {timestamp} twice"),
        ("/signed", json!("{timestamp}1{body}"), "signed: a digit"),
        ("/signed", json!("{id}.{body}"), "headers: {id} is signed, and no header"),
        ("/signed", json!("{body"), "signed: a { has no }"),
        ("/signed", json!("é{body}"), "signed: must be printable"),
        ("/signatures", json!([]), "signatures: must have one"),
        ("/signatures/0/item", json!("v1"), "signatures: item must have"),
        ("/signatures/0/algorithm", json!("ed25519"), "signatures: ed25519 needs"),
        ("/signatures/0/algorithm", json!("md5"), "unknown variant"),
        ("/signatures/0/item", json!("v1,{signature}"), "join: is part of"),
        ("/join", json!("="), "join: must be"),
        ("/join", json!(""), "join: must be"),
        ("/secret/generate", json!("new"), "secret.generate: must have"),
        ("/secret/form", json!("hex"), "unknown variant"),
        ("/headers", json!({ "x-time": "{timestamp}" }), "headers: none carries {signatures}"),
        ("/headers", json!({ "x-signature": "{signatures}" }), "headers: {timestamp} is signed"),
        ("/headers", json!({ "X-Sig": "{timestamp},{signatures}" }), "must be a token in lower"),
        ("/headers", json!({ "x": "{timestamp} {signatures}" }), "must each stand alone"),
        ("/headers", json!({ "host": "t={timestamp},{signatures}" }), "not a profile's to set"),
        (
            "/headers",
            json!({ "a": "{timestamp},{signatures}", "b": "{timestamp}" }),
            "carried twice",
        ),
        (
            "/headers",
            json!({ "a": "{timestamp},{signatures}", "b": "{nonce}" }),
            "headers: b: {nonce}",
        ),
    ];
    for (pointer, value, due) in cases {
        let found = faults(|file| match file.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => file["secret"]["generate"] = value.clone(),
        });
        assert!(found.iter().any(|fault| fault.contains(due)), "{pointer} {value}: {found:?}");
    }
}

#[test]
fn all_faults_are_named_at_once_and_files_are_bounded() {
    let found = faults(|file| {
        file["name"] = json!("");
        file["signed"] = json!("{nonce}");
        file["body_member"] = json!("a b");
    });
    assert_eq!(found.len(), 3, "{found:?}");
    let double = good().to_string().replacen(
        "\"x-signature\":",
        "\"x-signature\":\"a\",\"x-signature\":",
        1,
    );
    assert!(
        Profile::parse(&double).unwrap_err().to_string().contains("x-signature is there twice")
    );
    assert!(faults(|file| file["about"] = json!("x".repeat(4_001)))[0].contains("about"));
    assert!(faults(|file| file["about"] = json!("x".repeat(70_000)))[0].contains("65536 bytes"));
    assert!(Profile::parse("[]").is_err() && Profile::parse("").is_err());
}
