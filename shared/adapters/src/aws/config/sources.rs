//! Sources: each beside its tenant; and the one to which the path without a tenant leads by its name alone as well.

use waxseal_domain::id::{SourceName, TenantName};
use waxseal_domain::source::Source;
use waxseal_flows::ports::EngineError;

use super::super::DynamoStore;
use super::super::item::{ALONE, Item, key, read_json};
use super::tenant_pk;

impl DynamoStore {
    /// Reads a tenant's source, or without a tenant the one to which the short path leads.
    pub(super) async fn read_source(
        &self,
        tenant: Option<&TenantName>,
        name: &SourceName,
    ) -> Result<Option<Source>, EngineError> {
        let place = tenant.map_or_else(|| short_path_key(name), |tenant| source_key(tenant, name));
        let item = self.config_item("read source", place).await?;
        item.map(|item| read_json(&item, "doc")).transpose()
    }
}

/// The place of a short path: no other source takes it while it is there.
pub(super) fn short_path_key(name: &SourceName) -> Item {
    key(format!("S#{name}"), ALONE)
}

/// The place of a source, beside its tenant's items.
pub(super) fn source_key(tenant: &TenantName, name: &SourceName) -> Item {
    key(tenant_pk(tenant), format!("S#{name}"))
}
