//! The bytes of all bodies and answers that are under way: counted as they come, and refused beyond a bound.
//!
//! Bodies of callers without a key have a part of it, and so have answers, so that neither keeps the events of
//! tenants out.

use std::sync::{Arc, Mutex, PoisonError};

use waxseal_domain::limits::{
    ANSWER_BYTES_UNDER_WAY_MAX, BYTES_UNDER_WAY_MAX, KEYLESS_BYTES_UNDER_WAY_MAX,
};

/// Whose bytes they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// The body of a caller whose key is valid.
    Body,
    /// The body of a caller without a key.
    KeylessBody,
    /// An answer.
    Answer,
}

/// The bytes under way, and their bounds.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Counts>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    all: usize,
    keyless: usize,
    answers: usize,
}

impl Counts {
    /// Adds bytes of a share, if they fit.
    fn take(&mut self, share: Share, bytes: usize) -> bool {
        let fits = match share {
            Share::Body => true,
            Share::KeylessBody => self.keyless + bytes <= KEYLESS_BYTES_UNDER_WAY_MAX,
            Share::Answer => self.answers + bytes <= ANSWER_BYTES_UNDER_WAY_MAX,
        };
        if !fits || self.all + bytes > BYTES_UNDER_WAY_MAX {
            return false;
        }
        self.add(share, bytes);
        true
    }

    fn add(&mut self, share: Share, bytes: usize) {
        self.all += bytes;
        match share {
            Share::Body => {}
            Share::KeylessBody => self.keyless += bytes,
            Share::Answer => self.answers += bytes,
        }
    }

    fn give_back(&mut self, share: Share, bytes: usize) {
        self.all -= bytes;
        match share {
            Share::Body => {}
            Share::KeylessBody => self.keyless -= bytes,
            Share::Answer => self.answers -= bytes,
        }
    }
}

impl Budget {
    /// Begins to count the bytes of one body or answer: none so far.
    pub(crate) fn begin(self: &Arc<Self>, share: Share) -> Charge {
        Charge { budget: Arc::clone(self), share, bytes: 0 }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The bytes of one body or answer, which are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    share: Share,
    bytes: usize,
}

impl Charge {
    /// Counts more bytes; false where they do not fit, and nothing is counted.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = self.budget.with(|counts| counts.take(self.share, bytes));
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    /// Counts more bytes, whether they fit or not: of an answer to something that is done.
    pub(crate) fn grow_anyway(&mut self, bytes: usize) {
        self.budget.with(|counts| counts.add(self.share, bytes));
        self.bytes += bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.with(|counts| counts.give_back(self.share, self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_strangers_nor_answers_take_what_tenants_need() {
        let mut counts = Counts::default();
        assert!(counts.take(Share::KeylessBody, KEYLESS_BYTES_UNDER_WAY_MAX));
        assert!(!counts.take(Share::KeylessBody, 1));
        assert!(counts.take(Share::Answer, ANSWER_BYTES_UNDER_WAY_MAX));
        assert!(!counts.take(Share::Answer, 1));
        let left = BYTES_UNDER_WAY_MAX - KEYLESS_BYTES_UNDER_WAY_MAX - ANSWER_BYTES_UNDER_WAY_MAX;
        assert!(counts.take(Share::Body, left));
        assert!(!counts.take(Share::Body, 1));
    }

    #[test]
    fn what_ends_gives_its_bytes_back_and_what_did_not_fit_has_none() {
        let budget = Arc::new(Budget::default());
        let mut body = budget.begin(Share::KeylessBody);
        assert!(body.grow(KEYLESS_BYTES_UNDER_WAY_MAX) && !body.grow(1));
        let mut answer = budget.begin(Share::Answer);
        answer.grow_anyway(BYTES_UNDER_WAY_MAX);
        drop((body, answer));
        assert_eq!(budget.with(|counts| *counts), Counts::default());
    }
}
