//! One alternative of a field: a condition on a single value.

use super::likeness::Likeness;
use super::network::Network;
use crate::json::{Decimal, Json};
use crate::work::steps_of;

/// Steps of reading a text as an address.
const NETWORK_STEPS: usize = 4;

/// What one entry of a pattern's array asks of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Equals(Scalar),
    Like(Likeness),
    Numeric(Range),
    In(Network),
    /// There is a value, be it null.
    Exists,
    /// There is none: holds for no value.
    Absent,
    /// A value, of any type, that is none of these.
    NoneOf(Vec<Scalar>),
    /// A value, of any type, that is like none of these.
    LikeNone(Vec<Likeness>),
}

/// A value without parts, as a pattern holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// A number, as it is written in the pattern.
    Number(String),
    Text(String),
}

/// Two ends, each left out where there is no bound.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Range {
    pub(super) bottom: Option<Bound>,
    pub(super) top: Option<Bound>,
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    /// The number, as it is written in the pattern.
    pub(super) number: String,
    /// Whether the number itself is inside: `>=` and `<=`, not `>` and `<`.
    pub(super) inclusive: bool,
}

impl Condition {
    /// Whether it holds for a value that is there and is no array or object.
    pub(super) fn holds(&self, value: &Json<'_>) -> bool {
        match self {
            Self::Equals(scalar) => scalar.is(value),
            Self::Like(likeness) => value.as_str().is_some_and(|text| likeness.holds(text)),
            Self::Numeric(range) => value.as_decimal().is_some_and(|number| range.holds(&number)),
            Self::In(network) => value.as_str().is_some_and(|text| network.holds(text)),
            Self::Exists => true,
            Self::Absent => false,
            Self::NoneOf(scalars) => !scalars.iter().any(|scalar| scalar.is(value)),
            Self::LikeNone(likenesses) => value
                .as_str()
                .is_none_or(|text| !likenesses.iter().any(|likeness| likeness.holds(text))),
        }
    }

    /// Returns the steps of asking whether it holds.
    pub(super) fn steps(&self, value: &Json<'_>) -> usize {
        let text = value.as_str().unwrap_or_default();
        match self {
            Self::Equals(scalar) => scalar.steps(value),
            Self::Like(likeness) => likeness.steps(text),
            Self::Numeric(range) => range.steps(value),
            Self::In(_) => NETWORK_STEPS,
            Self::Exists | Self::Absent => 1,
            Self::NoneOf(scalars) => scalars.iter().map(|scalar| scalar.steps(value)).sum(),
            Self::LikeNone(likenesses) => likenesses.iter().map(|one| one.steps(text)).sum(),
        }
    }

    /// Whether it is content with there being no value.
    pub(super) fn takes_absence(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Equals(_)
            | Self::Like(_)
            | Self::Numeric(_)
            | Self::In(_)
            | Self::Exists
            | Self::NoneOf(_)
            | Self::LikeNone(_) => false,
        }
    }
}

impl Scalar {
    fn steps(&self, value: &Json<'_>) -> usize {
        match (self, value) {
            (Self::Number(wanted), Json::Number(found)) => 1 + steps_of(wanted.len() + found.len()),
            (Self::Text(wanted), Json::String(found)) => {
                1 + steps_of(wanted.len().min(found.len()))
            }
            _ => 1,
        }
    }

    fn is(&self, value: &Json<'_>) -> bool {
        match (self, value) {
            (Self::Null, Json::Null) => true,
            (Self::Bool(wanted), Json::Bool(found)) => wanted == found,
            (Self::Number(wanted), Json::Number(found)) => {
                Decimal::of(wanted) == Decimal::of(found)
            }
            (Self::Text(wanted), Json::String(found)) => wanted == found,
            _ => false,
        }
    }
}

impl Range {
    fn steps(&self, value: &Json<'_>) -> usize {
        let Json::Number(found) = value else { return 1 };
        let bounds = [&self.bottom, &self.top].into_iter().flatten();
        1 + bounds.map(|bound| steps_of(bound.number.len() + found.len())).sum::<usize>()
    }

    fn holds(&self, number: &Decimal<'_>) -> bool {
        let above = self.bottom.as_ref().is_none_or(|bottom| bottom.is_below(number));
        above && self.top.as_ref().is_none_or(|top| top.is_above(number))
    }

    /// Whether no number at all is inside.
    pub(super) fn is_empty(&self) -> bool {
        let (Some(bottom), Some(top)) = (&self.bottom, &self.top) else { return false };
        !(bottom.is_below(&top.value()) && top.is_above(&bottom.value()))
    }
}

impl Bound {
    fn value(&self) -> Decimal<'_> {
        Decimal::of(&self.number)
    }

    fn is_below(&self, number: &Decimal<'_>) -> bool {
        let order = self.value().cmp(number);
        order.is_lt() || self.inclusive && order.is_eq()
    }

    fn is_above(&self, number: &Decimal<'_>) -> bool {
        let order = self.value().cmp(number);
        order.is_gt() || self.inclusive && order.is_eq()
    }
}
