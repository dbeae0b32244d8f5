//! Holds what one instance remembers between invocations: counts, and what is costly to make again.
//! An instance may end at any time, so nothing that is promised may rest on it.

use waxseal_domain::flow_control::breaker::{BreakerSettings, Breakers};
use waxseal_domain::flow_control::throttle::Throttle;

use crate::access_tokens::AccessTokens;

/// Everything that an instance remembers, except for copies of rows, which the stores keep.
#[derive(Debug, Default)]
pub struct Memory {
    /// Counts the failed attempts of each endpoint, as this instance saw them.
    pub breakers: Breakers,
    /// Counts the requests of each API key that this instance let pass.
    pub throttle: Throttle,
    /// Keeps the OAuth access tokens of the endpoints' receivers until they end.
    pub access_tokens: AccessTokens,
}

impl Memory {
    /// Makes an empty memory whose circuit breakers have these settings.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { breakers: Breakers::new(settings), ..Self::default() }
    }
}
