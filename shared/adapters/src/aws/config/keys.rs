//! API keys: an item beside their tenant's, for its list, and one by their hash, to find them.

use std::collections::HashMap;

use waxseal_domain::api_key::ApiKey;
use waxseal_domain::id::{ApiKeyId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{EngineError, MaxAge};

use super::super::item::{ALONE, Item, key, ms, parse, read_json, read_ms, read_text};
use super::super::{DynamoStore, failure_at};
use super::tenant_pk;

/// How old a copy of a key may be: so long a deleted key may still work elsewhere.
const COPY_S: u64 = 10;

impl DynamoStore {
    pub(super) async fn find_api_key(&self, hash: &str) -> Result<Option<ApiKey>, EngineError> {
        let place = hash.to_owned();
        let start = match self.cache.api_keys.get(&place, MaxAge::seconds(COPY_S)) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        let item = self.config_item("read API key", by_hash(hash)).await?;
        let found: Option<ApiKey> = item.map(|item| read_json(&item, "doc")).transpose()?;
        if let Some(found) = &found {
            self.cache.api_keys.keep(start, place, found.clone());
        }
        Ok(found)
    }

    /// Reads the API keys of a tenant, newest first.
    pub(super) async fn list_api_keys(
        &self,
        tenant: &TenantName,
    ) -> Result<Vec<ApiKey>, EngineError> {
        let mut keys: Vec<ApiKey> = self.list_of_tenant("list API keys", tenant, "K#").await?;
        keys.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        Ok(keys)
    }

    /// Writes when a key was last used. It goes into the state table: it is written often, and
    /// losing it loses nothing.
    pub(super) async fn write_key_use(
        &self,
        key: &ApiKeyId,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(use_key(key)))
            .update_expression("SET used_at = :at")
            .expression_attribute_values(":at", ms(at));
        update.send().await.map_err(failure_at("note key use")).map(|_| ())
    }

    pub(super) async fn read_key_uses(
        &self,
        keys: &[ApiKeyId],
    ) -> Result<HashMap<ApiKeyId, Timestamp>, EngineError> {
        let places: Vec<Item> = keys.iter().map(use_key).collect();
        let mut uses = HashMap::new();
        for item in self.batch_get("read key uses", &places).await? {
            let id = read_text(&item, "pk")?.strip_prefix("U#").unwrap_or_default();
            uses.insert(parse("pk", id)?, read_ms(&item, "used_at")?);
        }
        Ok(uses)
    }
}

fn use_key(id: &ApiKeyId) -> Item {
    key(format!("U#{id}"), ALONE)
}

pub(super) fn by_id(tenant: &TenantName, id: &ApiKeyId) -> Item {
    key(tenant_pk(tenant), format!("K#{id}"))
}

pub(super) fn by_hash(hash: &str) -> Item {
    key(format!("K#{hash}"), ALONE)
}
