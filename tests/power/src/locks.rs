//! The locks of a file among the connections of one process, as SQLite defines them, and those of the shared
//! memory's slots.

/// The slots of the shared memory that SQLite locks.
const SLOTS: usize = 8;

/// How far a connection has locked a file: SQLite's five levels, by its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    #[default]
    None,
    /// It reads.
    Shared,
    /// It will write, and others still read.
    Reserved,
    /// It waits for the others to end.
    Pending,
    /// It writes.
    Exclusive,
}

/// Another connection is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Who holds a file.
#[derive(Debug, Default)]
pub struct FileLocks {
    readers: usize,
    /// The level of the one connection that is beyond reading.
    writer: Level,
}

impl FileLocks {
    /// Raises a connection's level. One that asks for everything and has to wait stays at `Pending`.
    pub fn raise(&mut self, own: &mut Level, wanted: Level) -> Result<(), Busy> {
        if *own >= wanted {
            return Ok(());
        }
        if *own == Level::None {
            if self.writer >= Level::Pending {
                return Err(Busy);
            }
            self.readers += 1;
            *own = Level::Shared;
        }
        if wanted == Level::Shared {
            return Ok(());
        }
        let is_writer = *own >= Level::Reserved;
        if !is_writer && self.writer > Level::None {
            return Err(Busy);
        }
        let has_readers = self.readers > 1;
        let reached =
            if wanted == Level::Exclusive && has_readers { Level::Pending } else { wanted };
        (*own, self.writer) = (reached, reached);
        if reached == wanted { Ok(()) } else { Err(Busy) }
    }

    /// Lowers a connection's level to `Shared` or `None`.
    pub fn lower(&mut self, own: &mut Level, wanted: Level) {
        if *own <= wanted {
            return;
        }
        if *own >= Level::Reserved {
            self.writer = Level::None;
        }
        if wanted == Level::None {
            self.readers -= 1;
        }
        *own = wanted;
    }

    /// Whether a connection is beyond reading.
    pub fn is_reserved(&self) -> bool {
        self.writer >= Level::Reserved
    }
}

/// Who holds the slots of the shared memory.
#[derive(Debug, Default)]
pub struct SlotLocks {
    readers: [u32; SLOTS],
    is_written: [bool; SLOTS],
}

/// What one connection holds of them.
#[derive(Debug, Default)]
pub struct OwnSlots {
    reads: [bool; SLOTS],
    writes: [bool; SLOTS],
}

impl SlotLocks {
    /// Shares a slot.
    pub fn share(&mut self, own: &mut OwnSlots, slot: usize) -> Result<(), Busy> {
        if own.reads[slot] {
            return Ok(());
        }
        if self.is_written[slot] {
            return Err(Busy);
        }
        self.readers[slot] += 1;
        own.reads[slot] = true;
        Ok(())
    }

    /// Takes slots for itself: all of them, or none.
    pub fn take(&mut self, own: &mut OwnSlots, slots: std::ops::Range<usize>) -> Result<(), Busy> {
        for slot in slots.clone().filter(|slot| !own.writes[*slot]) {
            if self.is_written[slot] || self.readers[slot] > 0 {
                return Err(Busy);
            }
        }
        for slot in slots {
            self.is_written[slot] = true;
            own.writes[slot] = true;
        }
        Ok(())
    }

    /// Gives back what the connection holds of these.
    pub fn give_back(&mut self, own: &mut OwnSlots, slots: std::ops::Range<usize>) {
        for slot in slots {
            if std::mem::take(&mut own.reads[slot]) {
                self.readers[slot] -= 1;
            }
            if std::mem::take(&mut own.writes[slot]) {
                self.is_written[slot] = false;
            }
        }
    }

    /// Gives back all that it holds.
    pub fn give_back_all(&mut self, own: &mut OwnSlots) {
        self.give_back(own, 0..SLOTS);
    }
}

/// Whether slots are among those there are.
pub fn are_slots(slots: &std::ops::Range<usize>) -> bool {
    slots.start < slots.end && slots.end <= SLOTS
}
