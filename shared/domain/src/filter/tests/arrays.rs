//! Arrays in events, alone and under `$or`: what meets in an array holds in one element.

use super::{filter, matches};
use crate::filter::Subject;
use crate::json::Json;
use crate::work::Meter;

const STAFF: &str = r#"{"staff":[{"first":"John","last":"Doe"},{"first":"Anna","last":"Smith"},
    {"first":"Peter","last":"Jones","age":50,"at":[{"city":"Rome","floor":1},{"city":"Bern"}]}],
    "grid":[[{"x":1,"y":1}],[{"x":2,"y":2},5]],"tags":["red","blue"],"depth":3}"#;

fn check(table: &[(&str, bool)]) {
    for (pattern, wanted) in table {
        assert_eq!(matches(pattern, STAFF), *wanted, "{pattern}");
    }
}

#[test]
fn one_element_is_enough() {
    check(&[
        (r#"{"tags":["green","blue"]}"#, true),
        (r#"{"tags":["green"]}"#, false),
        (r#"{"tags":[{"anything-but":"red"}]}"#, true),
        (r#"{"tags":[{"anything-but":["red","blue"]}]}"#, false),
        (r#"{"grid":[5]}"#, true),
        (r#"{"grid":{"x":[2]}}"#, true),
    ]);
}

#[test]
fn fields_of_an_array_of_objects_meet_in_one_element() {
    check(&[
        (r#"{"staff":{"first":["Anna"],"last":["Smith"]}}"#, true),
        (r#"{"staff":{"first":["Anna"],"last":["Jones"]}}"#, false),
        (r#"{"staff":{"first":["Anna","Peter"],"last":["Jones"]},"depth":[3]}"#, true),
        (r#"{"staff":{"at":{"city":["Rome"],"floor":[1]},"last":["Jones"]}}"#, true),
        (r#"{"staff":{"at":{"city":["Bern"],"floor":[1]}}}"#, false),
        (r#"{"staff":{"at":{"city":["Bern"],"floor":[{"exists":false}]}}}"#, true),
        (r#"{"staff":{"at":{"city":["Rome"]},"first":["Anna"]}}"#, false),
        (r#"{"grid":{"x":[1],"y":[1]}}"#, true),
        (r#"{"grid":{"x":[1],"y":[2]}}"#, false),
    ]);
}

#[test]
fn absence_is_asked_of_the_element_that_was_chosen() {
    check(&[
        (r#"{"staff":[{"exists":false}]}"#, true),
        (r#"{"staff":{"wage":[{"exists":false}]}}"#, true),
        // Ruler asks the fields in sorted order: `age` is there before an element was chosen …
        (r#"{"staff":{"age":[{"exists":false}],"last":["Doe"]}}"#, false),
        // … and after `first` chose one, absence is asked of that element.
        (r#"{"staff":{"first":["John"],"last":["Doe"],"zip":[{"exists":false}]}}"#, true),
        (r#"{"staff":{"last":["Doe"],"middle":[{"exists":false}]}}"#, true),
        (r#"{"depth":{"x":[{"exists":false}]}}"#, true),
        (r#"{"depth":{"x":[1]}}"#, false),
    ]);
}

#[test]
fn what_or_asks_for_meets_its_siblings_in_one_element() {
    check(&[
        (r#"{"staff":{"first":["Anna"],"$or":[{"last":["Smith"]},{"age":[50]}]}}"#, true),
        (r#"{"staff":{"first":["Anna"],"$or":[{"last":["Jones"]},{"age":[50]}]}}"#, false),
        (r#"{"staff":{"first":["Anna"]},"$or":[{"staff":{"age":[50]}},{"depth":[3]}]}"#, true),
        (r#"{"staff":{"first":["Anna"]},"$or":[{"staff":{"age":[50]}},{"depth":[4]}]}"#, false),
        (r#"{"staff":{"first":["Peter"]},"$or":[{"staff":{"age":[50]}},{"depth":[4]}]}"#, true),
        (
            r#"{"staff":{"$or":[{"first":["Anna"]},{"age":[50]}]},
                "$or":[{"staff":{"last":["Jones"]}},{"depth":[4]}]}"#,
            true,
        ),
        (
            r#"{"staff":{"$or":[{"first":["Anna"]},{"age":[51]}]},
                "$or":[{"staff":{"last":["Jones"]}},{"depth":[4]}]}"#,
            false,
        ),
        (r#"{"staff":{"last":["Doe"],"$or":[{"age":[{"exists":false}]},{"zip":[1]}]}}"#, false),
        (r#"{"staff":{"last":["Doe"],"$or":[{"zip":[{"exists":false}]},{"age":[1]}]}}"#, true),
    ]);
}

#[test]
fn a_hostile_event_costs_linear_time() {
    // Where a search over elements would try 2,000³ combinations.
    let element = r#"{"a":1,"b":1,"c":1}"#;
    let array = vec![element; 2_000].join(",");
    let event = format!("{{\"x\":[{array}],\"y\":[{array}],\"z\":[{array}]}}");
    let fields = r#"{"a":[1],"b":[1],"c":[2]}"#;
    let pattern = format!("{{\"x\":{{\"a\":[1]}},\"y\":{{\"a\":[1]}},\"z\":{fields}}}");
    assert!(!matches(&pattern, &event));
}

#[test]
fn a_hostile_pattern_is_not_multiplied_out() {
    // 512 combinations, none of which can match: one look tells.
    let choice = |at: usize| format!("{{\"$or\":[{{\"a{at}\":[1]}},{{\"b{at}\":[1]}}]}}");
    let choices: Vec<_> = (0..9).map(|at| format!("\"x{at}\":{}", choice(at))).collect();
    let filter = filter(&format!("{{{},\"no\":[1]}}", choices.join(",")));
    let array = vec![r#"{"a0":1}"#; 10_000].join(",");
    let event = format!("{{\"x0\":[{array}]}}");
    let event = Subject::new(Json::parse(&event).unwrap());
    assert_eq!(filter.matches(&event, &Meter::new(500_000)), Ok(false));
}
