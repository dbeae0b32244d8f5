//! Random patterns on random events: nothing panics, and the walk gives the answers of the search.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::naive;
use crate::filter::{Filter, Subject};
use crate::json::Json;
use crate::work::Meter;

const NAMES: [&str; 3] = ["a", "a-", "b"];

const VALUES: [&str; 20] = [
    "1",
    "1.0",
    "10e-1",
    "2",
    "-3",
    "0.25",
    "0",
    "-0.0",
    "null",
    "true",
    "false",
    r#""""#,
    r#""a""#,
    r#""A""#,
    r#""ab""#,
    r#""aBÄ""#,
    r#""a*b\\""#,
    r#""10.0.0.7""#,
    r#""2001:db8::7""#,
    r#""1""#,
];

pub(super) const OPERATORS: [&str; 42] = [
    r#"{"exists":true}"#,
    r#"{"exists":false}"#,
    r#"{"exists":false}"#,
    r#"{"prefix":"a"}"#,
    r#"{"prefix":""}"#,
    r#"{"prefix":{"equals-ignore-case":"A"}}"#,
    r#"{"suffix":"b"}"#,
    r#"{"suffix":""}"#,
    r#"{"suffix":{"equals-ignore-case":"bä"}}"#,
    r#"{"equals-ignore-case":"AB"}"#,
    r#"{"equals-ignore-case":"abä"}"#,
    r#"{"wildcard":"*"}"#,
    r#"{"wildcard":"a*"}"#,
    r#"{"wildcard":"*b"}"#,
    r#"{"wildcard":"a*b*"}"#,
    r#"{"wildcard":"a\\*b\\\\"}"#,
    r#"{"wildcard":"1*0*.*7"}"#,
    r#"{"wildcard":""}"#,
    r#"{"numeric":["=",1]}"#,
    r#"{"numeric":["<",1]}"#,
    r#"{"numeric":["<=",0.25]}"#,
    r#"{"numeric":[">",0.25]}"#,
    r#"{"numeric":[">=",2e0]}"#,
    r#"{"numeric":[">",-3,"<=",1.00]}"#,
    r#"{"numeric":[">=",0,"<",1]}"#,
    r#"{"cidr":"10.0.0.0/24"}"#,
    r#"{"cidr":"10.0.0.0/30"}"#,
    r#"{"cidr":"0.0.0.0/0"}"#,
    r#"{"cidr":"2001:db8::/32"}"#,
    r#"{"anything-but":"a"}"#,
    r#"{"anything-but":1}"#,
    r#"{"anything-but":["a","10.0.0.7",""]}"#,
    r#"{"anything-but":[1,-3.0,0]}"#,
    r#"{"anything-but":{"prefix":"a"}}"#,
    r#"{"anything-but":{"prefix":["1","A"]}}"#,
    r#"{"anything-but":{"suffix":"b"}}"#,
    r#"{"anything-but":{"suffix":["7","a"]}}"#,
    r#"{"anything-but":{"equals-ignore-case":"a"}}"#,
    r#"{"anything-but":{"equals-ignore-case":["AB","ABÄ"]}}"#,
    r#"{"anything-but":{"wildcard":"a*"}}"#,
    r#"{"anything-but":{"wildcard":["*b","1*"]}}"#,
    r#""10.0.0.7""#,
];

fn object(members: &BTreeMap<&str, String>) -> String {
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

fn event() -> BoxedStrategy<String> {
    let value = select(&VALUES[..]).prop_map(str::to_owned).prop_recursive(4, 16, 3, |inner| {
        let objects =
            btree_map(select(&NAMES[..]), inner.clone(), 1..4).prop_map(|found| object(&found));
        prop_oneof![
            1 => objects.clone(),
            2 => vec(objects, 2..4).prop_map(|found| array(&found)),
            1 => vec(inner, 0..4).prop_map(|found| array(&found)),
        ]
    });
    btree_map(select(&NAMES[..]), value, 2..4).prop_map(|found| object(&found)).boxed()
}

fn pattern() -> BoxedStrategy<String> {
    let alternative = prop_oneof![select(&VALUES[..]), select(&OPERATORS[..])];
    let leaf = vec(alternative.prop_map(str::to_owned), 1..8).prop_map(|found| array(&found));
    let fields = |inner: BoxedStrategy<String>| btree_map(select(&NAMES[..]), inner, 1..3).boxed();
    let inner = leaf.prop_recursive(2, 6, 2, move |inner| with_or(fields(inner.boxed())).boxed());
    with_or(fields(inner.boxed())).boxed()
}

/// Objects of these fields, two in five with patterns of them in a `$or`.
fn with_or(fields: BoxedStrategy<BTreeMap<&'static str, String>>) -> impl Strategy<Value = String> {
    let patterns = vec(fields.clone().prop_map(|found| object(&found)), 2..4);
    let nested = (fields.clone(), patterns.clone()).prop_map(|(mut found, patterns)| {
        found.insert("$or", array(&patterns));
        object(&found)
    });
    let alone = patterns.prop_map(|patterns| object(&BTreeMap::from([("$or", array(&patterns))])));
    prop_oneof![3 => fields.prop_map(|found| object(&found)), 1 => nested, 1 => alone]
}

/// Compares on so many pairs; how many were compared, and how many of them matched.
fn compare(pairs: u32) -> (u32, u32) {
    let (compared, matched) = (Cell::new(0), Cell::new(0));
    // Names are few, so that maps of them are often drawn again.
    let (max_local_rejects, failure_persistence) = (u32::MAX, None);
    let config =
        Config { cases: pairs, max_local_rejects, failure_persistence, ..Config::default() };
    let result = TestRunner::new(config).run(&(pattern(), event()), |(pattern, event)| {
        let (pattern, event) = (Json::parse(&pattern).unwrap(), Json::parse(&event).unwrap());
        let searched = naive::matches(&pattern, &event);
        match Filter::compile(&pattern) {
            Ok(filter) => {
                let subject = Subject::new(event.clone());
                let found = filter.matches(&subject, &Meter::new(u64::MAX)).unwrap();
                prop_assert_eq!(Some(found), searched);
                compared.set(compared.get() + 1);
                matched.set(matched.get() + u32::from(found));
            }
            Err(faults) => prop_assert!(
                searched.is_none() || faults[0].detail.contains("more than"),
                "{faults:?}"
            ),
        }
        Ok(())
    });
    result.unwrap();
    (compared.get(), matched.get())
}

#[test]
fn the_walk_gives_the_answers_of_the_search() {
    let (compared, matched) = compare(1_500);
    assert!(compared > 450, "{compared} of 1,500 compile");
    assert!(matched > compared / 20 && matched < compared / 2, "{matched} of {compared}");
}

/// `cargo test --release -p waxseal-domain million -- --ignored --nocapture`
#[test]
#[ignore = "takes four minutes in release"]
fn a_million_pairs() {
    let (compared, matched) = compare(1_000_000);
    println!("1,000,000 pairs, {compared} of them compile, {matched} match");
}
