//! Who may hold a connection, and which gives way to the next: no I/O, no clock.
//!
//! A connection is *known* once a valid key has come over it. One that is not known can be anybody's, so one
//! address holds only some of the places with those, and each of them gives way to whoever comes next: the idle
//! first, and first those of the address that has the most. A known connection gives way only while it is idle,
//! and only where no other can.

use std::collections::HashMap;

use crate::client::ClientAddress;

/// Names a connection.
pub(crate) type ConnectionId = u64;

/// Every connection that is held.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    most_of_address: usize,
    held: HashMap<ConnectionId, Place>,
    /// Counts entries and changes: what is idle for the longest has the least.
    turn: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Whom it is counted for; none for a proxy, whose connections are of many.
    address: Option<ClientAddress>,
    is_known: bool,
    is_busy: bool,
    /// Told to close: its place is about to be free.
    is_leaving: bool,
    since: u64,
}

/// What becomes of a connection that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It has a place.
    Admitted(ConnectionId),
    /// This one must leave first.
    After(ConnectionId),
    /// There is no place, nor any that could be freed.
    Full,
}

impl Places {
    /// Makes so many places, of which an address has so many for connections that are not known.
    pub(crate) fn new(most: usize, most_of_address: usize) -> Self {
        Self { most, most_of_address, held: HashMap::new(), turn: 0 }
    }

    /// Asks for a place.
    pub(crate) fn enter(&mut self, address: Option<ClientAddress>) -> Entry {
        if address.is_some_and(|address| self.count_unknown(address) >= self.most_of_address) {
            let id = self.find_longest(|place| !place.is_known && place.address == address);
            return self.make_leave(id);
        }
        if self.held.len() >= self.most {
            let id = self.find_to_leave();
            return self.make_leave(id);
        }
        Entry::Admitted(self.add(address))
    }

    /// Takes a place that is free for an address; none where another would have to leave.
    pub(crate) fn enter_if_free(&mut self, address: ClientAddress) -> Option<ConnectionId> {
        let has_room =
            self.count_unknown(address) < self.most_of_address && self.held.len() < self.most;
        has_room.then(|| self.add(Some(address)))
    }

    fn add(&mut self, address: Option<ClientAddress>) -> ConnectionId {
        self.turn += 1;
        let since = self.turn;
        let place = Place { address, is_known: false, is_busy: false, is_leaving: false, since };
        self.held.insert(since, place);
        since
    }

    fn count_unknown(&self, address: ClientAddress) -> usize {
        let is_own = |place: &&Place| !place.is_known && place.address == Some(address);
        self.held.values().filter(is_own).count()
    }

    /// Has one leave that is not known, where we are short of handles before all places are taken.
    pub(crate) fn free_one(&mut self) -> Option<ConnectionId> {
        match self.find_to_leave().map(|id| self.make_leave(Some(id))) {
            Some(Entry::After(id)) => Some(id),
            Some(Entry::Admitted(_) | Entry::Full) | None => None,
        }
    }

    /// Says that a request is under way, or that the last one is answered.
    pub(crate) fn set_busy(&mut self, id: ConnectionId, is_busy: bool) {
        self.turn += 1;
        if let Some(place) = self.held.get_mut(&id) {
            (place.is_busy, place.since) = (is_busy, self.turn);
        }
    }

    /// Says that a valid key has come over it.
    pub(crate) fn set_known(&mut self, id: ConnectionId) {
        if let Some(place) = self.held.get_mut(&id) {
            place.is_known = true;
        }
    }

    /// Gives a place back.
    pub(crate) fn leave(&mut self, id: ConnectionId) {
        self.held.remove(&id);
    }

    /// Counts what is held, and how many of that are known.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.held.len(), self.held.values().filter(|place| place.is_known).count())
    }

    fn make_leave(&mut self, id: Option<ConnectionId>) -> Entry {
        let Some(id) = id else { return Entry::Full };
        if let Some(place) = self.held.get_mut(&id) {
            place.is_leaving = true;
        }
        Entry::After(id)
    }

    fn find_to_leave(&self) -> Option<ConnectionId> {
        let heaviest = self.find_heaviest();
        let is_of_heaviest = |place: &Place| !place.is_known && place.address == heaviest;
        self.find_longest(is_of_heaviest)
            .or_else(|| self.find_longest(|place| !place.is_known))
            .or_else(|| self.find_longest(|place| !place.is_busy))
    }

    /// Finds the address that has the most connections which are not known and not told to close.
    fn find_heaviest(&self) -> Option<ClientAddress> {
        let mut counts: HashMap<ClientAddress, usize> = HashMap::new();
        let unknown = self.held.values().filter(|place| !place.is_known && !place.is_leaving);
        for address in unknown.filter_map(|place| place.address) {
            *counts.entry(address).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address)
    }

    /// Finds the one of these that is as it is for the longest, the idle first.
    fn find_longest(&self, is_among: impl Fn(&Place) -> bool) -> Option<ConnectionId> {
        let places = self.held.iter().filter(|(_, place)| !place.is_leaving && is_among(place));
        places.min_by_key(|(_, place)| (place.is_busy, place.since)).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn address(last: u8) -> Option<ClientAddress> {
        Some(IpAddr::from([192, 0, 2, last]).into())
    }

    fn admit(places: &mut Places, last: u8) -> ConnectionId {
        match places.enter(address(last)) {
            Entry::Admitted(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Asks, and has whoever must leave for it leave.
    fn admit_after(places: &mut Places, last: u8) -> (ConnectionId, ConnectionId) {
        let Entry::After(leaves) = places.enter(address(last)) else { panic!("nobody leaves") };
        places.leave(leaves);
        (leaves, admit(places, last))
    }

    #[test]
    fn the_idle_close_first_and_the_longest_idle_before_others() {
        let mut places = Places::new(3, 3);
        let [one, two, three] = [1, 1, 1].map(|last| admit(&mut places, last));
        places.set_busy(one, true);
        places.set_busy(two, true);
        places.set_busy(two, false);
        assert_eq!(admit_after(&mut places, 2).0, three);
        assert_eq!(admit_after(&mut places, 2).0, two);
        assert_eq!(places.count(), (3, 0));
    }

    #[test]
    fn an_address_gives_way_to_itself_and_to_no_other_before_its_share_is_used_up() {
        let mut places = Places::new(10, 2);
        let [first, second] = [1, 1].map(|last| admit(&mut places, last));
        for id in [first, second] {
            places.set_busy(id, true);
        }
        let other = admit(&mut places, 2);
        assert_eq!(admit_after(&mut places, 1).0, first, "though it is busy and another is idle");
        places.set_known(second);
        admit(&mut places, 1);
        assert!(places.held.contains_key(&other));
    }

    #[test]
    fn the_address_that_has_the_most_gives_way_when_all_is_taken() {
        let mut places = Places::new(5, 3);
        let alone = admit(&mut places, 1);
        let many = [2, 2, 2].map(|last| admit(&mut places, last));
        admit(&mut places, 3);
        for id in many {
            places.set_busy(id, true);
        }
        assert_eq!(admit_after(&mut places, 4).0, many[0], "and not the idle one that is alone");
        assert!(places.held.contains_key(&alone));
    }

    #[test]
    fn a_known_connection_gives_way_last_and_never_while_it_is_busy() {
        let mut places = Places::new(2, 2);
        let [known, unknown] = [1, 2].map(|last| admit(&mut places, last));
        places.set_known(known);
        places.set_busy(unknown, true);
        let (left, next) = admit_after(&mut places, 3);
        assert_eq!(left, unknown, "though it is busy, and the known one is idle");
        places.set_known(next);
        places.set_busy(known, true);
        assert_eq!(admit_after(&mut places, 3).0, next, "idle");
        let third = *places.held.keys().max().unwrap();
        places.set_known(third);
        places.set_busy(third, true);
        assert_eq!(places.enter(address(4)), Entry::Full);
        assert_eq!(places.free_one(), None);
    }

    #[test]
    fn a_connection_that_is_told_to_close_is_told_once_and_keeps_its_place_until_it_has() {
        let mut places = Places::new(2, 2);
        let [one, two] = [1, 1].map(|last| admit(&mut places, last));
        assert_eq!(places.enter(address(2)), Entry::After(one));
        assert_eq!(places.enter(address(2)), Entry::After(two));
        assert_eq!(places.enter(address(2)), Entry::Full);
        places.leave(one);
        admit(&mut places, 2);
    }

    #[test]
    fn a_proxys_connections_have_no_share_of_an_address() {
        let mut places = Places::new(3, 1);
        for _ in 0..3 {
            assert!(matches!(places.enter(None), Entry::Admitted(_)));
        }
        assert!(matches!(places.enter(None), Entry::After(_)));
        let [one, other] = [1, 2].map(|last| address(last).unwrap());
        let mut requests = Places::new(usize::MAX, 1);
        assert!(requests.enter_if_free(one).is_some() && requests.enter_if_free(other).is_some());
        assert_eq!(requests.enter_if_free(one), None, "and nobody leaves");
    }
}
