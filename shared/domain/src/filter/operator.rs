//! An alternative of a field: a value, or an operator and what it takes.
//!
//! What is refused here is what ruler refuses (`JsonRuleCompiler.java`): an operator beside another, an
//! upper bound before a lower one, `anything-but` on a mixed list, on null or on a boolean, an empty
//! prefix or suffix inside it.

use super::condition::{Bound, Condition, Range, Scalar};
use super::likeness::{Likeness, fold};
use super::network::Network;
use super::wildcard::Wildcard;
use crate::json::{Decimal, Fault, Json, escape_pointer};

const OPERATORS: &str = "prefix, suffix, equals-ignore-case, wildcard, numeric, cidr, exists, \
    anything-but and $or";

/// Names that ruler keeps from fields inside a `$or`, as it may come to mean operators by them.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

type CompileResult<T> = Result<T, Vec<Fault>>;

/// Compiles one alternative of a field, `"value"` or `{operator: operand}`.
pub(super) fn compile(item: &Json<'_>, pointer: &str) -> CompileResult<Condition> {
    let Json::Object(members) = item else { return literal(item, pointer) };
    let [(name, operand)] = members.as_slice() else {
        return refuse(pointer, "must have exactly one operator");
    };
    let pointer = format!("{pointer}/{}", escape_pointer(name));
    match name.as_ref() {
        "numeric" => numeric(operand, &pointer).map(Condition::Numeric),
        "exists" => match operand.as_bool() {
            Some(true) => Ok(Condition::Exists),
            Some(false) => Ok(Condition::Absent),
            None => refuse(&pointer, "must be true or false"),
        },
        "cidr" => Network::parse(text(operand, &pointer)?)
            .map(Condition::In)
            .or_else(|detail| refuse(&pointer, detail)),
        "anything-but" => anything_but(operand, &pointer),
        "prefix" | "suffix" if operand.as_object().is_some() => {
            ignoring_case(name, operand, &pointer).map(Condition::Like)
        }
        _ => likeness(name, operand, &pointer).map(Condition::Like),
    }
}

/// Says what is wrong with a name that is no operator.
pub(super) fn describe_unknown(name: &str) -> String {
    format!("the operator {name} is not known; known are {OPERATORS}")
}

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

fn refuse<T>(pointer: &str, detail: &str) -> CompileResult<T> {
    Err(vec![Fault::new(pointer, detail)])
}

fn text<'j>(operand: &'j Json<'_>, pointer: &str) -> CompileResult<&'j str> {
    operand
        .as_str()
        .map_or_else(|| refuse(pointer, &format!("must be text, not {}", operand.kind())), Ok)
}

fn number(operand: &Json<'_>, pointer: &str) -> CompileResult<String> {
    match operand {
        Json::Number(text) if Decimal::is_out_of_range(text) => {
            refuse(pointer, "is a number out of range")
        }
        Json::Number(text) => Ok(text.to_string()),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            refuse(pointer, &format!("must be a number, not {}", operand.kind()))
        }
    }
}

/// A text that is an address is that address in every notation, as in `EventBridge`.
fn literal(item: &Json<'_>, pointer: &str) -> CompileResult<Condition> {
    match item {
        Json::Null => Ok(Condition::Equals(Scalar::Null)),
        Json::Bool(flag) => Ok(Condition::Equals(Scalar::Bool(*flag))),
        Json::Number(_) => Ok(Condition::Equals(Scalar::Number(number(item, pointer)?))),
        Json::String(text) => Ok(Network::of_address(text)
            .map_or_else(|| Condition::Equals(Scalar::Text(text.to_string())), Condition::In)),
        Json::Array(_) | Json::Object(_) => {
            refuse(pointer, &format!("must be a single value, not {}", item.kind()))
        }
    }
}

/// An operator that takes one text.
fn likeness(name: &str, operand: &Json<'_>, pointer: &str) -> CompileResult<Likeness> {
    let make = match name {
        "prefix" => Likeness::Prefix,
        "suffix" => Likeness::Suffix,
        "equals-ignore-case" => |text: String| Likeness::EqualIgnoringCase(fold(&text)),
        "wildcard" => {
            return Wildcard::parse(text(operand, pointer)?)
                .map(Likeness::Wildcard)
                .or_else(|detail| refuse(pointer, detail));
        }
        _ => return refuse(pointer, &describe_unknown(name)),
    };
    text(operand, pointer).map(|text| make(text.to_owned()))
}

/// `{"prefix": {"equals-ignore-case": text}}`, and so for a suffix.
fn ignoring_case(name: &str, operand: &Json<'_>, pointer: &str) -> CompileResult<Likeness> {
    let Some([(inner, operand)]) = operand.as_object() else {
        return refuse(pointer, "takes text, or {\"equals-ignore-case\": text}");
    };
    let pointer = format!("{pointer}/{}", escape_pointer(inner));
    if inner != "equals-ignore-case" {
        return refuse(&pointer, &format!("{name} takes no operator but equals-ignore-case"));
    }
    let text = fold(text(operand, &pointer)?);
    Ok(match name {
        "prefix" => Likeness::PrefixIgnoringCase(text),
        _ => Likeness::SuffixIgnoringCase(text),
    })
}

fn numeric(operand: &Json<'_>, pointer: &str) -> CompileResult<Range> {
    let range = match operand.as_array() {
        Some([operator, bound]) => comparison(operator, bound, pointer, 0)?,
        Some([low, from, high, to]) => {
            let (low, high) =
                both(comparison(low, from, pointer, 0), comparison(high, to, pointer, 2))?;
            intersect(low, high, pointer)?
        }
        _ => {
            let shape = "must be one or two comparisons, as [\">\", 0, \"<=\", 5]";
            return refuse(pointer, shape);
        }
    };
    if range.is_empty() { refuse(pointer, "has no number in it") } else { Ok(range) }
}

/// One comparison, its operator at `index` of the array.
fn comparison(
    operator: &Json<'_>,
    bound: &Json<'_>,
    pointer: &str,
    index: usize,
) -> CompileResult<Range> {
    let ends = match operator.as_str() {
        Some("=") => Ok((Some(true), Some(true))),
        Some(">") => Ok((Some(false), None)),
        Some(">=") => Ok((Some(true), None)),
        Some("<") => Ok((None, Some(false))),
        Some("<=") => Ok((None, Some(true))),
        _ => refuse(&format!("{pointer}/{index}"), "must be one of <, <=, =, >= and >"),
    };
    let number = number(bound, &format!("{pointer}/{}", index + 1));
    let ((bottom, top), number) = both(ends, number)?;
    let bound = |inclusive| Bound { number: number.clone(), inclusive };
    Ok(Range { bottom: bottom.map(bound), top: top.map(bound) })
}

fn intersect(low: Range, high: Range, pointer: &str) -> CompileResult<Range> {
    match (low, high) {
        (Range { bottom, top: None }, Range { bottom: None, top }) => Ok(Range { bottom, top }),
        _ => refuse(pointer, "of two comparisons, the first is > or >=, the second < or <="),
    }
}

/// Returns both values, or the faults of both.
fn both<A, B>(one: CompileResult<A>, other: CompileResult<B>) -> CompileResult<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err([one.err(), other.err()].into_iter().flatten().flatten().collect()),
    }
}

fn anything_but(operand: &Json<'_>, pointer: &str) -> CompileResult<Condition> {
    match operand {
        Json::String(_) | Json::Number(_) => {
            other_than(operand, pointer).map(|scalar| Condition::NoneOf(vec![scalar]))
        }
        Json::Array(items) => {
            let scalars = each(items, pointer, other_than)?;
            let texts = scalars.iter().filter(|scalar| matches!(scalar, Scalar::Text(_))).count();
            if texts > 0 && texts < scalars.len() {
                return refuse(pointer, "must be all texts or all numbers");
            }
            Ok(Condition::NoneOf(scalars))
        }
        Json::Object(members) => match members.as_slice() {
            [(name, operand)] => {
                like_none(name, operand, &format!("{pointer}/{}", escape_pointer(name)))
                    .map(Condition::LikeNone)
            }
            _ => refuse(pointer, "must have exactly one operator"),
        },
        Json::Null | Json::Bool(_) => {
            refuse(pointer, &format!("takes text and numbers, not {}", operand.kind()))
        }
    }
}

/// A value that `anything-but` takes.
fn other_than(item: &Json<'_>, pointer: &str) -> CompileResult<Scalar> {
    match item {
        Json::String(text) => Ok(Scalar::Text(text.to_string())),
        Json::Number(_) => number(item, pointer).map(Scalar::Number),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
            refuse(pointer, &format!("must be text or a number, not {}", item.kind()))
        }
    }
}

/// One text or a list of them, of an operator inside `anything-but`.
fn like_none(name: &str, operand: &Json<'_>, pointer: &str) -> CompileResult<Vec<Likeness>> {
    let is_end = matches!(name, "prefix" | "suffix");
    if !is_end && !matches!(name, "equals-ignore-case" | "wildcard") {
        let known =
            "anything-but takes no operator but prefix, suffix, equals-ignore-case and wildcard";
        return refuse(pointer, known);
    }
    let one = |operand: &Json<'_>, pointer: &str| {
        if is_end && operand.as_str() == Some("") {
            return refuse(pointer, "must not be empty");
        }
        likeness(name, operand, pointer)
    };
    match operand {
        Json::Array(operands) => each(operands, pointer, one),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            one(operand, pointer).map(|likeness| vec![likeness])
        }
    }
}

/// Compiles each item of a list that must not be empty, or returns the faults of all.
fn each<T>(
    items: &[Json<'_>],
    pointer: &str,
    read: impl Fn(&Json<'_>, &str) -> CompileResult<T>,
) -> CompileResult<Vec<T>> {
    if items.is_empty() {
        return refuse(pointer, "has no values");
    }
    let (mut values, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match read(item, &format!("{pointer}/{index}")) {
            Ok(value) => values.push(value),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}
