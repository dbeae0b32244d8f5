use super::*;

fn matches(pattern: &str, event: &str) -> bool {
    let filter = Filter::compile(&Json::parse(pattern).unwrap()).unwrap();
    filter.matches(&Json::parse(event).unwrap())
}

fn faults(pattern: &str) -> Vec<String> {
    let faults = Filter::compile(&Json::parse(pattern).unwrap()).unwrap_err();
    faults.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn fields_are_and_alternatives_are_or() {
    let pattern = r#"{"type":["a","b"],"severity":["high"]}"#;
    assert!(matches(pattern, r#"{"type":"b","severity":"high"}"#));
    assert!(!matches(pattern, r#"{"type":"b","severity":"low"}"#));
    assert!(!matches(pattern, r#"{"type":"b"}"#));
}

#[test]
fn exact_values_are_typed() {
    assert!(matches(r#"{"x":[1]}"#, r#"{"x":1.0}"#));
    assert!(!matches(r#"{"x":[1]}"#, r#"{"x":"1"}"#));
    assert!(matches(r#"{"x":[null]}"#, r#"{"x":null}"#));
    assert!(!matches(r#"{"x":[null]}"#, "{}"));
    assert!(matches(r#"{"x":[true]}"#, r#"{"x":true}"#));
}

#[test]
fn one_element_of_an_array_is_enough() {
    assert!(matches(r#"{"x":["b"]}"#, r#"{"x":["a","b"]}"#));
    assert!(matches(r#"{"d":{"x":[2]}}"#, r#"{"d":[{"x":1},{"x":2}]}"#));
    assert!(!matches(r#"{"d":{"x":[2],"y":[1]}}"#, r#"{"d":[{"x":2},{"y":1}]}"#), "one object");
}

#[test]
fn numeric_is_strict_where_it_says_so() {
    let above = r#"{"riskscore":[{"numeric":[">",0.8]}]}"#;
    assert!(matches(above, r#"{"riskscore":0.85}"#));
    assert!(!matches(above, r#"{"riskscore":0.8}"#));
    assert!(!matches(above, "{}"), "an event without a score does not match");
    assert!(!matches(above, r#"{"riskscore":"0.9"}"#));
    let range = r#"{"x":[{"numeric":[">=",0,"<",5]}]}"#;
    assert!(matches(range, r#"{"x":0}"#));
    assert!(!matches(range, r#"{"x":5}"#));
}

#[test]
fn exists_works_on_leaves() {
    assert!(matches(r#"{"x":[{"exists":true}]}"#, r#"{"x":null}"#));
    assert!(matches(r#"{"x":[{"exists":false}]}"#, "{}"));
    assert!(!matches(r#"{"x":[{"exists":false}]}"#, r#"{"x":1}"#));
    assert!(!matches(r#"{"x":[{"exists":true}]}"#, r#"{"x":{"y":1}}"#));
    assert!(matches(r#"{"d":{"x":[{"exists":false}]}}"#, "{}"));
}

#[test]
fn anything_but_needs_a_value() {
    assert!(matches(r#"{"x":[{"anything-but":"a"}]}"#, r#"{"x":"b"}"#));
    assert!(!matches(r#"{"x":[{"anything-but":["a","b"]}]}"#, r#"{"x":"b"}"#));
    assert!(!matches(r#"{"x":[{"anything-but":"a"}]}"#, "{}"));
    assert!(matches(r#"{"x":[{"anything-but":{"prefix":"ab"}}]}"#, r#"{"x":"ba"}"#));
    assert!(!matches(r#"{"x":[{"anything-but":{"prefix":"ab"}}]}"#, r#"{"x":"abc"}"#));
}

#[test]
fn prefix_is_of_text() {
    assert!(matches(r#"{"d":{"p":[{"prefix":"pay"}]}}"#, r#"{"d":{"p":"payments.limit"}}"#));
    assert!(!matches(r#"{"d":{"p":[{"prefix":"1"}]}}"#, r#"{"d":{"p":12}}"#));
}

#[test]
fn what_is_not_known_does_not_compile_and_is_named() {
    assert_eq!(faults(r#"{"a":[{"suffix":"x"}],"b":"x","c":[]}"#), ["/a/0/suffix", "/b", "/c"]);
    assert_eq!(faults(r#"{"$or":[{"a":[1]}]}"#), ["/$or"]);
    assert_eq!(faults("{}"), [""]);
    assert_eq!(faults("[]"), [""]);
    assert_eq!(faults(r#"{"a":[{"exists":true,"prefix":"x"}]}"#), ["/a/0"]);
    assert_eq!(faults(r#"{"a":[{"numeric":["<",5,">",0]}]}"#), ["/a/0/numeric"]);
    assert_eq!(faults(r#"{"a":[{"numeric":["~",5]}]}"#), ["/a/0/numeric"]);
    assert_eq!(faults(r#"{"a":[{"anything-but":[[1]]}]}"#), ["/a/0/anything-but/0"]);
    let many = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(ALTERNATIVES_MAX));
    assert_eq!(faults(&many), [""]);
}
