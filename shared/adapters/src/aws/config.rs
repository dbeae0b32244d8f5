//! What is configured, in DynamoDB: tenants, endpoints, API keys and sources, each a JSON document.
//!
//! Copies are kept in memory, as old as the caller allows; an API key's for 10 s. Only what was
//! found is kept: nothing is taken for missing because of a copy. Own writes drop the own copies.

mod endpoints;
mod keys;
mod settings;
mod sources;
mod tenants;

use std::sync::Arc;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::Serialize;
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::gate::Gate;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::ports::{ConfigStore, EngineError, Page, PageRequest, Setting, Tenant};
use waxseal_domain::source::Source;

use super::cache::AgedCache;
use super::item::{ALONE, Item, json, key};
use super::{DynamoStore, failed};

/// Tenants whose endpoints are kept in memory.
const TENANTS_MAX: usize = 1_000;
/// Endpoints, API keys and sources that are kept in memory, of each.
const COPIES_MAX: usize = 10_000;

type Endpoints = Option<Arc<Vec<Endpoint>>>;
type Answer<T> = Result<T, EngineError>;

/// Copies of what is configured.
#[derive(Debug)]
pub(super) struct ConfigCache {
    of_tenant: AgedCache<TenantName, Arc<Vec<Endpoint>>>,
    endpoints: AgedCache<(TenantName, EndpointId), Arc<Endpoint>>,
    api_keys: AgedCache<String, ApiKey>,
    sources: AgedCache<SourceName, Source>,
    settings: AgedCache<(Setting, String), Arc<str>>,
    /// Also that there is none: so it is with nearly every endpoint.
    pub(super) gates: AgedCache<(TenantName, EndpointId), Option<Gate>>,
}

impl Default for ConfigCache {
    fn default() -> Self {
        Self {
            of_tenant: AgedCache::new(TENANTS_MAX),
            endpoints: AgedCache::new(COPIES_MAX),
            api_keys: AgedCache::new(COPIES_MAX),
            sources: AgedCache::new(COPIES_MAX),
            settings: AgedCache::new(TENANTS_MAX),
            gates: AgedCache::new(COPIES_MAX),
        }
    }
}

impl ConfigStore for DynamoStore {
    async fn create_tenant(&self, tenant: &Tenant) -> Answer<bool> {
        self.write_tenant(tenant).await
    }

    async fn tenants(&self, page: &PageRequest) -> Answer<Page<Tenant>> {
        self.list_tenants(page).await
    }

    async fn endpoints(&self, tenant: &TenantName, max_age_s: u64) -> Answer<Endpoints> {
        let start = match self.cache.of_tenant.get(tenant, max_age_s) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        let found = self.read_endpoints(tenant).await?.map(Arc::new);
        if let Some(found) = &found {
            self.cache.of_tenant.keep(start, tenant.clone(), Arc::clone(found));
        }
        Ok(found)
    }

    async fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age_s: u64,
    ) -> Answer<Option<Arc<Endpoint>>> {
        let place = (tenant.clone(), id.clone());
        let start = match self.cache.endpoints.get(&place, max_age_s) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        if let Ok(all) = self.cache.of_tenant.get(tenant, max_age_s)
            && let Some(found) = all.iter().find(|found| found.id == *id)
        {
            return Ok(Some(Arc::new(found.clone())));
        }
        let found = self.read_endpoint(tenant, id).await?.map(Arc::new);
        if let Some(found) = &found {
            self.cache.endpoints.keep(start, place, Arc::clone(found));
        }
        Ok(found)
    }

    async fn put_endpoint(&self, endpoint: &Endpoint, over: Option<u64>) -> Answer<bool> {
        let written = self.write_endpoint(endpoint, over).await;
        self.forget_endpoint(&endpoint.tenant, &endpoint.id);
        written
    }

    async fn delete_endpoint(&self, tenant: &TenantName, id: &EndpointId) -> Answer<bool> {
        let deleted = self.remove_endpoint(tenant, id).await;
        self.forget_endpoint(tenant, id);
        deleted
    }

    async fn api_key(&self, hash: &str) -> Answer<Option<ApiKey>> {
        self.find_api_key(hash).await
    }

    async fn put_api_key(&self, key: &ApiKey) -> Answer<()> {
        self.write_api_key(key).await
    }

    async fn api_keys(&self, tenant: &TenantName) -> Answer<Vec<ApiKey>> {
        self.list_api_keys(tenant).await
    }

    async fn delete_api_key(&self, tenant: &TenantName, id: &ApiKeyId) -> Answer<bool> {
        self.remove_api_key(tenant, id).await
    }

    async fn source(&self, name: &SourceName, max_age_s: u64) -> Answer<Option<Source>> {
        let start = match self.cache.sources.get(name, max_age_s) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        let found = self.read_source(name).await?;
        if let Some(found) = &found {
            self.cache.sources.keep(start, name.clone(), found.clone());
        }
        Ok(found)
    }

    async fn put_source(&self, source: &Source) -> Answer<bool> {
        let written = self.write_source(source).await;
        self.cache.sources.forget(&source.name);
        written
    }

    async fn setting(&self, kind: Setting, name: &str, max_age_s: u64) -> Answer<Option<Arc<str>>> {
        let place = (kind, name.to_owned());
        let start = match self.cache.settings.get(&place, max_age_s) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        let found = self.read_setting(kind, name).await?;
        if let Some(found) = &found {
            self.cache.settings.keep(start, place, Arc::clone(found));
        }
        Ok(found)
    }

    async fn settings(&self, kind: Setting) -> Answer<Vec<(String, Arc<str>)>> {
        self.list_settings(kind).await
    }

    async fn put_setting(&self, kind: Setting, name: &str, text: &str, over: bool) -> Answer<bool> {
        let written = self.write_setting(kind, name, text, over).await;
        self.cache.settings.forget(&(kind, name.to_owned()));
        written
    }

    async fn delete_source(&self, tenant: &TenantName, name: &SourceName) -> Answer<bool> {
        let deleted = self.remove_source(tenant, name).await;
        self.cache.sources.forget(name);
        deleted
    }
}

impl DynamoStore {
    fn forget_endpoint(&self, tenant: &TenantName, id: &EndpointId) {
        self.cache.of_tenant.forget(tenant);
        self.cache.endpoints.forget(&(tenant.clone(), id.clone()));
    }

    async fn config_item(&self, step: &'static str, key: Item) -> Answer<Option<Item>> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.config_table()?)
            .set_key(Some(key))
            .consistent_read(true);
        Ok(get.send().await.map_err(failed(step))?.item)
    }

    /// A put, as a part of a transaction.
    fn put_of(&self, item: Item, condition: Option<&str>) -> Answer<TransactWriteItem> {
        let put = Put::builder()
            .table_name(self.config_table()?)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .build()
            .map_err(|error| EngineError::new("build transaction", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The partition key of a tenant, its endpoints and its keys.
fn tenant_pk(tenant: &TenantName) -> String {
    format!("T#{tenant}")
}

fn tenant_key(tenant: &TenantName) -> Item {
    key(tenant_pk(tenant), ALONE)
}

/// An item of a document.
fn document<T: Serialize>(mut key: Item, doc: &T) -> Answer<Item> {
    key.insert("doc".to_owned(), json(doc)?);
    Ok(key)
}
