//! `POST /v1/verify` on a running server.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::process::Server;

/// The example of Standard Webhooks' specification.
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP_S: u64 = 1_614_265_330;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn question() -> Value {
    json!({
        "secret": SECRET,
        "headers": {
            "Webhook-Id": ID,
            "webhook-timestamp": TIMESTAMP_S.to_string(),
            "webhook-signature": SIGNATURE,
        },
        "body": r#"{"test": 2432232314}"#,
        "now_s": TIMESTAMP_S + 70,
    })
}

/// The question with members changed; null takes one away.
fn change(changes: &Value) -> String {
    let mut question = question();
    let members = question.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.remove(name);
        if !value.is_null() {
            members.insert(name.clone(), value.clone());
        }
    }
    question.to_string()
}

async fn ask(client: &Client, question: &str) -> (u16, Value) {
    let (status, answer) = client.call("POST", "/v1/verify", question).await;
    let text = answer.to_string();
    for secret in [SECRET, OTHER_SECRET, SIGNATURE] {
        let bare = secret.trim_start_matches("whsec_").trim_start_matches("v1,");
        assert!(!text.contains(bare), "it repeats what is secret: {text}");
    }
    (status, answer)
}

#[tokio::test]
async fn needs_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    for key in ["", "wrong"] {
        let stranger = Client { key: key.to_owned(), ..server.client() };
        let (status, answer) = ask(&stranger, &question().to_string()).await;
        assert_eq!(status, 401, "{answer}");
        assert_eq!(answer["valid"], Value::Null, "{answer}");
        assert_eq!(ask(&stranger, "not json").await.0, 401, "who asks is looked at first");
    }
    assert_eq!(ask(&server.client(), &question().to_string()).await.0, 200);
}

#[tokio::test]
async fn says_valid_or_each_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let valid = json!({"valid": true, "id": ID, "timestamp": TIMESTAMP_S, "mistakes": []});
    for changes in [
        json!({}),
        json!({"body": null, "body_base64": "eyJ0ZXN0IjogMjQzMjIzMjMxNH0="}),
        json!({"secret": null, "secrets": [OTHER_SECRET, SECRET]}),
        json!({"profile": "standard"}),
        json!({"now_s": TIMESTAMP_S + 1_000, "tolerance_s": 1_000}),
    ] {
        assert_eq!(ask(&client, &change(&changes)).await, (200, valid.clone()), "{changes}");
    }
    for (changes, code, said) in [
        (json!({"secret": OTHER_SECRET}), "body_or_secret", "Compare the secret"),
        (
            json!({"body": r#"{"test":2432232314}"#}),
            "body_python_dumps_unicode",
            "raw request body",
        ),
        (json!({"now_s": TIMESTAMP_S + 1_000}), "timestamp_stale", "1000 seconds old"),
        (json!({"now_s": null}), "timestamp_stale", "seconds old"),
        (json!({"body": "eyJ0ZXN0IjogMjQzMjIzMjMxNH0="}), "body_base64", "Decode it first"),
        (json!({"headers": {}}), "header_missing", "webhook-"),
    ] {
        let (status, answer) = ask(&client, &change(&changes)).await;
        assert_eq!((status, &answer["valid"]), (200, &json!(false)), "{changes}: {answer}");
        let mistakes = answer["mistakes"].as_array().unwrap().clone();
        let found = mistakes.iter().find(|mistake| mistake["code"] == code);
        let found = found.unwrap_or_else(|| panic!("{changes}: {answer}"));
        assert!(found["detail"].as_str().unwrap().contains(said), "{changes}: {answer}");
        assert_eq!(answer["id"], Value::Null, "nothing is said of what does not verify");
    }
}

#[tokio::test]
async fn a_body_that_is_not_text_comes_in_base_64() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let body = [0xff, 0x00, b'\n', 0xfe];
    let profile = waxseal_verify::Profile::find_builtin("github").unwrap();
    let delivery = waxseal_verify::Delivery {
        id: "72d3162e",
        timestamp_s: 0,
        body: &body,
        standard_beside: false,
        variable: &|_| Some("push".to_owned()),
    };
    let signed = profile.sign(&[profile.key(OTHER_SECRET).unwrap()], delivery).unwrap();
    let headers: serde_json::Map<String, Value> =
        signed.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let mut question = json!({
        "profile": "github", "secret": OTHER_SECRET, "headers": headers, "body_base64": "/wAK/g==",
    });
    let answer = ask(&server.client(), &question.to_string()).await;
    assert_eq!(answer, (200, json!({"valid": true, "id": "72d3162e", "mistakes": []})));
    question["body_base64"] = "/wAK/w==".into();
    let (_, answer) = ask(&server.client(), &question.to_string()).await;
    assert_eq!(answer["valid"], false, "{answer}");
}

#[tokio::test]
async fn bad_input_is_named_by_its_pointers() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    let six = vec![SECRET; 6];
    for (changes, pointers) in [
        (json!({"profile": "gitlab"}), vec!["/profile"]),
        (json!({"secret": null}), vec!["/secrets"]),
        (json!({"secret": null, "secrets": six}), vec!["/secrets"]),
        (json!({"body": null}), vec!["/body"]),
        (json!({"body_base64": "aGk="}), vec!["/body"]),
        (json!({"body": null, "body_base64": "?"}), vec!["/body_base64"]),
        (
            json!({"profile": "no", "secret": null, "body": null}),
            vec!["/profile", "/secrets", "/body"],
        ),
    ] {
        let (status, problem) = ask(&client, &change(&changes)).await;
        assert_eq!(status, 422, "{changes}: {problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        let found: BTreeSet<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers.into_iter().collect(), "{changes}: {problem}");
    }
    let (status, problem) = ask(&client, "not json").await;
    assert_eq!(status, 400, "{problem}");
    for (changes, pointer) in [
        (json!({"headers": null}), "/headers"),
        (json!({"now_s": "today"}), "/now_s"),
        (json!({"colour": "red"}), "/colour"),
        // The fault is in what is secret: it is not repeated.
        (json!({"now_s": SECRET}), "/now_s"),
    ] {
        let (status, problem) = ask(&client, &change(&changes)).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
}
