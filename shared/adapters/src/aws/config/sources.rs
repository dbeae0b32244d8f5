//! Sources: found by their name alone, which is one tenant's; and listed beside their tenant.

use waxseal_domain::id::SourceName;
use waxseal_domain::source::Source;
use waxseal_flows::ports::EngineError;

use super::super::DynamoStore;
use super::super::item::{ALONE, Item, key, read_json};
use super::tenant_pk;

impl DynamoStore {
    pub(super) async fn read_source(
        &self,
        name: &SourceName,
    ) -> Result<Option<Source>, EngineError> {
        let item = self.config_item("read source", source_key(name)).await?;
        item.map(|item| read_json(&item, "doc")).transpose()
    }
}

pub(super) fn source_key(name: &SourceName) -> Item {
    key(format!("S#{name}"), ALONE)
}

/// Beside its tenant's items, for the list.
pub(super) fn listed_key(source: &Source) -> Item {
    key(tenant_pk(&source.tenant), format!("S#{}", source.name))
}
