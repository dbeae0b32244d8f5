//! Tenants: each an item of its own, and one in the list of all.

use waxseal_domain::id::TenantName;
use waxseal_flows::ports::{EngineError, Page, PageRequest, Tenant};

use super::super::item::{ALONE, Item, key, read_json, text};
use super::super::{DynamoStore, failure_at};

const LIST: &str = "TENANTS";

impl DynamoStore {
    pub(super) async fn list_tenants(
        &self,
        page: &PageRequest,
    ) -> Result<Page<Tenant>, EngineError> {
        // Every name is greater than what no name begins with.
        let after = page.cursor.as_deref().filter(|cursor| !cursor.is_empty()).unwrap_or(ALONE);
        let query = self
            .dynamodb()
            .query()
            .table_name(self.config_table()?)
            .key_condition_expression("pk = :list AND sk > :after")
            .expression_attribute_values(":list", text(LIST))
            .expression_attribute_values(":after", text(after))
            .limit(i32::try_from(page.limit.max(1)).unwrap_or(i32::MAX))
            .consistent_read(true);
        let answer = query.send().await.map_err(failure_at("list tenants"))?;
        let tenants = answer.items().iter().map(|item| read_json(item, "doc"));
        let items: Vec<Tenant> = tenants.collect::<Result<_, _>>()?;
        let last = items.last().filter(|_| answer.last_evaluated_key.is_some());
        let cursor = last.map(|tenant| tenant.name.to_string());
        Ok(Page { items, cursor })
    }
}

/// Makes the key of a tenant's entry in the list of all tenants.
pub(super) fn listed_key(tenant: &TenantName) -> Item {
    key(LIST, tenant.as_str())
}
