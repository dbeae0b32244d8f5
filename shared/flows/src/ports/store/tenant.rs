//! Tenants as they are stored, and what their number of endpoints is bounded by.

use serde::{Deserialize, Serialize};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::TenantName;
use waxseal_domain::timestamp::Timestamp;

/// The version of a tenant's endpoints and catalogue. Adding to them is refused over another
/// version than was read, so that limits hold however many are added at once, without a counter
/// that could drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantVersion(pub u64);

impl TenantVersion {
    /// Returns the version that follows this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The stored row of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// The name by which everything of the tenant is found.
    pub name: TenantName,
    /// When the tenant was created.
    pub created_at: Timestamp,
}

/// A tenant's endpoints, with the version by which their number is bounded.
#[derive(Clone, Debug, Default)]
pub struct TenantEndpoints {
    /// Rises with every endpoint that is added or takes another profile, and with every event type
    /// that is put.
    pub version: TenantVersion,
    /// Whether the tenant's catalogue may hold event types.
    pub has_catalogue: bool,
    /// Holds the endpoints, oldest first.
    pub endpoints: Vec<Endpoint>,
}

impl std::ops::Deref for TenantEndpoints {
    type Target = [Endpoint];
    fn deref(&self) -> &[Endpoint] {
        &self.endpoints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_a_tenant_has_the_next_version() {
        assert_eq!(TenantVersion(7).next(), TenantVersion(8));
    }

    #[test]
    fn a_tenants_endpoints_are_all_that_were_read() {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let now = Timestamp::from_ms(0);
        let endpoint = Endpoint::new(id, tenant, "standard".to_owned(), now);
        let read = TenantEndpoints { endpoints: vec![endpoint], ..TenantEndpoints::default() };
        assert_eq!(read.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["ep_1"]);
    }
}
