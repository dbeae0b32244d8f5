//! Counts what checking one value costs: a walk over pairs of a schema and a value, each pair of which is counted
//! once and remembered, though the validator does it as often as it comes to it.

use std::collections::HashMap;

use serde_json::{Number, Value};

use super::count::{UNCOUNTED, size, steps_of, text_size};
use super::node::{Node, NodeId, Union};
use super::pattern::Pattern;
use super::references::address;
use crate::limits::{SCHEMA_DEPTH_MAX, SCHEMA_PAIRS_MAX};

/// Steps of reading a byte of text for its format.
const STEPS_PER_TEXT_BYTE: u64 = 8;
/// Items up to which a validator compares each with each.
const PAIRWISE_ITEMS: u64 = 16;
/// Comparisons of two parts of items that take as long as one step.
const COMPARISONS_PER_STEP: u64 = 8;
/// Whole numbers up to here, and no larger ones, are told apart by the hashes that validators use.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// What is done with a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Task {
    /// Saying whether it fits.
    Check,
    /// Finding out what of it was evaluated, for `unevaluatedProperties` and `unevaluatedItems`.
    Mark,
    /// Naming every place at which it does not fit. What failed is checked first, and then gone through again.
    Explain,
}

/// A value, or the name of a member where names are checked.
#[derive(Clone, Copy)]
enum Data<'d> {
    Value(&'d Value),
    Name(&'d str),
}

impl<'d> Data<'d> {
    fn text(self) -> Option<&'d str> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Name(name) => Some(name),
        }
    }

    /// Where the value is, if it holds others: only then is its count remembered.
    fn container(self) -> Option<usize> {
        match self {
            Self::Value(value) if value.is_object() || value.is_array() => Some(address(value)),
            Self::Value(_) | Self::Name(_) => None,
        }
    }

    fn is_object(self) -> bool {
        matches!(self, Self::Value(Value::Object(_)))
    }
}

/// One count, given up when it has taken as many visits as steps are allowed: each visit is a step at least.
pub(super) struct Walk<'a> {
    nodes: &'a [Node],
    known: HashMap<(NodeId, usize, Task), u64>,
    visits_left: u64,
    depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(nodes: &'a [Node], visits_max: u64) -> Self {
        Self { nodes, known: HashMap::new(), visits_left: visits_max, depth: 0 }
    }

    /// Counts the steps of a task on a schema.
    pub(super) fn steps(&mut self, root: NodeId, task: Task, value: &Value) -> u64 {
        self.visit(root, Data::Value(value), task)
    }

    fn visit(&mut self, id: NodeId, data: Data<'_>, task: Task) -> u64 {
        let key = data.container().map(|address| (id, address, task));
        if let Some(known) = key.and_then(|key| self.known.get(&key)) {
            return *known;
        }
        let has_room = self.depth < SCHEMA_DEPTH_MAX && self.known.len() < SCHEMA_PAIRS_MAX;
        if self.visits_left == 0 || !has_room {
            // The rest of the walk is over as well.
            self.visits_left = 0;
            return UNCOUNTED;
        }
        self.visits_left -= 1;
        let Some(node) = self.nodes.get(id) else { return 0 };
        self.depth += 1;
        let steps = self.count(id, node, data, task);
        self.depth -= 1;
        if let Some(key) = key {
            self.known.insert(key, steps);
        }
        steps
    }

    fn count(&mut self, id: NodeId, node: &'a Node, data: Data<'_>, task: Task) -> u64 {
        let mut steps = own_steps(node, data);
        for meant in &node.references {
            let each = meant.iter().map(|id| self.same_value(*id, data, task));
            steps = steps.saturating_add(each.max().unwrap_or(0));
        }
        for child in &node.in_place {
            steps = steps.saturating_add(self.same_value(*child, data, task));
        }
        for union in &node.unions {
            steps = steps.saturating_add(self.union(union, data, task));
        }
        steps = steps.saturating_add(self.inside(node, data, task));
        if task == Task::Explain {
            // It is checked before it is explained.
            steps = steps.saturating_add(self.visit(id, data, Task::Check));
        }
        if task != Task::Mark && node.tries_again() {
            steps = steps.saturating_add(self.visit(id, data, Task::Mark));
        }
        steps
    }

    /// Counts a schema that is applied to the same value: to mark what it evaluated, it is checked first.
    fn same_value(&mut self, id: NodeId, data: Data<'_>, task: Task) -> u64 {
        let steps = self.visit(id, data, task);
        match task {
            Task::Check => steps,
            Task::Mark | Task::Explain => steps.saturating_add(self.visit(id, data, Task::Check)),
        }
    }

    /// Counts a union: a check tries the branch that is asked for alone, where the branches are tagged.
    fn union(&mut self, union: &Union, data: Data<'_>, task: Task) -> u64 {
        let each = union.branches.iter().map(|branch| self.same_value(*branch, data, task));
        if union.is_tagged && task == Task::Check && data.is_object() {
            each.max().unwrap_or(0)
        } else {
            each.fold(0, u64::saturating_add)
        }
    }

    /// Counts what the members or items of a value cost.
    fn inside(&mut self, node: &'a Node, data: Data<'_>, task: Task) -> u64 {
        let mut steps: u64 = 0;
        match data {
            Data::Value(Value::Object(members)) => {
                for (name, value) in members {
                    let each = self.member(node, name, value, task);
                    steps = steps.saturating_add(each).saturating_add(text_size(name));
                }
            }
            Data::Value(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let each = self.item(node, index, item, task);
                    steps = steps.saturating_add(each).saturating_add(1);
                }
            }
            Data::Value(_) | Data::Name(_) => {}
        }
        steps
    }

    /// Counts a member. Only what has no name among the schema's properties is checked again to be marked.
    fn member(&mut self, node: &'a Node, name: &str, value: &Value, task: Task) -> u64 {
        let (mut steps, mut children) = (0_u64, Vec::new());
        let own = node.properties.get(name);
        for (pattern, child) in &node.pattern_properties {
            steps = steps.saturating_add(pattern.steps(name));
            if task != Task::Mark && pattern.may_match(name) {
                children.push(*child);
            }
        }
        if own.is_none() {
            children.extend(node.unevaluated_properties);
        }
        if task == Task::Mark {
            return steps.saturating_add(self.each(&children, Data::Value(value), Task::Check));
        }
        children.extend(own.copied().or(node.additional_properties));
        steps = steps.saturating_add(self.each(&children, Data::Value(value), task));
        let names = node.property_names.as_slice();
        steps.saturating_add(self.each(names, Data::Name(name), task))
    }

    fn item(&mut self, node: &'a Node, index: usize, item: &Value, task: Task) -> u64 {
        let mut children: Vec<NodeId> = node.contains.into_iter().collect();
        children.extend(node.unevaluated_items);
        if task == Task::Mark {
            return self.each(&children, Data::Value(item), Task::Check);
        }
        children.extend(node.prefix_items.get(index));
        let from_here = node.items.iter().filter(|(from, _)| index >= *from);
        children.extend(from_here.map(|(_, child)| *child));
        self.each(&children, Data::Value(item), task)
    }

    fn each(&mut self, children: &[NodeId], data: Data<'_>, task: Task) -> u64 {
        let counts = children.iter().map(|child| self.visit(*child, data, task));
        counts.fold(0, u64::saturating_add)
    }
}

/// What a schema does with a value itself, not counting what is in it.
fn own_steps(node: &Node, data: Data<'_>) -> u64 {
    let mut steps = node.fixed;
    if let Some(text) = data.text() {
        steps = steps.saturating_add(text_size(text));
        steps =
            steps.saturating_add(node.pattern.as_ref().map_or(0, |it| Pattern::steps(it, text)));
        if node.reads_text {
            steps = steps.saturating_add(steps_of(text.len()).saturating_mul(STEPS_PER_TEXT_BYTE));
        }
    }
    if let (true, Data::Value(Value::Array(items))) = (node.unique_items, data) {
        steps = steps.saturating_add(unique_steps(items));
    }
    steps
}

/// Counts the steps of telling items apart. Validators sort by hash; items that hold others, and numbers that are
/// too large to be exact, can be chosen so that all hashes are one, and each is compared with each.
fn unique_steps(items: &[Value]) -> u64 {
    let parts = items.iter().map(size).fold(0, u64::saturating_add);
    let may_collide = |item: &&Value| match item {
        Value::Array(_) | Value::Object(_) => true,
        Value::Number(number) => !is_exact(number),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    };
    let colliding = steps_of(items.iter().filter(may_collide).count());
    let compared = parts.saturating_mul(colliding.max(PAIRWISE_ITEMS)) / COMPARISONS_PER_STEP;
    compared.saturating_add(parts)
}

fn is_exact(number: &Number) -> bool {
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    magnitude.is_none_or(|magnitude| magnitude < EXACT_INTEGER_MAX)
}
