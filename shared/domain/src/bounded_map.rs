//! A map of bounded size, for what is costly to make again: one that is full is emptied before it takes another
//! key, and fills again with what is in use. Nothing need be remembered of which entry was used when.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by key, never more than a fixed number of them.
#[derive(Clone, Debug)]
pub struct BoundedMap<K, V> {
    entries_max: usize,
    entries: HashMap<K, V>,
}

impl<K: Eq + Hash, V> BoundedMap<K, V> {
    /// Makes an empty map that holds at most `entries_max` entries.
    pub fn new(entries_max: usize) -> Self {
        Self { entries_max, entries: HashMap::new() }
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
        self.make_room(&key);
        self.entries.insert(key, value);
    }

    /// Returns the value of a key, which is made first where there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.make_room(&key);
        self.entries.entry(key).or_insert_with(make)
    }

    /// Removes a key with its value; nothing happens where it is not there.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key);
    }

    fn make_room(&mut self, key: &K) {
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(key) {
            self.entries.clear();
        }
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
}
