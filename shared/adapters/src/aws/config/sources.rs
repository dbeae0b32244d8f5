//! Sources: found by their name alone, which is one tenant's.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use waxseal_domain::id::{SourceName, TenantName};
use waxseal_domain::ports::EngineError;
use waxseal_domain::source::Source;

use super::super::item::{ALONE, Item, key, read_json, text};
use super::super::{DynamoStore, failed};
use super::document;

impl DynamoStore {
    pub(super) async fn read_source(
        &self,
        name: &SourceName,
    ) -> Result<Option<Source>, EngineError> {
        let item = self.config_item("read source", source_key(name)).await?;
        item.map(|item| read_json(&item, "doc")).transpose()
    }

    pub(super) async fn write_source(&self, source: &Source) -> Result<bool, EngineError> {
        let mut item = document(source_key(&source.name), source)?;
        item.insert("tenant".to_owned(), text(source.tenant.as_str()));
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.config_table()?)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #tenant = :tenant")
            .expression_attribute_names("#tenant", "tenant")
            .expression_attribute_values(":tenant", text(source.tenant.as_str()));
        let Err(error) = put.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failed("write source")(error)),
        }
    }

    pub(super) async fn remove_source(
        &self,
        tenant: &TenantName,
        name: &SourceName,
    ) -> Result<bool, EngineError> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.config_table()?)
            .set_key(Some(source_key(name)))
            .condition_expression("#tenant = :tenant")
            .expression_attribute_names("#tenant", "tenant")
            .expression_attribute_values(":tenant", text(tenant.as_str()))
            .return_values(ReturnValue::AllOld);
        let error = match delete.send().await {
            Ok(answer) => return Ok(answer.attributes.is_some_and(|old| !old.is_empty())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failed("delete source")(error)),
        }
    }
}

fn source_key(name: &SourceName) -> Item {
    key(format!("S#{name}"), ALONE)
}
