//! What is configured, in DynamoDB, each a JSON document; read through bounded caches.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{Delete, Put, ReturnValue, TransactWriteItem};
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::ports::{Clock as _, ConfigStore, EngineError, Page, PageRequest, Tenant};
use waxseal_domain::source::Source;

use super::cache::Cache;
use super::item::{Item, Reader, json, key, number, text};
use super::{DynamoStore, failed};
use crate::clock::SystemClock;

/// Tenants whose endpoints are kept, and keys and sources that are.
const ENTRIES_MAX: usize = 1_000;
/// Seconds for which a key that was revoked may still work.
const API_KEY_COPY_S: u64 = 10;

type Endpoints = Option<Arc<Vec<Endpoint>>>;
type Answer<T> = Result<T, EngineError>;

/// Copies of what is configured.
#[derive(Debug)]
pub(super) struct ConfigCache {
    endpoints: Cache<TenantName, Endpoints>,
    keys: Cache<String, Option<ApiKey>>,
    sources: Cache<SourceName, Option<Source>>,
}

impl ConfigCache {
    pub(super) fn new() -> Self {
        let (endpoints, keys) = (Cache::new(ENTRIES_MAX), Cache::new(ENTRIES_MAX));
        Self { endpoints, keys, sources: Cache::new(ENTRIES_MAX) }
    }
}

impl ConfigStore for DynamoStore {
    async fn create_tenant(&self, tenant: &Tenant) -> Answer<bool> {
        let mut item = key(partition(&tenant.name), "#");
        item.insert("doc".to_owned(), json(tenant)?);
        let made = self.put_if(item, "attribute_not_exists(pk)", Vec::new()).await?;
        // Also where there is one: a crash between the two writes is mended by the next call.
        let mut listed = key("TENANTS".to_owned(), tenant.name.as_str());
        listed.insert("doc".to_owned(), json(tenant)?);
        self.put_if(listed, "attribute_not_exists(pk)", Vec::new()).await?;
        self.cache.endpoints.forget(&tenant.name);
        Ok(made)
    }

    async fn tenants(&self, page: &PageRequest) -> Answer<Page<Tenant>> {
        let start = page.cursor.clone().map(|name| key("TENANTS".to_owned(), name));
        let found = self
            .client
            .query()
            .table_name(&self.config_table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text("TENANTS"))
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("list tenants"))?;
        let items: Answer<Vec<Tenant>> =
            found.items().iter().map(|item| Reader(item).json("doc")).collect();
        let last = found.last_evaluated_key().map(|last| Reader(last).text("sk"));
        Ok(Page { items: items?, cursor: last.transpose()?.map(str::to_owned) })
    }

    async fn endpoints(&self, tenant: &TenantName, max_age_s: u64) -> Answer<Endpoints> {
        let now = SystemClock.now();
        if let Some(endpoints) = self.cache.endpoints.get(tenant, max_age_s, now) {
            return Ok(endpoints);
        }
        let endpoints = self.read_endpoints(tenant).await?;
        // That a tenant is not there is not remembered: its first endpoint is to work at once.
        if endpoints.is_some() {
            self.cache.endpoints.keep(tenant.clone(), endpoints.clone(), now);
        }
        Ok(endpoints)
    }

    async fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age_s: u64,
    ) -> Answer<Option<Arc<Endpoint>>> {
        let endpoints = self.endpoints(tenant, max_age_s).await?;
        let found = endpoints.iter().flat_map(|all| all.iter()).find(|found| found.id == *id);
        Ok(found.cloned().map(Arc::new))
    }

    async fn put_endpoint(&self, endpoint: &Endpoint, over: Option<u64>) -> Answer<bool> {
        let mut item = key(partition(&endpoint.tenant), format!("EP#{}", endpoint.id));
        item.insert("doc".to_owned(), json(endpoint)?);
        item.insert("version".to_owned(), number(endpoint.version));
        let put = match over {
            None => self.put_if(item, "attribute_not_exists(pk)", Vec::new()).await?,
            Some(over) => {
                self.put_if(item, "version = :over", vec![(":over", number(over))]).await?
            }
        };
        self.cache.endpoints.forget(&endpoint.tenant);
        Ok(put)
    }

    async fn delete_endpoint(&self, tenant: &TenantName, id: &EndpointId) -> Answer<bool> {
        let deleted = self.delete(key(partition(tenant), format!("EP#{id}"))).await?;
        self.cache.endpoints.forget(tenant);
        Ok(deleted.is_some())
    }

    async fn api_key(&self, hash: &str) -> Answer<Option<ApiKey>> {
        let (hash, now) = (hash.to_owned(), SystemClock.now());
        if let Some(found) = self.cache.keys.get(&hash, API_KEY_COPY_S, now) {
            return Ok(found);
        }
        let found: Option<ApiKey> = self.get(key(format!("K#{hash}"), "#")).await?;
        if found.is_some() {
            self.cache.keys.keep(hash, found.clone(), now);
        }
        Ok(found)
    }

    async fn put_api_key(&self, api_key: &ApiKey) -> Answer<()> {
        let put = |mut item: Item| {
            item.insert("doc".to_owned(), json(api_key)?);
            let put = Put::builder().table_name(&self.config_table).set_item(Some(item)).build();
            put.map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(failed("write API key"))
        };
        let by_tenant = put(key(partition(&api_key.tenant), format!("K#{}", api_key.id)))?;
        let by_hash = put(key(format!("K#{}", api_key.hash), "#"))?;
        let both = self.client.transact_write_items().transact_items(by_tenant);
        both.transact_items(by_hash).send().await.map_err(failed("write API key")).map(|_| ())
    }

    async fn api_keys(&self, tenant: &TenantName) -> Answer<Vec<ApiKey>> {
        let found = self
            .client
            .query()
            .table_name(&self.config_table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(partition(tenant)))
            .expression_attribute_values(":sk", text("K#"))
            .consistent_read(true)
            .limit(200)
            .send()
            .await
            .map_err(failed("list API keys"))?;
        let mut keys: Vec<ApiKey> =
            found.items().iter().map(|item| Reader(item).json("doc")).collect::<Answer<_>>()?;
        keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
        Ok(keys)
    }

    async fn delete_api_key(&self, tenant: &TenantName, id: &ApiKeyId) -> Answer<bool> {
        let place = key(partition(tenant), format!("K#{id}"));
        let Some(found) = self.get::<ApiKey>(place.clone()).await? else { return Ok(false) };
        let delete = |place: Item| {
            let delete = Delete::builder().table_name(&self.config_table).set_key(Some(place));
            let delete = delete.build().map_err(failed("delete API key"))?;
            Ok::<_, EngineError>(TransactWriteItem::builder().delete(delete).build())
        };
        self.client
            .transact_write_items()
            .transact_items(delete(place)?)
            .transact_items(delete(key(format!("K#{}", found.hash), "#"))?)
            .send()
            .await
            .map_err(failed("delete API key"))?;
        self.cache.keys.forget(&found.hash);
        Ok(true)
    }

    async fn source(&self, name: &SourceName, max_age_s: u64) -> Answer<Option<Source>> {
        let now = SystemClock.now();
        if let Some(found) = self.cache.sources.get(name, max_age_s, now) {
            return Ok(found);
        }
        let found: Option<Source> = self.get(key(format!("S#{name}"), "#")).await?;
        if found.is_some() {
            self.cache.sources.keep(name.clone(), found.clone(), now);
        }
        Ok(found)
    }

    async fn put_source(&self, source: &Source) -> Answer<bool> {
        let mut item = key(format!("S#{}", source.name), "#");
        item.insert("doc".to_owned(), json(source)?);
        item.insert("tenant".to_owned(), text(source.tenant.as_str()));
        let free = "attribute_not_exists(pk) OR tenant = :tenant";
        let values = vec![(":tenant", text(source.tenant.as_str()))];
        let put = self.put_if(item, free, values).await?;
        self.cache.sources.forget(&source.name);
        Ok(put)
    }

    async fn delete_source(&self, tenant: &TenantName, name: &SourceName) -> Answer<bool> {
        let found: Option<Source> = self.get(key(format!("S#{name}"), "#")).await?;
        if found.is_none_or(|found| found.tenant != *tenant) {
            return Ok(false);
        }
        let deleted = self.delete(key(format!("S#{name}"), "#")).await?;
        self.cache.sources.forget(name);
        Ok(deleted.is_some())
    }
}

impl DynamoStore {
    /// One query: the tenant and its endpoints lie together. None without the tenant.
    async fn read_endpoints(&self, tenant: &TenantName) -> Answer<Endpoints> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.config_table)
            .key_condition_expression("pk = :pk AND sk < :end")
            .expression_attribute_values(":pk", text(partition(tenant)))
            // `#` and `EP#…` are below, `K#…` are not.
            .expression_attribute_values(":end", text("F"))
            .consistent_read(true)
            .into_paginator()
            .send();
        let (mut is_there, mut endpoints) = (false, Vec::<Endpoint>::new());
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed("read endpoints"))?.items() {
                if Reader(item).text("sk")? == "#" {
                    is_there = true;
                } else {
                    endpoints.push(Reader(item).json("doc")?);
                }
            }
        }
        endpoints
            .sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(is_there.then(|| Arc::new(endpoints)))
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, place: Item) -> Answer<Option<T>> {
        let get = self.client.get_item().table_name(&self.config_table).set_key(Some(place));
        let found = get.consistent_read(true).send().await.map_err(failed("read document"))?;
        found.item().map(|item| Reader(item).json("doc")).transpose()
    }

    /// Writes a document under a condition; false where it does not hold.
    async fn put_if(
        &self,
        item: Item,
        condition: &str,
        values: Vec<(&str, aws_sdk_dynamodb::types::AttributeValue)>,
    ) -> Answer<bool> {
        let put = self.client.put_item().table_name(&self.config_table).set_item(Some(item));
        let mut put = put.condition_expression(condition);
        for (name, value) in values {
            put = put.expression_attribute_values(name, value);
        }
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_dynamodb::operation::put_item::PutItemError::is_conditional_check_failed_exception,
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("write document")(error)),
        }
    }

    /// Deletes a document, and answers with what was there.
    async fn delete(&self, place: Item) -> Answer<Option<Item>> {
        let delete = self.client.delete_item().table_name(&self.config_table).set_key(Some(place));
        let deleted = delete.return_values(ReturnValue::AllOld).send().await;
        let deleted = deleted.map_err(failed("delete document"))?;
        Ok(deleted.attributes().filter(|item| !item.is_empty()).cloned())
    }
}

fn partition(tenant: &TenantName) -> String {
    format!("T#{tenant}")
}
