//! Slows what is answered 401, by address: guesses of keys, and hooks that do not verify. A request with a valid
//! key is never slowed, whatever else comes from its address.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use waxseal_domain::limits::{
    REFUSED_ADDRESSES_MAX, REFUSED_AT_ONCE_MAX, REFUSED_PAUSE_MS, REFUSED_WINDOW_S,
};

use crate::client::ClientAddress;

/// What each address was refused lately.
#[derive(Debug, Default)]
pub(crate) struct Refused(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts(HashMap<ClientAddress, (Instant, u32)>);

impl Refused {
    /// Counts a refusal of an address. Returns how long its answer waits.
    pub(crate) fn count(&self, address: ClientAddress) -> Duration {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.count(address, Instant::now())
    }
}

impl Counts {
    fn count(&mut self, address: ClientAddress, now: Instant) -> Duration {
        let window = Duration::from_secs(REFUSED_WINDOW_S);
        if self.0.len() >= REFUSED_ADDRESSES_MAX && !self.0.contains_key(&address) {
            self.0.retain(|_, (began, _)| now.duration_since(*began) < window);
            if self.0.len() >= REFUSED_ADDRESSES_MAX {
                // So many addresses at once are one attacker's: all begin anew, and none is kept in memory.
                self.0.clear();
            }
        }
        let (began, count) = self.0.entry(address).or_insert((now, 0));
        if now.duration_since(*began) >= window {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count <= REFUSED_AT_ONCE_MAX {
            return Duration::ZERO;
        }
        Duration::from_millis(REFUSED_PAUSE_MS)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn an_address_that_is_refused_again_and_again_waits_and_no_other_does() {
        let (mut counts, now) = (Counts::default(), Instant::now());
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]).into());
        for _ in 0..REFUSED_AT_ONCE_MAX {
            assert_eq!(counts.count(one, now), Duration::ZERO);
        }
        assert_eq!(counts.count(one, now), Duration::from_millis(REFUSED_PAUSE_MS));
        assert_eq!(counts.count(other, now), Duration::ZERO);
        let later = now + Duration::from_secs(REFUSED_WINDOW_S);
        assert_eq!(counts.count(one, later), Duration::ZERO);
    }

    #[test]
    fn any_number_of_addresses_is_remembered_within_a_bound() {
        let (mut counts, now) = (Counts::default(), Instant::now());
        for number in 0..u32::try_from(REFUSED_ADDRESSES_MAX).unwrap() + 10 {
            counts.count(IpAddr::from(number.to_be_bytes()).into(), now);
        }
        assert!(counts.0.len() <= REFUSED_ADDRESSES_MAX, "{}", counts.0.len());
    }
}
