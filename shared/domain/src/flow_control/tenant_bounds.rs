//! What every tenant of a deployment may do at the most, so that what one tenant causes is not paid by the others.

use crate::flow_control::rate::Rate;
use crate::limits::{TENANT_DELIVERIES_PER_MINUTE, TENANT_MAX_PER_SECOND};

/// The bounds of each tenant, the same for all: settings of the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantBounds {
    /// Requests a second of all keys together. What is over it is refused with 429.
    pub requests_per_second: u32,
    /// Attempts a minute at all deliveries together. What is over it waits.
    pub deliveries_per_minute: u32,
}

impl Default for TenantBounds {
    fn default() -> Self {
        Self {
            requests_per_second: TENANT_MAX_PER_SECOND,
            deliveries_per_minute: TENANT_DELIVERIES_PER_MINUTE,
        }
    }
}

impl TenantBounds {
    /// Returns the rate of a tenant's requests.
    pub fn requests(&self) -> Rate {
        Rate::per_second(self.requests_per_second)
    }

    /// Returns the rate of a tenant's attempts.
    pub fn deliveries(&self) -> Rate {
        Rate::per_minute(self.deliveries_per_minute)
    }
}
