//! How many attempts an endpoint has under way: numbered slots, each leased for one attempt, in one
//! place for all instances.
//!
//! Exact: of `max_concurrency` 3 no more than three attempts are under way, whatever instances make
//! them, as long as their clocks differ by less than [`SLOT_GRACE_S`]. An instance that dies leaves
//! its slot taken until the lease ends. A test event takes none: a person waits for it.

use std::collections::BTreeMap;

use crate::id::Ticket;
use crate::limits::SLOT_GRACE_S;
use crate::timestamp::Timestamp;

/// A request for any one of an endpoint's slots.
#[derive(Clone, Debug)]
pub struct SlotRequest {
    /// The number of slots that the endpoint has: its `max_concurrency`.
    pub most: u32,
    /// The time by which leases are judged to be over.
    pub now: Timestamp,
    /// The lease that the slot is taken under.
    pub lease: Lease,
}

/// Who has a slot, and until when at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// A ticket that is drawn anew for each attempt and tells its lease from any other.
    pub holder: Ticket,
    /// When the slot is free again even if it is not given back: some seconds after the attempt
    /// must have ended, since clocks differ.
    pub until: Timestamp,
}

/// A slot that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The number of the slot, from 0.
    pub number: u32,
    /// The lease under which the slot is taken.
    pub lease: Lease,
}

/// An endpoint's slots that are taken, by number. Leases and not a count: after a crash a count
/// would stay too high for ever, while a lease ends.
#[derive(Clone, Debug, Default)]
pub struct Slots(pub BTreeMap<u32, Lease>);

impl SlotRequest {
    /// Makes a request for an attempt that is over by `post_by`.
    pub fn new(most: u32, holder: Ticket, now: Timestamp, post_by: Timestamp) -> Self {
        Self { most, now, lease: Lease { holder, until: post_by.plus_s(SLOT_GRACE_S) } }
    }
}

impl Slots {
    /// Returns the slot that the request may take, if there is one: its own, where the answer to an
    /// earlier try was lost, or else a free one.
    pub fn offer(&self, wanted: &SlotRequest) -> Option<u32> {
        let own = self.0.iter().find(|(_, lease)| **lease == wanted.lease);
        // Each request begins its search at a place of its own. If all began at 0, concurrent
        // requests would try for the same slot, and all but one would be refused.
        let first: u32 = wanted.lease.holder.as_str().bytes().map(u32::from).sum();
        let mut numbers = (0..wanted.most).map(|number| (first + number) % wanted.most);
        own.map(|(number, _)| *number).or_else(|| {
            numbers.find(|number| self.0.get(number).is_none_or(|lease| lease.until <= wanted.now))
        })
    }

    /// Takes the slot that the request may take; none where all are taken.
    pub fn take(&mut self, wanted: &SlotRequest) -> Option<Slot> {
        let number = self.offer(wanted)?;
        self.0.insert(number, wanted.lease.clone());
        Some(Slot { number, lease: wanted.lease.clone() })
    }

    /// Gives a slot back, unless it is another's by now.
    pub fn give_back(&mut self, slot: &Slot) {
        // Not by the whole lease: its end is another once the clock has jumped.
        if self.0.get(&slot.number).is_some_and(|lease| lease.holder == slot.lease.holder) {
            self.0.remove(&slot.number);
        }
    }

    /// Moves the end of each lease by so many milliseconds, since the clock that it was planned by has jumped by as
    /// much.
    pub fn move_by(&mut self, by_ms: i64) {
        for lease in self.0.values_mut() {
            lease.until = lease.until.moved_ms(by_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn slot_request(most: u32, holder: &str, now: Timestamp) -> SlotRequest {
        SlotRequest::new(most, holder.parse().unwrap(), now, now.plus_s(10))
    }

    #[test]
    fn no_more_are_taken_than_there_are_and_what_is_given_back_is_free() {
        let mut slots = Slots::default();
        let first = slots.take(&slot_request(2, "a", NOW)).unwrap();
        let second = slots.take(&slot_request(2, "b", NOW)).unwrap();
        let mut numbers = [first.number, second.number];
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1]);
        assert_eq!(slots.take(&slot_request(2, "c", NOW)), None);
        assert_eq!(
            slots.take(&slot_request(2, "a", NOW)),
            Some(first.clone()),
            "its answer was lost"
        );
        slots.give_back(&first);
        let third = slots.take(&slot_request(2, "c", NOW)).unwrap();
        assert_eq!(third.number, first.number);
        slots.give_back(&first);
        assert_eq!(slots.take(&slot_request(2, "d", NOW)), None, "it is another's by now");
        assert_eq!(slots.take(&slot_request(1, "d", NOW)), None, "fewer than are taken");
    }

    #[test]
    fn what_is_not_given_back_is_free_when_its_lease_is_over() {
        let mut slots = Slots::default();
        slots.take(&slot_request(1, "a", NOW)).unwrap();
        let over = NOW.plus_s(10 + SLOT_GRACE_S);
        assert_eq!(slots.take(&slot_request(1, "b", over.minus_s(1))), None);
        assert!(slots.take(&slot_request(1, "b", over)).is_some());
    }
}
