//! Work that somebody else decides: how many steps it may take, counted while it is done.
//!
//! A tenant's filters and a sender's event together decide what matching costs, and neither alone. What takes more
//! steps than are allowed is told as too dear, and never as if its answer were yes or no.

use std::cell::Cell;

use thiserror::Error;

/// Bytes that are compared or searched in one step.
const BYTES_PER_STEP: usize = 16;

/// How many steps may still be taken. A step is a look at one value, or at some bytes of a text, and takes some tens of
/// nanoseconds.
#[derive(Clone, Debug)]
pub struct Meter {
    allowed: u64,
    left: Cell<u64>,
}

/// More steps were needed than are allowed: the work was given up, and has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more than {allowed} steps, which is what is allowed")]
pub struct TooDear {
    /// The steps that were allowed.
    pub allowed: u64,
}

/// What work comes to: an answer, unless it was too dear.
pub type Metered<T> = Result<T, TooDear>;

impl Meter {
    /// Allows so many steps.
    pub fn new(allowed: u64) -> Self {
        Self { allowed, left: Cell::new(allowed) }
    }

    /// Counts steps that are about to be taken, and refuses them where they are too many. Then nothing is left.
    pub fn spend(&self, steps: usize) -> Metered<()> {
        let left = u64::try_from(steps).ok().and_then(|steps| self.left.get().checked_sub(steps));
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(TooDear { allowed: self.allowed })
    }

    /// Returns how many steps were counted so far.
    pub fn spent(&self) -> u64 {
        self.allowed.saturating_sub(self.left.get())
    }
}

/// Counts the steps of looking at so many bytes.
pub fn steps_of(bytes: usize) -> usize {
    bytes / BYTES_PER_STEP
}

/// Whether it holds of all items; the first of which it does not ends the work.
pub(crate) fn all<T>(
    items: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Metered<bool>,
) -> Metered<bool> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether it holds of any item; the first of which it does ends the work.
pub(crate) fn any<T>(
    items: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Metered<bool>,
) -> Metered<bool> {
    for item in items {
        if holds(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_spent_once() {
        let meter = Meter::new(5);
        assert_eq!(meter.spend(3), Ok(()));
        assert_eq!(meter.spend(2), Ok(()));
        assert_eq!((meter.spend(0), meter.spent()), (Ok(()), 5));
        assert_eq!(meter.spend(1), Err(TooDear { allowed: 5 }));
    }

    #[test]
    fn what_was_too_dear_stays_so() {
        let meter = Meter::new(5);
        assert!(meter.spend(usize::MAX).is_err());
        assert!(meter.spend(1).is_err(), "no smaller step may follow");
        assert!(TooDear { allowed: 5 }.to_string().contains("more than 5 steps"));
    }
}
