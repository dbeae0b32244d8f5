//! The audit log: a tenant's entries under a key of their own, in the order of their time.

use waxseal_domain::audit::Entry;
use waxseal_domain::id::TenantName;
use waxseal_flows::ports::{EngineError, Page, PageRequest};

use super::super::item::{Item, key, read_json, read_text, text};
use super::super::{DynamoStore, failure_at};

impl DynamoStore {
    pub(super) async fn list_audit(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
    ) -> Result<Page<Entry>, EngineError> {
        // Every sort key is less than what none begins with.
        let before = page.cursor.as_deref().filter(|cursor| !cursor.is_empty()).unwrap_or("~");
        let query = self
            .dynamodb()
            .query()
            .table_name(self.config_table()?)
            .key_condition_expression("pk = :tenant AND sk < :before")
            .expression_attribute_values(":tenant", text(audit_pk(tenant)))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            .limit(i32::try_from(page.limit.max(1)).unwrap_or(i32::MAX))
            .consistent_read(true);
        let answer = query.send().await.map_err(failure_at("list audit entries"))?;
        let entries = answer.items().iter().map(|item| read_json(item, "doc"));
        let items: Vec<Entry> = entries.collect::<Result<_, _>>()?;
        let last = answer.items().last().filter(|_| answer.last_evaluated_key.is_some());
        let cursor = last.map(|item| read_text(item, "sk").map(str::to_owned)).transpose()?;
        Ok(Page { items, cursor })
    }
}

pub(super) fn entry_key(entry: &Entry) -> Item {
    key(audit_pk(&entry.tenant), format!("{:014}{}", entry.at.ms(), entry.id))
}

fn audit_pk(tenant: &TenantName) -> String {
    format!("A#{tenant}")
}
