//! One change of what is configured, and the entry that tells of it: the work of one transaction.

use rusqlite::{Connection, params};
use serde::Serialize;
use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::source::Source;
use waxseal_flows::ports::{Change, EngineError, Setting, TenantVersion};

use super::documents::{
    Place, delete, document, find_by_lookup, insert, raise, update, version as version_of,
};

/// What is to be done, apart from the entry; false where what is stored stands in the way, and then
/// nothing was written.
pub(super) type Work = Box<dyn FnOnce(&Connection) -> rusqlite::Result<bool> + Send>;

/// The work of a change and its entry.
pub(super) fn with_entry(
    change: Change<'_>,
    entry: &Entry,
) -> Result<impl FnOnce(&Connection) -> rusqlite::Result<bool> + Send + use<>, EngineError> {
    let work = work(change)?;
    let ((tenant, place), doc) = (place_of(entry), document(entry)?);
    Ok(move |connection: &Connection| {
        let is_done = work(connection)?;
        if is_done {
            let sql = "INSERT INTO audit (tenant, place, doc) VALUES (?1, ?2, ?3)";
            connection.prepare_cached(sql)?.execute(params![tenant, place, doc])?;
        }
        Ok(is_done)
    })
}

/// Entries are in the order of their time.
fn place_of(entry: &Entry) -> (String, String) {
    (entry.tenant.to_string(), format!("{:014}{}", entry.at.ms(), entry.id))
}

fn work(change: Change<'_>) -> Result<Work, EngineError> {
    Ok(match change {
        Change::CreateTenant(tenant) => {
            insert_document(Place::tenant(&tenant.name), None, 1, tenant)?
        }
        Change::AddEndpoint(endpoint, over) => {
            let place = Place::endpoint(&endpoint.tenant, &endpoint.id);
            let tenant_place = Place::tenant(&endpoint.tenant);
            let doc = document(endpoint)?;
            Box::new(move |connection| {
                Ok(version_of(connection, &place)?.is_none()
                    && raise(connection, &tenant_place, over)?
                    && insert(connection, &place, None, 1, &doc)?)
            })
        }
        Change::PutEndpoint(endpoint) => put_endpoint(endpoint, None)?,
        Change::MoveEndpoint(endpoint, over) => {
            put_endpoint(endpoint, Some((Place::tenant(&endpoint.tenant), over)))?
        }
        Change::RemoveEndpoint(endpoint) => {
            let place = Place::endpoint(&endpoint.tenant, &endpoint.id);
            let version = endpoint.version;
            Box::new(move |connection| {
                Ok(version_of(connection, &place)? == Some(version) && delete(connection, &place)?)
            })
        }
        Change::AddApiKey(key) => {
            insert_document(Place::api_key(&key.tenant, &key.id), Some(key.hash.clone()), 1, key)?
        }
        Change::RemoveApiKey(key) => delete_document(Place::api_key(&key.tenant, &key.id)),
        Change::PutSource(source) => put_source(source)?,
        Change::RemoveSource(source) => {
            delete_document(Place::source(&source.tenant, &source.name))
        }
        Change::PutEventType(tenant, event_type, over) => {
            let place = Place::event_type(tenant, &event_type.name);
            let tenant_place = Place::tenant(tenant);
            let doc = document(event_type)?;
            Box::new(move |connection| {
                if !raise(connection, &tenant_place, over)? {
                    return Ok(false);
                }
                delete(connection, &place)?;
                insert(connection, &place, None, 1, &doc)
            })
        }
        Change::RemoveEventType(tenant, event_type) => {
            delete_document(Place::event_type(tenant, &event_type.name))
        }
        Change::PutProfile(name, text) => {
            let (place, doc) = (Place::setting(Setting::Profile, name), document(&text)?);
            Box::new(move |connection| {
                delete(connection, &place)?;
                insert(connection, &place, None, 1, &doc)
            })
        }
    })
}

fn insert_document<T: Serialize>(
    place: Place,
    lookup: Option<String>,
    version: u64,
    doc: &T,
) -> Result<Work, EngineError> {
    let doc = document(doc)?;
    Ok(Box::new(move |connection| insert(connection, &place, lookup.as_deref(), version, &doc)))
}

fn delete_document(place: Place) -> Work {
    Box::new(move |connection| delete(connection, &place))
}

/// Over the version before its own, and where the tenant, if one is given, is still of that version.
pub(super) fn put_endpoint(
    endpoint: &Endpoint,
    tenant: Option<(Place, TenantVersion)>,
) -> Result<Work, EngineError> {
    let place = Place::endpoint(&endpoint.tenant, &endpoint.id);
    let (doc, version) = (document(endpoint)?, endpoint.version);
    Ok(Box::new(move |connection| {
        let before = version.saturating_sub(1);
        if version_of(connection, &place)? != Some(before) {
            return Ok(false);
        }
        if let Some((tenant, over)) = tenant
            && !raise(connection, &tenant, over)?
        {
            return Ok(false);
        }
        update(connection, &place, before, version, &doc)
    }))
}

fn put_source(source: &Source) -> Result<Work, EngineError> {
    let (source, doc) = (source.clone(), document(source)?);
    Ok(Box::new(move |connection| {
        let lookup = source.has_short_path.then_some(source.name.as_str());
        if let Some(name) = lookup {
            let found: Option<Source> = find_by_lookup(connection, "source", name)?;
            if found.is_some_and(|found| found.tenant != source.tenant) {
                return Ok(false);
            }
        }
        let place = Place::source(&source.tenant, &source.name);
        delete(connection, &place)?;
        insert(connection, &place, lookup, 1, &doc)
    }))
}
