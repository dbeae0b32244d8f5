//! What matching costs: the known ways to make it dear, each as a count of steps.

use super::filter;
use crate::filter::Subject;
use crate::json::Json;
use crate::limits::{EVENT_BYTES_MAX, MATCH_STEPS_MAX};
use crate::work::{Meter, Metered, TooDear};

/// What matching says within the steps that are allowed, and how many it took.
fn match_within_bounds(pattern: &str, event: &str) -> (Metered<bool>, u64) {
    assert!(event.len() <= EVENT_BYTES_MAX, "no event is so long: {}", event.len());
    let event = Subject::new(Json::parse(event).unwrap());
    let meter = Meter::new(MATCH_STEPS_MAX);
    (filter(pattern).matches(&event, &meter), meter.spent())
}

fn steps(pattern: &str, event: &str) -> u64 {
    match_within_bounds(pattern, event).1
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..count).map(item).collect::<Vec<_>>().join(","))
}

/// Attack, pattern, event, and the least that must be counted of it. The counts are what is really done, or a bound
/// would bound nothing.
#[test]
fn what_is_done_is_counted() {
    let text = |length: usize| format!(r#"{{"x":"{}"}}"#, "a".repeat(length));
    let numbers = format!(r#"{{"x":{}}}"#, list(60_000, |_| "1".to_owned()));
    let digits = format!(r#"{{"x":-{}}}"#, "1".repeat(240_000));
    let (open, close) = ("[".repeat(60), "]".repeat(60));
    let nested = format!(r#"{{"x":{open}{}{{}}{close}}}"#, "{},".repeat(50_000));
    let wildcards = format!(r#"{{"x":{}}}"#, list(100, |n| format!(r#"{{"wildcard":"*b{n}*"}}"#)));
    let gaps = format!(r#"{{"x":[{{"wildcard":"{}b*"}}]}}"#, "*a".repeat(3_000));
    let ranges =
        format!(r#"{{"x":{}}}"#, list(100, |n| format!(r#"{{"numeric":[">",{}]}}"#, n + 7)));
    let unlike = format!(r#"{{"x":[{{"anything-but":{}}}]}}"#, list(2_000, |n| n.to_string()));
    let folded = format!(r#"{{"x":[{{"equals-ignore-case":"{}"}}]}}"#, "a".repeat(8_000));
    let absent = r#"{"x":{"a":{"b":[1]}}}"#;
    for (attack, pattern, event, least) in [
        ("a hundred wildcards on a long text", wildcards.as_str(), text(240_000), 1_500_000),
        ("a wildcard of thousands of gaps", &gaps, text(240_000), 18_000),
        ("a hundred ranges on many numbers", &ranges, numbers.clone(), MATCH_STEPS_MAX),
        ("a hundred ranges on one long number", &ranges, digits, 1_500_000),
        ("a long list of what it may not be", &unlike, numbers, MATCH_STEPS_MAX),
        ("a long text, whatever its case", &folded, text(8_000), 2_000),
        ("arrays of arrays without a value", absent, nested, 50_000),
    ] {
        let found = steps(pattern, &event);
        assert!(found >= least, "{attack}: {found} steps, and it does {least}");
    }
}

/// What can be found without looking everywhere is.
#[test]
fn what_need_not_be_looked_at_is_not() {
    let members: Vec<_> = (0..15_000).map(|n| format!(r#""m{n}":{n}"#)).collect();
    let wide = format!("{{{}}}", members.join(","));
    let fields: Vec<_> = (0..100).map(|n| format!(r#""m{n}":[{n}]"#)).collect();
    assert!(steps(&format!("{{{}}}", fields.join(",")), &wide) < 2_000, "names are looked up");
    let ids = format!(r#"{{"x":{}}}"#, list(100, |n| format!("\"id-{n}\"")));
    let values = format!(r#"{{"x":{}}}"#, list(20_000, |n| format!("\"no-{n}\"")));
    assert!(steps(&ids, &values) < 200_000, "a list of texts is looked up");
}

/// `$or` over arrays is where combinations are tried one by one: thousands of elements, each tried in 512 ways.
#[test]
fn combinations_on_arrays_are_told_as_too_dear() {
    let choice = |at: usize| format!(r#""y{at}":{{"$or":[{{"a":[1]}},{{"b":[1]}}]}}"#);
    let choices: Vec<_> = (0..9).map(choice).collect();
    let pattern = format!(r#"{{"x":{{{}}}}}"#, choices.join(","));
    let event = |elements: usize| {
        let element = |n: usize| format!(r#"{{"y{}":{{"a":1,"b":1}}}}"#, n % 9);
        format!(r#"{{"x":{}}}"#, list(elements, element))
    };
    let (found, steps) = match_within_bounds(&pattern, &event(6_000));
    assert_eq!(found, Err(TooDear { allowed: MATCH_STEPS_MAX }), "{steps}");
    assert_eq!(match_within_bounds(&pattern, &event(90)).0, Ok(false));
}
