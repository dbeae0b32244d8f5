//! API keys: an item beside their tenant's, for its list, and one by their hash, to find them.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::id::{ApiKeyId, TenantName};
use waxseal_domain::ports::EngineError;

use super::super::item::{ALONE, Item, key, read_json, text};
use super::super::{DynamoStore, failed};
use super::{document, tenant_pk};

/// How old a copy of a key may be: so long a deleted key may still work elsewhere.
const COPY_S: u64 = 10;
/// Keys in a tenant's list.
const KEYS_MAX: i32 = 200;

impl DynamoStore {
    pub(super) async fn find_api_key(&self, hash: &str) -> Result<Option<ApiKey>, EngineError> {
        let place = hash.to_owned();
        let start = match self.cache.api_keys.get(&place, COPY_S) {
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

    /// Both items or none.
    pub(super) async fn write_api_key(&self, key: &ApiKey) -> Result<(), EngineError> {
        let listed = document(by_id(&key.tenant, &key.id), key)?;
        let found_by = document(by_hash(&key.hash), key)?;
        let write = self
            .dynamodb()
            .transact_write_items()
            .transact_items(self.put_of(listed, None)?)
            .transact_items(self.put_of(found_by, None)?);
        write.send().await.map_err(failed("write API key"))?;
        self.cache.api_keys.forget(&key.hash);
        Ok(())
    }

    /// Newest first.
    pub(super) async fn list_api_keys(
        &self,
        tenant: &TenantName,
    ) -> Result<Vec<ApiKey>, EngineError> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.config_table()?)
            .key_condition_expression("pk = :tenant AND begins_with(sk, :keys)")
            .expression_attribute_values(":tenant", text(tenant_pk(tenant)))
            .expression_attribute_values(":keys", text("K#"))
            .limit(KEYS_MAX)
            .consistent_read(true);
        let answer = query.send().await.map_err(failed("list API keys"))?;
        let keys = answer.items().iter().map(|item| read_json(item, "doc"));
        let mut keys: Vec<ApiKey> = keys.collect::<Result<_, _>>()?;
        keys.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        Ok(keys)
    }

    /// Both items or none: a key that is no longer listed no longer works.
    pub(super) async fn remove_api_key(
        &self,
        tenant: &TenantName,
        id: &ApiKeyId,
    ) -> Result<bool, EngineError> {
        let Some(item) = self.config_item("read API key", by_id(tenant, id)).await? else {
            return Ok(false);
        };
        let found: ApiKey = read_json(&item, "doc")?;
        let delete = self
            .dynamodb()
            .transact_write_items()
            .transact_items(self.delete_of(by_id(tenant, id))?)
            .transact_items(self.delete_of(by_hash(&found.hash))?);
        let deleted = delete.send().await.map_err(failed("delete API key"));
        self.cache.api_keys.forget(&found.hash);
        deleted.map(|_| true)
    }

    fn delete_of(&self, key: Item) -> Result<TransactWriteItem, EngineError> {
        let delete = Delete::builder()
            .table_name(self.config_table()?)
            .set_key(Some(key))
            .build()
            .map_err(|error| EngineError::new("build transaction", error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

fn by_id(tenant: &TenantName, id: &ApiKeyId) -> Item {
    key(tenant_pk(tenant), format!("K#{id}"))
}

fn by_hash(hash: &str) -> Item {
    key(format!("K#{hash}"), ALONE)
}
