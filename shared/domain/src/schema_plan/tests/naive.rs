//! An evaluator that remembers nothing and stops at nothing, and counts the schemas and keywords it meets.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::SchemaPlan;

fn steps(root: &Value, schema: &Value, value: &Value, left: &mut u64) -> u64 {
    if *left == 0 {
        return 0;
    }
    *left -= 1;
    let Some(keywords) = schema.as_object() else { return 1 };
    let mut total = 1;
    for (keyword, inner) in keywords {
        total += 1;
        let list = inner.as_array().cloned().unwrap_or_default();
        total += match keyword.as_str() {
            "$ref" => {
                let pointer = inner.as_str().unwrap().trim_start_matches('#');
                steps(root, root.pointer(pointer).unwrap(), value, left)
            }
            "allOf" | "anyOf" | "oneOf" => {
                list.iter().map(|each| steps(root, each, value, left)).sum()
            }
            "not" => steps(root, inner, value, left),
            "properties" => {
                let members = value.as_object().into_iter().flatten();
                let both = members.filter_map(|(name, member)| Some((inner.get(name)?, member)));
                both.map(|(each, member)| steps(root, each, member, left)).sum()
            }
            "additionalProperties" => {
                let members = value.as_object().into_iter().flatten();
                let own = &schema["properties"];
                let others = members.filter(|(name, _)| own.get(name.as_str()).is_none());
                others.map(|(_, member)| steps(root, inner, member, left)).sum()
            }
            "items" | "contains" => {
                let items = value.as_array().into_iter().flatten();
                items.map(|item| steps(root, inner, item, left)).sum()
            }
            _ => 0,
        };
    }
    total
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(1)), Just(json!("a")), Just(json!(null))];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let members = prop::collection::hash_map("[abc]", inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            members.prop_map(|members| json!(members)),
        ]
    })
}

fn schemas() -> impl Strategy<Value = Value> {
    let reference = (0..4_usize).prop_map(|n| json!({"$ref": format!("#/$defs/d{n}")}));
    let leaf = prop_oneof![reference, Just(json!({"type": "string"})), Just(json!(true))];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        let combined = (prop::sample::select(vec!["allOf", "anyOf", "oneOf"]), list);
        let single = prop::sample::select(vec!["not", "items", "contains", "additionalProperties"]);
        prop_oneof![
            combined.prop_map(|(keyword, list)| json!({keyword: list})),
            (single, inner.clone()).prop_map(|(keyword, schema)| json!({keyword: schema})),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, other)| json!({
                "properties": {"a": a, "b": b}, "additionalProperties": other})),
        ]
    })
}

proptest! {
    #[test]
    fn takes_no_more_steps_than_were_counted(
        root in schemas(),
        definitions in prop::collection::vec(schemas(), 4),
        value in values(),
    ) {
        let named = definitions.iter().enumerate();
        let named: serde_json::Map<String, Value> =
            named.map(|(n, schema)| (format!("d{n}"), schema.clone())).collect();
        let schema = json!({"allOf": [root], "$defs": named});
        // One that is refused is never checked.
        if let Ok(plan) = SchemaPlan::of(&schema) {
            let taken = steps(&schema, &schema, &value, &mut 1_000_000);
            prop_assert!(taken <= plan.steps(&value), "{taken} of {schema} for {value}");
        }
    }
}
