//! What does not compile, and where it says so.

use super::*;

/// The pointers of the faults, in order, each with what is said.
fn faults(pattern: &str) -> Vec<(String, String)> {
    let faults = Filter::compile(&Json::parse(pattern).unwrap()).expect_err(pattern);
    faults.into_iter().map(|fault| (fault.pointer, fault.detail)).collect()
}

fn check(table: &[(&str, &str, &str)]) {
    for (pattern, pointer, word) in table {
        let faults = faults(pattern);
        assert_eq!(faults.len(), 1, "{pattern}: {faults:?}");
        assert_eq!(faults[0].0, *pointer, "{pattern}");
        assert!(faults[0].1.contains(word), "{pattern}: {}", faults[0].1);
    }
}

#[test]
fn shapes() {
    check(&[
        ("[]", "", "not an array"),
        ("\"x\"", "", "not text"),
        ("{}", "", "no fields"),
        (r#"{"a":{}}"#, "/a", "no fields"),
        (r#"{"a":[]}"#, "/a", "no alternatives"),
        (r#"{"a":"x"}"#, "/a", "must be an array"),
        (r#"{"a":5}"#, "/a", "must be an array"),
        (r#"{"a":null}"#, "/a", "must be an array"),
        (r#"{"a":{"b":true}}"#, "/a/b", "must be an array"),
        (r#"{"a":[["x"]]}"#, "/a/0", "single value"),
        (r#"{"a":[{}]}"#, "/a/0", "exactly one operator"),
        (r#"{"a":[{"prefix":"x","exists":true}]}"#, "/a/0", "exactly one operator"),
        (r#"{"a":[1e999999999999999999]}"#, "/a/0", "out of range"),
    ]);
}

#[test]
fn operators_that_are_not_known() {
    check(&[
        (r#"{"a":["x",{"sufix":"x"}]}"#, "/a/1/sufix", "sufix is not known"),
        (r#"{"a":[{"regex":"x"}]}"#, "/a/0/regex", "not known"),
        (r#"{"a/b":[{"x~y":1}]}"#, "/a~1b/0/x~0y", "x~y is not known"),
        (r#"{"$and":[{"a":[1]},{"b":[2]}]}"#, "/$and", "$and is not known"),
        (r#"{"a":{"$not":{"b":[1]}}}"#, "/a/$not", "not known"),
        (
            r#"{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}"#,
            "/a/0/anything-but/cidr",
            "takes no operator but",
        ),
        (
            r#"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#,
            "/a/0/anything-but/numeric",
            "takes no operator but",
        ),
        (r#"{"a":[{"prefix":{"wildcard":"x"}}]}"#, "/a/0/prefix/wildcard", "no operator but"),
    ]);
}

#[test]
fn operands() {
    check(&[
        (r#"{"a":[{"prefix":5}]}"#, "/a/0/prefix", "text, not a number"),
        (r#"{"a":[{"prefix":["x"]}]}"#, "/a/0/prefix", "text, not an array"),
        (r#"{"a":[{"prefix":{}}]}"#, "/a/0/prefix", "equals-ignore-case"),
        (r#"{"a":[{"suffix":null}]}"#, "/a/0/suffix", "text, not null"),
        (
            r#"{"a":[{"suffix":{"equals-ignore-case":5}}]}"#,
            "/a/0/suffix/equals-ignore-case",
            "must be text",
        ),
        (r#"{"a":[{"equals-ignore-case":["x"]}]}"#, "/a/0/equals-ignore-case", "must be text"),
        (r#"{"a":[{"exists":"yes"}]}"#, "/a/0/exists", "true or false"),
        (r#"{"a":[{"wildcard":5}]}"#, "/a/0/wildcard", "must be text"),
        (r#"{"a":[{"wildcard":"a**b"}]}"#, "/a/0/wildcard", "two * in a row"),
        (r#"{"a":[{"wildcard":"a\\b"}]}"#, "/a/0/wildcard", "before something else"),
        (r#"{"a":[{"wildcard":"a\\"}]}"#, "/a/0/wildcard", "before something else"),
        (r#"{"a":[{"cidr":5}]}"#, "/a/0/cidr", "must be text"),
        (r#"{"a":[{"cidr":"10.0.0.0"}]}"#, "/a/0/cidr", "must be a network"),
        (r#"{"a":[{"cidr":"10.0.0/8"}]}"#, "/a/0/cidr", "must be a network"),
        (r#"{"a":[{"cidr":"10.0.0.0/-1"}]}"#, "/a/0/cidr", "must be a network"),
        (r#"{"a":[{"cidr":"10.0.0.0/+8"}]}"#, "/a/0/cidr", "must be a network"),
        (r#"{"a":[{"cidr":"10.0.0.0/8/8"}]}"#, "/a/0/cidr", "must be a network"),
        (r#"{"a":[{"cidr":"10.0.0.0/33"}]}"#, "/a/0/cidr", "longer than an address"),
        (r#"{"a":[{"cidr":"::/129"}]}"#, "/a/0/cidr", "longer than an address"),
        (r#"{"a":[{"cidr":"10.0.0.5/24"}]}"#, "/a/0/cidr", "bits beyond its mask"),
    ]);
}

#[test]
fn ranges() {
    check(&[
        (r#"{"a":[{"numeric":5}]}"#, "/a/0/numeric", "one or two comparisons"),
        (r#"{"a":[{"numeric":[]}]}"#, "/a/0/numeric", "one or two comparisons"),
        (r#"{"a":[{"numeric":[">",1,"<"]}]}"#, "/a/0/numeric", "one or two comparisons"),
        (r#"{"a":[{"numeric":["!=",1]}]}"#, "/a/0/numeric/0", "must be one of"),
        (r#"{"a":[{"numeric":[">","1"]}]}"#, "/a/0/numeric/1", "not text"),
        (r#"{"a":[{"numeric":[">",0,"<",null]}]}"#, "/a/0/numeric/3", "not null"),
        (r#"{"a":[{"numeric":["<",1e-999999999999999999]}]}"#, "/a/0/numeric/1", "out of range"),
        (r#"{"a":[{"numeric":["<",5,">",0]}]}"#, "/a/0/numeric", "the first is >"),
        (r#"{"a":[{"numeric":["=",5,"<",6]}]}"#, "/a/0/numeric", "the first is >"),
        (r#"{"a":[{"numeric":[">",5,"<=",5]}]}"#, "/a/0/numeric", "no number"),
        (r#"{"a":[{"numeric":[">",6,"<",5]}]}"#, "/a/0/numeric", "no number"),
    ]);
}

#[test]
fn anything_but() {
    check(&[
        (r#"{"a":[{"anything-but":null}]}"#, "/a/0/anything-but", "not null"),
        (r#"{"a":[{"anything-but":true}]}"#, "/a/0/anything-but", "not a boolean"),
        (r#"{"a":[{"anything-but":[]}]}"#, "/a/0/anything-but", "no values"),
        (r#"{"a":[{"anything-but":["x",5]}]}"#, "/a/0/anything-but", "all texts or all numbers"),
        (r#"{"a":[{"anything-but":[true]}]}"#, "/a/0/anything-but/0", "not a boolean"),
        (r#"{"a":[{"anything-but":[1,[2]]}]}"#, "/a/0/anything-but/1", "not an array"),
        (r#"{"a":[{"anything-but":{}}]}"#, "/a/0/anything-but", "exactly one operator"),
        (r#"{"a":[{"anything-but":{"prefix":""}}]}"#, "/a/0/anything-but/prefix", "empty"),
        (r#"{"a":[{"anything-but":{"suffix":["x",""]}}]}"#, "/a/0/anything-but/suffix/1", "empty"),
        (r#"{"a":[{"anything-but":{"prefix":[]}}]}"#, "/a/0/anything-but/prefix", "no values"),
        (
            r#"{"a":[{"anything-but":{"wildcard":["*","**"]}}]}"#,
            "/a/0/anything-but/wildcard/1",
            "row",
        ),
    ]);
}

#[test]
fn or() {
    check(&[
        (r#"{"$or":{"a":[1]}}"#, "/$or", "two patterns"),
        (r#"{"$or":[{"a":[1]}]}"#, "/$or", "two patterns"),
        (r#"{"$or":[{"a":[1]},5]}"#, "/$or/1", "not a number"),
        (r#"{"a":{"$or":[{"b":[1]},{}]}}"#, "/a/$or/1", "no fields"),
        (r#"{"$or":[{"a":[1]},{"prefix":["x"]}]}"#, "/$or/1/prefix", "operator's name"),
        (r#"{"a":[1],"$or":[{"a":[2]},{"b":[1]}]}"#, "/$or/0/a", "the field of /a:"),
        (r#"{"$or":[{"a":[1]},{"b":[1]}],"a":{"c":[1]}}"#, "/a/c", "the field of /$or/0/a:"),
        (
            r#"{"a":{"b":{"c":[1]}},"$or":[{"a":[1]},{"b":[1]}]}"#,
            "/$or/0/a",
            "the field of /a/b/c:",
        ),
        (
            r#"{"$or":[{"b":[1]},{"a":{"c":[2]}}],"a":{"c":[1]}}"#,
            "/a/c",
            "the field of /$or/1/a/c:",
        ),
        (
            r#"{"a":{"$or":[{"b":[1]},{"c":[2]}]},"$or":[{"a":{"c":[1]}},{"d":[1]}]}"#,
            "/$or/0/a/c",
            "the field of /a/$or/1/c:",
        ),
    ]);
}

#[test]
fn all_faults_are_named_at_once() {
    let pattern = r#"{"a":[],"b":{"c":5,"d":[{"suffix":1},{"exists":1}]},"e":["fine"],
        "$or":[{"f":[{"numeric":["~","x",">",1e999999999999999999]}]},[]]}"#;
    let pointers: Vec<String> = faults(pattern).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(
        pointers,
        [
            "/a",
            "/b/c",
            "/b/d/0/suffix",
            "/b/d/1/exists",
            "/$or/0/f/0/numeric/0",
            "/$or/0/f/0/numeric/1",
            "/$or/0/f/0/numeric/3",
            "/$or/1"
        ]
    );
}

#[test]
fn patterns_are_bounded() {
    let nested = |levels: usize| format!("{}[1]{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    filter(&nested(DEPTH_MAX));
    assert_eq!(faults(&nested(DEPTH_MAX + 1))[0].0, "/a".repeat(DEPTH_MAX));
    let fields = |count: usize| {
        let fields: Vec<String> = (0..count).map(|index| format!("\"f{index}\":[1]")).collect();
        format!("{{{}}}", fields.join(","))
    };
    filter(&fields(ALTERNATIVES_MAX));
    assert!(faults(&fields(ALTERNATIVES_MAX + 1))[0].1.contains("100 alternatives"));
    assert!(faults(&fields(3 * ALTERNATIVES_MAX))[0].1.contains("100 alternatives"));
    let choices = |count: usize| {
        let one = |at| format!("\"x{at}\":{{\"$or\":[{{\"a\":[1]}},{{\"b\":[1]}}]}}");
        format!("{{{}}}", (0..count).map(one).collect::<Vec<_>>().join(","))
    };
    filter(&choices(9));
    assert_eq!(faults(&choices(10))[0].1, "combines in more than 1000 ways");
}
