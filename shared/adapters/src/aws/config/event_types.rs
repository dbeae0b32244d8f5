//! Event types: items beside their tenant's.

use waxseal_domain::id::TenantName;

use super::super::item::{Item, key};
use super::tenant_pk;

pub(super) fn event_type_key(tenant: &TenantName, name: &str) -> Item {
    key(tenant_pk(tenant), format!("Y#{name}"))
}
