//! Ruler's own way, once more and in the plainest form: `$or` multiplied out, the event flattened into
//! fields with the array elements that they lie in, then a search. From the pattern's JSON, so that
//! nothing of what it is compared with is used.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::json::Json;

/// One way through all `$or`: the paths, joined with dots as ruler does, and their alternatives.
type Rule<'p> = BTreeMap<String, &'p [Json<'p>]>;

/// A value, the names that lead to it, and the array elements it lies in.
struct Field<'e> {
    path: String,
    value: &'e Json<'e>,
    elements: BTreeMap<usize, usize>,
}

#[derive(Default)]
struct FlatEvent<'e> {
    fields: Vec<Field<'e>>,
    arrays: usize,
}

/// Whether the event matches; none where a field is both beside a `$or` and in it, or holds another.
pub(super) fn matches<'j>(pattern: &'j Json<'j>, event: &'j Json<'j>) -> Option<bool> {
    let mut flattened = FlatEvent::default();
    flattened.add("", event, &BTreeMap::new());
    let rules = expand("", pattern, vec![Rule::new()])?;
    if rules.iter().any(has_holder) {
        return None;
    }
    let satisfied = |rule: &Rule<'_>| {
        let wanted: Vec<_> = rule.iter().map(|(path, any)| (path.as_str(), *any)).collect();
        flattened.satisfies(&wanted, &BTreeMap::new())
    };
    Some(rules.iter().any(satisfied))
}

fn has_holder(rule: &Rule<'_>) -> bool {
    rule.keys().any(|path| rule.keys().any(|other| other.starts_with(&format!("{path}."))))
}

fn expand<'p>(path: &str, pattern: &'p Json<'p>, rules: Vec<Rule<'p>>) -> Option<Vec<Rule<'p>>> {
    pattern.as_object().unwrap().iter().try_fold(rules, |rules, (name, value)| match value {
        Json::Array(patterns) if name == "$or" => {
            let ways = patterns.iter().map(|one| expand(path, one, rules.clone()));
            ways.collect::<Option<Vec<_>>>().map(|ways| ways.concat())
        }
        Json::Array(alternatives) => rules
            .into_iter()
            .map(|mut rule| {
                rule.insert(format!("{path}.{name}"), alternatives).is_none().then_some(rule)
            })
            .collect(),
        _ => expand(&format!("{path}.{name}"), value, rules),
    })
}

impl<'e> FlatEvent<'e> {
    fn add(&mut self, path: &str, value: &'e Json<'e>, elements: &BTreeMap<usize, usize>) {
        match value {
            Json::Object(members) => {
                for (name, member) in members {
                    self.add(&format!("{path}.{name}"), member, elements);
                }
            }
            Json::Array(array) => {
                let id = self.arrays;
                self.arrays += 1;
                for (index, element) in array.iter().enumerate() {
                    let mut elements = elements.clone();
                    if matches!(element, Json::Array(_) | Json::Object(_)) {
                        elements.insert(id, index);
                    }
                    self.add(path, element, &elements);
                }
            }
            _ => {
                self.fields.push(Field {
                    path: path.to_owned(),
                    value,
                    elements: elements.clone(),
                });
            }
        }
    }

    fn satisfies(&self, wanted: &[(&str, &[Json<'_>])], chosen: &BTreeMap<usize, usize>) -> bool {
        let Some(((path, alternatives), rest)) = wanted.split_first() else { return true };
        let agrees = |field: &&Field<'_>| {
            field
                .elements
                .iter()
                .all(|(id, index)| chosen.get(id).is_none_or(|element| element == index))
        };
        let mut agreeing =
            self.fields.iter().filter(|field| field.path == *path).filter(agrees).peekable();
        if agreeing.peek().is_none() {
            let absent =
                alternatives.iter().any(|any| any.get("exists") == Some(&Json::Bool(false)));
            return absent && self.satisfies(rest, chosen);
        }
        agreeing.any(|field| {
            let mut chosen = chosen.clone();
            chosen.extend(&field.elements);
            alternatives.iter().any(|any| holds(any, field.value)) && self.satisfies(rest, &chosen)
        })
    }
}

fn holds(alternative: &Json<'_>, value: &Json<'_>) -> bool {
    let Json::Object(members) = alternative else { return equal(alternative, value) };
    let (name, operand) = &members[0];
    match name.as_ref() {
        "exists" => operand.as_bool().unwrap(),
        "numeric" => value.as_f64().is_some_and(|number| {
            operand.as_array().unwrap().chunks(2).all(|pair| {
                let bound = pair[1].as_f64().unwrap();
                match pair[0].as_str().unwrap() {
                    "<" => number < bound,
                    "<=" => number <= bound,
                    ">" => number > bound,
                    ">=" => number >= bound,
                    _ => number.to_bits() == bound.to_bits(),
                }
            })
        }),
        "cidr" => value.as_str().is_some_and(|text| in_network(operand.as_str().unwrap(), text)),
        "anything-but" => {
            let (inner, operand) = match operand {
                Json::Object(members) => (Some(members[0].0.as_ref()), &members[0].1),
                _ => (None, operand),
            };
            let operands = operand.as_array().unwrap_or(std::slice::from_ref(operand));
            !operands.iter().any(|operand| match inner {
                None => same_scalar(operand, value),
                Some(name) => value.as_str().is_some_and(|text| is_like(name, operand, text)),
            })
        }
        _ => value.as_str().is_some_and(|text| is_like(name, operand, text)),
    }
}

fn equal(wanted: &Json<'_>, value: &Json<'_>) -> bool {
    let address = |json: &Json<'_>| json.as_str().and_then(|text| text.parse::<IpAddr>().ok());
    same_scalar(wanted, value) || address(wanted).is_some() && address(wanted) == address(value)
}

fn same_scalar(wanted: &Json<'_>, value: &Json<'_>) -> bool {
    wanted == value || wanted.as_f64().is_some_and(|number| value.as_f64() == Some(number))
}

fn is_like(name: &str, operand: &Json<'_>, text: &str) -> bool {
    let Some(wanted) = operand.as_str() else {
        let inner = operand.get("equals-ignore-case");
        let inner = inner.unwrap_or_else(|| panic!("the plainest form lacks {name}"));
        let folded = inner.as_str().unwrap().to_lowercase();
        let text = text.to_lowercase();
        return if name == "prefix" { text.starts_with(&folded) } else { text.ends_with(&folded) };
    };
    match name {
        "prefix" => text.starts_with(wanted),
        "suffix" => text.ends_with(wanted),
        "equals-ignore-case" => text.to_lowercase() == wanted.to_lowercase(),
        "wildcard" => {
            wildcard(&wanted.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
        }
        _ => panic!("the plainest form lacks {name}"),
    }
}

fn wildcard(wanted: &[char], text: &[char]) -> bool {
    match wanted {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|index| wildcard(rest, &text[index..])),
        ['\\', char, rest @ ..] | [char, rest @ ..] => {
            text.first() == Some(char) && wildcard(rest, &text[1..])
        }
    }
}

/// By the bits, one after the other.
fn in_network(network: &str, text: &str) -> bool {
    let (address, length) = network.split_once('/').unwrap();
    let length: usize = length.parse().unwrap();
    let bits = |text: &str| -> Option<String> {
        let v4 = text.parse::<Ipv4Addr>().map(|address| address.octets().to_vec());
        let octets = v4.or_else(|_| text.parse::<Ipv6Addr>().map(|ip| ip.octets().to_vec()));
        Some(octets.ok()?.iter().map(|octet| format!("{octet:08b}")).collect())
    };
    let (network, found) = (bits(address).unwrap(), bits(text));
    found.is_some_and(|found| found.len() == network.len() && found[..length] == network[..length])
}
