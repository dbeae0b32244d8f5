//! What is configured, in SQLite: tenants, endpoints, API keys and sources, each a JSON document.
//!
//! Endpoints are asked for at every event, so each tenant's are kept in memory. This process is the
//! only one that writes them: a copy is dropped when its tenant's endpoints change, and is never old.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::ports::{ConfigStore, EngineError, Page, PageRequest, Setting, Tenant};
use waxseal_domain::source::Source;

use super::writer::Durability;
use super::{EmbeddedStore, schema_value};

/// Tenants whose endpoints are kept in memory.
const TENANTS_MAX: usize = 1_000;

type Endpoints = Option<Arc<Vec<Endpoint>>>;
type Answer<T> = Result<T, EngineError>;

/// Tenants' endpoints, in memory.
#[derive(Debug, Default)]
pub(super) struct ConfigCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    /// Rises with every change: what was read before one is not kept after it.
    generation: u64,
    endpoints: HashMap<TenantName, Endpoints>,
}

impl ConfigCache {
    fn get(&self, tenant: &TenantName) -> Result<Endpoints, u64> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.endpoints.get(tenant).cloned().ok_or(cached.generation)
    }

    fn keep(&self, generation: u64, tenant: TenantName, endpoints: Endpoints) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.generation == generation && endpoints.is_some() {
            if cached.endpoints.len() >= TENANTS_MAX {
                cached.endpoints.clear();
            }
            cached.endpoints.insert(tenant, endpoints);
        }
    }

    fn forget(&self, tenant: &TenantName) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.generation += 1;
        cached.endpoints.remove(tenant);
    }
}

/// A document's place: its kind, its tenant (empty: none) and its id.
struct Place {
    kind: &'static str,
    tenant: String,
    id: String,
}

impl Place {
    fn tenant(name: &TenantName) -> Self {
        Self { kind: "tenant", tenant: String::new(), id: name.to_string() }
    }

    fn endpoint(tenant: &TenantName, id: &EndpointId) -> Self {
        Self { kind: "endpoint", tenant: tenant.to_string(), id: id.to_string() }
    }

    fn api_key(tenant: &TenantName, id: &ApiKeyId) -> Self {
        Self { kind: "api_key", tenant: tenant.to_string(), id: id.to_string() }
    }

    fn setting(kind: Setting, name: &str) -> Self {
        Self { kind: kind.as_str(), tenant: String::new(), id: name.to_owned() }
    }

    fn source(tenant: &TenantName, name: &SourceName) -> Self {
        Self { kind: "source", tenant: tenant.to_string(), id: name.to_string() }
    }
}

impl ConfigStore for EmbeddedStore {
    async fn create_tenant(&self, tenant: &Tenant) -> Answer<bool> {
        let (place, doc) = (Place::tenant(&tenant.name), document(tenant)?);
        let insert = move |connection: &Connection| insert(connection, &place, None, 1, &doc);
        let (cache, name) = (Arc::clone(&self.cache), tenant.name.clone());
        let forget = move |_: &bool| cache.forget(&name);
        self.writer.write("create tenant", Durability::Synced, insert, forget).await
    }

    async fn tenants(&self, page: &PageRequest) -> Answer<Page<Tenant>> {
        let page = page.clone();
        let read = move |connection: &Connection| {
            let after = page.cursor.clone().unwrap_or_default();
            let sql = "SELECT doc FROM config WHERE kind = 'tenant' AND tenant = '' AND id > ?1
                       ORDER BY id LIMIT ?2";
            let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
            let items: Vec<Tenant> = documents(connection, sql, params![after, limit])?;
            let last = items.last().filter(|_| items.len() == page.limit);
            let cursor = last.map(|tenant| tenant.name.to_string());
            Ok(Page { items, cursor })
        };
        self.readers.read("list tenants", read).await
    }

    async fn endpoints(&self, tenant: &TenantName, _max_age_s: u64) -> Answer<Endpoints> {
        let generation = match self.cache.get(tenant) {
            Ok(endpoints) => return Ok(endpoints),
            Err(generation) => generation,
        };
        let name = tenant.clone();
        let read = move |connection: &Connection| {
            if find::<Tenant>(connection, &Place::tenant(&name))?.is_none() {
                return Ok(None);
            }
            let sql =
                "SELECT doc FROM config WHERE kind = 'endpoint' AND tenant = ?1 ORDER BY rowid";
            documents(connection, sql, params![name.as_str()]).map(|found| Some(Arc::new(found)))
        };
        let endpoints = self.readers.read("read endpoints", read).await?;
        self.cache.keep(generation, tenant.clone(), endpoints.clone());
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
        let (place, doc) = (Place::endpoint(&endpoint.tenant, &endpoint.id), document(endpoint)?);
        let version = endpoint.version;
        let put = move |connection: &Connection| match over {
            None => insert(connection, &place, None, version, &doc),
            Some(over) => update(connection, &place, over, version, &doc),
        };
        let (cache, tenant) = (Arc::clone(&self.cache), endpoint.tenant.clone());
        let forget = move |_: &bool| cache.forget(&tenant);
        self.writer.write("write endpoint", Durability::Synced, put, forget).await
    }

    async fn delete_endpoint(&self, tenant: &TenantName, id: &EndpointId) -> Answer<bool> {
        let place = Place::endpoint(tenant, id);
        let delete = move |connection: &Connection| delete(connection, &place);
        let (cache, tenant) = (Arc::clone(&self.cache), tenant.clone());
        let forget = move |_: &bool| cache.forget(&tenant);
        self.writer.write("delete endpoint", Durability::Synced, delete, forget).await
    }

    async fn api_key(&self, hash: &str) -> Answer<Option<ApiKey>> {
        let hash = hash.to_owned();
        let read = move |connection: &Connection| by_lookup(connection, "api_key", &hash);
        self.readers.read("read API key", read).await
    }

    async fn put_api_key(&self, key: &ApiKey) -> Answer<()> {
        let (place, doc) = (Place::api_key(&key.tenant, &key.id), document(key)?);
        let hash = key.hash.clone();
        let put = move |connection: &Connection| insert(connection, &place, Some(&hash), 1, &doc);
        self.writer.write("write API key", Durability::Synced, put, |_| ()).await.map(|_| ())
    }

    async fn api_keys(&self, tenant: &TenantName) -> Answer<Vec<ApiKey>> {
        let tenant = tenant.to_string();
        let read = move |connection: &Connection| {
            let sql = "SELECT doc FROM config WHERE kind = 'api_key' AND tenant = ?1
                       ORDER BY rowid DESC LIMIT 200";
            documents(connection, sql, params![tenant])
        };
        self.readers.read("list API keys", read).await
    }

    async fn delete_api_key(&self, tenant: &TenantName, id: &ApiKeyId) -> Answer<bool> {
        let place = Place::api_key(tenant, id);
        let delete = move |connection: &Connection| delete(connection, &place);
        self.writer.write("delete API key", Durability::Synced, delete, |_| ()).await
    }

    async fn source(&self, name: &SourceName, _max_age_s: u64) -> Answer<Option<Source>> {
        let name = name.to_string();
        let read = move |connection: &Connection| by_lookup(connection, "source", &name);
        self.readers.read("read source", read).await
    }

    async fn put_source(&self, source: &Source) -> Answer<bool> {
        let (source, doc) = (source.clone(), document(source)?);
        let put = move |connection: &Connection| {
            let found: Option<Source> = by_lookup(connection, "source", source.name.as_str())?;
            if found.is_some_and(|found| found.tenant != source.tenant) {
                return Ok(false);
            }
            let place = Place::source(&source.tenant, &source.name);
            delete(connection, &place)?;
            insert(connection, &place, Some(source.name.as_str()), 1, &doc)
        };
        self.writer.write("write source", Durability::Synced, put, |_| ()).await
    }

    async fn setting(
        &self,
        kind: Setting,
        name: &str,
        _max_age_s: u64,
    ) -> Answer<Option<Arc<str>>> {
        let place = Place::setting(kind, name);
        let read = move |connection: &Connection| find::<Arc<str>>(connection, &place);
        self.readers.read("read setting", read).await
    }

    async fn settings(&self, kind: Setting) -> Answer<Vec<(String, Arc<str>)>> {
        let read = move |connection: &Connection| {
            let sql = "SELECT id, doc FROM config WHERE kind = ?1 AND tenant = '' ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([kind.as_str()], |row| {
                Ok((row.get(0)?, schema_value::from_json(row, 1)?))
            })?;
            rows.collect()
        };
        self.readers.read("list settings", read).await
    }

    async fn put_setting(&self, kind: Setting, name: &str, text: &str, over: bool) -> Answer<bool> {
        let (place, doc) = (Place::setting(kind, name), document(&text)?);
        let put = move |connection: &Connection| {
            if over {
                delete(connection, &place)?;
            }
            insert(connection, &place, None, 1, &doc)
        };
        self.writer.write("write setting", Durability::Synced, put, |_| ()).await
    }

    async fn delete_source(&self, tenant: &TenantName, name: &SourceName) -> Answer<bool> {
        let place = Place::source(tenant, name);
        let delete = move |connection: &Connection| delete(connection, &place);
        self.writer.write("delete source", Durability::Synced, delete, |_| ()).await
    }
}

fn document<T: Serialize>(value: &T) -> Answer<String> {
    serde_json::to_string(value).map_err(|error| EngineError::new("serialise document", error))
}

fn find<T: DeserializeOwned>(
    connection: &Connection,
    place: &Place,
) -> rusqlite::Result<Option<T>> {
    let sql = "SELECT doc FROM config WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    let keys = params![place.kind, place.tenant, place.id];
    connection
        .prepare_cached(sql)?
        .query_row(keys, |row| schema_value::from_json(row, 0))
        .optional()
}

fn by_lookup<T: DeserializeOwned>(
    connection: &Connection,
    kind: &str,
    lookup: &str,
) -> rusqlite::Result<Option<T>> {
    let sql = "SELECT doc FROM config WHERE kind = ?1 AND lookup = ?2";
    connection
        .prepare_cached(sql)?
        .query_row([kind, lookup], |row| schema_value::from_json(row, 0))
        .optional()
}

fn documents<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    keys: impl rusqlite::Params,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(keys, |row| schema_value::from_json(row, 0))?.collect()
}

fn insert(
    connection: &Connection,
    place: &Place,
    lookup: Option<&str>,
    version: u64,
    doc: &str,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO config (kind, tenant, id, lookup, version, doc)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    let values = params![place.kind, place.tenant, place.id, lookup, version, doc];
    connection.prepare_cached(sql)?.execute(values).map(|rows| rows == 1)
}

fn update(
    connection: &Connection,
    place: &Place,
    over: u64,
    version: u64,
    doc: &str,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE config SET version = ?1, doc = ?2
               WHERE kind = ?3 AND tenant = ?4 AND id = ?5 AND version = ?6";
    let signed = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
    let values = params![signed(version), doc, place.kind, place.tenant, place.id, signed(over)];
    connection.prepare_cached(sql)?.execute(values).map(|rows| rows == 1)
}

fn delete(connection: &Connection, place: &Place) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM config WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    let keys = params![place.kind, place.tenant, place.id];
    connection.prepare_cached(sql)?.execute(keys).map(|rows| rows == 1)
}
