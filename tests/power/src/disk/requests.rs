//! What SQLite asks of a disk's files, by way of the file system that it calls.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use super::changes::{Change, Survival, apply, offset};
use super::{Disk, Failure, Fate, FileNumber, StoredFile};
use crate::locks::FileLocks;
use crate::shm::SharedMemory;

impl Disk {
    /// Opens a file, or makes it.
    pub fn open(&self, path: &Path, create: bool) -> Result<FileNumber, Failure> {
        let state = &mut *self.lock();
        if state.is_off {
            return Err(Failure::Off);
        }
        if let Some(number) = state.names.get(path) {
            state.handles += 1;
            return Ok(*number);
        }
        if !create {
            return Err(Failure::Fault);
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let cached = options.open(path).map_err(|_| Failure::Fault)?;
        state.last_number += 1;
        let number = FileNumber(state.last_number);
        state.files.insert(number, StoredFile::new(cached, Vec::new()));
        state.names.insert(path.to_owned(), number);
        state.names_since_sync.push(state.names.clone());
        state.handles += 1;
        Ok(number)
    }

    /// Forgets a handle.
    pub fn close(&self) {
        self.lock().handles -= 1;
    }

    /// Reads into the buffer; how many bytes there were.
    pub fn read(&self, file: FileNumber, at: u64, buffer: &mut [u8]) -> Result<usize, Failure> {
        let state = self.lock();
        if state.is_off {
            return Err(Failure::Off);
        }
        let cached = &state.file(file).cached;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match cached.read_at(rest, at + offset(filled)) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(_) => return Err(Failure::Fault),
            }
        }
        Ok(filled)
    }

    /// Writes into the cache. A write that fails may have written its beginning.
    pub fn write(&self, file: FileNumber, at: u64, bytes: &[u8]) -> Result<(), Failure> {
        let (mut state, fate) = self.begin_change();
        let state = &mut *state;
        let written = match fate {
            Fate::Refused => return fate.result(),
            Fate::Works | Fate::Cut => bytes,
            Fate::Fails(_) => {
                let most = state.rng.below(offset(bytes.len()));
                &bytes[..usize::try_from(most).expect("a length")]
            }
        };
        let stored = state.file_mut(file);
        stored.cached.write_all_at(written, at).map_err(|_| Failure::Fault)?;
        let at = usize::try_from(at).expect("files are small");
        stored.unsynced.push(Change::Write { at, bytes: written.to_vec() });
        state.note_change(file);
        fate.result()
    }

    /// Cuts a file, or lengthens it, in the cache.
    pub fn resize(&self, file: FileNumber, length: u64) -> Result<(), Failure> {
        let (mut state, fate) = self.begin_change();
        if matches!(fate, Fate::Fails(_) | Fate::Refused) {
            return fate.result();
        }
        let stored = state.file_mut(file);
        stored.cached.set_len(length).map_err(|_| Failure::Fault)?;
        stored.unsynced.push(Change::Resize(usize::try_from(length).expect("files are small")));
        state.note_change(file);
        fate.result()
    }

    /// Brings a file's changes to the medium and, where it is asked, the folder's entries. When it fails, the
    /// cache takes the changes for written, as Linux does, and some never come to the medium.
    pub fn sync(&self, file: FileNumber, with_folder: bool) -> Result<(), Failure> {
        let (mut state, fate) = self.begin_change();
        let state = &mut *state;
        match fate {
            Fate::Works => {
                if state.is_database(file) {
                    state.figures.checkpoints += 1;
                }
                let stored = state.file_mut(file);
                for change in std::mem::take(&mut stored.unsynced) {
                    apply(&mut stored.medium, &change, 0);
                }
                if with_folder {
                    state.names_since_sync = vec![state.names.clone()];
                }
                state.note_sync(file);
            }
            Fate::Cut | Fate::Refused => {}
            Fate::Fails(_) => {
                let unsynced = std::mem::take(&mut state.file_mut(file).unsynced);
                for change in Survival::Some.choose(&unsynced, &mut state.rng) {
                    apply(&mut state.file_mut(file).medium, &change, 0);
                }
                state.note_sync(file);
            }
        }
        fate.result()
    }

    /// The length of a file.
    pub fn length(&self, file: FileNumber) -> Result<u64, Failure> {
        let state = self.lock();
        if state.is_off {
            return Err(Failure::Off);
        }
        state.file(file).cached.metadata().map(|found| found.len()).map_err(|_| Failure::Fault)
    }

    /// Removes a name, for good where the folder is synced.
    pub fn remove(&self, path: &Path, with_folder: bool) -> Result<(), Failure> {
        let (mut state, fate) = self.begin_change();
        fate.result()?;
        state.names.remove(path).ok_or(Failure::Fault)?;
        fs::remove_file(path).map_err(|_| Failure::Fault)?;
        if with_folder {
            state.names_since_sync.clear();
        }
        let names = state.names.clone();
        state.names_since_sync.push(names);
        Ok(())
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &Path) -> bool {
        self.lock().names.contains_key(path)
    }

    /// Looks at who holds a file, or changes it.
    pub fn locks<T>(&self, file: FileNumber, look: impl FnOnce(&mut FileLocks) -> T) -> T {
        look(&mut self.lock().file_mut(file).locks)
    }

    /// The memory that the connections to a file share, as long as one has it.
    pub fn shared(&self, file: FileNumber) -> Arc<SharedMemory> {
        let mut state = self.lock();
        let stored = state.file_mut(file);
        stored.shared.upgrade().unwrap_or_else(|| {
            let shared = Arc::new(SharedMemory::default());
            stored.shared = Arc::downgrade(&shared);
            shared
        })
    }
}
