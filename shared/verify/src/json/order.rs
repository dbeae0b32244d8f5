//! The order of an object's members once a language has parsed it, and what survives JavaScript.

use std::collections::HashMap;

use super::node::{Member, Node};
use super::number;
use super::text::{has_lone_surrogate, units};

/// Orders members as a Python dictionary does: a name's last value, where it first stood.
pub(crate) fn deduplicate<'n, 'a>(members: &'n [Member<'a>]) -> Vec<&'n Member<'a>> {
    let mut places: HashMap<Vec<u16>, usize> = HashMap::with_capacity(members.len());
    let mut kept: Vec<&Member<'_>> = Vec::with_capacity(members.len());
    for member in members {
        let place = *places.entry(units(member.name)).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(first) => *first = member,
            None => kept.push(member),
        }
    }
    kept
}

/// Orders members as a JavaScript object does: integer-like names first, by number.
pub(crate) fn javascript<'n, 'a>(members: &'n [Member<'a>]) -> Vec<&'n Member<'a>> {
    let mut kept = deduplicate(members);
    kept.sort_by_key(|member| array_index(member.name).unwrap_or(u32::MAX));
    kept
}

/// Sorts members by name, in the order of UTF-16 units.
pub(crate) fn sort<'n, 'a>(mut members: Vec<&'n Member<'a>>) -> Vec<&'n Member<'a>> {
    members.sort_by_cached_key(|member| units(member.name));
    members
}

/// What ECMAScript calls an array index: a canonical integer below 2^32 - 1.
fn array_index(name: &str) -> Option<u32> {
    let text = String::from_utf16(&units(name)).ok()?;
    let index: u32 = text.parse().ok()?;
    (index < u32::MAX && index.to_string() == text).then_some(index)
}

/// Whether JavaScript holds the same values in the same order.
pub(crate) fn survives(node: &Node<'_>) -> bool {
    match node {
        Node::Word(_) => true,
        Node::Number(written) => number::is_exact(written),
        Node::Text(raw) => !has_lone_surrogate(raw),
        Node::Array(items) => items.iter().all(survives),
        Node::Object(members) => {
            let held = javascript(members);
            held.len() == members.len()
                && held.iter().zip(members).all(|(held, member)| held.place == member.place)
                && members.iter().all(|member| {
                    !has_lone_surrogate(member.name)
                        && units(member.name) != units("__proto__")
                        && survives(&member.value)
                })
        }
    }
}
