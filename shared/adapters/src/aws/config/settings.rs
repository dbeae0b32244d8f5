//! Settings of the deployment: all of a kind under one partition key.

use std::sync::Arc;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use waxseal_domain::id::TenantName;
use waxseal_flows::ports::{EngineError, Setting};

use super::super::item::{Item, key, read_json, read_text, text};
use super::super::{DynamoStore, failure_at};
use super::document;

impl DynamoStore {
    pub(super) async fn read_setting(
        &self,
        kind: Setting,
        name: &str,
    ) -> Result<Option<Arc<str>>, EngineError> {
        let item = self.config_item("read setting", key(setting_pk(kind), name)).await?;
        item.map(|item| read_json(&item, "doc")).transpose()
    }

    pub(super) async fn list_settings(
        &self,
        kind: Setting,
    ) -> Result<Vec<(String, Arc<str>)>, EngineError> {
        let values = [(":kind", text(setting_pk(kind)))];
        let items = self.config_items("list settings", "pk = :kind", values).await?;
        items
            .iter()
            .map(|item| Ok((read_text(item, "sk")?.to_owned(), read_json(item, "doc")?)))
            .collect()
    }

    pub(super) async fn write_link_key(
        &self,
        tenant: &TenantName,
        sealed: &str,
    ) -> Result<bool, EngineError> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.config_table()?)
            .set_item(Some(setting_item(Setting::LinkKey, tenant.as_str(), sealed)?))
            .condition_expression("attribute_not_exists(pk)");
        let Err(error) = put.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(failure_at("keep link key")(error)),
        }
    }
}

pub(super) fn setting_item(kind: Setting, name: &str, value: &str) -> Result<Item, EngineError> {
    document(key(setting_pk(kind), name), &value)
}

fn setting_pk(kind: Setting) -> String {
    format!("SETTING#{}", kind.as_str())
}
