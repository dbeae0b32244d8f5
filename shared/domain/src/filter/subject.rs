//! What patterns are matched with: an event's tree, its members sorted by name.

use crate::json::Json;
use crate::work::{Meter, Metered, steps_of};

/// An event as filters look at it. Each object's members are sorted, so that a name is found in one that has thousands
/// without looking at all.
#[derive(Clone, Debug)]
pub struct Subject<'a>(Json<'a>);

impl<'a> Subject<'a> {
    /// Sorts an event's tree.
    pub fn new(mut event: Json<'a>) -> Self {
        sort(&mut event);
        Self(event)
    }

    /// Returns the tree, sorted.
    pub(super) fn json(&self) -> &Json<'a> {
        &self.0
    }
}

fn sort(value: &mut Json<'_>) {
    match value {
        Json::Object(members) => {
            members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            for (_, member) in members {
                sort(member);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(sort),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Finds a member of a sorted object; none where it is not there, or the value is no object.
pub(super) fn member_of<'v, 'a>(
    value: &'v Json<'a>,
    name: &str,
    meter: &Meter,
) -> Metered<Option<&'v Json<'a>>> {
    let Json::Object(members) = value else { return Ok(None) };
    meter.spend(1 + steps_of(name.len()))?;
    let found = members.binary_search_by(|(found, _)| found.as_ref().cmp(name));
    Ok(found.ok().and_then(|at| members.get(at)).map(|(_, member)| member))
}
