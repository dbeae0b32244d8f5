//! Events, and the patterns that filter them.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;

use super::{date, json, name, object, one_of, quote, scalar};

/// An event as a sender writes it: most members valid, some not.
pub fn event() -> BoxedStrategy<String> {
    let text = |texts| one_of(texts).prop_map(|text| quote(&text));
    let member = |name: &'static str, value: BoxedStrategy<String>| {
        let value = prop_oneof![29 => value, 1 => json()];
        value.prop_map(move |value| format!("{}:{value}", quote(name))).boxed()
    };
    let members = [
        member("specversion", text(&["1.0", "1.0", "1.0", "1.0", "0.3"]).boxed()),
        member("id", text(&["e1", "a/b", "ü", "e 2"]).boxed()),
        member("source", text(&["/s", "urn:x", "https://example.com/ü"]).boxed()),
        member("type", text(&["dlp.pii_blocked", "a", "dlp..x"]).boxed()),
        member("time", date().prop_map(|date| quote(&date)).boxed()),
        member("data", json()),
        member("data_base64", text(&["aGk=", "", "aGkh", "aGk"]).boxed()),
        member("tenant", text(&["acme", "acme", "acme", "acme", "other"]).boxed()),
        member("severity", text(&["critical", "high", "medium", "low", "info", "grave"]).boxed()),
        member("riskscore", one_of(&["0.85", "1", "-0", "\"0.5\"", "0", "1e-400", "\"NaN\"", "2"])),
        member("summary", any::<String>().prop_map(|text| quote(&text)).boxed()),
        member(
            "traceparent",
            text(&["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-1-2-3"]).boxed(),
        ),
        member("subject", any::<String>().prop_map(|text| quote(&text)).boxed()),
        member("retries", scalar()),
    ];
    // Each member is there or not; `type` nearly always, so that whole events come about.
    let chosen: Vec<_> = members
        .into_iter()
        .enumerate()
        .map(|(index, member)| {
            let weight = if index == 3 { 0.95 } else { 0.25 };
            proptest::option::weighted(weight, member)
        })
        .collect();
    chosen
        .prop_map(|members| {
            let members: Vec<_> = members.into_iter().flatten().collect();
            format!("{{{}}}", members.join(", "))
        })
        .boxed()
}

/// An `EventBridge` pattern: valid in its form, sometimes not in its values.
pub fn pattern() -> BoxedStrategy<String> {
    let test = prop_oneof![
        30 => scalar(),
        1 => json(),
        1 => json().prop_map(|text| format!("{{\"prefix\":{text}}}")),
        10 => scalar().prop_map(|value| format!("{{\"anything-but\":[{value}]}}")),
        10 => one_of(&["{\"exists\":true}", "{\"exists\":false}", "{\"prefix\":\"a\"}"]),
        10 => one_of(&["{\"suffix\":\"a\"}", "{\"wildcard\":\"a*\"}", "{\"cidr\":\"10.0.0.0/8\"}"]),
        10 => one_of(&["{\"numeric\":[\">\",0,\"<=\",1e2]}", "{\"numeric\":[\"=\",1.0]}"]),
    ];
    let rule = vec(test, 1..4).prop_map(|tests| format!("[{}]", tests.join(",")));
    let fields = |rules| btree_map(name(), rules, 1..4).prop_map(|rules| object(&rules, ""));
    fields(rule.prop_recursive(4, 12, 3, move |inner| fields(inner).boxed()).boxed()).boxed()
}
