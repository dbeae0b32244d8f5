//! Content filters: `EventBridge` event patterns over the whole event.
//!
//! Every field that a pattern names must match; of a field's alternatives, one; of a `$or`'s
//! patterns, one. An alternative is a string, number, boolean or null, or one operator:
//!
//! | operator | matches |
//! | --- | --- |
//! | `{"prefix": "a"}`, `{"suffix": "a"}` | text that begins or ends so; or `{"equals-ignore-case": "a"}` |
//! | `{"equals-ignore-case": "a"}` | text, whatever its case |
//! | `{"wildcard": "a*b"}` | text, `*` being any characters; `\*` and `\\` are themselves |
//! | `{"numeric": [">", 0, "<=", 5]}` | numbers: one comparison of `< <= = >= >`, or a range |
//! | `{"cidr": "10.0.0.0/8"}` | text that is an address of that network |
//! | `{"exists": true}` | a value, null too; `false`: none, as in `[]` and objects |
//! | `{"anything-but": …}` | a value that is none of these: a text, a number, a list of either, or `prefix`, `suffix`, `equals-ignore-case` or `wildcard` of one text or a list |
//!
//! Where the event's value is an array, one of its elements must match; conditions that meet in an
//! array of objects must hold in one and the same element. That goes for `anything-but` too:
//! `["a","b"]` is anything but `"a"`, by `"b"`.
//!
//! The meaning is that of `aws/event-ruler`, which `EventBridge` runs. Deliberately different:
//! - A member's name with a dot is one name. Ruler's README calls the other a caveat.
//! - Numbers compare by exact decimal value, without bounds. Ruler takes none beyond ±5e9, and
//!   rounds to six decimals.
//! - Refused, because ruler takes it for something else than it says: a field both beside a `$or`
//!   and in it (the last one wins), or as value and as object at once; a network with bits beyond its
//!   mask (it begins there); names with `$` that are no operator (a field of that name).
//! - Taken, though ruler refuses it: a network of one address, as `10.0.0.1/32`.
//!
//! What a match costs depends on pattern and event together, so it is counted while it is done: a
//! step for each value and each condition that is looked at, and for each sixteen bytes of a text
//! ([`crate::work`]).
//!
//! A pattern with an operator that is not known does not compile: it never silently matches
//! everything, or nothing.

mod compile;
mod condition;
mod formula;
mod likeness;
mod network;
mod operator;
mod subject;
mod tree;
mod wildcard;

pub use self::subject::Subject;

use self::formula::Formula;
use self::operator::Operator;
use self::tree::Members;
use crate::json::{Fault, Json};
use crate::work::{Meter, Metered};

/// Bytes of a pattern: four times `EventBridge`'s, for lists of ids.
pub const BYTES_MAX: usize = 8 * 1024;
/// Alternatives of a pattern, all fields together: what every event costs to match.
pub const ALTERNATIVES_MAX: usize = 100;
/// Levels of a pattern, those of `$or` included: the recursion.
pub const DEPTH_MAX: usize = 8;
/// Ways in which the patterns of all `$or` combine, as `EventBridge` has it. They are tried one by
/// one only on an event with arrays of objects where the pattern looks.
pub const COMBINATIONS_MAX: usize = 1_000;

/// Gives the names of all operators but `$or`, which stands where a field does.
pub fn operators() -> impl Iterator<Item = &'static str> {
    Operator::ALL.into_iter().map(Operator::name)
}

/// A compiled pattern. It owns what it needs, so that it outlives its text and can be cached.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Holds every field of the pattern with its conditions, those of every `$or` as well.
    fields: Members,
    /// Says which of the fields must match.
    formula: Formula,
}

impl Filter {
    /// Compiles a pattern, or names every fault in it; pointers start at the pattern.
    pub fn compile(pattern: &Json<'_>) -> Result<Self, Vec<Fault>> {
        compile::compile(pattern)
    }

    /// Whether the event matches. What it costs is counted by the meter, and it is told where that is too much.
    ///
    /// `$or` is not multiplied out. One look at the event tells which fields can match, and that is
    /// the answer but for arrays of objects, where all of one combination must hold in one element.
    pub fn matches(&self, event: &Subject<'_>, meter: &Meter) -> Metered<bool> {
        let event = event.json();
        if let Some(wanted) = self.formula.without_choices() {
            return self.fields.all_match(event, wanted, meter);
        }
        let seen = self.fields.look(event, meter)?;
        if !self.formula.holds(seen.possible) {
            return Ok(false);
        }
        if !seen.arrays {
            return Ok(true);
        }
        let passes = |wanted| self.fields.all_match(event, wanted, meter);
        self.formula.any_combination(seen.possible, meter, &passes)
    }
}

#[cfg(test)]
mod tests;
