//! One schema of a plan, and what it leads to.

use std::collections::BTreeMap;

use super::pattern::Pattern;

/// The place of a schema in its plan.
pub(super) type NodeId = usize;

/// One schema of the document: what it costs where a value meets it, and which schemas the value, or what is in
/// it, meets by it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Steps that any value costs: one for the schema, one for each keyword, and the sizes of constants.
    pub(super) fixed: u64,
    /// Schemas that a reference may mean: one of each list is applied to the same value.
    pub(super) references: Vec<Vec<NodeId>>,
    /// Schemas that are applied to the same value.
    pub(super) in_place: Vec<NodeId>,
    /// `anyOf` and `oneOf`.
    pub(super) unions: Vec<Union>,
    pub(super) properties: BTreeMap<String, NodeId>,
    pub(super) pattern_properties: Vec<(Pattern, NodeId)>,
    pub(super) additional_properties: Option<NodeId>,
    pub(super) unevaluated_properties: Option<NodeId>,
    pub(super) property_names: Option<NodeId>,
    pub(super) prefix_items: Vec<NodeId>,
    /// Schemas of the items from an index on.
    pub(super) items: Vec<(usize, NodeId)>,
    pub(super) contains: Option<NodeId>,
    pub(super) unevaluated_items: Option<NodeId>,
    pub(super) pattern: Option<Pattern>,
    /// Whether a text is read as a whole, as `format` does.
    pub(super) reads_text: bool,
    pub(super) unique_items: bool,
}

/// Schemas of which one, or any, must take the same value.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) branches: Vec<NodeId>,
    /// Whether a member of the value says which branch alone is tried, so that only one is.
    pub(super) is_tagged: bool,
}

impl Node {
    /// Whether what the neighbours have evaluated is found out by trying them again.
    pub(super) fn tries_again(&self) -> bool {
        self.unevaluated_properties.is_some() || self.unevaluated_items.is_some()
    }
}
