//! Documents of the table `config`: where they are, and how they are read and written.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use waxseal_domain::id::{ApiKeyId, EndpointId, SourceName, TenantName};
use waxseal_flows::ports::{EngineError, Setting, TenantVersion};

use super::super::schema_value;

type StoreResult<T> = Result<T, EngineError>;

/// A document's place: its kind, its tenant (empty: none) and its id.
pub(super) struct Place {
    pub(super) kind: &'static str,
    pub(super) tenant: String,
    pub(super) id: String,
}

impl Place {
    pub(super) fn key_check() -> Self {
        Self { kind: "key_check", tenant: String::new(), id: String::new() }
    }

    pub(super) fn tenant(name: &TenantName) -> Self {
        Self { kind: "tenant", tenant: String::new(), id: name.to_string() }
    }

    pub(super) fn endpoint(tenant: &TenantName, id: &EndpointId) -> Self {
        Self { kind: "endpoint", tenant: tenant.to_string(), id: id.to_string() }
    }

    pub(super) fn api_key(tenant: &TenantName, id: &ApiKeyId) -> Self {
        Self { kind: "api_key", tenant: tenant.to_string(), id: id.to_string() }
    }

    pub(super) fn setting(kind: Setting, name: &str) -> Self {
        Self { kind: kind.as_str(), tenant: String::new(), id: name.to_owned() }
    }

    pub(super) fn source(tenant: &TenantName, name: &SourceName) -> Self {
        Self { kind: "source", tenant: tenant.to_string(), id: name.to_string() }
    }

    pub(super) fn event_type(tenant: &TenantName, name: &str) -> Self {
        Self { kind: "event_type", tenant: tenant.to_string(), id: name.to_owned() }
    }
}

pub(super) fn document<T: Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value)
        .map_err(|error| EngineError::unreadable("serialise document", error))
}

pub(super) fn find<T: DeserializeOwned>(
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

/// Reads the version of a document; none where there is no such document.
pub(super) fn version(connection: &Connection, place: &Place) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT version FROM config WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    let keys = params![place.kind, place.tenant, place.id];
    let found = connection.prepare_cached(sql)?.query_row(keys, |row| row.get::<_, i64>(0));
    found.optional()?.map(|version| schema_value::read_unsigned(0, version)).transpose()
}

pub(super) fn find_by_lookup<T: DeserializeOwned>(
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

pub(super) fn documents<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    keys: impl rusqlite::Params,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(keys, |row| schema_value::from_json(row, 0))?.collect()
}

pub(super) fn insert(
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

pub(super) fn update(
    connection: &Connection,
    place: &Place,
    over: u64,
    version: u64,
    doc: &str,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE config SET version = ?1, doc = ?2
               WHERE kind = ?3 AND tenant = ?4 AND id = ?5 AND version = ?6";
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    let over = i64::try_from(over).unwrap_or(i64::MAX);
    let values = params![version, doc, place.kind, place.tenant, place.id, over];
    connection.prepare_cached(sql)?.execute(values).map(|rows| rows == 1)
}

/// Raises a document's version, if it is still this one; whether it was.
pub(super) fn raise(
    connection: &Connection,
    place: &Place,
    over: TenantVersion,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE config SET version = version + 1
               WHERE kind = ?1 AND tenant = ?2 AND id = ?3 AND version = ?4";
    let over = i64::try_from(over.0).unwrap_or(i64::MAX);
    let keys = params![place.kind, place.tenant, place.id, over];
    connection.prepare_cached(sql)?.execute(keys).map(|rows| rows == 1)
}

pub(super) fn delete(connection: &Connection, place: &Place) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM config WHERE kind = ?1 AND tenant = ?2 AND id = ?3";
    let keys = params![place.kind, place.tenant, place.id];
    connection.prepare_cached(sql)?.execute(keys).map(|rows| rows == 1)
}
