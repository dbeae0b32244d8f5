//! Stores events in SQLite.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use waxseal_domain::delivery::{Delivery, End, FailedReason, Guard, WriteResult};
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    AcceptResult, Clock as _, EngineError, EventRow, EventStore, Page, PageRequest,
};

use super::deliveries;
use super::writer::Durability;
use super::{EmbeddedStore, schema_value};
use crate::clock::MovableClock;

const COLUMNS: &str = "event, born, digest, targets, nonce, sent";

impl EventStore for EmbeddedStore {
    async fn accept(&self, row: &EventRow) -> Result<AcceptResult, EngineError> {
        let (row, clock) = (row.clone(), self.clock.clone());
        self.writer
            .write(
                "accept event",
                Durability::Synced,
                move |connection| put(connection, &row, &clock),
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
        // What is not removed yet is listed: an event that looks too old may be owed still.
        let oldest = self.clock.jumps().earliest(EVENT_RETENTION_S, now);
        self.readers
            .read("list events", move |connection| list_by_time(connection, &tenant, &page, oldest))
            .await
    }
}

/// Takes step I1. An event that has expired gives way, with what is left of its deliveries, unless one of them is
/// still owed.
pub(super) fn put(
    connection: &Connection,
    row: &EventRow,
    clock: &MovableClock,
) -> rusqlite::Result<AcceptResult> {
    let event = &row.event;
    if let Some(found) = find(connection, &event.tenant, &event.id)? {
        let expires_at = clock.reckon(found.event_accepted_at).plus_s(EVENT_RETENTION_S);
        if expires_at >= row.event_accepted_at || !is_settled(connection, &found)? {
            return Ok(AcceptResult::Exists(Box::new(found)));
        }
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

/// That every delivery of an event is final: each of its targets has a row of it, and none of them is open.
const IS_SETTLED: &str = "json_array_length(e.targets) <= (SELECT count(*) FROM deliveries d
    WHERE d.tenant = e.tenant AND d.event = e.id AND d.born = e.born AND d.status <> 'open')";
/// That nobody works on some delivery of an event: it has no row.
const LACKS_ROWS: &str = "json_array_length(e.targets) > (SELECT count(*) FROM deliveries d
    WHERE d.tenant = e.tenant AND d.event = e.id AND d.born = e.born)";

fn is_settled(connection: &Connection, row: &EventRow) -> rusqlite::Result<bool> {
    let sql = format!("SELECT {IS_SETTLED} FROM events e WHERE tenant = ?1 AND id = ?2");
    let keys = [row.event.tenant.as_str(), row.event.id.as_str()];
    connection.prepare_cached(&sql)?.query_row(keys, |row| row.get(0))
}

/// Removes events that were accepted within `range`, and what is left of their deliveries; a bounded number, and none
/// of which anything is owed.
pub(super) fn remove_settled(
    connection: &Connection,
    range: &Range<Timestamp>,
    limit: usize,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT e.tenant, e.id, e.born FROM events e WHERE e.born >= ?1 AND e.born < ?2
           AND {IS_SETTLED} ORDER BY e.born LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement
        .query_map(within(range, limit), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found: Vec<(String, String, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    for keys in found {
        let sql = "DELETE FROM deliveries WHERE tenant = ?1 AND event = ?2 AND born <= ?3
                     AND status <> 'open'";
        connection.prepare_cached(sql)?.execute(params![keys.0, keys.1, keys.2])?;
        let sql = "DELETE FROM events WHERE tenant = ?1 AND id = ?2 AND born = ?3";
        connection.prepare_cached(sql)?.execute(params![keys.0, keys.1, keys.2])?;
    }
    Ok(())
}

/// Ends the deliveries without a row of events that were accepted within `range`, a bounded number, as `failed`,
/// `expired`, and returns them with their events. Their messages, where there are any, would find the same verdict.
pub(super) fn end_expired(
    connection: &Connection,
    range: &Range<Timestamp>,
    limit: usize,
) -> rusqlite::Result<Vec<(Delivery, EventRow)>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events e WHERE born >= ?1 AND born < ?2 AND {LACKS_ROWS}
         ORDER BY born LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(within(range, limit), read)?;
    let events: Vec<EventRow> = rows.collect::<rusqlite::Result<_>>()?;
    let mut ended = Vec::new();
    for event in events {
        for target in &event.targets {
            let row = event.pending(target).end(End::Failed(FailedReason::Expired));
            let stored = deliveries::find(connection, &row.key)?;
            let is_absent =
                stored.is_none_or(|stored| stored.event_accepted_at < row.event_accepted_at);
            let guard = Guard::for_attempt(row.event_accepted_at, 1);
            if is_absent && deliveries::record(connection, guard, &row)? == WriteResult::Done {
                ended.push((row, event.clone()));
            }
        }
    }
    Ok(ended)
}

fn within(range: &Range<Timestamp>, limit: usize) -> [i64; 3] {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    [schema_value::ms(range.start), schema_value::ms(range.end), limit]
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
    let items: Vec<EventRow> = statement.query_map(keys, read)?.collect::<Result<_, _>>()?;
    let last = items.last().filter(|_| items.len() == page.limit);
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
