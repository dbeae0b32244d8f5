//! What a validator would do with a JSON Schema, and how much of it: counted before it begins, since a
//! validation that runs cannot be stopped.
//!
//! The engine's schema checker makes a [`SchemaPlan`] of each schema before it compiles it, and asks it before
//! each check. The count is an upper bound of what a validator does that remembers nothing: each schema that a
//! value meets is a step, and so is each keyword of it; text costs by its bytes, and patterns by theirs as
//! well. It is itself bounded. This module never says whether a value fits.

mod build;
mod count;
mod expansion;
mod node;
mod pattern;
mod references;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

use self::build::Builder;
use self::count::UNCOUNTED;
use self::expansion::Expansion;
use self::node::{Node, NodeId};
use self::pattern::Pattern;
use self::walk::{Task, Walk};
use crate::json::Fault;
use crate::limits::{
    SCHEMA_COMPILED_NODES_MAX, SCHEMA_EXPANSION_MAX, SCHEMA_EXPLAIN_STEPS_MAX,
    SCHEMA_PATTERN_BYTES_MAX, SCHEMA_PATTERNS_MAX, SCHEMA_STEPS_MAX,
};

/// A JSON Schema as what it makes a validator do.
#[derive(Debug)]
pub struct SchemaPlan {
    nodes: Vec<Node>,
    root: NodeId,
    patterns: BTreeSet<String>,
    pattern_bytes: u64,
    /// Ways through the schemas that name their own URIs.
    scopes: usize,
}

impl SchemaPlan {
    /// Plans a schema. The fault says what makes it one that no value may be checked against: it would cost too
    /// much whatever the value is, or refers to what is not in it.
    pub fn of(schema: &Value) -> Result<Self, Fault> {
        let plan = Builder::new(schema)?.build()?;
        let steps = Expansion::of(&plan.nodes);
        if steps > SCHEMA_EXPANSION_MAX {
            let detail = format!(
                "is too dear: one value is checked against {} schemas and keywords at one place, {} are allowed",
                counted(steps),
                SCHEMA_EXPANSION_MAX,
            );
            return Err(Fault::new("", &detail));
        }
        if plan.compiled_nodes() > SCHEMA_COMPILED_NODES_MAX {
            let detail = format!(
                "is too dear: {} schemas come of it, since those that name their own URIs refer to one another, {SCHEMA_COMPILED_NODES_MAX} are allowed",
                plan.compiled_nodes()
            );
            return Err(Fault::new("", &detail));
        }
        if plan.patterns.len() > SCHEMA_PATTERNS_MAX {
            let detail = format!(
                "has {} different patterns, {SCHEMA_PATTERNS_MAX} are allowed",
                plan.patterns.len()
            );
            return Err(Fault::new("", &detail));
        }
        if plan.pattern_bytes > SCHEMA_PATTERN_BYTES_MAX {
            let detail = format!(
                "has patterns that take about {} bytes compiled, {SCHEMA_PATTERN_BYTES_MAX} are allowed",
                plan.pattern_bytes
            );
            return Err(Fault::new("", &detail));
        }
        Ok(plan)
    }

    /// Counts the steps that saying whether a value fits costs at most.
    pub fn steps(&self, value: &Value) -> u64 {
        Walk::new(&self.nodes, SCHEMA_STEPS_MAX).steps(self.root, Task::Check, value)
    }

    /// Says whether a value may be checked: the fault says that it is too dear, and by how much.
    pub fn afford(&self, value: &Value) -> Result<(), Fault> {
        let steps = self.steps(value);
        if steps <= SCHEMA_STEPS_MAX {
            return Ok(());
        }
        let detail = format!(
            "is too dear to check against the schema of its type: {} steps, {SCHEMA_STEPS_MAX} are allowed",
            counted(steps)
        );
        Err(Fault::new("", &detail))
    }

    /// Says whether the places at which a value does not fit may be looked for: each holds memory until all are
    /// found, and schemas that were passed over at the first check are tried.
    pub fn can_explain(&self, value: &Value) -> bool {
        let mut walk = Walk::new(&self.nodes, SCHEMA_EXPLAIN_STEPS_MAX);
        let steps = walk.steps(self.root, Task::Explain, value);
        steps <= SCHEMA_EXPLAIN_STEPS_MAX
    }

    /// Returns how many different patterns the schema has.
    pub fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Returns about how many bytes the schema's patterns take up, compiled.
    pub fn pattern_bytes(&self) -> u64 {
        self.pattern_bytes
    }

    /// Returns how many schemas a validator makes of it at most.
    pub fn compiled_nodes(&self) -> usize {
        self.nodes.len().saturating_mul(self.scopes)
    }

    /// Returns about how many bytes the plan itself takes up.
    pub fn bytes(&self) -> usize {
        self.nodes.len().saturating_mul(size_of::<(Node, Pattern)>())
    }
}

fn counted(steps: u64) -> String {
    if steps == UNCOUNTED { "more than can be counted".to_owned() } else { steps.to_string() }
}
