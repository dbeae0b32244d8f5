//! A map of bounded size, for what is costly to make again: one that is full is emptied before it takes another
//! key, and fills again with what is in use. Nothing need be remembered of which entry was used when.
//! Where what is kept is of very different lengths, its bytes are bounded as well.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by key, never more than a fixed number of them, nor of their bytes.
#[derive(Clone, Debug)]
pub struct BoundedMap<K, V> {
    entries_max: usize,
    bytes_max: usize,
    /// Says about how many bytes a value takes up.
    weigh: fn(&V) -> usize,
    /// Bytes of all values.
    bytes: usize,
    entries: HashMap<K, V>,
}

impl<K: Eq + Hash, V> BoundedMap<K, V> {
    /// Makes an empty map that holds at most `entries_max` entries.
    pub fn new(entries_max: usize) -> Self {
        Self::with_bytes(entries_max, usize::MAX, |_| 0)
    }

    /// Makes an empty map that holds at most `entries_max` entries, of at most `bytes_max` bytes together. A value that
    /// is longer than that is kept alone.
    pub fn with_bytes(entries_max: usize, bytes_max: usize, weigh: fn(&V) -> usize) -> Self {
        Self { entries_max, bytes_max, weigh, bytes: 0, entries: HashMap::new() }
    }

    /// Returns the value of a key.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        let bytes = (self.weigh)(&value);
        if self.bytes.saturating_add(bytes) > self.bytes_max {
            self.clear();
        }
        self.make_room(&key);
        self.bytes += bytes;
        self.entries.insert(key, value);
    }

    /// Returns the value of a key, which is made first where there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.make_room(&key);
        let (weigh, bytes) = (self.weigh, &mut self.bytes);
        self.entries.entry(key).or_insert_with(|| {
            let value = make();
            *bytes += weigh(&value);
            value
        })
    }

    /// Removes a key with its value; nothing happens where it is not there.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some(value) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub((self.weigh)(&value));
        }
    }

    fn make_room(&mut self, key: &K) {
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(key) {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_is_emptied_by_another_key_and_by_no_known_one() {
        let mut map = BoundedMap::new(2);
        map.insert("a", 1);
        map.insert("b", 2);
        map.insert("b", 3);
        *map.get_or_insert_with("a", || 9) += 1;
        assert_eq!((map.get("a"), map.get("b")), (Some(&2), Some(&3)));
        map.insert("c", 4);
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, None, Some(&4)));
        map.remove("c");
        assert_eq!(map.get("c"), None);
    }

    #[test]
    fn bytes_are_bounded_and_what_replaces_a_value_takes_its_place() {
        let mut map = BoundedMap::with_bytes(10, 100, String::len);
        for _ in 0..40 {
            map.insert("a", "x".repeat(50));
        }
        map.insert("b", "x".repeat(50));
        assert!(map.get("a").is_some() && map.get("b").is_some(), "one of each is kept");
        map.remove("a");
        map.insert("c", "x".repeat(50));
        assert!(map.get("b").is_some() && map.get("c").is_some());
        map.insert("d", "x".repeat(51));
        assert!(map.get("b").is_none() && map.get("c").is_none() && map.get("d").is_some());
        map.insert("e", "x".repeat(1_000));
        assert!(map.get("d").is_none() && map.get("e").is_some(), "kept alone");
        map.insert("f", String::new());
        assert!(map.get("e").is_none() && map.get("f").is_some());
    }
}
