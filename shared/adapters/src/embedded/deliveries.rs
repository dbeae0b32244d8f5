//! Stores deliveries in SQLite. [`Guard::allows`] is evaluated in the transaction that writes.

use rusqlite::{Connection, OptionalExtension as _, Row, Rows, params};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{
    Delivery, DeliveryKey, Guard, OpenState, Status, StatusName, WriteResult,
};
use waxseal_domain::id::{EndpointId, EventId, TenantName, Ticket};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Claim, DeliveryStore, Due, EngineError, EventRow, Page, PageRequest};

use super::writer::Durability;
use super::{EmbeddedStore, events, schema_value};

const COLUMNS: &str = "tenant, event, endpoint, born, status, reason, attempts, base, next_at, \
                       holder, due_at, claims, log, taken_at, held, critical";

/// Due deliveries that are passed over in one read since they cannot be read: a damaged page of the file holds fewer.
const UNREADABLE_MAX: usize = 1_000;

impl DeliveryStore for EmbeddedStore {
    async fn delivery(&self, key: &DeliveryKey) -> Result<Option<Delivery>, EngineError> {
        let key = key.clone();
        self.readers.read("read delivery", move |connection| find(connection, &key)).await
    }

    async fn delivery_and_event(
        &self,
        key: &DeliveryKey,
    ) -> Result<(Option<Delivery>, Option<EventRow>), EngineError> {
        let key = key.clone();
        self.readers
            .read("read delivery and event", move |connection| {
                Ok((find(connection, &key)?, events::find(connection, &key.tenant, &key.event)?))
            })
            .await
    }

    async fn record_attempt(
        &self,
        guard: Guard,
        row: &Delivery,
    ) -> Result<WriteResult, EngineError> {
        let row = row.clone();
        self.writer
            .write(
                "record attempt",
                Durability::Synced,
                move |connection| record(connection, guard, &row),
                |_| (),
            )
            .await
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, EngineError> {
        // Shards spread writes over partitions, which one file does not have: everything is in the
        // first one.
        if shard != 0 {
            return Ok(Vec::new());
        }
        self.readers
            .read("read due index", move |connection| find_due(connection, now, limit))
            .await
    }

    async fn claim(&self, due: &Due, claim: &Claim) -> Result<Option<Timestamp>, EngineError> {
        let (due, claim) = (due.clone(), claim.clone());
        self.writer
            .write(
                "claim due delivery",
                Durability::Synced,
                move |connection| self::claim(connection, &due, &claim),
                |_| (),
            )
            .await
    }

    async fn deliveries_by_endpoint(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, EngineError> {
        let (tenant, endpoint, page) = (tenant.clone(), endpoint.clone(), page.clone());
        self.readers
            .read("list deliveries", move |connection| {
                list_by_endpoint(connection, &tenant, &endpoint, &page)
            })
            .await
    }
}

pub(super) fn record(
    connection: &Connection,
    guard: Guard,
    row: &Delivery,
) -> rusqlite::Result<WriteResult> {
    // The row is read and written in one transaction on the only thread that writes, so nothing can
    // change between the two.
    let before = find(connection, &row.key)?;
    if !guard.allows(before.as_ref()) {
        return Ok(WriteResult::Refused(before.map(Box::new)));
    }
    let sql = format!(
        "INSERT OR REPLACE INTO deliveries ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    );
    let open = row.open();
    connection.prepare_cached(&sql)?.execute(params![
        row.key.tenant.as_str(),
        row.key.event.as_str(),
        row.key.endpoint.as_str(),
        schema_value::ms(row.event_accepted_at),
        StatusName::from(&row.status).as_str(),
        row.reason_word(),
        row.attempts,
        row.attempts_before_round,
        open.map(|open| schema_value::ms(open.next_at)),
        open.and_then(|open| open.holder.as_ref()).map(Ticket::as_str),
        open.map(|open| schema_value::ms(open.due_at)),
        open.map(|open| open.claims),
        schema_value::json(&row.log)?,
        open.and_then(|open| open.taken_at).map(schema_value::ms),
        open.is_some_and(|open| open.held),
        row.priority == Priority::Critical,
    ])?;
    Ok(WriteResult::Done)
}

pub(super) fn find(
    connection: &Connection,
    key: &DeliveryKey,
) -> rusqlite::Result<Option<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries WHERE tenant = ?1 AND event = ?2 AND endpoint = ?3"
    );
    let keys = [key.tenant.as_str(), key.event.as_str(), key.endpoint.as_str()];
    connection.prepare_cached(&sql)?.query_row(keys, read).optional()
}

pub(super) fn of_event(
    connection: &Connection,
    tenant: &TenantName,
    event: &EventId,
) -> rusqlite::Result<Vec<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE tenant = ?1 AND event = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map([tenant.as_str(), event.as_str()], read)?.collect()
}

pub(super) fn claim(
    connection: &Connection,
    due: &Due,
    claim: &Claim,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "UPDATE deliveries SET holder = ?1, due_at = ?2, claims = claims + 1, held = 0,
                 taken_at = coalesce(?7, taken_at)
               WHERE tenant = ?3 AND event = ?4 AND endpoint = ?5 AND status = 'open' AND due_at = ?6
               RETURNING born";
    let keys = params![
        claim.ticket.as_str(),
        schema_value::ms(claim.due_at),
        due.key.tenant.as_str(),
        due.key.event.as_str(),
        due.key.endpoint.as_str(),
        schema_value::ms(due.due_at),
        claim.taken_at.map(schema_value::ms),
    ];
    connection
        .prepare_cached(sql)?
        .query_row(keys, |row| schema_value::timestamp(row, 0))
        .optional()
}

fn find_due(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Due>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries WHERE due_at <= ?1 AND held = 0 ORDER BY due_at LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    read_due(statement.query(params![schema_value::ms(now), rows_max(limit)])?, limit)
}

/// Reads the deliveries that an endpoint's gate holds and that are due, earliest first.
pub(super) fn find_held(
    connection: &Connection,
    tenant: &TenantName,
    endpoint: &EndpointId,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Due>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries
         WHERE tenant = ?1 AND endpoint = ?2 AND held = 1 AND due_at <= ?3 ORDER BY due_at LIMIT ?4"
    );
    let keys = params![tenant.as_str(), endpoint.as_str(), schema_value::ms(now), rows_max(limit)];
    let mut statement = connection.prepare_cached(&sql)?;
    read_due(statement.query(keys)?, limit)
}

/// Returns how many rows a statement may look at to find so many due deliveries: some that cannot be read are passed
/// over, and no more than that.
fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit.saturating_add(UNREADABLE_MAX)).unwrap_or(i64::MAX)
}

/// Reads at most so many due deliveries. One that cannot be read is logged and left out, and those that come
/// after it are read in its place: else it would keep all others from being looked at, at each sweep.
fn read_due(mut rows: Rows<'_>, limit: usize) -> rusqlite::Result<Vec<Due>> {
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        match read(row) {
            Ok(delivery) => found.extend(due_of(delivery)),
            Err(error) => {
                let [tenant, event, endpoint] =
                    [0, 1, 2].map(|column| row.get::<_, String>(column).ok());
                tracing::error!(tenant, event, endpoint, %error, "a due delivery cannot be read");
            }
        }
    }
    Ok(found)
}

fn due_of(row: Delivery) -> Option<Due> {
    let open = row.open()?;
    let (due_at, next_at, claims) = (open.due_at, open.next_at, open.claims);
    Some(Due { key: row.key, due_at, next_at, claims, priority: row.priority })
}

fn list_by_endpoint(
    connection: &Connection,
    tenant: &TenantName,
    endpoint: &EndpointId,
    page: &PageRequest,
) -> rusqlite::Result<Page<Delivery>> {
    let (event_accepted_at, event) = schema_value::cursor(page);
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries
         WHERE tenant = ?1 AND endpoint = ?2 AND (status <> 'delivered' OR attempts > 1)
           AND (born, event) < (?3, ?4)
         ORDER BY born DESC, event DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let keys = params![tenant.as_str(), endpoint.as_str(), event_accepted_at, event, limit];
    let items: Vec<Delivery> = statement.query_map(keys, read)?.collect::<Result<_, _>>()?;
    let last = items.last().filter(|_| items.len() == page.limit);
    let cursor = last.map(|row| format!("{}_{}", row.event_accepted_at.ms(), row.key.event));
    Ok(Page { items, cursor })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let key = DeliveryKey {
        tenant: schema_value::parse(row, 0)?,
        event: schema_value::parse(row, 1)?,
        endpoint: schema_value::parse(row, 2)?,
    };
    Ok(Delivery {
        key,
        event_accepted_at: schema_value::timestamp(row, 3)?,
        status: read_status(row)?,
        attempts: row.get(6)?,
        attempts_before_round: row.get(7)?,
        log: schema_value::from_json(row, 12)?,
        priority: if row.get(15)? { Priority::Critical } else { Priority::Normal },
    })
}

fn read_status(row: &Row<'_>) -> rusqlite::Result<Status> {
    let (status, reason): (String, Option<String>) = (row.get(4)?, row.get(5)?);
    if status != StatusName::Open.as_str() {
        return Status::read_end(&status, reason.as_deref())
            .map_err(|error| schema_value::unreadable(5, error));
    }
    let ticket_text: Option<String> = row.get(9)?;
    let holder = ticket_text.map(|text| text.parse()).transpose();
    Ok(Status::Open(OpenState {
        next_at: schema_value::timestamp(row, 8)?,
        holder: holder.map_err(|error| schema_value::unreadable(9, error))?,
        due_at: schema_value::timestamp(row, 10)?,
        claims: row.get(11)?,
        taken_at: row
            .get::<_, Option<i64>>(13)?
            .map(|_| schema_value::timestamp(row, 13))
            .transpose()?,
        held: row.get(14)?,
    }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::embedded::schema::open_writer;

    #[test]
    fn a_delivery_that_cannot_be_read_does_not_hide_the_others_that_are_due() {
        let connection = open_writer(Path::new(":memory:")).unwrap();
        for (event, born) in [("a", 1), ("b", 2), ("c", 3)] {
            let key = DeliveryKey {
                tenant: "acme".parse().unwrap(),
                event: event.parse().unwrap(),
                endpoint: "ep_1".parse().unwrap(),
            };
            let row = Delivery::pending(key, Timestamp::from_ms(born), Priority::Normal);
            record(&connection, Guard::unchanged_since(None), &row).unwrap();
        }
        connection.execute("UPDATE deliveries SET log = '?' WHERE event = 'a'", []).unwrap();
        let later = Timestamp::from_ms(u64::from(u32::MAX) * 1_000);
        let events = |limit| {
            let found = find_due(&connection, later, limit).unwrap();
            found.into_iter().map(|due| due.key.event.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(events(1), ["b"], "nor does it take a place of the page");
        assert_eq!(events(10), ["b", "c"]);
        connection.execute("UPDATE deliveries SET held = 1", []).unwrap();
        let (tenant, endpoint) = ("acme".parse().unwrap(), "ep_1".parse().unwrap());
        assert_eq!(find_held(&connection, &tenant, &endpoint, later, 10).unwrap().len(), 2);
    }
}
