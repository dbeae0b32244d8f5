//! The file's schema, and how a connection to it is opened.
//!
//! Deliveries have a row only once something was recorded, so a pending one costs none. The due
//! index and the endpoints' lists are partial: a delivery that succeeds at first touches neither.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS events (
  tenant TEXT NOT NULL, id TEXT NOT NULL, born INTEGER NOT NULL, digest TEXT NOT NULL,
  targets TEXT NOT NULL, nonce TEXT NOT NULL, sent INTEGER NOT NULL, event TEXT NOT NULL,
  PRIMARY KEY (tenant, id));
CREATE INDEX IF NOT EXISTS events_by_time ON events (tenant, born, id);
CREATE INDEX IF NOT EXISTS events_by_age ON events (born);
CREATE TABLE IF NOT EXISTS deliveries (
  tenant TEXT NOT NULL, event TEXT NOT NULL, endpoint TEXT NOT NULL, born INTEGER NOT NULL,
  status TEXT NOT NULL, reason TEXT, attempts INTEGER NOT NULL, base INTEGER NOT NULL,
  next_at INTEGER, holder TEXT, due_at INTEGER, claims INTEGER, log TEXT NOT NULL,
  taken_at INTEGER, held INTEGER NOT NULL DEFAULT 0, critical INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, event, endpoint)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_endpoint ON deliveries (tenant, endpoint, born, event)
  WHERE status <> 'delivered' OR attempts > 1;
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, visible_at INTEGER NOT NULL, receives INTEGER NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rejected (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, body TEXT NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS config (
  kind TEXT NOT NULL, tenant TEXT NOT NULL, id TEXT NOT NULL, lookup TEXT, version INTEGER NOT NULL,
  doc TEXT NOT NULL, PRIMARY KEY (kind, tenant, id));
CREATE UNIQUE INDEX IF NOT EXISTS config_lookup ON config (kind, lookup) WHERE lookup IS NOT NULL;
CREATE TABLE IF NOT EXISTS audit (
  tenant TEXT NOT NULL, place TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (tenant, place))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_uses (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gates (
  tenant TEXT NOT NULL, endpoint TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (tenant, endpoint))
  WITHOUT ROWID;
";

/// Indexes of columns that a file of an earlier version gets first.
const INDEXES: &str = "
DROP INDEX IF EXISTS deliveries_due;
CREATE INDEX IF NOT EXISTS deliveries_due_next ON deliveries (due_at)
  WHERE due_at IS NOT NULL AND held = 0;
CREATE INDEX IF NOT EXISTS deliveries_held ON deliveries (tenant, endpoint, due_at) WHERE held = 1;
";

/// The one connection that writes. A checkpoint each 2,000 pages: 8 MB of log.
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.execute_batch(SCHEMA)?;
    add_column(&connection, "deliveries", "taken_at", "INTEGER")?;
    add_column(&connection, "deliveries", "held", "INTEGER NOT NULL DEFAULT 0")?;
    add_column(&connection, "deliveries", "critical", "INTEGER NOT NULL DEFAULT 0")?;
    connection.execute_batch(INDEXES)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Adds a column that a file of an earlier version lacks.
fn add_column(
    connection: &Connection,
    table: &str,
    column: &str,
    kind: &str,
) -> rusqlite::Result<()> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
    let found: u32 = connection.query_row(sql, [table, column], |row| row.get(0))?;
    if found == 0 {
        connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))?;
    }
    Ok(())
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
