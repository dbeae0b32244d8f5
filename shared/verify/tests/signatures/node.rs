//! `json` against Node itself: what JavaScript writes is not ours to say.

#![expect(clippy::unwrap_used, reason = "a test's own helpers")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use waxseal_verify::json;

const TEXTS: usize = 5_000;
const SCRIPT: &str = "
const lines = require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1);
process.stdout.write(lines.map(line => JSON.stringify(JSON.parse(line)) + '\\n').join(''));
";

fn node(texts: &[String]) -> Vec<String> {
    let mut child = Command::new("node")
        .args(["-e", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed for this test");
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = texts.iter().map(|text| format!("{text}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<f64>()
            .prop_filter("JSON has finite numbers", |double| double.is_finite())
            .prop_map(|double| format!("{double:e}")),
        any::<i64>().prop_map(|integer| integer.to_string()),
        (-1000..1000_i32, 0..1000_u32).prop_map(|(whole, part)| format!("{whole}.{part:03}")),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?",
    ]
}

/// A string with every kind of escape, lone surrogates too.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -!#-\\[\\]-~]{0,4}",
        "[\u{a0}-\u{d7ff}\u{e000}-\u{fffd}😀\u{2028}\u{7f}]",
        "\\\\[\"\\\\/bfnrt]",
        "\\\\u00[01][0-9a-fA-F]",
        "\\\\u[0-9a-fA-F]{4}",
        "\\\\ud83d\\\\uDE00",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        string(),
        "\"[0-9]{1,3}\"",
        Just("\"4294967294\"".to_owned()),
        Just("\"4294967295\"".to_owned()),
        Just("\"__proto__\"".to_owned()),
        "\"[ab]\"",
    ]
}

fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        number(),
        string(),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let space = "[ \t]{0,2}";
        let members = prop::collection::vec((name(), space, inner.clone(), space), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            members.prop_map(|members| {
                let mut out = String::from("{");
                for (index, (name, before, value, after)) in members.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(out, "{comma}{before}{name}{after}:{before}{value}{after}").unwrap();
                }
                out + "}"
            }),
        ]
    })
}

#[test]
fn javascript_writes_the_same_bytes() {
    let mut runner = TestRunner::default();
    let texts: Vec<String> =
        (0..TEXTS).map(|_| text().new_tree(&mut runner).unwrap().current()).collect();
    let due = node(&texts);
    assert_eq!(due.len(), texts.len());
    for (text, due) in texts.iter().zip(&due) {
        assert_eq!(json::javascript(text).as_ref(), Some(due), "{text}");
        let sent = json::stringify(text).unwrap();
        assert_eq!(sent.exact, json::survives(text));
        if sent.exact {
            assert_eq!(&sent.text, due, "{text}");
        }
    }
    let exact = texts.iter().filter(|text| json::survives(text)).count();
    assert!((TEXTS / 10..TEXTS * 9 / 10).contains(&exact), "{exact} exact: both kinds are needed");
    let sent: Vec<String> = texts.iter().map(|t| json::stringify(t).unwrap().text).collect();
    assert_eq!(node(&sent), due, "what is sent means the same to JavaScript as what came");
}
