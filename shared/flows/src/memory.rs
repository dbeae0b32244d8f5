//! What one instance remembers between invocations: counts, and what is costly to make again. Losing
//! it loses nothing.

use waxseal_domain::flow_control::breaker::{BreakerSettings, Breakers};
use waxseal_domain::flow_control::throttle::Throttle;

use crate::tokens::Tokens;

/// All that an instance remembers, but for copies of rows.
#[derive(Debug, Default)]
pub struct Memory {
    /// Endpoints' failures.
    pub breakers: Breakers,
    /// How often keys call.
    pub throttle: Throttle,
    /// Access tokens of endpoints' receivers.
    pub tokens: Tokens,
}

impl Memory {
    /// With these settings of circuit breakers.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { breakers: Breakers::new(settings), ..Self::default() }
    }
}
