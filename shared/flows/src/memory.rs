//! Holds what one instance remembers between invocations: counts, and what is costly to make again.
//! An instance may end at any time, so nothing that is promised may rest on it.

use std::sync::atomic::{AtomicUsize, Ordering};

use waxseal_domain::flow_control::breaker::{BreakerSettings, Breakers};
use waxseal_domain::flow_control::tenant_bounds::TenantBounds;
use waxseal_domain::flow_control::throttle::Throttle;

use crate::access_tokens::AccessTokens;

/// Everything that an instance remembers, except for copies of rows, which the stores keep.
#[derive(Debug, Default)]
pub struct Memory {
    /// Counts the failed attempts of each endpoint, as this instance saw them.
    pub breakers: Breakers,
    /// Counts what this instance let pass of each API key, source and tenant.
    pub throttle: Throttle,
    /// The bounds of each tenant.
    pub tenant_bounds: TenantBounds,
    /// Counts the deliveries that were put off by their tenant's bound, until somebody takes the count.
    pub put_off: AtomicUsize,
    /// Keeps the OAuth access tokens of the endpoints' receivers until they end.
    pub access_tokens: AccessTokens,
}

impl Memory {
    /// Makes an empty memory whose circuit breakers have these settings, and each tenant these bounds.
    pub fn new(settings: BreakerSettings, tenant_bounds: TenantBounds) -> Self {
        Self { breakers: Breakers::new(settings), tenant_bounds, ..Self::default() }
    }

    /// Returns how many deliveries were put off by their tenant's bound since this was asked last.
    pub fn take_put_off(&self) -> usize {
        self.put_off.swap(0, Ordering::Relaxed)
    }
}
