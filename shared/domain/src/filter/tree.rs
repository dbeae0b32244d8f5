//! A pattern's fields as a tree of names, and the walk of an event along it.
//!
//! Ruler flattens the event into fields, each with the array elements it lies in, takes the pattern's
//! fields in sorted order, and searches for values that satisfy all of them and whose elements agree
//! (`ArrayMembership.checkArrayConsistency`). A field is absent where it has no value that agrees with
//! what was chosen before it. That search is exponential in the worst case; this walk gives the same
//! answers, because of two facts:
//! - Under different members of an object lie different arrays, so members do not constrain each
//!   other.
//! - In an array, the first field (in sorted order) that has a value anywhere cannot be taken for
//!   absent, so it picks the element, and all fields after it are asked of that element alone.

use super::BYTES_MAX;
use super::condition::{Condition, Scalar};
use super::formula::Fields;
use super::subject::member_of;
use crate::json::Json;
use crate::work::{Meter, Metered, all, any, steps_of};

/// Members of an object, sorted as ruler sorts its fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Members(Vec<Member>);

#[derive(Clone, Debug, PartialEq)]
struct Member {
    name: String,
    /// Every field that is here or below.
    fields: Fields,
    /// The fields among them that match where there is no value.
    absent: Fields,
    pattern: Pattern,
}

#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Members(Members),
    /// The conditions of several patterns of a `$or` on the same name. Any one combination holds at
    /// most one of them.
    Leaves(Vec<Leaf>),
}

/// One field of the pattern, which matches under any of these conditions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    field: Fields,
    /// The texts that it may be equal to, sorted: lists of ids may be long, and events have many values.
    texts: Vec<String>,
    /// What else it may match under.
    conditions: Vec<Condition>,
}

/// What one look at an event has found.
#[derive(Default)]
pub(super) struct LookResult {
    /// The fields that match somewhere. Exact unless there were arrays.
    pub(super) possible: Fields,
    /// Whether there was an array where the pattern has an object.
    pub(super) arrays: bool,
}

impl Members {
    /// Adds a field. `path` has a name at least.
    pub(super) fn insert(&mut self, path: &[&str], leaf: Leaf) {
        let Some((name, rest)) = path.split_first() else { return };
        let is_leaf = rest.is_empty();
        let key = order_key(name, is_leaf);
        let found = self.0.binary_search_by(|member| {
            let is_leaf = matches!(member.pattern, Pattern::Leaves(_));
            order_key(&member.name, is_leaf).cmp(key.clone())
        });
        let index = found.unwrap_or_else(|index| {
            let pattern = if is_leaf {
                Pattern::Leaves(Vec::new())
            } else {
                Pattern::Members(Self::default())
            };
            self.0.insert(index, Member::new(name, pattern));
            index
        });
        let Some(member) = self.0.get_mut(index) else { return };
        member.fields |= leaf.field;
        if leaf.takes_absence() {
            member.absent |= leaf.field;
        }
        match &mut member.pattern {
            Pattern::Members(members) => members.insert(rest, leaf),
            Pattern::Leaves(leaves) => leaves.push(leaf),
        }
    }

    /// Whether the event has all the wanted fields, as they are wanted.
    pub(super) fn all_match(
        &self,
        value: &Json<'_>,
        wanted: Fields,
        meter: &Meter,
    ) -> Metered<bool> {
        meter.spend(self.0.len())?;
        match value {
            Json::Object(_) => all(self.members_of(wanted), |member| {
                match member_of(value, &member.name, meter)? {
                    Some(found) => member.matches(found, wanted, meter),
                    None => Ok(member.takes_absence(wanted)),
                }
            }),
            Json::Array(elements) => self.match_in_array(value, elements, wanted, meter),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                Ok(self.members_of(wanted).all(|member| member.takes_absence(wanted)))
            }
        }
    }

    /// Finds which fields match, each by itself.
    pub(super) fn look(&self, event: &Json<'_>, meter: &Meter) -> Metered<LookResult> {
        let mut seen = LookResult::default();
        self.look_at(event, &mut seen, meter)?;
        Ok(seen)
    }

    fn members_of(&self, wanted: Fields) -> impl Iterator<Item = &Member> {
        self.0.iter().filter(move |member| member.fields & wanted != 0)
    }

    /// Whether one element of an array has all the wanted fields: they may not be put together from
    /// several elements.
    fn match_in_array(
        &self,
        array: &Json<'_>,
        elements: &[Json<'_>],
        wanted: Fields,
        meter: &Meter,
    ) -> Metered<bool> {
        let mut path = Vec::new();
        match self.first_in(array, wanted, &mut path, meter)? {
            First::Nothing => Ok(true),
            First::Unmet => Ok(false),
            // Fields before it are absent from the whole array, so from the element as well, and
            // are asked for there.
            First::Value => any(elements, |element| {
                Ok(has_value(&path, element, meter)? && self.all_match(element, wanted, meter)?)
            }),
        }
    }

    /// The first field that has a value in the array; its names are then in `path`.
    fn first_in<'p>(
        &'p self,
        array: &Json<'_>,
        wanted: Fields,
        path: &mut Vec<&'p str>,
        meter: &Meter,
    ) -> Metered<First> {
        for member in self.members_of(wanted) {
            path.push(&member.name);
            let first = match &member.pattern {
                Pattern::Members(members) => members.first_in(array, wanted, path, meter)?,
                Pattern::Leaves(_) if has_value(path, array, meter)? => First::Value,
                Pattern::Leaves(_) if member.takes_absence(wanted) => First::Nothing,
                Pattern::Leaves(_) => First::Unmet,
            };
            if !matches!(first, First::Nothing) {
                return Ok(first);
            }
            path.pop();
        }
        Ok(First::Nothing)
    }

    fn look_at(&self, value: &Json<'_>, seen: &mut LookResult, meter: &Meter) -> Metered<()> {
        meter.spend(self.0.len())?;
        match value {
            Json::Object(_) => {
                for member in &self.0 {
                    match member_of(value, &member.name, meter)? {
                        Some(found) => member.look_at(found, seen, meter)?,
                        None => seen.possible |= member.absent,
                    }
                }
            }
            Json::Array(elements) => {
                seen.arrays = true;
                seen.possible |= self.match_absence();
                for element in elements {
                    self.look_at(element, seen, meter)?;
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                seen.possible |= self.match_absence();
            }
        }
        Ok(())
    }

    /// Returns the fields that match where there is no value.
    fn match_absence(&self) -> Fields {
        self.0.iter().fold(0, |fields, member| fields | member.absent)
    }
}

/// What the pattern's fields, in order, find in an array.
enum First {
    /// None has a value, and all are content with that.
    Nothing,
    /// One has no value and is not content with that.
    Unmet,
    /// One has a value, and those before it are content with none.
    Value,
}

impl Member {
    fn new(name: &str, pattern: Pattern) -> Self {
        Self { name: name.to_owned(), fields: 0, absent: 0, pattern }
    }

    fn matches(&self, value: &Json<'_>, wanted: Fields, meter: &Meter) -> Metered<bool> {
        match &self.pattern {
            Pattern::Members(members) => members.all_match(value, wanted, meter),
            Pattern::Leaves(leaves) => {
                let asked = leaves.iter().filter(|leaf| leaf.field & wanted != 0);
                all(asked, |leaf| leaf.matches(value, meter))
            }
        }
    }

    fn look_at(&self, value: &Json<'_>, seen: &mut LookResult, meter: &Meter) -> Metered<()> {
        match &self.pattern {
            Pattern::Members(members) => members.look_at(value, seen, meter)?,
            Pattern::Leaves(leaves) => {
                for leaf in leaves {
                    if leaf.matches(value, meter)? {
                        seen.possible |= leaf.field;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether all that is wanted of it is content with nothing being there.
    fn takes_absence(&self, wanted: Fields) -> bool {
        self.fields & wanted & !self.absent == 0
    }
}

impl Leaf {
    /// Makes a field that matches under any of these conditions.
    pub(super) fn new(field: Fields, all: Vec<Condition>) -> Self {
        let (mut texts, mut conditions) = (Vec::new(), Vec::new());
        for condition in all {
            if let Condition::Equals(Scalar::Text(text)) = condition {
                texts.push(text);
            } else {
                conditions.push(condition);
            }
        }
        texts.sort_unstable();
        Self { field, texts, conditions }
    }

    fn matches(&self, value: &Json<'_>, meter: &Meter) -> Metered<bool> {
        if has_scalar(value, meter)? {
            self.any_holds(value, meter)
        } else {
            Ok(self.takes_absence())
        }
    }

    fn any_holds(&self, value: &Json<'_>, meter: &Meter) -> Metered<bool> {
        match value {
            Json::Array(elements) => {
                meter.spend(1)?;
                any(elements, |element| self.any_holds(element, meter))
            }
            Json::Object(_) => Ok(false),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(self
                .is_one_of_the_texts(value, meter)?
                || any(&self.conditions, |condition| {
                    meter.spend(condition.steps(value))?;
                    Ok(condition.holds(value))
                })?),
        }
    }

    fn is_one_of_the_texts(&self, value: &Json<'_>, meter: &Meter) -> Metered<bool> {
        let Some(text) = value.as_str().filter(|_| !self.texts.is_empty()) else {
            return Ok(false);
        };
        // All of the texts together are no longer than a pattern.
        meter.spend(1 + steps_of(text.len().min(BYTES_MAX)))?;
        Ok(self.texts.binary_search_by(|known| known.as_str().cmp(text)).is_ok())
    }

    fn takes_absence(&self) -> bool {
        self.conditions.iter().any(Condition::takes_absence)
    }
}

/// Whether there is any value at that path, arrays on the way walked into.
fn has_value(path: &[&str], value: &Json<'_>, meter: &Meter) -> Metered<bool> {
    meter.spend(1)?;
    if let Json::Array(elements) = value
        && !path.is_empty()
    {
        return any(elements, |element| has_value(path, element, meter));
    }
    match path.split_first() {
        None => has_scalar(value, meter),
        Some((name, rest)) => match member_of(value, name, meter)? {
            Some(member) => has_value(rest, member, meter),
            None => Ok(false),
        },
    }
}

/// Whether the value is, or is an array that holds, something other than arrays and objects.
fn has_scalar(value: &Json<'_>, meter: &Meter) -> Metered<bool> {
    meter.spend(1)?;
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(true),
        Json::Array(elements) => any(elements, |element| has_scalar(element, meter)),
        Json::Object(_) => Ok(false),
    }
}

/// The key by which ruler orders a pattern's fields: their names joined with dots.
fn order_key(name: &str, is_leaf: bool) -> impl Iterator<Item = u8> + Clone {
    name.bytes().chain((!is_leaf).then_some(b'.'))
}
