//! How the embedded store is: whether it writes, what its file holds, what waits in it, and how the machine is.

use std::path::PathBuf;

use rusqlite::Connection;
use waxseal_domain::limits::BACKLOG_WARN_S;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Check;

use super::{EmbeddedStore, machine, schema_value};

/// What one look at the file finds.
struct Figures {
    bytes: i64,
    waiting: i64,
    /// How many messages are due now, and since when the first of them is.
    due: i64,
    due_since: Option<Timestamp>,
    rejected: i64,
}

impl EmbeddedStore {
    pub(super) async fn checks(&self, folder: PathBuf, now: Timestamp) -> Vec<Check> {
        let mut checks = vec![self.check_writing().await];
        let found =
            self.readers.read("look at the database", move |connection| look(connection, now));
        match found.await {
            Ok(figures) => checks.extend(describe(&figures, now)),
            Err(error) => checks.push(Check::fail("database", error.to_string())),
        }
        // A disk that hangs holds up a thread that does nothing else.
        let machine = tokio::task::spawn_blocking(move || machine::look(&folder)).await;
        checks.extend(
            machine.unwrap_or_else(|error| vec![Check::fail("machine", error.to_string())]),
        );
        checks
    }
}

fn look(connection: &Connection, now: Timestamp) -> rusqlite::Result<Figures> {
    let figure = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    let now = i64::try_from(now.ms()).unwrap_or(i64::MAX);
    let sql = "SELECT count(*), min(visible_at) FROM messages WHERE visible_at <= ?1";
    let (due, due_since) = connection.query_row(sql, [now], |row| {
        let since: Option<i64> = row.get(1)?;
        let since = since.map(|ms| schema_value::read_unsigned(1, ms)).transpose()?;
        Ok((row.get(0)?, since.map(Timestamp::from_ms)))
    })?;
    Ok(Figures {
        bytes: figure(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        )?,
        waiting: figure("SELECT count(*) FROM messages")?,
        due,
        due_since,
        rejected: figure("SELECT count(*) FROM rejected")?,
    })
}

fn describe(figures: &Figures, now: Timestamp) -> [Check; 3] {
    let Figures { bytes, waiting, due, due_since, rejected } = figures;
    let late_s = due_since.map_or(0, |since| now.since_ms(since) / 1_000);
    let backlog = match due {
        0 => format!("{waiting} messages wait"),
        _ => format!("{waiting} messages wait, {due} of them are due, the first for {late_s} s"),
    };
    [
        Check::ok("database", format!("{:.1} MB", mega(*bytes))),
        if late_s < BACKLOG_WARN_S {
            Check::ok("queue", backlog)
        } else {
            Check::warn("queue", backlog)
        },
        match rejected {
            0 => Check::ok("rejected messages", "none"),
            count => Check::warn("rejected messages", format!("{count} that could not be read")),
        },
    ]
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "for people, one decimal")]
fn mega(bytes: i64) -> f64 {
    bytes as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use waxseal_flows::ports::CheckStatus;

    use super::*;

    #[test]
    fn a_queue_that_falls_behind_is_a_warning() {
        let now = Timestamp::from_ms(1_000_000_000);
        let of = |due, since_s: u64| {
            let due_since = (due > 0).then(|| now.minus_s(since_s));
            let figures = Figures { bytes: 0, waiting: 9, due, due_since, rejected: 0 };
            let [_, queue, _] = describe(&figures, now);
            (queue.status, queue.detail)
        };
        assert_eq!(of(0, 0), (CheckStatus::Ok, "9 messages wait".to_owned()));
        assert_eq!(of(3, 20).0, CheckStatus::Ok);
        let (status, detail) = of(3, BACKLOG_WARN_S);
        assert_eq!(status, CheckStatus::Warn);
        assert_eq!(detail, "9 messages wait, 3 of them are due, the first for 300 s");
    }
}
