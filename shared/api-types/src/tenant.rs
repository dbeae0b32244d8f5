//! Tenants: whose events and endpoints are kept apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Describes a tenant: a project, customer or workspace that owns endpoints and events.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tenant {
    /// Identifies the tenant. It is part of the path of everything that the tenant owns.
    pub name: String,
    /// Tells when the tenant was created.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
}

/// Asks for a tenant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewTenant {
    /// Identifies the tenant from then on. It is part of the path of everything that the tenant owns.
    pub name: String,
}

impl Tenant {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self { name: "acme".to_owned(), created_at: crate::EXAMPLE_TIME.to_owned() }
    }
}

impl NewTenant {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self { name: "acme".to_owned() }
    }
}
