//! Copies in memory, each with the time at which its read began. Bounded; own writes drop them.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use waxseal_domain::bounded_map::BoundedMap;

/// Copies by key.
#[derive(Debug)]
pub(super) struct AgedCache<K, V> {
    cached: Mutex<Cached<K, V>>,
}

#[derive(Debug)]
struct Cached<K, V> {
    /// Rises with every own write: what was read before one is not kept after it.
    generation: u64,
    copies: BoundedMap<K, (Instant, V)>,
}

/// When a read began: it may be kept as of then.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadStart {
    generation: u64,
    at: Instant,
}

impl<K: Eq + Hash, V: Clone> AgedCache<K, V> {
    /// Of at most so many entries.
    pub(super) fn new(entries_max: usize) -> Self {
        let copies = BoundedMap::new(entries_max);
        Self { cached: Mutex::new(Cached { generation: 0, copies }) }
    }

    /// A copy of at most that age, or the start of the read that replaces it.
    pub(super) fn get(&self, key: &K, max_age_s: u64) -> Result<V, ReadStart> {
        self.get_at(key, max_age_s, Instant::now())
    }

    fn get_at(&self, key: &K, max_age_s: u64, now: Instant) -> Result<V, ReadStart> {
        let cached = self.lock();
        let age_max = Duration::from_secs(max_age_s);
        let is_young = |at: Instant| max_age_s > 0 && now.saturating_duration_since(at) <= age_max;
        match cached.copies.get(key) {
            Some((at, value)) if is_young(*at) => Ok(value.clone()),
            _ => Err(ReadStart { generation: cached.generation, at: now }),
        }
    }

    /// Keeps what a read has found, unless there was a write since it began.
    pub(super) fn keep(&self, start: ReadStart, key: K, value: V) {
        let mut cached = self.lock();
        if cached.generation != start.generation {
            return;
        }
        cached.copies.insert(key, (start.at, value));
    }

    /// Drops a copy, after an own write.
    pub(super) fn forget(&self, key: &K) {
        let mut cached = self.lock();
        cached.generation = cached.generation.wrapping_add(1);
        cached.copies.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Cached<K, V>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_used_up_to_its_age() {
        let cache = AgedCache::new(2);
        let now = Instant::now();
        let start = cache.get_at(&1, 10, now).unwrap_err();
        cache.keep(start, 1, "a");
        assert_eq!(cache.get_at(&1, 10, now + Duration::from_secs(10)).unwrap(), "a");
        assert!(cache.get_at(&1, 10, now + Duration::from_secs(11)).is_err());
        assert!(cache.get_at(&1, 0, now).is_err(), "0 is a read now");
    }

    #[test]
    fn what_was_read_before_a_write_is_not_kept_after_it() {
        let cache = AgedCache::new(2);
        let start = cache.get(&1, 10).unwrap_err();
        cache.forget(&1);
        cache.keep(start, 1, "old");
        assert!(cache.get(&1, 10).is_err());
    }

    #[test]
    fn it_is_bounded() {
        let cache = AgedCache::new(2);
        for key in 0..5 {
            let start = cache.get(&key, 10).unwrap_err();
            cache.keep(start, key, key);
        }
        assert!(
            (0..3).all(|key| cache.get(&key, 10).is_err()),
            "emptied at the third and the fifth"
        );
        assert_eq!(cache.get(&4, 10).unwrap(), 4);
    }
}
