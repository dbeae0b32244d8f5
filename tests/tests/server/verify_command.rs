//! `waxseal verify`, the real binary: what it says, how it exits, and what it never prints.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::process::binary;
use waxseal_verify::{Delivery, Profile};

/// The example of Standard Webhooks' specification.
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP_S: u64 = 1_614_265_330;
const NOW: &str = "1614265400";
const BODY: &str = r#"{"test": 2432232314}"#;
const SIGNATURE: &str = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// The same body, parsed and written again.
const WRITTEN_AGAIN: &str = r#"{"test":2432232314}"#;
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What a run came to.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// The codes in an answer in JSON.
    fn codes(&self) -> Vec<String> {
        let json = self.json();
        let mistakes = json["mistakes"].as_array().unwrap().iter();
        mistakes.map(|mistake| mistake["code"].as_str().unwrap().to_owned()).collect()
    }

    fn prints(&self, text: &str) -> bool {
        self.out.contains(text) || self.err.contains(text)
    }
}

/// Runs it with the secret in `HOOK_SECRET`, and another in `OTHER_SECRET`. Of neither, and of no
/// signature that a body would need, may anything be printed.
fn verify(arguments: &[&str], body: &str) -> Run {
    let mut child = Command::new(binary())
        .arg("verify")
        .args(arguments)
        .env("HOOK_SECRET", SECRET)
        .env("OTHER_SECRET", OTHER_SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it reads: then nobody is there to write to.
    let _written = child.stdin.take().unwrap().write_all(body.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run = Run {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    for secret in [SECRET, OTHER_SECRET] {
        let key = secret.trim_start_matches("whsec_");
        assert!(!run.prints(key), "a secret is printed: {}{}", run.out, run.err);
        for body in [BODY, WRITTEN_AGAIN, body] {
            let due = sign("standard", secret, body);
            let due = due.trim_start_matches("v1,");
            assert!(!run.prints(due), "a signature is printed: {}{}", run.out, run.err);
        }
    }
    run
}

/// The value of `webhook-signature` that a body needs.
fn sign(profile: &str, secret: &str, body: &str) -> String {
    let profile = Profile::find_builtin(profile).unwrap();
    let delivery = Delivery {
        id: ID,
        timestamp_s: TIMESTAMP_S,
        body: body.as_bytes(),
        standard_beside: false,
        variable: &|_| None,
    };
    let signed = profile.sign(&[profile.key(secret).unwrap()], delivery).unwrap();
    let header = profile.signature_header().unwrap();
    signed.headers.into_iter().find(|(name, _)| name == header).unwrap().1
}

/// Runs it on the specification's headers, with more arguments.
fn verify_example(more: &[&str], body: &str) -> Run {
    let id = format!("webhook-id: {ID}");
    let timestamp = format!("Webhook-Timestamp: {TIMESTAMP_S}");
    let signature = format!("webhook-signature:v1,{SIGNATURE}");
    let mut arguments = vec!["--header", &id, "--header", &timestamp, "--header", &signature];
    if !more.contains(&"--now") {
        arguments.extend(["--now", NOW]);
    }
    arguments.extend(more);
    verify(&arguments, body)
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_hook_that_verifies_is_valid_with_its_id_and_timestamp() {
    let run = verify_example(&["--secret-env", "HOOK_SECRET"], BODY);
    let expected = format!("Valid as Standard Webhooks.\nid: {ID}\ntimestamp: {TIMESTAMP_S}\n");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, expected.as_str(), ""));
    let run = verify_example(&["--secret-env", "HOOK_SECRET", "--json", "--explain"], BODY);
    let expected = json!({"valid": true, "id": ID, "timestamp": TIMESTAMP_S, "mistakes": []});
    assert_eq!((run.code, run.json()), (0, expected));
}

#[test]
fn a_saved_request_and_files_are_read_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let secret = file(&folder, "secret", &format!("{SECRET}\r\n"));
    let headers = format!(
        "Host: a.example\r\nWebhook-Id: {ID}\r\nWebhook-Timestamp: {TIMESTAMP_S}\r\n\
         Webhook-Signature: v1,{SIGNATURE}\r\n"
    );
    let headers_file = file(&folder, "headers", &headers);
    let body_file = file(&folder, "body", BODY);
    let with_body = ["--headers-file", name(&headers_file), "--body-file", name(&body_file)];
    let common = ["--secret-file", name(&secret), "--now", NOW];
    assert_eq!(verify(&[common.as_slice(), &with_body].concat(), "").code, 0);
    for first in ["", "POST /hooks HTTP/1.1\r\n"] {
        let request = file(&folder, "request", &format!("{first}{headers}\r\n{BODY}"));
        let run = verify(&[common.as_slice(), &["--request", name(&request)]].concat(), "");
        assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    }
    let request = file(&folder, "request", &format!("{headers}\r\n{BODY}\n"));
    let last = ["--json", "--request", name(&request)];
    let run = verify(&[common.as_slice(), &last].concat(), "");
    assert_eq!((run.code, run.codes()), (1, vec!["body_newline_added".to_owned()]));
}

#[test]
fn a_wrong_secret_is_explained_and_one_of_two_that_is_right_is_enough() {
    let short = verify_example(&["--secret-env", "OTHER_SECRET"], BODY);
    let expected = "Not valid: no signature matches. --explain says more.\n";
    assert_eq!((short.code, short.out.as_str()), (1, expected));
    let explained = verify_example(&["--secret-env", "OTHER_SECRET", "--explain"], BODY);
    assert_eq!(explained.code, 1);
    let start = "Not valid as Standard Webhooks.\n\nbody_or_secret\n  The body is not";
    assert!(explained.out.starts_with(start), "{}", explained.out);
    assert!(explained.out.contains("Compare the secret with the sender's"), "{}", explained.out);
    let both = ["--secret-env", "OTHER_SECRET", "--secret-env", "HOOK_SECRET"];
    assert_eq!(verify_example(&both, BODY).code, 0);
}

#[test]
fn a_body_that_was_written_again_is_explained() {
    let run = verify_example(&["--secret-env", "HOOK_SECRET", "--explain"], WRITTEN_AGAIN);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("\nbody_python_dumps_unicode\n"), "{}", run.out);
    assert!(run.out.contains("Hash the raw request body"), "{}", run.out);
}

#[test]
fn a_stale_timestamp_is_explained_and_the_tolerance_decides() {
    let late = ["--secret-env", "HOOK_SECRET", "--now", "1614266331"];
    let run = verify_example(&[late.as_slice(), &["--json"]].concat(), BODY);
    assert_eq!((run.code, run.codes()), (1, vec!["timestamp_stale".to_owned()]));
    let run = verify_example(&[late.as_slice(), &["--explain"]].concat(), BODY);
    assert!(run.out.contains("The timestamp is 1001 seconds old"), "{}", run.out);
    let tolerance = |seconds| [late.as_slice(), &["--tolerance", seconds]].concat();
    assert_eq!(verify_example(&tolerance("1000"), BODY).code, 1);
    assert_eq!(verify_example(&tolerance("1001"), BODY).code, 0);
    let real_time = verify(&["--secret-env", "HOOK_SECRET", "--header", "webhook-id: a"], BODY);
    assert_eq!(real_time.code, 1, "without --now it takes the machine's time");
}

#[test]
fn another_profile_is_chosen_by_name_or_by_file() {
    let signature = format!("x-hub-signature-256: {}", sign("github", SECRET, BODY));
    let common = ["--secret-env", "HOOK_SECRET", "--header", &signature];
    let run = verify(&[common.as_slice(), &["--profile", "github"]].concat(), BODY);
    assert_eq!((run.code, run.out.as_str()), (0, "Valid as GitHub.\n"), "{}", run.err);
    let run = verify(&[common.as_slice(), &["--json"]].concat(), BODY);
    assert_eq!((run.code, run.codes()), (1, vec!["other_profile".to_owned()]));

    let folder = tempfile::tempdir().unwrap();
    let (_, text) = waxseal_verify::FILES.iter().find(|(name, _)| *name == "github").unwrap();
    let own = text.replace("\"github\"", "\"acme\"").replace("\"GitHub\"", "\"Acme\"");
    let own = file(&folder, "acme.json", &own);
    let run = verify(&[common.as_slice(), &["--profile-file", name(&own)]].concat(), BODY);
    assert_eq!((run.code, run.out.as_str()), (0, "Valid as Acme.\n"), "{}", run.err);
    let faulty = file(&folder, "faulty.json", &text.replace("{signatures}", "{surprise}"));
    let run = verify(&[common.as_slice(), &["--profile-file", name(&faulty)]].concat(), BODY);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("faulty.json: the profile has faults: "), "{}", run.err);
}

#[test]
fn a_secret_that_is_none_of_the_profile_is_a_mistake_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = file(&folder, "secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let secret = ["--secret-file", name(&secret)];
    let run = verify_example(&[secret.as_slice(), &["--json"]].concat(), BODY);
    assert_eq!((run.code, run.codes()), (1, vec!["secret_prefix_missing".to_owned()]));
    let run = verify_example(&secret, BODY);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("no secret is one of this profile"), "{}", run.out);
}

#[test]
fn what_cannot_be_read_and_what_is_not_understood_exits_with_2_and_says_what() {
    let folder = tempfile::tempdir().unwrap();
    let request = file(&folder, "request", "webhook-id: a\n{\"body\": 1}\n");
    let missing = folder.path().join("nowhere");
    let missing = name(&missing);
    let env = ["--secret-env", "HOOK_SECRET"];
    for (arguments, said) in [
        (
            [&env, ["--profile", "gitlab"].as_slice()].concat(),
            "there is no profile gitlab: standard,",
        ),
        ([&env, ["--body-file", missing].as_slice()].concat(), "nowhere: No such file"),
        ([&env, ["--headers-file", missing].as_slice()].concat(), "nowhere: No such file"),
        ([&env, ["--request", missing].as_slice()].concat(), "nowhere: No such file"),
        ([&env, ["--request", name(&request)].as_slice()].concat(), "line 2 is not a header"),
        ([&env, ["--header", "no header"].as_slice()].concat(), "'Name: value'"),
        ([&env, ["--now", "yesterday"].as_slice()].concat(), "invalid value 'yesterday'"),
        (
            [&env, ["--request", missing, "--header", "a: b"].as_slice()].concat(),
            "cannot be used with",
        ),
        (env.repeat(6), "at most 5 secrets"),
        (vec!["--secret-file", missing], "--secret-file: No such file"),
        (vec!["--secret-env", "NO_SUCH_VARIABLE"], "--secret-env: there is no such variable"),
        (vec![], "--secret-env"),
        // A secret in a wrong place is not repeated.
        (vec!["--secret", SECRET], "unexpected argument '--secret'"),
        (vec!["--secret-file", SECRET], "--secret-file: No such file"),
        (vec!["--secret-env", SECRET], "--secret-env: there is no such variable"),
    ] {
        let run = verify(&arguments, BODY);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn an_id_cannot_steer_the_terminal() {
    // GitHub's id is not signed, so anybody on the way may have written it.
    let signature = format!("x-hub-signature-256: {}", sign("github", SECRET, BODY));
    let id = "x-github-delivery: a\u{1b}[31mb";
    let arguments = ["--profile", "github", "--header", &signature, "--header", id];
    let run = verify(&[arguments.as_slice(), &["--secret-env", "HOOK_SECRET"]].concat(), BODY);
    assert_eq!((run.code, run.out.as_str()), (0, "Valid as GitHub.\nid: a\\u{1b}[31mb\n"));
}
