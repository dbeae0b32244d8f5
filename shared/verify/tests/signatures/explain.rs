//! Each known mistake, made, is named; and nothing is named for a good hook.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own helpers")]

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use waxseal_verify::{Delivery, Explanation, FILES, Mistake, Profile, Window};

const NOW: u64 = 1_700_000_000;
const BODY: &str = r#"{"type": "policy.denied", "data": {"b": 1.0, "a": "é"}, "list": [1, 2]}"#;
/// Good for every profile: decoded by some, text for others.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A profile for each way to sign: timestamp or not, list or not, base 64 or not.
const SEVERAL: [&str; 6] = ["standard", "svix", "stripe", "slack", "github", "aisentinel"];

struct Hook {
    profile: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secrets: Vec<String>,
}

impl Hook {
    fn sign(profile: &str, body: &str) -> Self {
        Self::sign_by(&Profile::find_builtin(profile).unwrap(), SECRET, NOW, body)
    }

    fn sign_by(profile: &Profile, secret: &str, timestamp_s: u64, body: &str) -> Self {
        let body = body.as_bytes();
        let delivery = Delivery {
            id: "dlv_1",
            timestamp_s,
            body,
            standard_beside: false,
            variable: &|_| None,
        };
        let keys = [profile.key(secret).unwrap()];
        let sent = profile.sign(&keys, delivery).unwrap();
        Self {
            profile: profile.name().to_owned(),
            headers: sent.headers,
            body: sent.body.into_owned(),
            secrets: vec![SECRET.to_owned()],
        }
    }

    fn with_body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    fn with_secret(mut self, secret: &str) -> Self {
        self.secrets = vec![secret.to_owned()];
        self
    }

    fn with_profile(mut self, profile: &str) -> Self {
        profile.clone_into(&mut self.profile);
        self
    }

    fn with_header(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let value = self.headers.iter_mut().find(|(found, _)| found.contains(name)).unwrap();
        value.1 = change(&value.1);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| !found.contains(name));
        self
    }

    fn explain_at(&self, now_s: u64) -> Explanation {
        let header = |name: &str| {
            self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
        };
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        let profile = Profile::find_builtin(&self.profile).unwrap();
        let explanation = profile.explain(header, &self.body, &secrets, Window::around(now_s));
        assert_eq!(explanation.valid, explanation.mistakes.is_empty());
        Self::shows_nothing(&explanation);
        explanation
    }

    /// Neither a secret nor any signature stands in what is said.
    fn shows_nothing(explanation: &Explanation) {
        let said: String =
            explanation.mistakes.iter().map(|mistake| format!("{mistake} {mistake:?}")).collect();
        let long_runs =
            said.split(|char: char| !char.is_ascii_alphanumeric()).any(|w| w.len() > 30);
        assert!(!long_runs && !said.contains("MfKQ9r8"), "{said}");
        for mistake in &explanation.mistakes {
            SEEN.lock().unwrap().insert(mistake.code());
            let sentence = mistake.to_string();
            assert!(sentence.ends_with('.') && sentence.len() > 40, "{sentence}");
        }
    }

    #[track_caller]
    fn is(&self, due: &[&str]) {
        self.is_at(NOW, due);
    }

    #[track_caller]
    fn is_at(&self, now_s: u64, due: &[&str]) {
        let explanation = self.explain_at(now_s);
        let codes: Vec<&str> = explanation.mistakes.iter().map(Mistake::code).collect();
        assert_eq!(codes, due, "{}", self.profile);
    }
}

static SEEN: LazyLock<Mutex<BTreeSet<&'static str>>> = LazyLock::new(Mutex::default);

/// A crate's own profile with something changed: a sender that makes a mistake.
fn alter(name: &str, change: impl FnOnce(&mut Value)) -> Profile {
    let text = FILES.iter().find(|(found, _)| *found == name).unwrap().1;
    let mut file: Value = serde_json::from_str(text).unwrap();
    change(&mut file);
    Profile::parse(&file.to_string()).unwrap()
}

fn sign_altered(name: &str, pointer: &str, value: Value) -> Hook {
    let profile = alter(name, |file| *file.pointer_mut(pointer).unwrap() = value);
    Hook::sign_by(&profile, SECRET, NOW, BODY)
}

/// One test, because the last of it asks what all of it has seen.
#[test]
fn each_mistake_is_named() {
    good_hooks();
    bodies();
    secrets();
    headers();
    other_profiles();
    timestamps();
    signatures();
    beside();
    combined();
    every_code_was_seen();
}

fn good_hooks() {
    for profile in Profile::builtins() {
        for beside in [false, true] {
            let body = BODY.as_bytes();
            let variable = |name: &str| Some(name.to_owned());
            let delivery = Delivery {
                id: "dlv_1",
                timestamp_s: NOW,
                body,
                standard_beside: beside,
                variable: &variable,
            };
            let sent = profile.sign(&[profile.key(SECRET).unwrap()], delivery).unwrap();
            let mut hook = Hook::sign(profile.name(), BODY).with_body(&sent.body);
            hook.headers = sent.headers;
            hook.is(&[]);
            hook.secrets = vec!["another secret".into(), " ".into(), SECRET.into()];
            hook.is_at(NOW + 300, &[]);
        }
    }
}

fn bodies() {
    // Each as its own language wrote it: node -e, python3 -c.
    let json_stringify = r#"{"type":"policy.denied","data":{"b":1,"a":"é"},"list":[1,2]}"#;
    let python = r#"{"type": "policy.denied", "data": {"b": 1.0, "a": "\u00e9"}, "list": [1, 2]}"#;
    let pretty_2 = "{\n  \"type\": \"policy.denied\",\n  \"data\": {\n    \"b\": 1,\n    \"a\": \"é\"\n  },\n  \"list\": [\n    1,\n    2\n  ]\n}";
    let pretty_4 = "{\n    \"type\": \"policy.denied\",\n    \"data\": {\n        \"b\": 1.0,\n        \"a\": \"\\u00e9\"\n    },\n    \"list\": [\n        1,\n        2\n    ]\n}";
    let sorted = r#"{"data": {"a": "\u00e9", "b": 1.0}, "list": [1, 2], "type": "policy.denied"}"#;
    let base64 = BASE64.encode(BODY);
    for profile in SEVERAL {
        for (signed, due) in [
            (json_stringify, "body_json_stringify"),
            (python, "body_python_dumps"),
            (pretty_2, "body_pretty_2"),
            (pretty_4, "body_pretty_4"),
            (sorted, "body_sorted"),
            (&base64, "body_decoded"),
            (&format!("{BODY}\n"), "body_newline_lost"),
            (&format!("{BODY}\r\n"), "body_newline_lost"),
            (r#"{"type":"other"}"#, "body_or_secret"),
        ] {
            Hook::sign(profile, signed).with_body(BODY).is(&[due]);
        }
        // BODY is what Python writes without ensure_ascii.
        Hook::sign(profile, BODY)
            .with_body(json_stringify.replace(":1,", ":1.0,"))
            .is(&["body_python_dumps_unicode"]);
        Hook::sign(profile, BODY).with_body(&base64).is(&["body_base64"]);
        Hook::sign(profile, BODY).with_body(format!("{BODY}\n")).is(&["body_newline_added"]);
        Hook::sign(profile, BODY).with_body(format!("{BODY}\r\n")).is(&["body_newline_added"]);
        let cut = Hook::sign(profile, BODY).with_body(&BODY[..40]);
        cut.is(&["body_truncated"]);
        let mut cut = Hook::sign(profile, "plain text").with_body("plain");
        cut.is(&["body_or_secret"]);
        cut.body = b"\"plain".to_vec();
        cut.is(&["body_or_secret"]);
        cut.headers.push(("content-length".into(), "10".into()));
        cut.is(&["body_truncated"]);
    }
    let large = format!("[\"{}\"]", "x".repeat(1 << 20));
    Hook::sign("github", &large).with_body(format!(" {large}")).is(&["body_or_secret"]);
    Hook::sign("omegaengine", BODY).with_body(r#"{"b":1}"#).is(&["body_or_secret"]);
    let tampered = Hook::sign("omegaengine", BODY).with_header("signature", |_| "sha256=00".into());
    tampered.is(&["signatures_differ"]);
}

fn secrets() {
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for profile in SEVERAL {
        let hook = |secret: &str| Hook::sign(profile, BODY).with_secret(secret);
        hook(other).is(&["body_or_secret"]);
        for spaced in [format!("{SECRET}\n"), format!(" {SECRET}"), format!("{SECRET}\r\n")] {
            hook(&spaced).is(&["secret_white_space"]);
        }
        hook(SECRET.trim_start_matches("whsec_")).is(&["secret_prefix_missing"]);
        hook(&format!("whsec_{SECRET}")).is(&["secret_prefix_doubled"]);
        hook("short").is(&["secret_malformed"]);
        let mut none = hook("");
        none.is(&["secret_malformed"]);
        none.secrets.clear();
        none.is(&["secret_none"]);
    }
    let spaced = format!("{SECRET} ");
    let github = Profile::find_builtin("github").unwrap();
    Hook::sign_by(&github, &spaced, NOW, BODY).is(&["secret_white_space"]);
    let bare = SECRET.trim_start_matches("whsec_");
    Hook::sign_by(&github, bare, NOW, BODY).is(&["secret_prefix_missing"]);
    for profile in ["aisg", "stripe", "omegaengine"] {
        sign_altered(profile, "/secret/form", json!("whsec")).is(&["secret_decoded"]);
    }
    sign_altered("svix", "/secret/form", json!("text")).is(&["secret_not_decoded"]);
    let text = alter("svix", |file| file["secret"]["form"] = json!("text"));
    Hook::sign_by(&text, bare, NOW, BODY).is(&["secret_not_decoded"]);
}

fn headers() {
    for profile in SEVERAL {
        Hook::sign(profile, BODY).without("signature").is(&["header_missing"]);
        Hook::sign(profile, BODY)
            .with_header("signature", |_| String::new())
            .is(&["header_missing"]);
        let long = |value: &str| format!("{value}{}", "0".repeat(4_096));
        Hook::sign(profile, BODY).with_header("signature", long).is(&["header_too_long"]);
    }
}

fn other_profiles() {
    for (sent, read) in
        [("github", "standard"), ("svix", "standard"), ("aisg", "stripe"), ("standard", "github")]
    {
        let verifies = |hook: &Hook, due: bool| {
            let mistakes = hook.explain_at(NOW).mistakes;
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            let text = format!("{:?}", mistakes[0]);
            assert!(text.contains(sent) && text.contains(&format!("verifies: {due}")), "{text}");
            hook.is(&["other_profile"]);
        };
        let hook = Hook::sign(sent, BODY).with_profile(read);
        verifies(&hook, true);
        verifies(&hook.with_body("other"), false);
    }
    let mut both = Hook::sign("aisg", BODY);
    both.headers.push(("x-hub-signature-256".into(), format!("sha256={}", "0".repeat(64))));
    both.with_profile("github").is(&["other_profile"]);
}

fn timestamps() {
    for profile in ["standard", "svix", "stripe", "slack"] {
        let sender = Profile::find_builtin(profile).unwrap();
        let hook = |at: u64| Hook::sign_by(&sender, SECRET, at, BODY);
        hook(NOW).is_at(NOW + 301, &["timestamp_stale"]);
        hook(NOW).is_at(NOW - 301, &["timestamp_future"]);
        let stale = format!("{:?}", hook(NOW).explain_at(NOW + 301).mistakes);
        assert!(stale.contains("by_s: 301"), "{stale}");
        hook(NOW * 1_000 + 123).is(&["timestamp_milliseconds"]);
        hook(NOW * 1_000).is_at(NOW + 400, &["timestamp_milliseconds", "timestamp_stale"]);
        let name = if profile == "stripe" { "signature" } else { "timestamp" };
        let with = |hook: Hook, from: u64, to: &str| {
            hook.with_header(name, |value| value.replace(&from.to_string(), to))
        };
        let milliseconds = NOW * 1_000 + 123;
        with(hook(NOW), NOW, &milliseconds.to_string())
            .is(&["timestamp_milliseconds", "timestamp_signed_otherwise"]);
        for signed in [milliseconds, NOW * 1_000] {
            with(hook(signed), signed, &NOW.to_string()).is(&["timestamp_signed_otherwise"]);
        }
        let large = format!("[{}0]", "0,".repeat(5_000));
        let large = Hook::sign_by(&sender, SECRET, NOW * 1_000, &large);
        with(large, NOW * 1_000, &NOW.to_string()).is(&["timestamp_signed_otherwise"]);
        with(hook(NOW), NOW, "soon").is(&["timestamp_malformed", "body_or_secret"]);
        with(hook(NOW), NOW, &(NOW + 1).to_string()).is(&["body_or_secret"]);
        if profile == "stripe" {
            let lost = hook(NOW).with_header("signature", |v| v.split_once(',').unwrap().1.into());
            lost.is(&["timestamp_missing"]);
        } else {
            hook(NOW).without("timestamp").is(&["timestamp_missing"]);
        }
        sign_altered(profile, "/signed", json!("{body}")).is(&["body_alone_signed"]);
    }
    let standard = alter("standard", |file| file["signed"] = json!("{id}:{timestamp}.{body}"));
    let mut dotted = Hook::sign_by(&standard, SECRET, NOW, BODY);
    dotted.headers[0].1 = "dlv.1".into();
    dotted.is(&["id_ambiguous"]);
}

fn signatures() {
    for profile in ["stripe", "slack", "github", "aisentinel"] {
        sign_altered(profile, "/signatures/0/encoding", json!("base64")).is(&["signature_base64"]);
        Hook::sign(profile, BODY)
            .with_header("signature", |v| cut(v, 10))
            .is(&["signature_truncated"]);
        Hook::sign(profile, BODY).with_header("signature", upper).is(&["signature_upper_case"]);
    }
    for profile in ["standard", "svix"] {
        sign_altered(profile, "/signatures/0/encoding", json!("hex")).is(&["signature_hex"]);
        let hook = || Hook::sign(profile, BODY);
        hook().with_header("signature", |v| cut(v, 10)).is(&["signature_truncated"]);
        hook().with_header("signature", |v| cut(v, 1)).is(&["signature_padding"]);
    }
    for profile in ["standard", "svix", "stripe", "slack", "github"] {
        sign_altered(profile, "/signatures/0/item", json!("{signature}"))
            .is(&["signature_prefix_missing"]);
        let item = alter(profile, |file| {
            let item = file["signatures"][0]["item"].as_str().unwrap().to_owned();
            file["signatures"][0]["item"] = json!(item.replace("{signature}", &item));
        });
        Hook::sign_by(&item, SECRET, NOW, BODY).is(&["signature_prefix_doubled"]);
    }
    let standard = Profile::find_builtin("standard").unwrap();
    let signing = standard.generate_signing_secret([1; 32]).unwrap();
    Hook::sign_by(&standard, &signing, NOW, BODY).is(&["signature_algorithm"]);
    let url_safe = (0..200).find_map(|extra| {
        let hook = Hook::sign("standard", &format!("[{extra}]"));
        hook.headers[2].1.contains(['+', '/']).then_some(hook)
    });
    let swap = |value: &str| value.replace('+', "-").replace('/', "_");
    url_safe.unwrap().with_header("signature", swap).is(&["signature_base64_url"]);
}

fn beside() {
    let github = Profile::find_builtin("github").unwrap();
    let body = BODY.as_bytes();
    let delivery = Delivery {
        id: "dlv_1",
        timestamp_s: NOW,
        body,
        standard_beside: true,
        variable: &|_| None,
    };
    let sent = github.sign(&[github.key(SECRET).unwrap()], delivery).unwrap();
    let hook = || {
        let mut hook = Hook::sign("github", BODY);
        hook.headers.clone_from(&sent.headers);
        hook
    };
    hook().is(&[]);
    hook().is_at(NOW + 400, &["standard_beside", "timestamp_stale"]);
    hook().with_header("webhook-id", |_| "other".into()).is(&["standard_beside"]);
    hook().without("webhook-id").is(&["standard_beside", "header_missing"]);
    hook().without("webhook-timestamp").is(&["standard_beside", "timestamp_missing"]);
}

fn combined() {
    let hook = Hook::sign("standard", BODY).with_body(format!("{BODY}\n"));
    hook.is_at(NOW + 300, &["body_newline_added"]);
    hook.is_at(NOW - 300, &["body_newline_added"]);
    hook.is_at(NOW + 400, &["timestamp_stale", "body_newline_added"]);
    let twice = |value: &str| format!("{},{value}", upper(value));
    Hook::sign("stripe", BODY)
        .with_header("signature", twice)
        .is_at(NOW + 400, &["timestamp_stale"]);
    let hook = Hook::sign("github", BODY).with_body(BASE64.encode(BODY));
    hook.with_secret(&format!("{SECRET}\n")).is(&["body_base64", "secret_white_space"]);
}

fn upper(value: &str) -> String {
    let (before, after) = value.split_at(value.rfind('=').map_or(0, |at| at + 1));
    format!("{before}{}", after.to_ascii_uppercase())
}

fn cut(value: &str, bytes: usize) -> String {
    value[..value.len() - bytes].to_owned()
}

fn every_code_was_seen() {
    let code = include_str!("../../src/explain/mistake.rs");
    let codes: BTreeSet<&str> = code
        .lines()
        .filter_map(|line| line.split_once("=> \"")?.1.split('"').next())
        .filter(|text| !text.contains(' '))
        .collect();
    assert!(codes.len() > 35);
    assert_eq!(*SEEN.lock().unwrap(), codes);
}
