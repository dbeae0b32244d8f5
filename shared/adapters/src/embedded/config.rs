//! What is configured, in SQLite: tenants, endpoints, API keys, sources and event types, each a JSON
//! document; and the audit log beside them. A tenant's version is that of its endpoints together.
//!
//! Endpoints and event types are asked for at every event: each tenant's are kept in memory.

mod change;
mod documents;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    Change, ConfigStore, EngineError, MaxAge, Page, PageRequest, Setting, Tenant, TenantEndpoints,
    TenantVersion,
};

use self::documents::{Place, document, documents, find, find_by_lookup, insert, version};
use super::config_cache::Endpoints;
use super::writer::Durability;
use super::{EmbeddedStore, schema_value};

type StoreResult<T> = Result<T, EngineError>;

/// Reads what the key file sealed when the folder was new. A key file that cannot open it is
/// another folder's.
pub(super) fn key_check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    find(connection, &Place::key_check())
}

/// Stores what the key file has sealed for later starts to check.
pub(super) fn keep_key_check(connection: &Connection, sealed: &str) -> rusqlite::Result<()> {
    let doc = schema_value::json(&sealed)?;
    insert(connection, &Place::key_check(), None, 1, &doc).map(|_| ())
}

/// Removes the audit entries that were written within `range`.
pub(super) fn expire_audit(
    connection: &Connection,
    range: &Range<Timestamp>,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM audit WHERE place >= ?1 AND place < ?2";
    let places = [range.start, range.end].map(|at| format!("{:014}", at.ms()));
    connection.prepare_cached(sql)?.execute(places).map(|_| ())
}

impl ConfigStore for EmbeddedStore {
    async fn change(&self, change: Change<'_>, entry: &Entry) -> StoreResult<bool> {
        let work = change::with_entry(change, entry)?;
        self.write_change(change.tenant(), work).await
    }

    async fn note_health(&self, endpoint: &Endpoint) -> StoreResult<bool> {
        let work = change::put_endpoint(endpoint, None)?;
        self.write_change(Some(&endpoint.tenant), work).await
    }

    async fn audit(&self, tenant: &TenantName, page: &PageRequest) -> StoreResult<Page<Entry>> {
        let (tenant, page) = (tenant.to_string(), page.clone());
        self.readers
            .read("list audit entries", move |connection| {
                let before = page.cursor.clone().unwrap_or_else(|| "~".to_owned());
                let sql = "SELECT doc, place FROM audit WHERE tenant = ?1 AND place < ?2
                       ORDER BY place DESC LIMIT ?3";
                let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
                let mut statement = connection.prepare_cached(sql)?;
                let found = statement.query_map(params![tenant, before, limit], |row| {
                    Ok((schema_value::from_json::<Entry>(row, 0)?, row.get::<_, String>(1)?))
                })?;
                let rows: Vec<(Entry, String)> = found.collect::<rusqlite::Result<_>>()?;
                let last = rows.last().filter(|_| rows.len() == page.limit);
                let cursor = last.map(|(_, place)| place.clone());
                Ok(Page { items: rows.into_iter().map(|(entry, _)| entry).collect(), cursor })
            })
            .await
    }

    async fn event_types(
        &self,
        tenant: &TenantName,
        _: MaxAge,
    ) -> StoreResult<Arc<Vec<EventType>>> {
        let generation = match self.cache.event_types(tenant) {
            Ok(found) => return Ok(found),
            Err(generation) => generation,
        };
        let name = tenant.to_string();
        let found: Arc<Vec<EventType>> = self
            .readers
            .read("read event types", move |connection| {
                let sql =
                    "SELECT doc FROM config WHERE kind = 'event_type' AND tenant = ?1 ORDER BY id";
                documents(connection, sql, params![name]).map(Arc::new)
            })
            .await?;
        self.cache.keep_event_types(generation, tenant.clone(), Arc::clone(&found));
        Ok(found)
    }

    async fn tenants(&self, page: &PageRequest) -> StoreResult<Page<Tenant>> {
        let page = page.clone();
        self.readers
            .read("list tenants", move |connection| {
                let after = page.cursor.clone().unwrap_or_default();
                let sql = "SELECT doc FROM config WHERE kind = 'tenant' AND tenant = '' AND id > ?1
                       ORDER BY id LIMIT ?2";
                let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
                let items: Vec<Tenant> = documents(connection, sql, params![after, limit])?;
                let last = items.last().filter(|_| items.len() == page.limit);
                let cursor = last.map(|tenant| tenant.name.to_string());
                Ok(Page { items, cursor })
            })
            .await
    }

    async fn endpoints(&self, tenant: &TenantName, _: MaxAge) -> StoreResult<Endpoints> {
        let generation = match self.cache.endpoints(tenant) {
            Ok(endpoints) => return Ok(endpoints),
            Err(generation) => generation,
        };
        let name = tenant.clone();
        let endpoints = self
            .readers
            .read("read endpoints", move |connection| {
                let Some(number) = version(connection, &Place::tenant(&name))? else {
                    return Ok(None);
                };
                let sql =
                    "SELECT doc FROM config WHERE kind = 'endpoint' AND tenant = ?1 ORDER BY rowid";
                let endpoints = documents(connection, sql, params![name.as_str()])?;
                let version = TenantVersion(number);
                Ok(Some(Arc::new(TenantEndpoints { version, has_catalogue: true, endpoints })))
            })
            .await?;
        self.cache.keep_endpoints(generation, tenant.clone(), endpoints.clone());
        Ok(endpoints)
    }

    async fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age: MaxAge,
    ) -> StoreResult<Option<Arc<Endpoint>>> {
        let endpoints = self.endpoints(tenant, max_age).await?;
        let found = endpoints.iter().flat_map(|all| all.iter()).find(|found| found.id == *id);
        Ok(found.cloned().map(Arc::new))
    }

    async fn api_key(&self, hash: &str) -> StoreResult<Option<ApiKey>> {
        let hash = hash.to_owned();
        self.readers
            .read("read API key", move |connection| find_by_lookup(connection, "api_key", &hash))
            .await
    }

    async fn api_keys(&self, tenant: &TenantName) -> StoreResult<Vec<ApiKey>> {
        let tenant = tenant.to_string();
        self.readers
            .read("list API keys", move |connection| {
                let sql = "SELECT doc FROM config WHERE kind = 'api_key' AND tenant = ?1
                       ORDER BY rowid DESC LIMIT 200";
                documents(connection, sql, params![tenant])
            })
            .await
    }

    async fn note_key_use(&self, key: &ApiKeyId, at: Timestamp) -> StoreResult<()> {
        let key = key.to_string();
        self.writer
            .write(
                "note key use",
                Durability::Lazy,
                move |connection| {
                    let sql = "INSERT OR REPLACE INTO key_uses (key, at) VALUES (?1, ?2)";
                    let at = i64::try_from(at.ms()).unwrap_or(i64::MAX);
                    connection.prepare_cached(sql)?.execute(params![key, at]).map(|_| ())
                },
                |()| (),
            )
            .await
    }

    async fn key_uses(&self, keys: &[ApiKeyId]) -> StoreResult<HashMap<ApiKeyId, Timestamp>> {
        let keys = keys.to_vec();
        self.readers
            .read("read key uses", move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT at FROM key_uses WHERE key = ?1")?;
                let mut found = HashMap::new();
                for key in keys {
                    let at =
                        statement.query_row([key.as_str()], |row| schema_value::timestamp(row, 0));
                    found.extend(at.optional()?.map(|at| (key, at)));
                }
                Ok(found)
            })
            .await
    }

    async fn source(&self, name: &SourceName, _: MaxAge) -> StoreResult<Option<Source>> {
        let name = name.to_string();
        self.readers
            .read("read source", move |connection| find_by_lookup(connection, "source", &name))
            .await
    }

    async fn sources(&self, tenant: &TenantName) -> StoreResult<Vec<Source>> {
        let tenant = tenant.to_string();
        self.readers
            .read("list sources", move |connection| {
                let sql =
                    "SELECT doc FROM config WHERE kind = 'source' AND tenant = ?1 ORDER BY id";
                documents(connection, sql, params![tenant])
            })
            .await
    }

    async fn setting(&self, kind: Setting, name: &str, _: MaxAge) -> StoreResult<Option<Arc<str>>> {
        let place = Place::setting(kind, name);
        self.readers
            .read("read setting", move |connection| find::<Arc<str>>(connection, &place))
            .await
    }

    async fn settings(&self, kind: Setting) -> StoreResult<Vec<(String, Arc<str>)>> {
        self.readers
            .read("list settings", move |connection| {
                let sql = "SELECT id, doc FROM config WHERE kind = ?1 AND tenant = '' ORDER BY id";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map([kind.as_str()], |row| {
                    Ok((row.get(0)?, schema_value::from_json(row, 1)?))
                })?;
                rows.collect()
            })
            .await
    }

    async fn keep_link_key(&self, tenant: &TenantName, sealed: &str) -> StoreResult<bool> {
        let place = Place::setting(Setting::LinkKey, tenant.as_str());
        let doc = document(&sealed)?;
        let keep = move |connection: &Connection| insert(connection, &place, None, 1, &doc);
        self.writer.write("keep link key", Durability::Synced, keep, |_| ()).await
    }
}

impl EmbeddedStore {
    /// Does the work of a change in one transaction, and drops the copies of what it may have changed.
    async fn write_change(
        &self,
        tenant: Option<&TenantName>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<bool> + Send + 'static,
    ) -> StoreResult<bool> {
        let (tenant, cache) = (tenant.cloned(), Arc::clone(&self.cache));
        let forget = move |_: &bool| {
            if let Some(tenant) = &tenant {
                cache.forget(tenant);
            }
        };
        self.writer.write("change configuration", Durability::Synced, work, forget).await
    }
}
