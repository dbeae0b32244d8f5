//! A disk without a battery: what was written and not yet synced may be lost at a cut, in part, in another
//! order, or with a sector torn from its neighbours.
//!
//! What is written goes to the real file at once, as into an operating system's cache: whoever looks at the
//! folder sees what a process would. Beside it the medium is kept, which only a sync brings up to date. A cut
//! writes the real files anew from the medium and from what it lets survive. The same holds for the folder's
//! entries: a file that was made or removed is so for good once its folder was synced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use waxseal_tests::rng::Rng;

use crate::locks::FileLocks;
use crate::shm::SharedMemory;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// So long is waited for the write that is to be held, in wall time: it comes at once, or a test is wrong.
const HELD_WITHIN: Duration = Duration::from_mins(1);

/// Why a disk did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no power.
    Off,
    /// There is no room.
    Full,
    /// The medium has failed, or there is no such file.
    Fault,
}

/// How a connection is kept from what is promised: to see that the checks notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pragmas {
    /// Those of the server.
    Own,
    /// `synchronous` is this, whatever the server asks.
    Synchronous(&'static str),
}

/// The folder of one machine.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    pragmas: Pragmas,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    files: HashMap<FileNumber, StoredFile>,
    /// The folder as a process sees it, and as it is on the medium.
    names: BTreeMap<PathBuf, FileNumber>,
    names_on_medium: BTreeMap<PathBuf, FileNumber>,
    last_number: u64,
    /// Changes since the power came: writes, syncs, files made and removed.
    changes: u64,
    cut_at: Option<u64>,
    is_off: bool,
    /// One change in so many fails; none where it is 0.
    failing_one_in: u64,
    figures: Figures,
    hold: Hold,
    handles: usize,
}

/// What has happened on a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Changes, with the power on: writes, syncs, files made and removed.
    pub changes: u64,
    /// Changes that failed.
    pub failures: u64,
    /// Syncs of the database itself, which end each copy of the log into it.
    pub checkpoints: u64,
    /// Cuts at which the database itself had changes that were not synced.
    pub cut_checkpoints: u64,
}

/// The number of a file, which outlasts its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileNumber(u64);

#[derive(Debug)]
struct StoredFile {
    cached: File,
    medium: Vec<u8>,
    unsynced: Vec<Change>,
    locks: FileLocks,
    shared: Weak<SharedMemory>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

/// Whether the next change waits, so that jobs gather behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    No,
    Wanted,
    Held,
}

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Works,
    Fails(Failure),
    /// The power goes while it is made. It is in the cache, and may reach the medium in part.
    Cut,
    /// The power was gone before.
    Refused,
}

impl Fate {
    fn result(self) -> Result<(), Failure> {
        match self {
            Self::Works => Ok(()),
            Self::Fails(failure) => Err(failure),
            Self::Cut | Self::Refused => Err(Failure::Off),
        }
    }
}

/// What a cut leaves of the changes that were not synced.
#[derive(Clone, Copy, Debug)]
enum Survival {
    Nothing,
    Everything,
    /// The first ones: they were written in their order.
    Beginning,
    /// Some of them, in any order.
    Some,
    /// Some sectors of some of them, in any order.
    Torn,
}

impl Disk {
    /// An empty folder's disk; everything that is random comes from the seed.
    pub fn new(folder: &Path, pragmas: Pragmas, seed: u64) -> Self {
        let state = State {
            rng: Rng::new(seed),
            files: HashMap::new(),
            names: BTreeMap::new(),
            names_on_medium: BTreeMap::new(),
            last_number: 0,
            changes: 0,
            cut_at: None,
            is_off: false,
            failing_one_in: 0,
            figures: Figures::default(),
            hold: Hold::No,
            handles: 0,
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { folder: folder.to_owned(), pragmas, state, changed }
    }

    /// The folder whose files are here.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which pragmas hold.
    pub fn pragmas(&self) -> Pragmas {
        self.pragmas
    }

    /// The power goes at this change, counted from now on.
    pub fn cut_after(&self, changes: u64) {
        let mut state = self.lock();
        state.cut_at = Some(state.changes + changes);
    }

    /// The power goes now.
    pub fn cut_now(&self) {
        self.lock().is_off = true;
    }

    /// From now on one change in so many fails; none where it is 0.
    pub fn fail_one_in(&self, times: u64) {
        self.lock().failing_one_in = times;
    }

    /// What has happened on it so far.
    pub fn figures(&self) -> Figures {
        self.lock().figures
    }

    /// Whether the power is gone.
    pub fn is_off(&self) -> bool {
        self.lock().is_off
    }

    /// The next change waits until [`Disk::release`].
    pub fn hold_next(&self) {
        self.lock().hold = Hold::Wanted;
    }

    /// Waits until a change is held; returns at once where the power is gone.
    pub fn wait_until_held(&self) {
        let mut state = self.lock();
        while state.hold == Hold::Wanted && !state.is_off {
            let (next, waited) = self
                .changed
                .wait_timeout(state, HELD_WITHIN)
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            assert!(!waited.timed_out(), "nothing was written that could be held");
        }
    }

    /// Lets go on what is held.
    pub fn release(&self) {
        self.lock().hold = Hold::No;
        self.changed.notify_all();
    }

    /// Cuts the power, unless it is gone, and brings it back: what is left is in the folder. All who had a
    /// file open must have closed it.
    pub fn cut(&self) {
        let state = &mut *self.lock();
        assert_eq!(state.handles, 0, "a process outlived the power");
        let survival = state.draw_survival();
        let filler = if state.rng.one_in(2) { 0 } else { 0xa5 };
        let names = state.surviving_names();
        let mut files = HashMap::new();
        for (path, number) in &names {
            let stored = state.files.get(number).expect("a name is of a file");
            if is_database(path) && !stored.unsynced.is_empty() {
                state.figures.cut_checkpoints += 1;
            }
            let mut image = stored.medium.clone();
            for change in survival.choose(&stored.unsynced, &mut state.rng) {
                apply(&mut image, &change, filler);
            }
            fs::write(path, &image).unwrap();
            files.insert(*number, StoredFile::on_medium(path, image));
        }
        for path in state.names.keys().filter(|path| !names.contains_key(*path)) {
            let _gone = fs::remove_file(path);
        }
        state.files = files;
        state.names_on_medium.clone_from(&names);
        state.names = names;
        (state.changes, state.cut_at, state.is_off, state.hold) = (0, None, false, Hold::No);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a change, which may be held, or fail, or be the last one.
    fn begin_change(&self) -> (MutexGuard<'_, State>, Fate) {
        let mut state = self.lock();
        if state.hold == Hold::Wanted && !state.is_off {
            state.hold = Hold::Held;
            self.changed.notify_all();
        }
        while state.hold == Hold::Held {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_off {
            return (state, Fate::Refused);
        }
        state.changes += 1;
        state.figures.changes += 1;
        if state.cut_at.is_some_and(|at| state.changes >= at) {
            state.is_off = true;
            self.changed.notify_all();
            return (state, Fate::Cut);
        }
        let one_in = state.failing_one_in;
        if state.rng.one_in(one_in) {
            state.figures.failures += 1;
            let failure = if state.rng.one_in(2) { Failure::Full } else { Failure::Fault };
            return (state, Fate::Fails(failure));
        }
        (state, Fate::Works)
    }
}

/// What SQLite asks of files.
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
                    state.names_on_medium.clone_from(&state.names);
                }
            }
            Fate::Cut | Fate::Refused => {}
            Fate::Fails(_) => {
                let unsynced = std::mem::take(&mut state.file_mut(file).unsynced);
                for change in Survival::Some.choose(&unsynced, &mut state.rng) {
                    apply(&mut state.file_mut(file).medium, &change, 0);
                }
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
            state.names_on_medium = state.names.clone();
        }
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

fn is_database(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "db")
}

impl State {
    fn is_database(&self, file: FileNumber) -> bool {
        self.names.iter().any(|(path, number)| *number == file && is_database(path))
    }

    fn file(&self, number: FileNumber) -> &StoredFile {
        self.files.get(&number).expect("an open file is there")
    }

    fn file_mut(&mut self, number: FileNumber) -> &mut StoredFile {
        self.files.get_mut(&number).expect("an open file is there")
    }

    fn draw_survival(&mut self) -> Survival {
        use Survival::{Beginning, Everything, Nothing, Some, Torn};
        *self.rng.pick(&[Nothing, Everything, Beginning, Some, Some, Torn, Torn, Torn])
    }

    /// The folder after a cut: of each entry that was not synced, the one before it or the one after.
    fn surviving_names(&mut self) -> BTreeMap<PathBuf, FileNumber> {
        let both = self.names.keys().chain(self.names_on_medium.keys());
        let paths: BTreeSet<PathBuf> = both.cloned().collect();
        let mut names = BTreeMap::new();
        for path in paths {
            let (cached, on_medium) = (self.names.get(&path), self.names_on_medium.get(&path));
            let is_synced = cached == on_medium;
            let chosen = if is_synced || self.rng.one_in(2) { cached } else { on_medium };
            if let Some(number) = chosen {
                names.insert(path, *number);
            }
        }
        names
    }
}

impl StoredFile {
    fn new(cached: File, medium: Vec<u8>) -> Self {
        let (unsynced, locks, shared) = (Vec::new(), FileLocks::default(), Weak::new());
        Self { cached, medium, unsynced, locks, shared }
    }

    fn on_medium(path: &Path, image: Vec<u8>) -> Self {
        let cached = OpenOptions::new().read(true).write(true).open(path).unwrap();
        Self::new(cached, image)
    }
}

impl Survival {
    /// The changes that reach the medium, in the order in which they do.
    fn choose(self, unsynced: &[Change], rng: &mut Rng) -> Vec<Change> {
        let all = || unsynced.iter().cloned();
        match self {
            Self::Nothing => Vec::new(),
            Self::Everything => all().collect(),
            Self::Beginning => {
                let most = rng.below(offset(unsynced.len()) + 1);
                all().take(usize::try_from(most).expect("a length")).collect()
            }
            Self::Some => shuffle(all().filter(|_| rng.one_in(2)).collect(), rng),
            Self::Torn => {
                let mut pieces: Vec<Change> = unsynced.iter().flat_map(Change::sectors).collect();
                let one_in = rng.within(2, 20);
                let loses_most = rng.one_in(2);
                pieces.retain(|_| rng.one_in(one_in) == loses_most);
                shuffle(pieces, rng)
            }
        }
    }
}

impl Change {
    /// The parts of it that a disk writes one by one.
    fn sectors(&self) -> Vec<Self> {
        let Self::Write { at, bytes } = self else { return vec![self.clone()] };
        let mut parts = Vec::new();
        let (mut at, mut rest) = (*at, bytes.as_slice());
        while !rest.is_empty() {
            let length = (SECTOR - at % SECTOR).min(rest.len());
            let (part, after) = rest.split_at(length);
            parts.push(Self::Write { at, bytes: part.to_vec() });
            (at, rest) = (at + length, after);
        }
        parts
    }
}

fn shuffle(mut changes: Vec<Change>, rng: &mut Rng) -> Vec<Change> {
    for last in (1..changes.len()).rev() {
        let other = rng.below(offset(last) + 1);
        changes.swap(last, usize::try_from(other).expect("a length"));
    }
    changes
}

/// Makes a change on the medium. What lies between its end and a write behind it is what the disk had there.
fn apply(image: &mut Vec<u8>, change: &Change, filler: u8) {
    match change {
        Change::Write { at, bytes } => {
            let end = at + bytes.len();
            if image.len() < end {
                image.resize(end, filler);
            }
            image[*at..end].copy_from_slice(bytes);
        }
        Change::Resize(length) => image.resize(*length, filler),
    }
}

fn offset(count: usize) -> u64 {
    u64::try_from(count).expect("a length")
}
