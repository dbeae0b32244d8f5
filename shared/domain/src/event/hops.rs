//! Hops: how many of Waxseal's deliveries lie behind an event, so that a chain that leads back to itself ends.
//!
//! Every delivery carries one hop more than its event: as the header `waxseal-hops`, which a queue's message has as
//! an attribute, and among a bus event's `resources`. What takes events in reads it there, or as the event's
//! extension attribute `waxsealhops`; where several say it, the most counts. It is signed by nobody: a sender that
//! says too much ends its own chain, and one that says too little is what a sender of a new event is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::HOPS_MAX;

/// The header of a delivery, and the attribute of a queue's message.
pub const HOPS_HEADER: &str = "waxseal-hops";
/// The extension attribute of an event.
pub const HOPS_ATTRIBUTE: &str = "waxsealhops";
/// What stands before the number among the resources of a bus event.
const RESOURCE: &str = "waxseal-hops/";
/// Digits of a number of hops: whatever is longer is none.
const DIGITS_MAX: usize = 9;

/// How many deliveries lie behind an event. A new event has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hops(u32);

/// A text that should be a number of hops and is none: what says it is refused, since to take it for 0 would let a
/// chain go on.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{HOPS_HEADER} must be a whole number of deliveries")]
pub struct NoHops;

impl Hops {
    /// A number of hops.
    pub const fn new(hops: u32) -> Self {
        Self(hops)
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether no delivery lies behind the event.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub fn is_none(&self) -> bool {
        self.0 == 0
    }

    /// Returns the hops of a delivery whose event has these.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether there are more of them than an event may have.
    pub fn is_over(self) -> bool {
        self.0 > HOPS_MAX
    }

    /// Writes them as a resource of a bus event.
    pub fn resource(self) -> String {
        format!("{RESOURCE}{self}")
    }

    /// Reads all texts that say a number of hops, and returns the most; none where there is no text. A text may be
    /// several between commas, as HTTP joins headers of one name.
    pub fn most<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NoHops> {
        let mut each = texts.into_iter().flat_map(|text| text.split(','));
        each.try_fold(Self(0), |most, text| Ok(most.max(text.trim().parse()?)))
    }

    /// Reads the hops among the resources of a bus event; others' resources say none.
    pub fn of_resources(resources: &[String]) -> Result<Self, NoHops> {
        Self::most(resources.iter().filter_map(|one| one.strip_prefix(RESOURCE)))
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Hops {
    type Err = NoHops;

    fn from_str(text: &str) -> Result<Self, NoHops> {
        let is_number = (1..=DIGITS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(NoHops);
        }
        text.parse().map(Self).map_err(|_| NoHops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_refused_and_never_none() {
        assert_eq!("0".parse(), Ok(Hops(0)));
        assert_eq!("999999999".parse(), Ok(Hops(999_999_999)));
        for bad in ["", " ", "-1", "+1", "1.0", "0x1", "1,2", "１", "9999999999"] {
            assert_eq!(bad.parse::<Hops>(), Err(NoHops), "{bad:?}");
        }
    }

    #[test]
    fn of_several_the_most_counts() {
        assert_eq!(Hops::most([]), Ok(Hops(0)));
        assert_eq!(Hops::most(["2", "0", " 1"]), Ok(Hops(2)));
        assert_eq!(Hops::most(["0, 2"]), Ok(Hops(2)));
        assert_eq!(Hops::most(["0,"]), Err(NoHops));
        assert_eq!(Hops::most(["2", "zero"]), Err(NoHops));
    }

    #[test]
    fn it_comes_back_from_the_resources_of_a_bus_event() {
        let resources = ["dlv_1_e".to_owned(), Hops(3).resource(), Hops(2).resource()];
        assert_eq!(Hops::of_resources(&resources), Ok(Hops(3)));
        assert_eq!(Hops::of_resources(&resources[..1]), Ok(Hops(0)));
        assert_eq!(Hops::of_resources(&["waxseal-hops/x".to_owned()]), Err(NoHops));
    }

    #[test]
    fn a_chain_ends_one_delivery_beyond_the_bound() {
        let mut hops = Hops::default();
        for _ in 0..HOPS_MAX {
            hops = hops.next();
        }
        assert!(!hops.is_over() && hops.next().is_over());
        assert_eq!(Hops(u32::MAX).next(), Hops(u32::MAX));
    }
}
