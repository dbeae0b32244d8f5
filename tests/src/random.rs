//! Random input, biased to grammars: valid texts, and valid texts changed in a few places.

mod event;
mod url;

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use proptest::string::string_regex;

pub use self::event::{event, pattern};
pub use self::url::url;

/// One of these texts.
pub fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// A text that was changed in up to three places, or not at all.
pub fn mutate_text(text: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    (text, vec(mutation(), 0..4))
        .prop_map(|(text, mutations)| {
            let chars: Vec<char> = text.chars().collect();
            mutations
                .iter()
                .fold(chars, |chars, mutation| mutate(&chars, mutation))
                .into_iter()
                .collect()
        })
        .boxed()
}

/// A text that a pattern matches. The pattern is read once: as a strategy of its own it is read for each case.
pub fn matching(pattern: &str) -> BoxedStrategy<String> {
    string_regex(pattern).unwrap().boxed()
}

/// What can happen to a text, between two places of it.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(Index, Index),
    Repeat(Index, Index),
    Insert(Index, String),
    CutOff(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        (place(), place()).prop_map(|(from, to)| Mutation::Remove(from, to)),
        (place(), place()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (place(), text_to_insert()).prop_map(|(at, text)| Mutation::Insert(at, text)),
        place().prop_map(Mutation::CutOff),
    ]
}

/// What parsers trip over.
fn text_to_insert() -> impl Strategy<Value = String> {
    let known = one_of(&[
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "\0",
        "\u{feff}",
        "é",
        "\u{202e}",
        "\r\n",
        "1e999",
        "-",
        "+",
        "\\ud800",
        " ",
        "#",
        "*",
        ".",
        "..",
        "/",
        "%",
        "%00",
        "@",
        "?",
        "_",
        "=",
        ";",
        "0x",
        "18446744073709551616",
        "𝟙",
        "$or",
        "{}",
        "[]",
        "true",
    ]);
    prop_oneof![4 => known, 1 => any::<char>().prop_map(String::from)]
}

fn mutate(chars: &[char], mutation: &Mutation) -> Vec<char> {
    let place = |index: &Index| index.index(chars.len() + 1);
    let range = |one, other| {
        let (one, other) = (place(one), place(other));
        one.min(other)..one.max(other)
    };
    let mut changed = chars.to_vec();
    match mutation {
        Mutation::Remove(from, to) => drop(changed.drain(range(from, to))),
        Mutation::Repeat(from, to) => {
            let range = range(from, to);
            changed.splice(range.start..range.start, chars[range.clone()].iter().copied());
        }
        Mutation::Insert(at, text) => {
            let at = place(at);
            changed.splice(at..at, text.chars());
        }
        Mutation::CutOff(at) => changed.truncate(place(at)),
    }
    changed
}

/// JSON, valid, nested up to six levels, no member named twice, with white space and escapes.
pub fn json() -> BoxedStrategy<String> {
    let space = || one_of(&["", "", " ", "\n\t", "\r "]);
    scalar()
        .prop_recursive(6, 40, 5, move |inner| {
            let array = (vec(inner.clone(), 0..5), space()).prop_map(|(items, space)| {
                format!("[{space}{}]", items.join(&format!(",{space}")))
            });
            let object = (btree_map(name(), inner, 0..5), space())
                .prop_map(|(members, space)| object(&members, &space));
            prop_oneof![array, object]
        })
        .boxed()
}

/// A JSON value that holds no other.
fn scalar() -> BoxedStrategy<String> {
    prop_oneof![
        one_of(&[
            "null",
            "true",
            "false",
            "\"\"",
            "0",
            "-0",
            "1.0",
            "1e400",
            "\"\\u00e9\\ud83d\\ude00\""
        ]),
        matching("-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"),
        any::<String>().prop_map(|text| quote(&text)),
    ]
    .boxed()
}

/// A member's name: one of few, so that values meet the patterns made over them, or any text.
fn name() -> impl Strategy<Value = String> {
    let few = one_of(&["type", "data", "severity", "a", "b", "a/b~c"]);
    prop_oneof![4 => few, 1 => any::<String>()]
}

/// An object's text, of its members' names and texts.
fn object(members: &BTreeMap<String, String>, space: &str) -> String {
    let member = |(name, text): (&String, &String)| format!("{space}{}:{space}{text}", quote(name));
    let members: Vec<_> = members.iter().map(member).collect();
    format!("{{{}{space}}}", members.join(","))
}

/// Writes a text as a JSON string.
pub fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// An RFC 3339 date and time, or nearly so, often at the ends of what a date can be.
pub fn date() -> BoxedStrategy<String> {
    let ends = one_of(&["0000-01-01", "9999-12-31", "1969-12-31", "1970-01-01", "2016-12-31"]);
    let day = prop_oneof![ends, matching("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")];
    let time = matching("(0[0-9]|1[0-9]|2[0-4]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]{1,12})?");
    let zone = matching("([Zz]|[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9])");
    (day, matching("[Tt ]"), time, zone)
        .prop_map(|(d, t, time, z)| format!("{d}{t}{time}{z}"))
        .boxed()
}
