//! How many schemas one value meets at one place, whatever it is: what references and combinations come to when
//! each is written out.

use std::collections::HashMap;

use super::count::UNCOUNTED;
use super::node::{Node, NodeId};
use crate::limits::SCHEMA_DEPTH_MAX;

/// What of a schema is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    /// The check of a value.
    Check,
    /// Finding out what of the value was evaluated, for `unevaluatedProperties` and `unevaluatedItems`.
    Mark,
}

/// Counts the expansion of each schema once.
pub(super) struct Expansion<'a> {
    nodes: &'a [Node],
    /// The count of a schema; none while it is being counted, by which a circle is seen.
    counts: HashMap<(NodeId, Part), Option<u64>>,
}

impl<'a> Expansion<'a> {
    /// The largest expansion of all schemas.
    pub(super) fn of(nodes: &'a [Node]) -> u64 {
        let mut expansion = Self { nodes, counts: HashMap::new() };
        (0..nodes.len()).map(|id| expansion.count(id, Part::Check, 0)).max().unwrap_or(0)
    }

    fn count(&mut self, id: NodeId, part: Part, depth: usize) -> u64 {
        match self.counts.get(&(id, part)) {
            Some(Some(count)) => return *count,
            // A circle: the value is checked without end.
            Some(None) => return UNCOUNTED,
            None if depth >= SCHEMA_DEPTH_MAX => return UNCOUNTED,
            None => {}
        }
        let Some(node) = self.nodes.get(id) else { return 0 };
        self.counts.insert((id, part), None);
        let mut count = node.fixed;
        for meant in &node.references {
            let dearest = meant.iter().map(|id| self.both(*id, part, depth)).max();
            count = count.saturating_add(dearest.unwrap_or(0));
        }
        let unions = node.unions.iter().flat_map(|union| &union.branches);
        for child in node.in_place.iter().chain(unions) {
            count = count.saturating_add(self.both(*child, part, depth));
        }
        if part == Part::Check && node.tries_again() {
            count = count.saturating_add(self.count(id, Part::Mark, depth + 1));
        }
        self.counts.insert((id, part), Some(count));
        count
    }

    fn both(&mut self, id: NodeId, part: Part, depth: usize) -> u64 {
        let check = self.count(id, Part::Check, depth + 1);
        match part {
            Part::Check => check,
            Part::Mark => check.saturating_add(self.count(id, Part::Mark, depth + 1)),
        }
    }
}
