mod naive;
mod steps;

use serde_json::json;

use super::*;
use crate::limits::{SCHEMA_DEPTH_MAX, SCHEMA_PAIRS_MAX};

fn plan(schema: &Value) -> SchemaPlan {
    SchemaPlan::of(schema).unwrap()
}

/// `$ref`s that double over so many levels, and what stands at their end.
fn doubling(levels: usize, last: &Value) -> Value {
    let mut definitions = serde_json::Map::new();
    for level in 0..levels {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert(format!("d{levels}"), last.clone());
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}

/// A value that is nested so deep, by a member of that name.
fn nested(levels: usize, name: &str) -> Value {
    (0..levels).fold(json!({}), |value, _| json!({ name: [value] }))
}

fn assert_refused(schema: &Value, reason: &str) {
    let fault = SchemaPlan::of(schema).unwrap_err();
    assert!(fault.detail.contains(reason), "{}", fault.detail);
}

#[test]
fn references_that_double_are_refused_for_any_data() {
    assert_refused(&doubling(40, &json!({"type": "string"})), "20000 are allowed");
    assert_refused(
        &json!({"properties": {"a": doubling(40, &json!({}))["$defs"]["d0"]},
        "$defs": doubling(40, &json!({}))["$defs"]}),
        "20000 are allowed",
    );
    assert!(plan(&doubling(8, &json!({"type": "string"}))).steps(&json!(1)) >= 512);
}

#[test]
fn references_that_double_by_level_of_the_data_are_counted_by_it() {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"items": {"$ref": format!("#/$defs/d{}", level + 1)}});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({}));
    let plan = plan(&json!({"$ref": "#/$defs/d0", "$defs": definitions}));
    assert!(plan.afford(&json!([[[1]]])).is_ok());
    let deep = (0..40).fold(json!(1), |value, _| json!([value]));
    assert!(plan.steps(&deep) > 1 << 40);
    let fault = plan.afford(&deep).unwrap_err();
    assert!(fault.detail.contains("steps, 1000000 are allowed"), "{}", fault.detail);
}

#[test]
fn recursion_that_doubles_is_too_dear_on_deep_data_alone() {
    let plan = plan(&json!({"properties": {"children":
        {"items": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}}));
    assert!(plan.afford(&nested(5, "children")).is_ok());
    assert!(plan.afford(&nested(31, "children")).is_err());
}

#[test]
fn a_circle_at_one_place_is_endless() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#"}}}}),
        json!({"$dynamicAnchor": "a", "anyOf": [{"$dynamicRef": "#a"}]}),
    ] {
        assert_refused(&schema, "more than can be counted");
    }
}

#[test]
fn a_chain_of_references_that_takes_the_stack_is_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..600 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), next);
    }
    definitions.insert("d600".to_owned(), json!({}));
    let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
    assert_refused(&schema, "more than can be counted");
}

#[test]
fn a_recursive_tree_of_200_kb_is_affordable() {
    let schema = json!({"$ref": "#/$defs/node", "$defs": {"node": {
        "type": "object", "required": ["name"], "additionalProperties": false,
        "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}});
    let leaves: Vec<Value> =
        (0..5_000).map(|_| json!({"name": "abcdefghijklmnop", "children": []})).collect();
    let mut tree = json!({"name": "root", "children": leaves});
    for _ in 0..20 {
        tree = json!({"name": "inner", "children": [tree]});
    }
    assert!(tree.to_string().len() > 200_000);
    assert!(plan(&schema).afford(&tree).is_ok(), "{}", plan(&schema).steps(&tree));
}

/// Expressions with operators that are told apart by a member.
fn grammar() -> Value {
    let operator = |name: &str| {
        json!({"type": "object", "required": ["op", "left", "right"], "properties": {
            "op": {"const": name}, "left": {"$ref": "#"}, "right": {"$ref": "#"}}})
    };
    json!({"anyOf": [{"type": "number"}, {"oneOf":
        [operator("add"), operator("subtract"), operator("multiply"), operator("divide")]}]})
}

#[test]
fn a_grammar_of_expressions_on_200_kb_is_affordable() {
    let mut row: Vec<Value> = (0..4_096).map(|number| json!(number)).collect();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| json!({"op": "add", "left": pair[0], "right": pair[1]}))
            .collect();
    }
    let mut deep = row[0].clone();
    for _ in 0..40 {
        deep = json!({"op": "divide", "left": 0, "right": deep, "comment": "x".repeat(2_000)});
    }
    assert!(deep.to_string().len() > 200_000);
    assert!(plan(&grammar()).afford(&deep).is_ok(), "{}", plan(&grammar()).steps(&deep));
}

#[test]
fn what_is_marked_as_evaluated_is_tried_again() {
    let mut schema = json!({"unevaluatedProperties": false});
    for level in 0..5 {
        schema = json!({"allOf": [schema, {"properties": {format!("p{level}"): {}}}],
            "unevaluatedProperties": false});
    }
    assert!(SchemaPlan::of(&schema).is_ok());
    for level in 0..10 {
        schema = json!({"allOf": [schema, {"properties": {format!("q{level}"): {}}}],
            "unevaluatedProperties": false});
    }
    assert_refused(&schema, "20000 are allowed");
}

#[test]
fn a_heavy_pattern_is_counted_by_the_length_of_the_text() {
    let plan = plan(&json!({"pattern": "^([a-z]{1,50} ?){5}$"}));
    assert!(plan.afford(&json!("a".repeat(100))).is_ok());
    assert!(plan.afford(&json!("a".repeat(200_000))).is_err());
    let uuid = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}$";
    let ids = vec![json!("01234567-0123-0123"); 5_000];
    assert!(self::plan(&json!({"items": {"pattern": uuid}})).afford(&ids.into()).is_ok());
}

#[test]
fn patterns_are_bounded_in_number_and_size() {
    let all = |each: &str, many: usize| {
        let members =
            (0..many).map(|n| (format!("p{n}"), json!({"pattern": format!("{each}{n}")})));
        json!({"properties": members.collect::<serde_json::Map<_, _>>()})
    };
    assert!(SchemaPlan::of(&all("^[a-z]+x", 100)).is_ok());
    assert_refused(&all("^[a-z]+x", 101), "different patterns");
    assert_refused(&all("(a{100}){100}", 1), "bytes compiled");
    assert_refused(&all(r"^(\w{1,20}x)", 100), "bytes compiled");
}

#[test]
fn unique_items_are_compared_each_with_each_where_their_hashes_may_be_one() {
    let plan = plan(&json!({"uniqueItems": true}));
    let items = |each: &dyn Fn(u64) -> Value| Value::Array((0..20_000).map(each).collect());
    assert!(plan.afford(&items(&|n| json!(format!("item {n}")))).is_ok());
    assert!(plan.afford(&items(&|n| json!(n))).is_ok());
    assert!(plan.afford(&items(&|n| json!(u64::MAX - n))).is_err());
    assert!(plan.afford(&items(&|n| json!([n]))).is_err());
    assert!(plan.afford(&Value::Array(vec![json!({"a": 1}); 500])).is_ok());
}

#[test]
fn references_are_followed_by_pointer_anchor_and_name() {
    for reference in
        ["#/$defs/a~1b%20c", "#there", "other.json", "other.json#there", "#/$defs/list/0"]
    {
        let schema = json!({"properties": {"x": {"$ref": reference}}, "$id": "https://example.com/main.json",
            "$defs": {"a/b c": {"enum": [1, 2, 3]}, "list": [{"enum": [1, 2, 3]}],
                "o": {"$id": "other.json", "$anchor": "there", "enum": [1, 2, 3]}}});
        let plan = plan(&schema);
        let steps = plan.steps(&json!({"x": 1})) - plan.steps(&json!({"y": 1}));
        assert!(steps >= 6, "{reference}: {steps}");
    }
    for missing in ["#/$defs/b", "#b", "other.json", "https://json-schema.org/draft/2020-12/schema"]
    {
        assert_refused(&json!({"$ref": missing}), "there is no");
    }
}

#[test]
fn resources_are_counted_once_for_each_way_to_them() {
    let resource = |name: &str, other: &str| json!({"$id": name, "properties": {"a": {"$ref": other}, "b": {"$ref": "#"}}});
    let plan = plan(&json!({"$ref": "one.json", "$defs": {
        "one": resource("one.json", "two.json"), "two": resource("two.json", "one.json")}}));
    // The document, from it to one, and from one to two: three schemas of each, but for the document.
    assert_eq!(plan.scopes, 3);
    assert_eq!(plan.compiled_nodes(), 3 * plan.nodes.len());
}

#[test]
fn schemas_of_two_drafts_are_refused() {
    let schema =
        json!({"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}});
    assert_refused(&schema, "two drafts");
}

#[test]
fn what_is_dear_to_explain_is_not_explained() {
    let plan = plan(&json!({"items": {"type": "string"}}));
    assert!(plan.can_explain(&json!([1, 2, 3])));
    let many = Value::Array(vec![json!(1); 100_000]);
    assert!(plan.afford(&many).is_ok() && !plan.can_explain(&many));
}

#[test]
fn a_schema_is_refused_from_just_above_each_bound() {
    // The schema, its keyword, and the list with its items.
    let of_steps = |steps: u64| json!({"enum": vec![0; usize::try_from(steps - 3).unwrap()]});
    assert!(SchemaPlan::of(&of_steps(SCHEMA_EXPANSION_MAX)).is_ok());
    assert_refused(&of_steps(SCHEMA_EXPANSION_MAX + 1), "20000 are allowed");

    let of_nodes = |nodes: usize| {
        let members = (1..nodes).map(|n| (format!("p{n}"), json!({})));
        json!({"properties": members.collect::<serde_json::Map<_, _>>()})
    };
    assert!(SchemaPlan::of(&of_nodes(SCHEMA_COMPILED_NODES_MAX)).is_ok());
    for more in 1..3 {
        assert_refused(&of_nodes(SCHEMA_COMPILED_NODES_MAX + more), "10000 are allowed");
    }

    // A pattern of so many letters has a state for each and one more, of 64 bytes, beside its own 4 KiB.
    let of_bytes = |bytes: u64| {
        let letters = usize::try_from((bytes - 4_096) / 64 - 1).unwrap();
        json!({"pattern": "a".repeat(letters)})
    };
    assert!(SchemaPlan::of(&of_bytes(SCHEMA_PATTERN_BYTES_MAX)).is_ok());
    assert_refused(&of_bytes(SCHEMA_PATTERN_BYTES_MAX + 64), "bytes compiled");
}

#[test]
fn a_plan_tells_what_is_kept_of_it() {
    let plan = plan(&json!({"pattern": "abc", "allOf": [{"pattern": "abc"}, {"pattern": "x"}]}));
    assert_eq!(plan.patterns(), 2, "one of them stands there twice");
    assert_eq!(plan.pattern_bytes(), (4 + 2) * 64 + 2 * 4_096);
    let nodes = size_of::<Node>() * 3;
    assert!(plan.bytes() > nodes && plan.bytes() < 3 * nodes, "{}", plan.bytes());
}

#[test]
fn a_count_that_takes_too_long_too_much_room_or_too_much_stack_is_given_up() {
    let items = plan(&json!({"items": {}}));
    let visits = |allowed, value: &Value| {
        Walk::new(&items.nodes, allowed).steps(items.root, Task::Check, value)
    };
    assert_eq!(visits(3, &json!([1, 2])), 6);
    assert_eq!(visits(3, &json!([1, 2, 3])), UNCOUNTED);

    let lists = |count: usize| json!(vec![json!([]); count]);
    assert_ne!(items.steps(&lists(SCHEMA_PAIRS_MAX)), UNCOUNTED);
    assert_eq!(items.steps(&lists(SCHEMA_PAIRS_MAX + 1)), UNCOUNTED);

    let within = |schemas: usize| {
        let schema = (1..schemas).fold(json!({}), |inner, _| json!({"items": inner}));
        plan(&schema).steps(&(1..schemas).fold(json!(1), |inner, _| json!([inner])))
    };
    assert_ne!(within(SCHEMA_DEPTH_MAX), UNCOUNTED);
    assert_eq!(within(SCHEMA_DEPTH_MAX + 1), UNCOUNTED);
}

#[test]
fn a_reference_beside_a_name_may_be_one_of_the_schema_around() {
    let around = |inner: &Value| {
        json!({"$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"a": inner}, "definitions": {"x": {}}})
    };
    let beside = json!({"$id": "other.json", "$ref": "#/definitions/x"});
    assert!(SchemaPlan::of(&around(&beside)).is_ok());
    let below = json!({"$id": "other.json", "items": {"$ref": "#/definitions/x"}});
    assert_refused(&around(&below), "there is no #/definitions/x");
}

#[test]
fn branches_are_told_apart_by_a_text_of_their_own_however_it_is_written() {
    let constant = |name: &str| json!({"required": ["op"], "properties": {"op": {"const": name}}});
    let only = |name: &str| json!({"required": ["op"], "properties": {"op": {"enum": [name]}}});
    let either = json!({"required": ["op"], "properties": {"op": {"enum": ["x", "y"]}}});
    let optional = json!({"properties": {"op": {"const": "x"}}});
    let named = json!({"$ref": "#/$defs/named"});
    let is_one_tried = |third: &Value| {
        let branches = [constant("a"), constant("b"), third.clone()];
        let schema = json!({"oneOf": branches, "$defs": {"named": constant("c")}});
        let plan = plan(&schema);
        let [union] = plan.nodes[plan.root].unions.as_slice() else { panic!("no union") };
        union.is_tagged
    };
    for third in [constant("c"), only("c"), named] {
        assert!(is_one_tried(&third), "{third}");
    }
    for third in [constant("a"), either, optional, json!({})] {
        assert!(!is_one_tried(&third), "{third}");
    }
}
