//! The memory that the connections to a file in WAL share: regions that never move while one has them, and the
//! locks of its slots.
#![expect(
    unsafe_code,
    reason = "SQLite reads and writes this memory by its address, on several threads"
)]

use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::locks::SlotLocks;

/// The memory of one file. A power cut ends it: nothing of it is on the medium.
#[derive(Debug, Default)]
pub struct SharedMemory {
    regions: Mutex<Vec<Region>>,
    slots: Mutex<SlotLocks>,
}

/// Words, so that their address is one for any number that SQLite keeps in them.
#[derive(Debug)]
struct Region(NonNull<[u64]>);

// SAFETY: the memory belongs to the region alone and is freed with it. What is in it is SQLite's, which guards it
// by the slots' locks and by barriers; Rust code never reads it.
unsafe impl Send for Region {}

impl Region {
    fn of_bytes(bytes: usize) -> Self {
        let words = vec![0_u64; bytes.div_ceil(size_of::<u64>())].into_boxed_slice();
        Self(NonNull::from(Box::leak(words)))
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the pointer is of the box that `of_bytes` leaked, and this is the only place that frees it. No
        // connection has the memory any more: each holds the `SharedMemory` whose region this is.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl SharedMemory {
    /// The address of a region of so many bytes; none where it is not there and is not to be made.
    pub fn region(&self, number: usize, bytes: usize, make: bool) -> Option<NonNull<u64>> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        while make && regions.len() <= number {
            regions.push(Region::of_bytes(bytes));
        }
        regions.get(number).map(|region| region.0.cast())
    }

    /// The locks of its slots. Whoever takes and gives back this guard has passed a barrier.
    pub fn slots(&self) -> MutexGuard<'_, SlotLocks> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
