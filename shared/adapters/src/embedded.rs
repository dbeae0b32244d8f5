//! The embedded engine: one SQLite file is store and queue, one key file is the key vault.
//!
//! | file of the data folder | is |
//! | --- | --- |
//! | `waxseal.db` | everything: write-ahead log, synced before anything is acknowledged |
//! | `secrets.key` | the key that seals endpoints' secrets |
//! | `operator.key` | the operator's API key, unless it is given |
//! | `lock` | locked while a process runs; ends with the process |

mod checks;
mod clock;
mod config;
mod config_cache;
mod deliveries;
mod engine;
mod events;
mod failure;
mod files;
mod gates;
mod gates_in_memory;
mod inbox;
mod inboxes;
mod key_file;
mod queue;
mod reader;
mod schema;
mod schema_value;
mod writer;

pub use engine::{EmbeddedEngine, Options};
pub use inbox::Inbox;
pub use key_file::KeyFile;
pub use queue::EmbeddedQueue;

use std::sync::Arc;

use self::config_cache::ConfigCache;
use self::gates_in_memory::Gates;
use self::reader::Readers;
use self::writer::Writer;
use crate::clock::MovableClock;

/// Keeps rows in one SQLite file, written by one thread and read by several.
#[derive(Debug)]
pub struct EmbeddedStore {
    writer: Writer,
    readers: Readers,
    cache: Arc<ConfigCache>,
    gates: Arc<Gates>,
    clock: MovableClock,
}
