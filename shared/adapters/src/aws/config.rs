//! What is configured, in DynamoDB: tenants, endpoints, API keys, sources and event types, each a JSON
//! document; and the audit log beside them.
//!
//! Copies are kept in memory, as old as the caller allows; an API key's for 10 s. Only what was
//! found is kept: nothing is taken for missing because of a copy. Own writes drop the own copies.

mod audit;
mod change;
mod endpoints;
mod event_types;
mod keys;
mod settings;
mod sources;
mod tenants;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::limits::{ENDPOINTS_KEPT_BYTES_MAX, EVENT_TYPES_KEPT_BYTES_MAX};
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    Change, ConfigStore, EngineError, MaxAge, Page, PageRequest, Setting, Tenant, TenantEndpoints,
};

use super::cache::AgedCache;
use super::item::{ALONE, Item, attributes, json, key, read_json, text};
use super::{DynamoStore, failure_at};

/// Tenants whose endpoints are kept in memory.
const TENANTS_MAX: usize = 1_000;
/// Endpoints, API keys and sources that are kept in memory, of each.
const COPIES_MAX: usize = 10_000;

type Endpoints = Option<Arc<TenantEndpoints>>;
type StoreResult<T> = Result<T, EngineError>;

/// Copies of what is configured.
#[derive(Debug)]
pub(super) struct ConfigCache {
    of_tenant: AgedCache<TenantName, Arc<TenantEndpoints>>,
    event_types: AgedCache<TenantName, Arc<Vec<EventType>>>,
    endpoints: AgedCache<(TenantName, EndpointId), Arc<Endpoint>>,
    api_keys: AgedCache<String, ApiKey>,
    /// Without a tenant: those to which short paths lead.
    sources: AgedCache<(Option<TenantName>, SourceName), Source>,
    settings: AgedCache<(Setting, String), Arc<str>>,
    /// Also that there is none: so it is with nearly every endpoint.
    pub(super) gates: AgedCache<(TenantName, EndpointId), Option<Gate>>,
}

impl Default for ConfigCache {
    fn default() -> Self {
        Self {
            of_tenant: AgedCache::with_bytes(
                TENANTS_MAX,
                ENDPOINTS_KEPT_BYTES_MAX,
                |(_, found)| found.iter().map(Endpoint::bytes).sum(),
            ),
            event_types: AgedCache::with_bytes(
                TENANTS_MAX,
                EVENT_TYPES_KEPT_BYTES_MAX,
                |(_, found)| found.iter().map(EventType::bytes).sum(),
            ),
            endpoints: AgedCache::with_bytes(COPIES_MAX, ENDPOINTS_KEPT_BYTES_MAX, |(_, found)| {
                found.bytes()
            }),
            api_keys: AgedCache::new(COPIES_MAX),
            sources: AgedCache::new(COPIES_MAX),
            settings: AgedCache::new(TENANTS_MAX),
            gates: AgedCache::new(COPIES_MAX),
        }
    }
}

impl ConfigStore for DynamoStore {
    async fn change(&self, change: Change<'_>, entry: &Entry) -> StoreResult<bool> {
        let changed = self.write_change(change, Some(entry)).await;
        self.forget(change);
        changed
    }

    async fn note_health(&self, endpoint: &Endpoint) -> StoreResult<bool> {
        let change = Change::PutEndpoint(endpoint);
        let changed = self.write_change(change, None).await;
        self.forget(change);
        changed
    }

    async fn audit(&self, tenant: &TenantName, page: &PageRequest) -> StoreResult<Page<Entry>> {
        self.list_audit(tenant, page).await
    }

    async fn event_types(
        &self,
        tenant: &TenantName,
        max_age: MaxAge,
    ) -> StoreResult<Arc<Vec<EventType>>> {
        let start = match self.cache.event_types.get(tenant, max_age) {
            Ok(copy) => return Ok(copy),
            Err(start) => start,
        };
        let all: Vec<EventType> = self.list_of_tenant("read event types", tenant, "Y#").await?;
        let found = Arc::new(all);
        self.cache.event_types.keep(start, tenant.clone(), Arc::clone(&found));
        Ok(found)
    }

    async fn tenants(&self, page: &PageRequest) -> StoreResult<Page<Tenant>> {
        self.list_tenants(page).await
    }

    async fn endpoints(&self, tenant: &TenantName, max_age: MaxAge) -> StoreResult<Endpoints> {
        let start = match self.cache.of_tenant.get(tenant, max_age) {
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
        max_age: MaxAge,
    ) -> StoreResult<Option<Arc<Endpoint>>> {
        let place = (tenant.clone(), id.clone());
        let start = match self.cache.endpoints.get(&place, max_age) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        if let Ok(all) = self.cache.of_tenant.get(tenant, max_age)
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

    async fn api_key(&self, hash: &str) -> StoreResult<Option<ApiKey>> {
        self.find_api_key(hash).await
    }

    async fn api_keys(&self, tenant: &TenantName) -> StoreResult<Vec<ApiKey>> {
        self.list_api_keys(tenant).await
    }

    async fn note_key_use(&self, key: &ApiKeyId, at: Timestamp) -> StoreResult<()> {
        self.write_key_use(key, at).await
    }

    async fn key_uses(&self, keys: &[ApiKeyId]) -> StoreResult<HashMap<ApiKeyId, Timestamp>> {
        self.read_key_uses(keys).await
    }

    async fn source(
        &self,
        tenant: &TenantName,
        name: &SourceName,
        max_age: MaxAge,
    ) -> StoreResult<Option<Source>> {
        self.find_source(Some(tenant), name, max_age).await
    }

    async fn source_by_short_path(
        &self,
        name: &SourceName,
        max_age: MaxAge,
    ) -> StoreResult<Option<Source>> {
        self.find_source(None, name, max_age).await
    }

    async fn sources(&self, tenant: &TenantName) -> StoreResult<Vec<Source>> {
        self.list_of_tenant("list sources", tenant, "S#").await
    }

    async fn setting(
        &self,
        kind: Setting,
        name: &str,
        max_age: MaxAge,
    ) -> StoreResult<Option<Arc<str>>> {
        let place = (kind, name.to_owned());
        let start = match self.cache.settings.get(&place, max_age) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        let found = self.read_setting(kind, name).await?;
        if let Some(found) = &found {
            self.cache.settings.keep(start, place, Arc::clone(found));
        }
        Ok(found)
    }

    async fn settings(&self, kind: Setting) -> StoreResult<Vec<(String, Arc<str>)>> {
        self.list_settings(kind).await
    }

    async fn keep_link_key(&self, tenant: &TenantName, sealed: &str) -> StoreResult<bool> {
        let kept = self.write_link_key(tenant, sealed).await;
        self.cache.settings.forget(&(Setting::LinkKey, tenant.to_string()));
        kept
    }
}

impl DynamoStore {
    /// A tenant's source, or without a tenant the one to which the short path leads; from a copy of at most that age.
    async fn find_source(
        &self,
        tenant: Option<&TenantName>,
        name: &SourceName,
        max_age: MaxAge,
    ) -> StoreResult<Option<Source>> {
        let place = (tenant.cloned(), name.clone());
        let start = match self.cache.sources.get(&place, max_age) {
            Ok(copy) => return Ok(Some(copy)),
            Err(start) => start,
        };
        let found = self.read_source(tenant, name).await?;
        if let Some(found) = &found {
            self.cache.sources.keep(start, place, found.clone());
        }
        Ok(found)
    }

    /// Drops the copies of what a change may have changed, however it ended.
    fn forget(&self, change: Change<'_>) {
        match change {
            Change::AddEndpoint(endpoint, _)
            | Change::PutEndpoint(endpoint)
            | Change::MoveEndpoint(endpoint, _)
            | Change::RemoveEndpoint(endpoint) => {
                self.cache.of_tenant.forget(&endpoint.tenant);
                self.cache.endpoints.forget(&(endpoint.tenant.clone(), endpoint.id.clone()));
            }
            Change::AddApiKey(key) | Change::RemoveApiKey(key) => {
                self.cache.api_keys.forget(&key.hash);
            }
            Change::PutSource(source) | Change::RemoveSource(source) => {
                let (tenant, name) = (source.tenant.clone(), source.name.clone());
                self.cache.sources.forget(&(None, name.clone()));
                self.cache.sources.forget(&(Some(tenant), name));
            }
            Change::PutEventType(tenant, ..) | Change::RemoveEventType(tenant, _) => {
                self.cache.of_tenant.forget(tenant);
                self.cache.event_types.forget(tenant);
            }
            Change::PutProfile(name, _) => {
                self.cache.settings.forget(&(Setting::Profile, name.to_owned()));
            }
            Change::CreateTenant(_) => {}
        }
    }

    /// A tenant's items whose sort key begins so, each a document, in the order of that key.
    async fn list_of_tenant<T: DeserializeOwned>(
        &self,
        step: &'static str,
        tenant: &TenantName,
        begins_with: &str,
    ) -> StoreResult<Vec<T>> {
        let condition = "pk = :tenant AND begins_with(sk, :kind)";
        let values = [(":tenant", text(tenant_pk(tenant))), (":kind", text(begins_with))];
        let items = self.config_items(step, condition, values).await?;
        items.iter().map(|item| read_json(item, "doc")).collect()
    }

    /// Every item that a condition on the keys allows, in the order of the sort key, page by page.
    async fn config_items<const N: usize>(
        &self,
        step: &'static str,
        condition: &str,
        values: [(&str, AttributeValue); N],
    ) -> StoreResult<Vec<Item>> {
        let values = attributes(values);
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let query = self
                .dynamodb()
                .query()
                .table_name(self.config_table()?)
                .key_condition_expression(condition)
                .set_expression_attribute_values(Some(values.clone()))
                .consistent_read(true)
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(failure_at(step))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    async fn config_item(&self, step: &'static str, key: Item) -> StoreResult<Option<Item>> {
        let get = self
            .dynamodb()
            .get_item()
            .table_name(self.config_table()?)
            .set_key(Some(key))
            .consistent_read(true);
        Ok(get.send().await.map_err(failure_at(step))?.item)
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
fn document<T: Serialize>(mut key: Item, doc: &T) -> StoreResult<Item> {
    key.insert("doc".to_owned(), json(doc)?);
    Ok(key)
}
