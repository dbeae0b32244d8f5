//! Whether the store writes: tried by a write of its own, at most every few seconds, whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Mutex;
use waxseal_domain::limits::{HEALTH_COPY_S, HEALTH_WRITE_S};
use waxseal_flows::ports::Check;

use super::EmbeddedStore;
use super::writer::Durability;

/// The name of the check, which `/healthz` tells.
const NAME: &str = "database writes";

/// What the last try has shown. Whoever asks meanwhile waits for it and makes none of their own.
#[derive(Debug, Default)]
pub(super) struct LastWrite {
    seen: Mutex<Option<(Instant, Check)>>,
    /// Whether a write waits that was not answered in time: no second one joins it.
    waits: Arc<AtomicBool>,
}

impl EmbeddedStore {
    /// Whether the store writes now, or did a few seconds ago. Neither a path nor anything stored is in what it
    /// says of a failure.
    pub(super) async fn check_writing(&self) -> Check {
        let mut seen = self.last_write.seen.lock().await;
        if let Some((at, check)) = &*seen
            && at.elapsed() < Duration::from_secs(HEALTH_COPY_S)
        {
            return check.clone();
        }
        let check = self.try_to_write().await;
        *seen = Some((Instant::now(), check.clone()));
        check
    }

    async fn try_to_write(&self) -> Check {
        let waits = Arc::clone(&self.last_write.waits);
        let late = || Check::fail(NAME, format!("nothing was written within {HEALTH_WRITE_S} s"));
        if waits.swap(true, Ordering::AcqRel) {
            return late();
        }
        let done = Arc::clone(&waits);
        let write = self.writer.write(
            "try to write",
            Durability::Synced,
            move |connection| {
                done.store(false, Ordering::Release);
                rewrite(connection)
            },
            |()| (),
        );
        match tokio::time::timeout(Duration::from_secs(HEALTH_WRITE_S), write).await {
            Ok(Ok(())) => Check::ok(NAME, "synced"),
            Ok(Err(error)) => {
                waits.store(false, Ordering::Release);
                Check::fail(NAME, error.to_string())
            }
            Err(_) => late(),
        }
    }
}

/// Writes a page without a change of what is in it.
fn rewrite(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO config (kind, tenant, id, version, doc)
               VALUES ('write_check', '', '', 1, 'null')";
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
