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

/// What a pattern may ask with, in place of a value: `{"prefix": "a"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// Asks what one text is like. Only these may stand inside `anything-but`.
    Text(TextOperator),
    Numeric,
    Cidr,
    Exists,
    AnythingBut,
}

/// An operator that compares one text with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextOperator {
    Prefix,
    Suffix,
    EqualsIgnoreCase,
    Wildcard,
}

/// Names beside the operators' that ruler keeps from fields inside a `$or`, as it may come to mean operators
/// by them.
const RESERVED: [&str; 16] = [
    "exactly",
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

impl Operator {
    /// Every operator, in the order in which a fault lists them. Where one is missing, the compiler says that
    /// it is never constructed.
    pub(super) const ALL: [Self; 8] = [
        Self::Text(TextOperator::Prefix),
        Self::Text(TextOperator::Suffix),
        Self::Text(TextOperator::EqualsIgnoreCase),
        Self::Text(TextOperator::Wildcard),
        Self::Numeric,
        Self::Cidr,
        Self::Exists,
        Self::AnythingBut,
    ];

    /// Gives the name by which patterns call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text(operator) => operator.name(),
            Self::Numeric => "numeric",
            Self::Cidr => "cidr",
            Self::Exists => "exists",
            Self::AnythingBut => "anything-but",
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }
}

impl TextOperator {
    const fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::EqualsIgnoreCase => "equals-ignore-case",
            Self::Wildcard => "wildcard",
        }
    }
}

type CompileResult<T> = Result<T, Vec<Fault>>;

/// Compiles one alternative of a field, `"value"` or `{operator: operand}`.
pub(super) fn compile(item: &Json<'_>, pointer: &str) -> CompileResult<Condition> {
    let Json::Object(members) = item else { return literal(item, pointer) };
    let [(name, operand)] = members.as_slice() else {
        return refuse(pointer, "must have exactly one operator");
    };
    let pointer = format!("{pointer}/{}", escape_pointer(name));
    let Some(operator) = Operator::find(name) else {
        return refuse(&pointer, &describe_unknown(name));
    };
    match operator {
        Operator::Text(operator) => text_condition(operator, operand, &pointer),
        Operator::Numeric => numeric(operand, &pointer).map(Condition::Numeric),
        Operator::Exists => match operand.as_bool() {
            Some(true) => Ok(Condition::Exists),
            Some(false) => Ok(Condition::Absent),
            None => refuse(&pointer, "must be true or false"),
        },
        Operator::Cidr => Network::parse(text(operand, &pointer)?)
            .map(Condition::In)
            .or_else(|detail| refuse(&pointer, detail)),
        Operator::AnythingBut => anything_but(operand, &pointer),
    }
}

/// Says what is wrong with a name that is no operator.
pub(super) fn describe_unknown(name: &str) -> String {
    let known: Vec<&str> = Operator::ALL.into_iter().map(Operator::name).collect();
    format!("the operator {name} is not known; known are {} and $or", known.join(", "))
}

pub(super) fn is_reserved(name: &str) -> bool {
    Operator::find(name).is_some() || RESERVED.contains(&name)
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

/// An operator that compares texts, where a value stands: it takes one text, or what ignores its case.
fn text_condition(
    operator: TextOperator,
    operand: &Json<'_>,
    pointer: &str,
) -> CompileResult<Condition> {
    let is_object = operand.as_object().is_some();
    let likeness = match operator {
        TextOperator::Prefix if is_object => {
            ignoring_case(operator, operand, pointer).map(Likeness::PrefixIgnoringCase)
        }
        TextOperator::Suffix if is_object => {
            ignoring_case(operator, operand, pointer).map(Likeness::SuffixIgnoringCase)
        }
        TextOperator::Prefix
        | TextOperator::Suffix
        | TextOperator::EqualsIgnoreCase
        | TextOperator::Wildcard => likeness(operator, operand, pointer),
    };
    likeness.map(Condition::Like)
}

/// An operator that takes one text.
fn likeness(operator: TextOperator, operand: &Json<'_>, pointer: &str) -> CompileResult<Likeness> {
    let text = text(operand, pointer)?;
    match operator {
        TextOperator::Prefix => Ok(Likeness::Prefix(text.to_owned())),
        TextOperator::Suffix => Ok(Likeness::Suffix(text.to_owned())),
        TextOperator::EqualsIgnoreCase => Ok(Likeness::EqualIgnoringCase(fold(text))),
        TextOperator::Wildcard => {
            Wildcard::parse(text).map(Likeness::Wildcard).or_else(|detail| refuse(pointer, detail))
        }
    }
}

/// The folded text of `{"equals-ignore-case": text}`, which a prefix and a suffix take.
fn ignoring_case(
    operator: TextOperator,
    operand: &Json<'_>,
    pointer: &str,
) -> CompileResult<String> {
    let Some([(inner, operand)]) = operand.as_object() else {
        return refuse(pointer, "takes text, or {\"equals-ignore-case\": text}");
    };
    let pointer = format!("{pointer}/{}", escape_pointer(inner));
    if *inner != *TextOperator::EqualsIgnoreCase.name() {
        let name = operator.name();
        return refuse(&pointer, &format!("{name} takes no operator but equals-ignore-case"));
    }
    text(operand, &pointer).map(fold)
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
    let Some(Operator::Text(operator)) = Operator::find(name) else {
        let known =
            "anything-but takes no operator but prefix, suffix, equals-ignore-case and wildcard";
        return refuse(pointer, known);
    };
    let may_be_empty = match operator {
        TextOperator::Prefix | TextOperator::Suffix => false,
        TextOperator::EqualsIgnoreCase | TextOperator::Wildcard => true,
    };
    let one = |operand: &Json<'_>, pointer: &str| {
        if !may_be_empty && operand.as_str() == Some("") {
            return refuse(pointer, "must not be empty");
        }
        likeness(operator, operand, pointer)
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
