//! JSON Schemas, and values that they are checked against: counting what a check costs ends, within its own bounds.
#![no_main]

use serde_json::Value;
use waxseal_domain::limits::{
    SCHEMA_BYTES_MAX, SCHEMA_COMPILED_NODES_MAX, SCHEMA_PATTERN_BYTES_MAX, SCHEMA_PATTERNS_MAX,
    SCHEMA_STEPS_MAX,
};
use waxseal_domain::schema_plan::SchemaPlan;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| {
    let (Ok(schema), Ok(value)) =
        (serde_json::from_str::<Value>(input.0), serde_json::from_str::<Value>(input.1))
    else {
        return;
    };
    assert!(input.0.len() <= SCHEMA_BYTES_MAX);
    let Ok(plan) = SchemaPlan::of(&schema) else { return };
    assert!(plan.patterns() <= SCHEMA_PATTERNS_MAX);
    assert!(plan.pattern_bytes() <= SCHEMA_PATTERN_BYTES_MAX);
    assert!(plan.compiled_nodes() <= SCHEMA_COMPILED_NODES_MAX);
    let steps = plan.steps(&value);
    assert_eq!(steps, plan.steps(&value));
    assert_eq!(plan.afford(&value).is_ok(), steps <= SCHEMA_STEPS_MAX);
    let _places = plan.can_explain(&value);
});
