mod arrays;
mod documented;
#[expect(clippy::wildcard_enum_match_arm, reason = "in its plainest form")]
mod naive;
mod refused;
mod samples;
mod search;
mod steps;

use super::*;

fn filter(pattern: &str) -> Filter {
    Filter::compile(&Json::parse(pattern).unwrap()).unwrap_or_else(|f| panic!("{pattern}: {f:?}"))
}

fn matches(pattern: &str, event: &str) -> bool {
    let event = Subject::new(Json::parse(event).unwrap());
    filter(pattern).matches(&event, &Meter::new(u64::MAX)).unwrap()
}

/// Each row: a field's alternatives, its value, whether they match.
fn check(table: &[(&str, &str, bool)]) {
    for (alternatives, value, wanted) in table {
        let pattern = format!("{{\"field\":[{alternatives}]}}");
        let event = format!("{{\"field\":{value}}}");
        assert_eq!(matches(&pattern, &event), *wanted, "{pattern} on {event}");
    }
}

#[test]
fn each_operator_is_explained_documented_refused_and_searched_with() {
    let table = include_str!("../filter.rs");
    let documented = include_str!("tests/documented.rs").replace("\": ", "\":");
    let refused = include_str!("tests/refused.rs");
    for name in operators() {
        assert!(table.contains(&format!("`{{\"{name}\": ")), "the table of filter.rs lacks {name}");
        let used = format!("{{\"{name}\":");
        assert!(documented.contains(&used), "documented.rs lacks {name}");
        assert!(refused.contains(&used), "refused.rs lacks {name}");
        let is_searched = search::OPERATORS.iter().any(|operator| operator.starts_with(&used));
        assert!(is_searched, "the operators of search.rs lack {name}");
    }
}

#[test]
fn exact_values_are_typed() {
    check(&[
        (r#""a",5,true,null"#, "\"a\"", true),
        (r#""a",5,true,null"#, "5.00", true),
        (r#""a",5,true,null"#, "\"5\"", false),
        (r#""a",5,true,null"#, "true", true),
        (r#""a",5,true,null"#, "false", false),
        (r#""a",5,true,null"#, "null", true),
        (r#""a",5,true"#, "null", false),
        (r#""a""#, "\"A\"", false),
        ("9007199254740993", "9007199254740992", false),
        ("9007199254740993", "9007199254740993.0", true),
        (r#""::1""#, "\"0:0:0:0:0:0:0:1\"", true),
        (r#""10.0.0.1""#, "\"10.0.0.1\"", true),
        (r#""10.0.0.1""#, "\"10.0.0.10\"", false),
    ]);
    assert!(!matches(r#"{"x":[null]}"#, "{}"));
}

#[test]
fn numbers_compare_by_exact_decimal_value() {
    check(&[
        (r#"{"numeric":[">",0.8]}"#, "0.80", false),
        (r#"{"numeric":[">",0.8]}"#, "0.8000000000000000000001", true),
        (r#"{"numeric":[">",0.8]}"#, "\"0.85\"", false),
        (r#"{"numeric":[">",0.8]}"#, "null", false),
        (r#"{"numeric":[">=",0.8]}"#, "8e-1", true),
        (r#"{"numeric":["<",0]}"#, "-0.0", false),
        (r#"{"numeric":["<=",0]}"#, "-0.0", true),
        (r#"{"numeric":["=",3.018e2]}"#, "301.8", true),
        (r#"{"numeric":[">",0,"<=",5]}"#, "5", true),
        (r#"{"numeric":[">",0,"<=",5]}"#, "0", false),
        (r#"{"numeric":[">=",5,"<=",5]}"#, "5.0", true),
        (r#"{"numeric":[">",5e9]}"#, "1e400", true),
        (r#"{"numeric":[">",1732183200000]}"#, "1732183200001", true),
        (r#"{"numeric":[">",0]}"#, "[-1,1]", true),
        (r#"{"numeric":[">",0]}"#, "[]", false),
    ]);
    assert!(!matches(r#"{"x":[{"numeric":[">",0]}]}"#, "{}"), "an event without it does not match");
}

#[test]
fn text_is_like_what_is_asked() {
    check(&[
        (r#"{"prefix":"ab"}"#, "\"ab\"", true),
        (r#"{"prefix":"ab"}"#, "\"xab\"", false),
        (r#"{"prefix":"5"}"#, "55", false),
        (r#"{"prefix":""}"#, "\"\"", true),
        (r#"{"prefix":""}"#, "5", false),
        (r#"{"prefix":{"equals-ignore-case":"ÄB"}}"#, "\"äbc\"", true),
        (r#"{"prefix":{"equals-ignore-case":"ab"}}"#, "\"a\"", false),
        (r#"{"suffix":"ab"}"#, "\"xab\"", true),
        (r#"{"suffix":"ab"}"#, "\"abx\"", false),
        (r#"{"suffix":{"equals-ignore-case":".pNg"}}"#, "\"x.PnG\"", true),
        (r#"{"suffix":{"equals-ignore-case":".png"}}"#, "\"png\"", false),
        (r#"{"equals-ignore-case":"straße"}"#, "\"STRAßE\"", true),
        (r#"{"equals-ignore-case":"ab"}"#, "\"abc\"", false),
    ]);
}

#[test]
fn a_star_is_any_text_unless_escaped() {
    check(&[
        (r#"{"wildcard":"a*c"}"#, "\"ac\"", true),
        (r#"{"wildcard":"a*c"}"#, "\"abcabc\"", true),
        (r#"{"wildcard":"a*c"}"#, "\"abcd\"", false),
        (r#"{"wildcard":"a*a"}"#, "\"a\"", false),
        (r#"{"wildcard":"*"}"#, "\"\"", true),
        (r#"{"wildcard":"*"}"#, "5", false),
        (r#"{"wildcard":"abc"}"#, "\"abc\"", true),
        (r#"{"wildcard":"*b*b*"}"#, "\"abcb\"", true),
        (r#"{"wildcard":"*b*b*"}"#, "\"abc\"", false),
        (r#"{"wildcard":"*ab*b"}"#, "\"abab\"", true),
        (r#"{"wildcard":"a\\*b"}"#, "\"a*b\"", true),
        (r#"{"wildcard":"a\\*b"}"#, "\"axb\"", false),
        (r#"{"wildcard":"a\\\\*"}"#, r#""a\\b""#, true),
        (r#"{"wildcard":"*\\**"}"#, "\"x*y\"", true),
    ]);
}

#[test]
fn a_network_holds_its_addresses() {
    check(&[
        (r#"{"cidr":"10.0.0.0/24"}"#, "\"10.0.0.255\"", true),
        (r#"{"cidr":"10.0.0.0/24"}"#, "\"10.0.1.0\"", false),
        (r#"{"cidr":"10.0.0.0/24"}"#, "\"10.0.0\"", false),
        (r#"{"cidr":"10.0.0.0/24"}"#, "10", false),
        (r#"{"cidr":"0.0.0.0/0"}"#, "\"203.0.113.9\"", true),
        (r#"{"cidr":"0.0.0.0/0"}"#, "\"::1\"", false),
        (r#"{"cidr":"10.0.0.1/32"}"#, "\"10.0.0.1\"", true),
        (r#"{"cidr":"2001:db8::/32"}"#, "\"2001:0DB8:ffff::1\"", true),
        (r#"{"cidr":"2001:db8::/32"}"#, "\"2001:db9::\"", false),
        (r#"{"cidr":"::/0"}"#, "\"10.0.0.1\"", false),
    ]);
}

#[test]
fn exists_works_on_leaves() {
    check(&[
        (r#"{"exists":true}"#, "null", true),
        (r#"{"exists":true}"#, "[0]", true),
        (r#"{"exists":true}"#, "[]", false),
        (r#"{"exists":true}"#, r#"{"c1":100}"#, false),
        (r#"{"exists":false}"#, r#"{"c1":100}"#, true),
        (r#"{"exists":false}"#, "[]", true),
        (r#"{"exists":false}"#, r#"[{"c1":100}]"#, true),
        (r#"{"exists":false}"#, "0", false),
        (r#"{"exists":false},"a""#, "\"a\"", true),
    ]);
    assert!(matches(r#"{"d":{"x":[{"exists":false}]}}"#, "{}"));
    assert!(matches(r#"{"x":["a",{"exists":false}]}"#, "{}"));
}

#[test]
fn anything_but_is_a_value_of_any_other_kind() {
    check(&[
        (r#"{"anything-but":"a"}"#, "\"b\"", true),
        (r#"{"anything-but":"a"}"#, "\"a\"", false),
        (r#"{"anything-but":"a"}"#, "5", true),
        (r#"{"anything-but":"a"}"#, "null", true),
        (r#"{"anything-but":"a"}"#, "[]", false),
        (r#"{"anything-but":""}"#, "\"\"", false),
        (r#"{"anything-but":5}"#, "5.0", false),
        (r#"{"anything-but":5}"#, "\"5\"", true),
        (r#"{"anything-but":{"prefix":"in"}}"#, "1", true),
        (r#"{"anything-but":{"prefix":["in","do"]}}"#, "\"done\"", false),
        (r#"{"anything-but":{"suffix":"ed"}}"#, "\"failed\"", false),
        (r#"{"anything-but":{"wildcard":["a*c","d*"]}}"#, "\"abc\"", false),
        (r#"{"anything-but":{"wildcard":["a*c","d*"]}}"#, "\"abcd\"", true),
        (r#"{"anything-but":{"equals-ignore-case":["A","B"]}}"#, "\"b\"", false),
    ]);
    assert!(!matches(r#"{"x":[{"anything-but":"a"}]}"#, "{}"));
}

#[test]
fn a_name_with_a_dot_is_one_name() {
    assert!(matches(r#"{"data":{"gen_ai.model":["m"]}}"#, r#"{"data":{"gen_ai.model":"m"}}"#));
    assert!(!matches(r#"{"data.model":["m"]}"#, r#"{"data":{"model":"m"}}"#));
}
