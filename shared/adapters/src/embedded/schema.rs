//! The file's schema, and how a connection to it is opened.
//!
//! Deliveries have a row only once something was recorded, so a pending one costs none. The due
//! index and the endpoints' lists are partial: a delivery that succeeds at first touches neither.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use waxseal_flows::ports::EngineError;

use super::failure::failure_at;
use super::files;

/// The number of the file's format, in its `user_version`. Raise it with each change of what is written, be
/// it of a table or of a document in one: an older binary then refuses the file instead of misreading it.
///
/// | format | since |
/// | --- | --- |
/// | 0 | files from before the number was kept |
/// | 1 | the values of endpoints' own headers are sealed, and the clock's jumps are kept |
pub(super) const FORMAT: u32 = 1;

/// The mark of a file that a server has open, or that was not closed cleanly: its write-ahead log belongs to
/// it. It is the file's `application_id`, "WxsO".
const OPEN: u32 = u32::from_be_bytes(*b"WxsO");
/// The mark of a file that was closed cleanly, and is whole by itself: "WxsC".
const CLOSED: u32 = u32::from_be_bytes(*b"WxsC");

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

/// The pages of log after which it is copied into the database: 8 MB.
pub(super) const CHECKPOINT_PAGES: u32 = 2_000;

/// The one connection that writes, to a file of this format.
///
/// A file of a newer format is refused before anything of it is changed. One of an older format is brought to
/// this one, but for its documents and its number (`upgrade.rs`).
pub(super) fn open_writer(folder: &Path) -> Result<Connection, EngineError> {
    let path = files::make_database(folder)?;
    if needs_log(&path) && !path.with_extension("db-wal").exists() {
        return Err(files::log_fault(&path));
    }
    let failed = failure_at("open database");
    let connection = Connection::open(&path).map_err(&failed)?;
    check_format(&connection, &path)?;
    if is_empty(&connection).map_err(&failed)? && files::has_secrets_key(folder) {
        return Err(files::database_fault(folder, "holds nothing"));
    }
    prepare(&connection).map_err(failed)?;
    Ok(connection)
}

/// Whether the file itself says that its log belongs to it. It is read before SQLite opens it, which makes a
/// new log where one is missing.
fn needs_log(path: &Path) -> bool {
    const MARK_AT: usize = 68;
    let mut header = [0; MARK_AT + 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    // A file that is shorter is a new one, or SQLite says what it is.
    read.is_ok() && header.get(MARK_AT..) == Some(&OPEN.to_be_bytes())
}

fn check_format(connection: &Connection, path: &Path) -> Result<(), EngineError> {
    let format = format(connection).map_err(failure_at("open database"))?;
    if format <= FORMAT {
        return Ok(());
    }
    let detail = format!(
        "{} is of format {format}, and this binary knows formats up to {FORMAT}: a newer Waxseal has written \
         it. Use that, or a backup from before",
        path.display()
    );
    Err(EngineError::unreadable("open database", detail))
}

/// The format of a file.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY;"
    ))?;
    connection.execute_batch(SCHEMA)?;
    add_column(connection, "deliveries", "taken_at", "INTEGER")?;
    add_column(connection, "deliveries", "held", "INTEGER NOT NULL DEFAULT 0")?;
    add_column(connection, "deliveries", "critical", "INTEGER NOT NULL DEFAULT 0")?;
    connection.execute_batch(INDEXES)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Says in the file that it is of this format, and that its log belongs to it from now on. Both are in the
/// file itself, and not in its log, before anything is acknowledged.
pub(super) fn finish_upgrade(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", FORMAT)?;
    connection.pragma_update(None, "application_id", OPEN)?;
    checkpoint(connection)
}

/// Leaves a file that is whole by itself, and says so in it. Where a reader is still at work, the log stays
/// with the file.
pub(super) fn close(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "application_id", CLOSED)?;
    checkpoint(connection)
}

/// Writes the whole log into the file, and empties it.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
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
