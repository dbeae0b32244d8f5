//! Tenants: each an item of its own, and one in the list of all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use waxseal_domain::ports::{EngineError, Page, PageRequest, Tenant};

use super::super::item::{ALONE, key, read_json, text};
use super::super::{DynamoStore, failed};
use super::{document, tenant_key};

const LIST: &str = "TENANTS";

impl DynamoStore {
    /// Both items or none. The SDK's token makes a repetition of the call the same call.
    pub(super) async fn write_tenant(&self, tenant: &Tenant) -> Result<bool, EngineError> {
        let own = document(tenant_key(&tenant.name), tenant)?;
        let listed = document(key(LIST, tenant.name.as_str()), tenant)?;
        let write = self
            .dynamodb()
            .transact_write_items()
            .transact_items(self.put_of(own, Some("attribute_not_exists(pk)"))?)
            .transact_items(self.put_of(listed, None)?);
        let Err(error) = write.send().await else { return Ok(true) };
        let exists = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
                .cancellation_reasons()
                .iter()
                .any(|reason| reason.code() == Some("ConditionalCheckFailed")),
            _ => false,
        };
        if exists { Ok(false) } else { Err(failed("create tenant")(error)) }
    }

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
        let answer = query.send().await.map_err(failed("list tenants"))?;
        let items = answer.items().iter().map(|item| read_json(item, "doc"));
        let items: Vec<Tenant> = items.collect::<Result<_, _>>()?;
        let last = items.last().filter(|_| answer.last_evaluated_key.is_some());
        let cursor = last.map(|tenant| tenant.name.to_string());
        Ok(Page { items, cursor })
    }
}
