//! What checking a value costs.

use serde_json::json;

use super::plan;

/// What checking a value costs, to the step.
#[test]
fn each_schema_keyword_and_text_that_a_value_meets_is_counted() {
    let string = json!({"type": "string"});
    let draft_07 = "http://json-schema.org/draft-07/schema#";
    let draft_2019 = "https://json-schema.org/draft/2019-09/schema";
    let tagged = |name: &str| json!({"required": ["op"], "properties": {"op": {"const": name}}});
    let table = [
        (json!(true), json!(1), 1),
        (json!({}), json!(1), 1),
        // The schema, its keyword, and the size of what the keyword says.
        (string.clone(), json!(1), 3),
        (json!({"required": ["a", "b"]}), json!({}), 5),
        (json!({"const": ["a", {"k": null}]}), json!(1), 7),
        // A text costs by its bytes, sixteen a step.
        (string.clone(), json!("a"), 4),
        (string.clone(), json!("a".repeat(32)), 6),
        (json!({"format": "email"}), json!("a".repeat(10)), 83),
        (json!({"format": "email"}), json!(1), 2),
        (json!({"pattern": "abc"}), json!("a".repeat(32)), 46),
        // What is applied to the same value.
        (json!({"allOf": [string, string]}), json!(1), 8),
        (json!({"not": string, "if": {}, "then": {}, "else": {}}), json!(1), 11),
        (json!({"dependentSchemas": {"a": string}}), json!(1), 6),
        (json!({"$schema": draft_07, "dependencies": {"a": ["b"], "c": {}}}), json!(1), 5),
        (json!({"anyOf": [string, string]}), json!(1), 8),
        (json!({"$ref": "#/$defs/s", "$defs": {"s": string}}), json!(1), 6),
        (json!({"$schema": draft_2019, "items": {"$recursiveRef": "#"}}), json!([1]), 9),
        // Members: the name, and the schemas that it leads to.
        (json!({"properties": {"a": string}}), json!({"a": 1}), 7),
        (json!({"properties": {"a": string}}), json!({"b": 1}), 4),
        (json!({"additionalProperties": string}), json!({"a": 1}), 6),
        (json!({"properties": {"a": {}}, "additionalProperties": string}), json!({"a": 1}), 6),
        (json!({"patternProperties": {"^a": string}}), json!({"ab": 1}), 9),
        (json!({"patternProperties": {"^a": string}}), json!({"ba": 1}), 6),
        (json!({"propertyNames": {"maxLength": 3}}), json!({"ab": 1}), 6),
        (json!({"unevaluatedProperties": string}), json!({"a": 1}), 12),
        (json!({"unevaluatedProperties": true}), json!({"a": 1}), 8),
        // Marked and checked again where it stands within another that marks.
        (
            json!({"allOf": [{"unevaluatedProperties": true}], "unevaluatedProperties": true}),
            json!({"a": 1}),
            30,
        ),
        (
            json!({"patternProperties": {"^a": string}, "unevaluatedProperties": true}),
            json!({"ab": 1}),
            19,
        ),
        // Items: one step each, and the schemas of their places.
        (json!({"items": string}), json!([1, 2]), 10),
        (json!({"prefixItems": [string]}), json!([1, 2]), 7),
        (json!({"prefixItems": [{}], "items": string}), json!([1, 2]), 9),
        (json!({"$schema": draft_07, "items": [{}], "additionalItems": string}), json!([1, 2]), 10),
        (json!({"contains": string}), json!([1, 2]), 10),
        (json!({"unevaluatedItems": string}), json!([1]), 12),
        (json!({"uniqueItems": true}), json!([1, 2]), 10),
        (json!({"uniqueItems": false}), json!([1, 2]), 4),
        // Numbers that a double tells apart, and the first that it does not.
        (json!({"uniqueItems": true}), json!(vec![(1_u64 << 53) - 1; 32]), 130),
        (json!({"uniqueItems": true}), json!(vec![1_u64 << 53; 32]), 194),
        // Of three branches that a member tells apart, one is tried; of two, each is.
        (json!({"oneOf": [tagged("a"), tagged("b"), tagged("c")]}), json!({"op": "a"}), 14),
        (json!({"oneOf": [tagged("a"), tagged("b"), tagged("c")]}), json!(1), 20),
        (json!({"oneOf": [tagged("a"), tagged("b")]}), json!({"op": "a"}), 25),
        (json!({"oneOf": [tagged("a"), tagged("b"), tagged("b")]}), json!({"op": "a"}), 36),
    ];
    let counted = table.map(|(schema, value, steps)| (plan(&schema).steps(&value), steps, schema));
    let wrong: Vec<_> = counted.iter().filter(|(found, expected, _)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
