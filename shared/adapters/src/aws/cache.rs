//! A bounded cache whose entries know when they were read.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use waxseal_domain::timestamp::Timestamp;

/// Copies, at most so many; when it is full it begins anew.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    entries: Mutex<HashMap<K, (Timestamp, V)>>,
    entries_max: usize,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(entries_max: usize) -> Self {
        Self { entries: Mutex::default(), entries_max }
    }

    /// A copy that is at most so old; of age 0 none is.
    pub(super) fn get(&self, key: &K, max_age_s: u64, now: Timestamp) -> Option<V> {
        let entries = self.lock();
        let (read_at, value) = entries.get(key)?;
        (now.since_ms(*read_at) < max_age_s * 1_000).then(|| value.clone())
    }

    /// Keeps a copy that was read then.
    pub(super) fn keep(&self, key: K, value: V, read_at: Timestamp) {
        let mut entries = self.lock();
        if entries.len() >= self.entries_max {
            entries.clear();
        }
        entries.insert(key, (read_at, value));
    }

    /// Forgets one: it was just changed here.
    pub(super) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Timestamp, V)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
