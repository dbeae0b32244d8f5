//! Keeps copies of rows in memory, each with the time at which its read began. Their number is
//! bounded, and a write of this instance drops the copy that it makes old.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use waxseal_domain::bounded_map::BoundedMap;
use waxseal_flows::ports::MaxAge;

/// Keeps copies of rows in memory, by key, and says how old each is.
#[derive(Debug)]
pub(super) struct AgedCache<K, V> {
    cached: Mutex<CacheEntry<K, V>>,
}

#[derive(Debug)]
struct CacheEntry<K, V> {
    /// Rises with every write of this instance. A read that began before a write may have found the
    /// old row, and is not kept.
    generation: u64,
    copies: BoundedMap<K, (Instant, V)>,
}

/// When a read began. A copy is as old as this, since the row may have changed while its answer was
/// on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadStart {
    generation: u64,
    at: Instant,
}

impl<K: Eq + Hash, V: Clone> AgedCache<K, V> {
    /// Makes an empty cache of at most `entries_max` copies.
    pub(super) fn new(entries_max: usize) -> Self {
        let copies = BoundedMap::new(entries_max);
        Self { cached: Mutex::new(CacheEntry { generation: 0, copies }) }
    }

    /// Makes an empty cache of at most `entries_max` copies, which take up at most `bytes_max` bytes.
    pub(super) fn with_bytes(
        entries_max: usize,
        bytes_max: usize,
        weigh: fn(&(Instant, V)) -> usize,
    ) -> Self {
        let copies = BoundedMap::with_bytes(entries_max, bytes_max, weigh);
        Self { cached: Mutex::new(CacheEntry { generation: 0, copies }) }
    }

    /// Returns a copy of at most that age. The error is the start of the read that must replace it,
    /// to be given to [`AgedCache::keep`].
    pub(super) fn get(&self, key: &K, max_age: MaxAge) -> Result<V, ReadStart> {
        self.get_at(key, max_age, Instant::now())
    }

    fn get_at(&self, key: &K, max_age: MaxAge, now: Instant) -> Result<V, ReadStart> {
        let cached = self.lock();
        let age_max = Duration::from_secs(max_age.as_seconds());
        let is_young =
            |at: Instant| max_age != MaxAge::NOW && now.saturating_duration_since(at) <= age_max;
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

    /// Drops a copy after this instance has written its row, so that it sees its own write.
    pub(super) fn forget(&self, key: &K) {
        let mut cached = self.lock();
        cached.generation = cached.generation.wrapping_add(1);
        cached.copies.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, CacheEntry<K, V>> {
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
        let start = cache.get_at(&1, MaxAge::seconds(10), now).unwrap_err();
        cache.keep(start, 1, "a");
        assert_eq!(
            cache.get_at(&1, MaxAge::seconds(10), now + Duration::from_secs(10)).unwrap(),
            "a"
        );
        assert!(cache.get_at(&1, MaxAge::seconds(10), now + Duration::from_secs(11)).is_err());
        assert!(cache.get_at(&1, MaxAge::NOW, now).is_err(), "0 is a read now");
    }

    #[test]
    fn what_was_read_before_a_write_is_not_kept_after_it() {
        let cache = AgedCache::new(2);
        let start = cache.get(&1, MaxAge::seconds(10)).unwrap_err();
        cache.forget(&1);
        cache.keep(start, 1, "old");
        assert!(cache.get(&1, MaxAge::seconds(10)).is_err());
    }

    #[test]
    fn it_is_bounded() {
        let cache = AgedCache::new(2);
        for key in 0..5 {
            let start = cache.get(&key, MaxAge::seconds(10)).unwrap_err();
            cache.keep(start, key, key);
        }
        assert!(
            (0..3).all(|key| cache.get(&key, MaxAge::seconds(10)).is_err()),
            "emptied at the third and the fifth"
        );
        assert_eq!(cache.get(&4, MaxAge::seconds(10)).unwrap(), 4);
    }
}
