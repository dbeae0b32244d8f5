//! Endpoints: items beside their tenant's, changed by version.

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_flows::ports::{EngineError, TenantEndpoints, TenantVersion};

use super::super::DynamoStore;
use super::super::item::{ALONE, Item, key, optional_number, read_json, read_text, text};
use super::tenant_pk;

impl DynamoStore {
    /// A tenant's endpoints, oldest first, in one query with the tenant itself: the items up to
    /// its keys. None if there is no such tenant.
    pub(super) async fn read_endpoints(
        &self,
        tenant: &TenantName,
    ) -> Result<Option<TenantEndpoints>, EngineError> {
        let condition = "pk = :tenant AND sk < :keys";
        let values = [(":tenant", text(tenant_pk(tenant))), (":keys", text("K#"))];
        let (mut tenant_endpoints, mut exists) = (TenantEndpoints::default(), false);
        for item in self.config_items("read endpoints", condition, values).await? {
            if read_text(&item, "sk")? == ALONE {
                exists = true;
                tenant_endpoints.version =
                    TenantVersion(optional_number(&item, "roster")?.unwrap_or(0));
                tenant_endpoints.has_catalogue = item.contains_key("has_catalogue");
            } else {
                tenant_endpoints.endpoints.push(read_json::<Endpoint>(&item, "doc")?);
            }
        }
        tenant_endpoints
            .endpoints
            .sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(exists.then_some(tenant_endpoints))
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
