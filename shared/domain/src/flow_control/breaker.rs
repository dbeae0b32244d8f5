//! The circuit breaker's count: how many of an endpoint's attempts failed within the last minute.
//!
//! Each instance counts its own: the figures of many small ones are never summed, so on Lambda a
//! breaker opens once one instance has seen enough. An endpoint with few attempts needs no breaker.

use std::sync::{Mutex, PoisonError};

use crate::bounded_map::BoundedMap;
use crate::delivery::attempt::Outcome;
use crate::id::{EndpointId, TenantName};
use crate::limits::BREAKER_WINDOW_S;
use crate::timestamp::Timestamp;

/// Endpoints that are counted at the same time; when there are more, counting begins anew.
const ENDPOINTS_MAX: usize = 10_000;

/// When a breaker opens, and when its first probe is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Attempts in a minute below which it stays closed: of fewer nothing can be said.
    pub attempts_min: u32,
    /// Opens at this share of failures, in percent: 1 to 100.
    pub failures_percent: u32,
    /// Seconds from the opening to the first probe, and from one probe to the next.
    pub probe_s: u64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { attempts_min: 20, failures_percent: 50, probe_s: 30 }
    }
}

/// The attempts and failures of every endpoint, as this instance has seen them.
#[derive(Debug)]
pub struct Breakers {
    /// The settings by which every endpoint's breaker opens.
    pub settings: BreakerSettings,
    windows: Mutex<BoundedMap<(TenantName, EndpointId), Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    attempts: u32,
    failures: u32,
}

impl Default for Breakers {
    fn default() -> Self {
        Self::new(BreakerSettings::default())
    }
}

impl Breakers {
    /// Makes breakers that have counted nothing yet.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, windows: Mutex::new(BoundedMap::new(ENDPOINTS_MAX)) }
    }

    /// Counts an attempt, and says whether its endpoint's breaker must open now.
    pub fn is_tripped(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        outcome: Outcome,
        now: Timestamp,
    ) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Window { began: now, attempts: 0, failures: 0 };
        let place = (tenant.clone(), endpoint.clone());
        let window = windows.get_or_insert_with(place, || fresh);
        // A window that begins later than now was begun by a clock that was ahead.
        if now.since_ms(window.began) >= BREAKER_WINDOW_S * 1_000 || window.began > now {
            *window = fresh;
        }
        window.attempts += 1;
        let has_failed = outcome != Outcome::Accepted;
        window.failures += u32::from(has_failed);
        let is_tripped = has_failed
            && window.attempts >= self.settings.attempts_min
            && window.failures * 100 >= window.attempts * self.settings.failures_percent;
        // The count begins anew, so that the breaker does not open again at once for failures that
        // it has already answered for.
        if is_tripped {
            *window = fresh;
        }
        is_tripped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trips(breakers: &Breakers, outcomes: &[Outcome], apart_ms: u64) -> Vec<bool> {
        let (tenant, endpoint) = ("acme".parse().unwrap(), "ep_1".parse().unwrap());
        let at = |number: usize| Timestamp::from_ms(u64::try_from(number).unwrap() * apart_ms);
        let trip = |(number, outcome): (usize, &Outcome)| {
            breakers.is_tripped(&tenant, &endpoint, *outcome, at(number))
        };
        outcomes.iter().enumerate().map(trip).collect()
    }

    #[test]
    fn opens_at_half_of_twenty_within_a_minute() {
        let half: Vec<_> = (0..20).map(|n| [Outcome::Accepted, Outcome::TimedOut][n % 2]).collect();
        let tripped = trips(&Breakers::default(), &half, 100);
        assert_eq!(tripped.iter().filter(|one| **one).count(), 1);
        assert!(tripped[19]);
    }

    #[test]
    fn stays_closed_below_that() {
        let few = vec![Outcome::ServerError; 19];
        assert!(!trips(&Breakers::default(), &few, 100).contains(&true));
        let slow = vec![Outcome::ServerError; 60];
        assert!(!trips(&Breakers::default(), &slow, 4_000).contains(&true), "fifteen a minute");
        let third: Vec<_> =
            (0..60).map(|n| if n % 3 == 0 { Outcome::Gone } else { Outcome::Accepted }).collect();
        assert!(!trips(&Breakers::default(), &third, 100).contains(&true));
    }

    #[test]
    fn counts_each_endpoint_by_itself_and_anew_once_it_has_opened() {
        let breakers = Breakers::default();
        let failing = vec![Outcome::Unreachable; 25];
        let tripped = trips(&breakers, &failing, 10);
        assert_eq!(tripped.iter().position(|one| *one), Some(19));
        let (tenant, other) = ("acme".parse().unwrap(), "ep_2".parse().unwrap());
        assert!(!breakers.is_tripped(&tenant, &other, Outcome::Unreachable, Timestamp::from_ms(1)));
    }
}
