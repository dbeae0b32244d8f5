//! Endpoints: items beside their tenant's, changed by version.

use aws_sdk_dynamodb::types::ReturnValue;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::ports::EngineError;

use super::super::item::{ALONE, Item, key, read_json, read_text, text};
use super::super::versioned::Version;
use super::super::{DynamoStore, failed};
use super::{document, tenant_pk};

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

    pub(super) async fn write_endpoint(
        &self,
        endpoint: &Endpoint,
        over: Option<u64>,
    ) -> Result<bool, EngineError> {
        let item = document(endpoint_key(&endpoint.tenant, &endpoint.id), endpoint)?;
        let version = Version { new: endpoint.version, over };
        self.put_versioned("write endpoint", self.config_table()?, item, version).await
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
