//! Counts: of what is too much to count, of lengths and of sizes.

use serde_json::Value;

/// A count that nobody finished, since it grew beyond every bound.
pub(super) const UNCOUNTED: u64 = u64::MAX;

/// Bytes of a text that are compared in one step.
const BYTES_PER_STEP: usize = 16;

/// A length as a number of steps.
pub(super) fn steps_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(UNCOUNTED)
}

/// The size of a value: as many steps as comparing it with another takes.
pub(super) fn size(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => text_size(text),
        Value::Array(items) => items.iter().map(size).fold(1, u64::saturating_add),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| text_size(name).saturating_add(size(value)))
            .fold(1, u64::saturating_add),
    }
}

/// The size of a text.
pub(super) fn text_size(text: &str) -> u64 {
    steps_of(text.len() / BYTES_PER_STEP).saturating_add(1)
}
