//! Stores events in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use waxseal_domain::delivery::Delivery;
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    AcceptResult, EngineError, EventRow, EventStore, Page, PageBytes, PageRequest,
};

use super::deliveries;
use super::writer::Durability;
use super::{EmbeddedStore, schema_value};

const COLUMNS: &str = "event, born, digest, targets, nonce, sent";

impl EventStore for EmbeddedStore {
    async fn accept(&self, row: &EventRow) -> Result<AcceptResult, EngineError> {
        let row = row.clone();
        self.writer
            .write(
                "accept event",
                Durability::Synced,
                move |connection| put(connection, &row),
                |_| (),
            )
            .await
    }

    async fn event(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> Result<Option<EventRow>, EngineError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.readers.read("read event", move |connection| find(connection, &tenant, &id)).await
    }

    async fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> Result<Option<(EventRow, Vec<Delivery>)>, EngineError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.readers
            .read("read event and deliveries", move |connection| {
                let Some(row) = find(connection, &tenant, &id)? else { return Ok(None) };
                Ok(Some((row, deliveries::of_event(connection, &tenant, &id)?)))
            })
            .await
    }

    async fn put_expunged(&self, row: &EventRow) -> Result<(), EngineError> {
        let row = row.clone();
        self.writer
            .write(
                "expunge event",
                Durability::Synced,
                move |connection| {
                    let sql =
                        "UPDATE events SET event = ?1 WHERE tenant = ?2 AND id = ?3 AND born = ?4";
                    let event = &row.event;
                    let doc = schema_value::json(event)?;
                    let event_accepted_at = schema_value::ms(row.event_accepted_at);
                    let values =
                        params![doc, event.tenant.as_str(), event.id.as_str(), event_accepted_at];
                    connection.prepare_cached(sql)?.execute(values).map(|_| ())
                },
                |()| (),
            )
            .await
    }

    async fn mark_sent(&self, row: &EventRow) -> Result<(), EngineError> {
        let (tenant, id, event_accepted_at) =
            (row.event.tenant.clone(), row.event.id.clone(), row.event_accepted_at);
        self.writer
            .write(
                "mark event sent",
                Durability::Synced,
                move |connection| {
                    let sql =
                        "UPDATE events SET sent = 1 WHERE tenant = ?1 AND id = ?2 AND born = ?3";
                    let keys =
                        params![tenant.as_str(), id.as_str(), schema_value::ms(event_accepted_at)];
                    connection.prepare_cached(sql)?.execute(keys).map(|_| ())
                },
                |()| (),
            )
            .await
    }

    async fn events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<EventRow>, EngineError> {
        let (tenant, page) = (tenant.clone(), page.clone());
        let oldest = now.minus_s(EVENT_RETENTION_S);
        self.readers
            .read("list events", move |connection| list_by_time(connection, &tenant, &page, oldest))
            .await
    }
}

/// Takes step I1. An event that has expired gives way, with what is left of its deliveries.
pub(super) fn put(connection: &Connection, row: &EventRow) -> rusqlite::Result<AcceptResult> {
    let event = &row.event;
    if let Some(found) = find(connection, &event.tenant, &event.id)?
        && found.expires_at() >= row.event_accepted_at
    {
        return Ok(AcceptResult::Exists(Box::new(found)));
    }
    let sql =
        "INSERT OR REPLACE INTO events (tenant, id, born, digest, targets, nonce, sent, event)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        event.tenant.as_str(),
        event.id.as_str(),
        schema_value::ms(row.event_accepted_at),
        row.digest,
        schema_value::json(&row.targets)?,
        row.nonce,
        row.sent,
        schema_value::json(event)?,
    ])?;
    Ok(AcceptResult::Created)
}

/// The event; none if it has expired, which the caller sees by its `event_accepted_at`.
pub(super) fn find(
    connection: &Connection,
    tenant: &TenantName,
    id: &EventId,
) -> rusqlite::Result<Option<EventRow>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE tenant = ?1 AND id = ?2");
    connection.prepare_cached(&sql)?.query_row([tenant.as_str(), id.as_str()], read).optional()
}

/// Removes events older than `before`, and what is left of their deliveries; a bounded number.
pub(super) fn expire(
    connection: &Connection,
    before: Timestamp,
    limit: usize,
) -> rusqlite::Result<()> {
    let before = schema_value::ms(before);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "DELETE FROM deliveries WHERE due_at IS NULL AND born < ?1 AND (tenant, event) IN
               (SELECT tenant, id FROM events WHERE born < ?1 ORDER BY born LIMIT ?2)",
        )?
        .execute([before, limit])?;
    connection
        .prepare_cached(
            "DELETE FROM events WHERE rowid IN
               (SELECT rowid FROM events WHERE born < ?1 ORDER BY born LIMIT ?2)",
        )?
        .execute([before, limit])?;
    Ok(())
}

fn list_by_time(
    connection: &Connection,
    tenant: &TenantName,
    page: &PageRequest,
    oldest: Timestamp,
) -> rusqlite::Result<Page<EventRow>> {
    let (event_accepted_at, id) = schema_value::cursor(page);
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE tenant = ?1 AND born >= ?2 AND (born, id) < (?3, ?4)
         ORDER BY born DESC, id DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let keys = params![tenant.as_str(), schema_value::ms(oldest), event_accepted_at, id, limit];
    let (mut rows, mut bytes) = (statement.query(keys)?, PageBytes::default());
    let (mut items, mut is_cut) = (Vec::new(), false);
    while let Some(row) = rows.next()? {
        is_cut = !bytes.take(row.get_ref(0)?.as_str()?.len());
        if is_cut {
            break;
        }
        items.push(read(row)?);
    }
    let last = items.last().filter(|_| is_cut || items.len() == page.limit);
    let cursor = last.map(|row| format!("{}_{}", row.event_accepted_at.ms(), row.event.id));
    Ok(Page { items, cursor })
}

fn read(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        event: schema_value::from_json(row, 0)?,
        event_accepted_at: schema_value::timestamp(row, 1)?,
        digest: row.get(2)?,
        targets: schema_value::from_json(row, 3)?,
        nonce: row.get(4)?,
        sent: row.get(5)?,
    })
}
