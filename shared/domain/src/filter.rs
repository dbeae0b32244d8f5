//! Content filters: `EventBridge` event patterns over the whole event.
//!
//! All fields of a pattern must match; of a field's alternatives, one. Where the event's value is an
//! array, one of its elements must match. A pattern with an operator that is not known does not
//! compile: it never silently matches everything, or nothing.

mod compile;

use crate::json::{Fault, Json};

/// Bytes of a pattern.
pub const BYTES_MAX: usize = 8 * 1024;
/// Alternatives of a pattern, all fields together.
pub const ALTERNATIVES_MAX: usize = 100;
/// Levels of a pattern.
pub const DEPTH_MAX: usize = 8;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Vec<Field>);

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: String,
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    /// The field holds an object, or an array with an object, in which all of these match.
    Within(Vec<Field>),
    /// One of these matches.
    AnyOf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Is(Scalar),
    Prefix(String),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
    AnythingBut(Vec<Scalar>),
    AnythingButPrefix(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Filter {
    /// Compiles a pattern, or names every fault in it.
    pub fn compile(pattern: &Json<'_>) -> Result<Self, Vec<Fault>> {
        compile::compile(pattern).map(Self)
    }

    /// Whether the event matches.
    pub fn matches(&self, event: &Json<'_>) -> bool {
        all(&self.0, event)
    }
}

fn all(fields: &[Field], object: &Json<'_>) -> bool {
    fields.iter().all(|field| {
        let value = object.get(&field.name);
        match &field.rule {
            Rule::Within(fields) => within(fields, value),
            Rule::AnyOf(tests) => tests.iter().any(|test| test.matches(value)),
        }
    })
}

/// A missing object still matches a pattern of nothing but `exists: false`.
fn within(fields: &[Field], value: Option<&Json<'_>>) -> bool {
    match value {
        Some(Json::Array(items)) => items.iter().any(|item| within(fields, Some(item))),
        Some(object @ Json::Object(_)) => all(fields, object),
        None | Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => {
            all(fields, &Json::Null)
        }
    }
}

impl Test {
    fn matches(&self, value: Option<&Json<'_>>) -> bool {
        let leaves = value.map(leaves).unwrap_or_default();
        match self {
            // EventBridge: `exists` works on leaves; an object is none.
            Self::Exists(wanted) => leaves.is_empty() != *wanted,
            Self::Is(_)
            | Self::Prefix(_)
            | Self::Numeric(_)
            | Self::AnythingBut(_)
            | Self::AnythingButPrefix(_) => leaves.iter().any(|leaf| self.matches_leaf(leaf)),
        }
    }

    fn matches_leaf(&self, leaf: &Json<'_>) -> bool {
        match self {
            Self::Is(scalar) => scalar.equals(leaf),
            Self::Prefix(prefix) => leaf.as_str().is_some_and(|text| text.starts_with(prefix)),
            Self::Numeric(comparisons) => leaf.as_f64().is_some_and(|number| {
                comparisons.iter().all(|(comparison, bound)| comparison.holds(number, *bound))
            }),
            Self::AnythingBut(scalars) => !scalars.iter().any(|scalar| scalar.equals(leaf)),
            Self::AnythingButPrefix(prefix) => {
                leaf.as_str().is_some_and(|text| !text.starts_with(prefix))
            }
            Self::Exists(wanted) => *wanted,
        }
    }
}

/// The scalars of a value: itself, or those of an array, nested arrays included.
fn leaves<'a, 'b>(value: &'b Json<'a>) -> Vec<&'b Json<'a>> {
    match value {
        Json::Array(items) => items.iter().flat_map(leaves).collect(),
        Json::Object(_) => Vec::new(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => vec![value],
    }
}

impl Scalar {
    fn equals(&self, leaf: &Json<'_>) -> bool {
        match (self, leaf) {
            (Self::Null, Json::Null) => true,
            (Self::Bool(wanted), Json::Bool(found)) => wanted == found,
            (Self::Number(wanted), Json::Number(_)) => leaf.as_f64() == Some(*wanted),
            (Self::Text(wanted), Json::String(found)) => wanted == found,
            _ => false,
        }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "`=` on numbers is exact")]
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::Equal => number == bound,
            Self::GreaterOrEqual => number >= bound,
            Self::Greater => number > bound,
        }
    }
}

#[cfg(test)]
mod tests;
