//! How the embedded store is: what its file holds and what waits in it.

use rusqlite::Connection;
use waxseal_flows::ports::Check;

use super::EmbeddedStore;

/// What one look at the file finds.
struct Figures {
    bytes: i64,
    waiting: i64,
    rejected: i64,
}

impl EmbeddedStore {
    pub(super) async fn checks(&self) -> Vec<Check> {
        let figures = match self.readers.read("look at the database", look).await {
            Ok(figures) => figures,
            Err(error) => return vec![Check::fail("database", error.to_string())],
        };
        let Figures { bytes, waiting, rejected } = figures;
        let rejected_check = match rejected {
            0 => Check::ok("rejected messages", "none"),
            count => Check::warn("rejected messages", format!("{count} that could not be read")),
        };
        vec![
            Check::ok("database", format!("{:.1} MB", mega(bytes))),
            Check::ok("queue", format!("{waiting} messages wait")),
            rejected_check,
        ]
    }
}

fn look(connection: &Connection) -> rusqlite::Result<Figures> {
    let figure = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    Ok(Figures {
        bytes: figure(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        )?,
        waiting: figure("SELECT count(*) FROM messages")?,
        rejected: figure("SELECT count(*) FROM rejected")?,
    })
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "for people, one decimal")]
fn mega(bytes: i64) -> f64 {
    bytes as f64 / 1_000_000.0
}
