//! Endpoints: items beside their tenant's, changed by version.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::ports::EngineError;

use super::super::item::{ALONE, Item, find_text, key, number, read_json, read_text, text};
use super::super::{DynamoStore, failed};
use super::{document, tenant_pk};
use crate::entropy::entropy;

impl DynamoStore {
    /// A tenant's endpoints, oldest first, in one query with the tenant itself: the items up to
    /// its keys. None if there is no such tenant.
    pub(super) async fn read_endpoints(
        &self,
        tenant: &TenantName,
    ) -> Result<Option<Vec<Endpoint>>, EngineError> {
        let (mut exists, mut found) = (false, Vec::new());
        let mut start = None;
        loop {
            let query = self
                .dynamodb()
                .query()
                .table_name(self.config_table()?)
                .key_condition_expression("pk = :tenant AND sk < :keys")
                .expression_attribute_values(":tenant", text(tenant_pk(tenant)))
                .expression_attribute_values(":keys", text("K#"))
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(failed("read endpoints"))?;
            for item in answer.items() {
                if read_text(item, "sk")? == ALONE {
                    exists = true;
                } else {
                    found.push(read_json::<Endpoint>(item, "doc")?);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        found.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(exists.then_some(found))
    }

    pub(super) async fn read_endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
    ) -> Result<Option<Endpoint>, EngineError> {
        let item = self.config_item("read endpoint", endpoint_key(tenant, id)).await?;
        item.map(|item| read_json(&item, "doc")).transpose()
    }

    /// `write` names this write: by it a refusal is known that is only the SDK's repetition, after
    /// the answer to the first call was lost.
    pub(super) async fn write_endpoint(
        &self,
        endpoint: &Endpoint,
        over: Option<u64>,
    ) -> Result<bool, EngineError> {
        let mut item = document(endpoint_key(&endpoint.tenant, &endpoint.id), endpoint)?;
        let write = format!("{:032x}", entropy());
        item.insert("version".to_owned(), number(endpoint.version));
        item.insert("write".to_owned(), text(write.as_str()));
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.config_table()?)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match over {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(over) => put
                .condition_expression("#version = :over")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":over", number(over)),
        };
        let Err(error) = put.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let found = refusal.item().and_then(|item| find_text(item, "write"));
                Ok(found == Some(write.as_str()))
            }
            _ => Err(failed("write endpoint")(error)),
        }
    }

    pub(super) async fn remove_endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
    ) -> Result<bool, EngineError> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.config_table()?)
            .set_key(Some(endpoint_key(tenant, id)))
            .return_values(ReturnValue::AllOld);
        let answer = delete.send().await.map_err(failed("delete endpoint"))?;
        Ok(answer.attributes.is_some_and(|old| !old.is_empty()))
    }
}

fn endpoint_key(tenant: &TenantName, id: &EndpointId) -> Item {
    key(tenant_pk(tenant), format!("EP#{id}"))
}
