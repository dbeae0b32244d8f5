//! A sixth system from a profile's file alone, on the embedded server: it works both ways, a bad file is
//! refused with every fault named, and only the operator may add one.

use serde_json::{Value, json};
use waxseal_tests::client::Client;
use waxseal_tests::process::Server;
use waxseal_tests::sixth::{FILE, works_both_ways};

const PATH: &str = "/v1/profiles/nightwatch";

#[tokio::test]
async fn a_file_alone_works_both_ways_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    works_both_ways(&server.client()).await;
    server.kill().await;
    let server = Server::start(folder.path()).await;
    let (_, kept) = server.client().call("GET", PATH, "").await;
    assert_eq!(kept["file"], serde_json::from_str::<Value>(FILE).unwrap());
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What the answer to a bad file names, in order: pointers and details.
fn named_faults(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["detail"]))).collect()
}

#[tokio::test]
async fn a_bad_file_is_refused_and_every_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    for (changes, faults) in BAD {
        let bad = changes.iter().fold(FILE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let (status, problem) = client.call("PUT", PATH, &bad).await;
        assert_eq!(status, 422, "{changes:?} {problem}");
        let named = named_faults(&problem);
        assert_eq!(named.len(), faults.len(), "{changes:?} {problem}");
        for ((pointer, detail), (wanted, words)) in named.iter().zip(*faults) {
            assert!(pointer == wanted && detail.contains(words), "{pointer} {detail} {words}");
        }
    }
    assert_eq!(client.call("GET", PATH, "").await.0, 404, "none was kept");
}

/// What is changed in the file, and what is said of it: pointers, and some words of the details.
type Bad = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);
const BAD: &[Bad] = &[
    (&[(r#""name": "nightwatch""#, r#""name": "daywatch""#)], &[("/name", "name in the path")]),
    (&[("\"receive\": {", "\"receive\": [")], &[("", "")]),
    (
        &[
            // Of the signature, and of the body: both parts are named at once.
            ("{timestamp}/{id}/{body}", "{timestamp}/{id}"),
            ("x-nightwatch-watch", "content-length"),
            ("\"title\"", "\"colour\": \"red\", \"title\""),
            ("\"timeout_ms\": 2000", "\"timeout_ms\": 10"),
            ("[1, 2]", "[0]"),
            ("\"endpoints_max\": 2", "\"endpoints_max\": 0"),
            ("[\"/finding\"]", "[\"finding\"]"),
        ],
        &[
            ("", "{body}"),
            ("", "content-length"),
            ("/colour", "not a member"),
            ("/receive/data/0", "JSON pointer"),
            ("/retry/delays_s/0", ""),
            ("/timeout_ms", ""),
            ("/endpoints_max", ""),
        ],
    ),
];

#[tokio::test]
async fn only_the_operator_adds_profiles_and_none_replaces_ours() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    let client = server.client();
    assert_eq!(client.call("POST", "/v1/tenants", r#"{"name":"acme"}"#).await.0, 201);
    let scopes = json!({"scopes": ["ingest", "manage"]}).to_string();
    let (_, made) = client.call("POST", "/v1/tenants/acme/keys", &scopes).await;
    let tenants = Client { key: made["key"].as_str().unwrap().to_owned(), ..client.clone() };
    assert_eq!(tenants.call("PUT", PATH, FILE).await.0, 403);
    let stranger = Client { key: String::new(), ..client.clone() };
    assert_eq!(stranger.call("PUT", PATH, FILE).await.0, 401);
    assert_eq!(client.call("GET", PATH, "").await.0, 404);
    let (_, all) = client.call("GET", "/v1/profiles", "").await;
    let names = all["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 12);
    for name in names {
        let own = FILE.replace(r#""name": "nightwatch""#, &format!(r#""name": "{name}""#));
        assert_eq!(
            client.call("PUT", &format!("/v1/profiles/{name}"), &own).await.0,
            409,
            "{name}"
        );
    }
}
