//! A disk without a battery: what was written and not yet synced may be lost at a cut, in part, in another
//! order, or with a sector torn from its neighbours.
//!
//! What is written goes to the real file at once, as into an operating system's cache: whoever looks at the
//! folder sees what a process would. Beside it the medium is kept, which only a sync brings up to date. A cut
//! writes the real files anew from the medium and from what it lets survive. The same holds for the folder's
//! entries: a file that was made or removed is so for good once its folder was synced.

mod changes;
mod requests;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use waxseal_tests::rng::Rng;

use self::changes::{Change, Survival, apply};
use crate::locks::FileLocks;
use crate::shm::SharedMemory;

/// The file that the engine makes itself once its database is there.
const KEY: &str = "secrets.key";

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

/// The entries of a folder.
type Names = BTreeMap<PathBuf, FileNumber>;

#[derive(Debug)]
struct State {
    rng: Rng,
    files: HashMap<FileNumber, StoredFile>,
    /// The folder as a process sees it.
    names: Names,
    /// As it was when it was synced last, and after each change since then: a file system keeps these in order.
    names_since_sync: Vec<Names>,
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
    log: Log,
}

/// Whether the medium has what the write-ahead log's file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    Whole,
    /// A sync has failed, and some of it never came to the medium.
    Holed,
    /// It is copied into the database all the same, which is how the engine mends it. The engine does not promise to
    /// outlast a cut before that has ended, so that one waits.
    HoledAndCopied,
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
    /// Changes at which the power would have gone, had a log with a hole not been copied just then.
    pub put_off: u64,
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

impl Disk {
    /// An empty folder's disk; everything that is random comes from the seed.
    pub fn new(folder: &Path, pragmas: Pragmas, seed: u64) -> Self {
        let state = State {
            rng: Rng::new(seed),
            files: HashMap::new(),
            names: BTreeMap::new(),
            names_since_sync: vec![Names::new()],
            last_number: 0,
            changes: 0,
            cut_at: None,
            is_off: false,
            failing_one_in: 0,
            figures: Figures::default(),
            hold: Hold::No,
            handles: 0,
            log: Log::Whole,
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

    /// The power goes now, or once a log with a hole is mended.
    pub fn cut_now(&self) {
        let mut state = self.lock();
        if state.log == Log::HoledAndCopied {
            state.cut_at = Some(0);
        } else {
            state.is_off = true;
        }
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
        let survival = Survival::draw(&mut state.rng);
        let filler = if state.rng.one_in(2) { 0 } else { 0xa5 };
        let has_key = self.folder.join(KEY).exists();
        let names = match state.log {
            Log::HoledAndCopied => state.names.clone(),
            Log::Whole | Log::Holed => state.surviving_names(has_key),
        };
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
            if state.log == Log::HoledAndCopied {
                image = stored.shown();
            }
            fs::write(path, &image).unwrap();
            files.insert(*number, StoredFile::on_medium(path, image));
        }
        for path in state.names.keys().filter(|path| !names.contains_key(*path)) {
            let _gone = fs::remove_file(path);
        }
        state.files = files;
        state.names_since_sync = vec![names.clone()];
        state.names = names;
        (state.changes, state.cut_at, state.is_off, state.hold) = (0, None, false, Hold::No);
        state.log = Log::Whole;
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
        let is_due = state.cut_at.is_some_and(|at| state.changes >= at);
        if is_due && state.log == Log::HoledAndCopied {
            state.figures.put_off += 1;
        } else if is_due {
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

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "db-wal")
}

fn is_database(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "db")
}

impl State {
    fn is_database(&self, file: FileNumber) -> bool {
        self.names.iter().any(|(path, number)| *number == file && is_database(path))
    }

    fn is_log(&self, file: FileNumber) -> bool {
        self.names.iter().any(|(path, number)| *number == file && is_log(path))
    }

    /// Notes a change of a file's cache.
    fn note_change(&mut self, file: FileNumber) {
        if self.log == Log::Holed && self.is_database(file) {
            self.log = Log::HoledAndCopied;
        }
    }

    /// Notes that a file was synced, or was to be.
    fn note_sync(&mut self, file: FileNumber) {
        if !self.is_log(file) {
            return;
        }
        let stored = self.file(file);
        let is_whole = stored.unsynced.is_empty() && stored.shown() == stored.medium;
        self.log = match self.log {
            _ if is_whole => Log::Whole,
            Log::Whole => Log::Holed,
            holed => holed,
        };
    }

    fn file(&self, number: FileNumber) -> &StoredFile {
        self.files.get(&number).expect("an open file is there")
    }

    fn file_mut(&mut self, number: FileNumber) -> &mut StoredFile {
        self.files.get_mut(&number).expect("an open file is there")
    }

    /// The folder after a cut: as it was at some time since it was synced. Who makes a key syncs the folder after it,
    /// and so the database that was there before.
    fn surviving_names(&mut self, has_key: bool) -> Names {
        let mut since = self.names_since_sync.clone();
        if has_key {
            since.retain(|names| names.keys().any(|path| is_database(path)));
        }
        self.rng.pick(&since).clone()
    }
}

impl StoredFile {
    /// What a process sees of it.
    fn shown(&self) -> Vec<u8> {
        let length = self.cached.metadata().expect("an open file").len();
        let mut bytes = vec![0; usize::try_from(length).expect("files are small")];
        self.cached.read_exact_at(&mut bytes, 0).expect("an open file");
        bytes
    }

    fn new(cached: File, medium: Vec<u8>) -> Self {
        let (unsynced, locks, shared) = (Vec::new(), FileLocks::default(), Weak::new());
        Self { cached, medium, unsynced, locks, shared }
    }

    fn on_medium(path: &Path, image: Vec<u8>) -> Self {
        let cached = OpenOptions::new().read(true).write(true).open(path).unwrap();
        Self::new(cached, image)
    }
}
