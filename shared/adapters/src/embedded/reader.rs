//! Connections that only read: a few, handed around, used on blocking threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use waxseal_flows::ports::EngineError;

use super::failure::failure_at;
use super::schema;

/// Connections that there are at the most: each takes two file handles, and a thread while it reads.
const CONNECTIONS_MAX: usize = 8;

/// Reads what is committed.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        let turns = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { path: path.to_owned(), idle: Arc::default(), turns }
    }

    /// Runs `work` on a connection of its own.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        step: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EngineError> {
        let readers = self.clone();
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|closed| EngineError::unavailable(step, closed))?;
        let result = tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let result = work(&connection);
            readers.give_back(connection);
            drop(turn);
            result
        })
        .await;
        result.map_err(|error| EngineError::unavailable(step, error))?.map_err(failure_at(step))
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| schema::open_reader(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
