//! From a pattern's JSON to a filter: every fault named by its pointer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::condition::Condition;
use super::formula::{Fields, Formula};
use super::tree::{Leaf, Members};
use super::{ALTERNATIVES_MAX, COMBINATIONS_MAX, DEPTH_MAX, Filter, operator};
use crate::json::{Fault, Json, escape_pointer};

/// The one operator that stands where a field does.
const OR: &str = "$or";

pub(super) fn compile(pattern: &Json<'_>) -> Result<Filter, Vec<Fault>> {
    let mut compiler = Compiler::default();
    let formula = compiler.pattern(pattern, &Place::default()).formula;
    if compiler.alternatives > ALTERNATIVES_MAX {
        compiler.fault("", &format!("has more than {ALTERNATIVES_MAX} alternatives"));
    }
    if formula.combinations() > COMBINATIONS_MAX {
        compiler.fault("", &format!("combines in more than {COMBINATIONS_MAX} ways"));
    }
    if compiler.faults.is_empty() {
        Ok(Filter { fields: compiler.tree, formula })
    } else {
        Err(compiler.faults)
    }
}

/// What was found so far. Compiling goes on after a fault, to name the next one as well.
#[derive(Default)]
struct Compiler {
    faults: Vec<Fault>,
    alternatives: usize,
    fields: u32,
    tree: Members,
}

/// A place in the pattern.
#[derive(Clone, Default)]
struct Place<'p> {
    pointer: String,
    /// The names that lead to it in an event: no `$or` among them.
    path: Vec<&'p str>,
    depth: usize,
    in_or: bool,
}

/// What must match, and where each of its fields stands.
#[derive(Default)]
struct Part<'p> {
    formula: Formula,
    pointers: BTreeMap<Vec<&'p str>, String>,
}

impl<'p> Place<'p> {
    fn child(&self, name: &str) -> Self {
        let pointer = format!("{}/{}", self.pointer, escape_pointer(name));
        Self { pointer, ..self.clone() }
    }

    fn field(&self, name: &'p str) -> Self {
        let mut place = self.child(name);
        place.path.push(name);
        place
    }
}

impl<'p> Part<'p> {
    /// The field that cannot be asked for beside one at that path: the same, or one that holds the
    /// other. (A field that holds another is no value; an array may hold both, in two elements.)
    fn clash(&self, path: &[&'p str]) -> Option<&String> {
        let holder = (1..=path.len()).find_map(|length| self.pointers.get(path.get(..length)?));
        let below = self.pointers.range(path.to_vec()..).next();
        holder.or_else(|| below.filter(|(other, _)| other.starts_with(path)).map(|(_, at)| at))
    }
}

impl Compiler {
    fn fault(&mut self, pointer: &str, detail: &str) {
        self.faults.push(Fault::new(pointer, detail));
    }

    fn refuse<'p>(&mut self, place: &Place<'p>, detail: &str) -> Part<'p> {
        self.fault(&place.pointer, detail);
        Part::default()
    }

    fn pattern<'p>(&mut self, pattern: &'p Json<'_>, place: &Place<'p>) -> Part<'p> {
        let Json::Object(members) = pattern else {
            let detail = format!("must be an object of fields, not {}", pattern.kind());
            return self.refuse(place, &detail);
        };
        if members.is_empty() {
            return self.refuse(place, "has no fields");
        }
        if place.depth == DEPTH_MAX {
            return self.refuse(place, &format!("is nested deeper than {DEPTH_MAX} levels"));
        }
        self.members(members, &Place { depth: place.depth + 1, ..place.clone() })
    }

    fn members<'p>(
        &mut self,
        members: &'p [(Cow<'_, str>, Json<'_>)],
        place: &Place<'p>,
    ) -> Part<'p> {
        let mut whole = Part::default();
        for (name, value) in members {
            let part = if name == OR {
                self.choice(value, &place.child(name))
            } else {
                self.field(name, value, &place.field(name))
            };
            self.join(&mut whole, part);
        }
        whole
    }

    /// Joins two parts, if they ask for different fields.
    fn join<'p>(&mut self, whole: &mut Part<'p>, part: Part<'p>) {
        for (path, pointer) in &part.pointers {
            if let Some(other) = whole.clash(path) {
                let detail = format!("asks for the field of {other}: name it in each of the $or");
                self.fault(pointer, &detail);
            }
        }
        whole.formula.and(part.formula);
        whole.pointers.extend(part.pointers);
    }

    fn choice<'p>(&mut self, value: &'p Json<'_>, place: &Place<'p>) -> Part<'p> {
        let Some(patterns) = value.as_array().filter(|patterns| patterns.len() > 1) else {
            return self.refuse(place, "must be an array of two patterns or more");
        };
        let mut any = Part::default();
        let mut choice = Vec::with_capacity(patterns.len());
        for (index, pattern) in patterns.iter().enumerate() {
            let place = Place { in_or: true, ..place.child(&index.to_string()) };
            let part = self.pattern(pattern, &place);
            choice.push(part.formula);
            for (path, pointer) in part.pointers {
                any.pointers.entry(path).or_insert(pointer);
            }
        }
        any.formula.choices.push(choice);
        any
    }

    fn field<'p>(&mut self, name: &str, value: &'p Json<'_>, place: &Place<'p>) -> Part<'p> {
        if name.starts_with('$') {
            return self.refuse(place, &operator::describe_unknown(name));
        }
        if place.in_or && operator::is_reserved(name) {
            return self.refuse(place, "is an operator's name, which no field in a $or may have");
        }
        match value {
            Json::Object(_) => self.pattern(value, place),
            Json::Array(items) if items.is_empty() => self.refuse(place, "has no alternatives"),
            Json::Array(items) => self.leaf(items, place),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                self.refuse(place, "must be an array of alternatives, or an object of fields")
            }
        }
    }

    fn leaf<'p>(&mut self, items: &[Json<'_>], place: &Place<'p>) -> Part<'p> {
        let alternatives = items.iter().enumerate();
        let conditions =
            alternatives.filter_map(|(index, item)| self.alternative(item, place, index)).collect();
        // A field without a bit is one of too many, for which the pattern is refused.
        let field: Fields = 1_u128.checked_shl(self.fields).unwrap_or(0);
        self.fields += 1;
        self.tree.insert(&place.path, Leaf::new(field, conditions));
        Part {
            formula: Formula { all: field, choices: Vec::new() },
            pointers: BTreeMap::from([(place.path.clone(), place.pointer.clone())]),
        }
    }

    fn alternative(
        &mut self,
        item: &Json<'_>,
        place: &Place<'_>,
        index: usize,
    ) -> Option<Condition> {
        self.alternatives += 1;
        let compiled = operator::compile(item, &format!("{}/{index}", place.pointer));
        compiled.map_err(|faults| self.faults.extend(faults)).ok()
    }
}
