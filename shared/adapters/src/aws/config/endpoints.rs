//! Endpoints: items beside their tenant's, changed by version.

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::ports::{EngineError, Roster};

use super::super::item::{ALONE, Item, find_number, key, read_json, read_text, text};
use super::super::{DynamoStore, failed};
use super::tenant_pk;

impl DynamoStore {
    /// A tenant's endpoints, oldest first, in one query with the tenant itself: the items up to
    /// its keys. None if there is no such tenant.
    pub(super) async fn read_endpoints(
        &self,
        tenant: &TenantName,
    ) -> Result<Option<Roster>, EngineError> {
        let (mut roster, mut exists) = (Roster::default(), false);
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
                    roster.version = find_number(item, "roster").unwrap_or(0);
                    roster.has_catalogue = item.contains_key("has_catalogue");
                } else {
                    roster.endpoints.push(read_json::<Endpoint>(item, "doc")?);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        roster
            .endpoints
            .sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(exists.then_some(roster))
    }

    pub(super) async fn read_endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
    ) -> Result<Option<Endpoint>, EngineError> {
        let item = self.config_item("read endpoint", endpoint_key(tenant, id)).await?;
        item.map(|item| read_json(&item, "doc")).transpose()
    }
}

pub(super) fn endpoint_key(tenant: &TenantName, id: &EndpointId) -> Item {
    key(tenant_pk(tenant), format!("EP#{id}"))
}
