//! The file system that SQLite calls. It hands each call to the disk whose folder the file is in, and knows
//! nothing of cuts itself. It promises SQLite what its own file system for Unix promises, no more and no less.
//!
//! `sqlite-plugin` would hand over these calls as well. It leaves out whether a removal is to be synced, answers a
//! read beyond the end as if it were whole, and needs libclang to be built; so this is written on the bindings that
//! rusqlite has.
#![expect(unsafe_code, reason = "SQLite calls a file system through pointers to C functions")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

use rusqlite::ffi;

use crate::disk::{Disk, Failure, FileNumber, Pragmas};
use crate::locks::{Level, OwnSlots, are_slots};
use crate::shm::SharedMemory;

/// SQLite's own default on Unix: a write damages nothing beside it.
const CHARACTERISTICS: c_int = ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE;
const SECTOR: c_int = 4_096;
const PATH_MAX: c_int = 512;
/// What the pragma's name and its argument are in what `SQLITE_FCNTL_PRAGMA` brings.
const NAME: usize = 1;
const ARGUMENT: usize = 2;

/// The disks that have power, by their folders.
static DISKS: LazyLock<Mutex<HashMap<PathBuf, Arc<Disk>>>> = LazyLock::new(Mutex::default);

/// SQLite sees every file of the disk's folder on this disk, from now on.
pub fn mount(disk: &Arc<Disk>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.insert(disk.folder().to_owned(), Arc::clone(disk));
}

/// Ends that.
pub fn unmount(disk: &Disk) {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner).remove(disk.folder());
}

/// Registers the file system as SQLite's default, so that the engine opens its files on it without knowing.
fn register() {
    // SAFETY: the functions are called with any arguments that their C declarations take, before or after any other
    // thread uses SQLite. The file system and its name are never freed.
    unsafe {
        let before = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!before.is_null(), "SQLite has a file system for this machine");
        let ours = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 1,
            szOsFile: c_int::try_from(size_of::<OpenFile>()).expect("a small struct"),
            mxPathname: PATH_MAX,
            pNext: null_mut(),
            zName: c"power".as_ptr(),
            pAppData: before.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_path),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: (*before).xRandomness,
            xSleep: (*before).xSleep,
            xCurrentTime: (*before).xCurrentTime,
            xGetLastError: None,
            xCurrentTimeInt64: None,
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
        assert_eq!(ffi::sqlite3_auto_extension(Some(set_pragmas)), ffi::SQLITE_OK);
    }
}

/// What SQLite holds of an open file: its own part first.
#[repr(C)]
struct OpenFile {
    sqlite: ffi::sqlite3_file,
    /// A box that `close` takes back.
    handle: *mut Handle,
}

/// What we hold of it. SQLite uses one at a time from one thread only.
struct Handle {
    disk: Arc<Disk>,
    file: FileNumber,
    path: PathBuf,
    level: Level,
    shared: Option<(Arc<SharedMemory>, OwnSlots)>,
    /// The first sync of a journal syncs its folder as well, as SQLite's own file system does.
    syncs_folder: bool,
    is_temporary: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The disk of a path, and the path; none where no disk has its folder.
///
/// # Safety
/// `name` is null or a C string.
unsafe fn place(name: *const c_char) -> Option<(Arc<Disk>, PathBuf)> {
    if name.is_null() {
        return None;
    }
    // SAFETY: it is a C string, by the contract of this function.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    let path = Path::new(OsStr::from_bytes(bytes));
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    Some((Arc::clone(disks.get(path.parent()?)?), path.to_owned()))
}

/// The handle of a file.
///
/// # Safety
/// `file` was opened by `open` and is not closed; nobody else uses it now.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: `open` has made it an `OpenFile` whose handle is a box, by the contract of this function.
    unsafe { &mut *(*file.cast::<OpenFile>()).handle }
}

/// What SQLite is told.
fn code(result: Result<(), Failure>, fault: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failure::Full) => ffi::SQLITE_FULL,
        Err(Failure::Off | Failure::Fault) => fault,
    }
}

// SAFETY, of every function below: SQLite calls it as its documentation of `sqlite3_vfs` and `sqlite3_io_methods`
// says, with pointers that are valid for the call, and with files that `open` has opened.

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: see above. A file that is not opened has no methods, and SQLite does not close it.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let Some((disk, path)) = place(name) else { return ffi::SQLITE_CANTOPEN };
        let makes = flags & ffi::SQLITE_OPEN_CREATE != 0;
        let Ok(number) = disk.open(&path, makes) else { return ffi::SQLITE_CANTOPEN };
        let journals = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;
        let handle = Handle {
            disk,
            file: number,
            path,
            level: Level::None,
            shared: None,
            syncs_folder: makes && flags & journals != 0,
            is_temporary: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        };
        (*file.cast::<OpenFile>()).handle = Box::into_raw(Box::new(handle));
        (*file).pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: see above. SQLite closes a file once.
    let mut handle = unsafe { Box::from_raw((*file.cast::<OpenFile>()).handle) };
    leave_shared(&mut handle);
    let Handle { disk, file, level, .. } = &mut *handle;
    disk.locks(*file, |locks| locks.lower(level, Level::None));
    if handle.is_temporary {
        let _gone = handle.disk.remove(&handle.path, false);
    }
    handle.disk.close();
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    bytes: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let (Ok(bytes), Ok(at)) = (usize::try_from(bytes), u64::try_from(at)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: see above. The buffer is SQLite's and is so long.
    let (handle, buffer) = unsafe {
        buffer.cast::<u8>().write_bytes(0, bytes);
        (handle(file), std::slice::from_raw_parts_mut(buffer.cast::<u8>(), bytes))
    };
    match handle.disk.read(handle.file, at, buffer) {
        Ok(filled) if filled == bytes => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let (Ok(count), Ok(at)) = (usize::try_from(count), u64::try_from(at)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: see above. SQLite has so many bytes there.
    let (handle, bytes) =
        unsafe { (handle(file), std::slice::from_raw_parts(bytes.cast::<u8>(), count)) };
    code(handle.disk.write(handle.file, at, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    let Ok(length) = u64::try_from(length) else { return ffi::SQLITE_IOERR_TRUNCATE };
    // SAFETY: see above.
    let handle = unsafe { handle(file) };
    code(handle.disk.resize(handle.file, length), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: see above.
    let handle = unsafe { handle(file) };
    let synced = handle.disk.sync(handle.file, handle.syncs_folder);
    handle.syncs_folder &= synced.is_err();
    // SQLite's own file system says so of every sync that fails, one for want of room too.
    if synced.is_ok() { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_FSYNC }
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above.
    let handle = unsafe { handle(file) };
    let found = handle.disk.length(handle.file).ok().and_then(|size| i64::try_from(size).ok());
    let Some(found) = found else { return ffi::SQLITE_IOERR_FSTAT };
    // SAFETY: see above.
    unsafe { *size = found };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    let wanted = level(wanted);
    // SAFETY: see above.
    let Handle { disk, file, level, .. } = unsafe { handle(file) };
    match disk.locks(*file, |locks| locks.raise(level, wanted)) {
        Ok(()) => ffi::SQLITE_OK,
        Err(_) => ffi::SQLITE_BUSY,
    }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    let wanted = level(wanted);
    // SAFETY: see above.
    let Handle { disk, file, level, .. } = unsafe { handle(file) };
    disk.locks(*file, |locks| locks.lower(level, wanted));
    ffi::SQLITE_OK
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

unsafe extern "C" fn check_reserved_lock(
    file: *mut ffi::sqlite3_file,
    is_reserved: *mut c_int,
) -> c_int {
    // SAFETY: see above.
    let handle = unsafe { handle(file) };
    let found = handle.disk.locks(handle.file, |locks| locks.is_reserved());
    // SAFETY: see above.
    unsafe { *is_reserved = c_int::from(found) };
    ffi::SQLITE_OK
}

/// Only pragmas are listened to: where the disk has its own way with `synchronous`, the server's is not set.
unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    if operation != ffi::SQLITE_FCNTL_PRAGMA {
        return ffi::SQLITE_NOTFOUND;
    }
    // SAFETY: see above. With this operation comes an array of C strings: the second is the pragma's name, and the
    // third its argument, or null.
    let (handle, name, wanted) = unsafe {
        let texts = argument.cast::<*const c_char>();
        (handle(file), CStr::from_ptr(*texts.add(NAME)), *texts.add(ARGUMENT))
    };
    let Pragmas::Synchronous(own) = handle.disk.pragmas() else { return ffi::SQLITE_NOTFOUND };
    if !name.to_bytes().eq_ignore_ascii_case(b"synchronous") || wanted.is_null() {
        return ffi::SQLITE_NOTFOUND;
    }
    // SAFETY: as above.
    let wanted = unsafe { CStr::from_ptr(wanted) };
    if wanted.to_bytes().eq_ignore_ascii_case(own.as_bytes()) {
        ffi::SQLITE_NOTFOUND
    } else {
        ffi::SQLITE_OK
    }
}

/// Sets a new connection's `synchronous` where its disk has its own way with it.
unsafe extern "C" fn set_pragmas(
    connection: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite calls it with a new connection, which is not used otherwise yet; the name of its file is a C
    // string or null.
    unsafe {
        let Some((disk, _)) = place(ffi::sqlite3_db_filename(connection, c"main".as_ptr())) else {
            return ffi::SQLITE_OK;
        };
        if let Pragmas::Synchronous(own) = disk.pragmas() {
            let sql =
                std::ffi::CString::new(format!("PRAGMA synchronous = {own}")).expect("no zero");
            let _kept = ffi::sqlite3_exec(connection, sql.as_ptr(), None, null_mut(), null_mut());
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    SECTOR
}

unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    CHARACTERISTICS
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    bytes: c_int,
    make: c_int,
    address: *mut *mut c_void,
) -> c_int {
    let (Ok(region), Ok(bytes)) = (usize::try_from(region), usize::try_from(bytes)) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    // SAFETY: see above.
    let handle = unsafe { handle(file) };
    if handle.disk.is_off() {
        return ffi::SQLITE_IOERR_SHMMAP;
    }
    let (disk, number) = (&handle.disk, handle.file);
    let (shared, _) =
        handle.shared.get_or_insert_with(|| (disk.shared(number), OwnSlots::default()));
    let found = shared.region(region, bytes, make != 0);
    // SAFETY: see above.
    unsafe { *address = found.map_or(null_mut(), |found| found.as_ptr().cast()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let (Ok(first), Ok(count)) = (usize::try_from(first), usize::try_from(count)) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    // SAFETY: see above.
    let handle = unsafe { handle(file) };
    let slots = first..first + count;
    let Some((shared, own)) = handle.shared.as_mut().filter(|_| are_slots(&slots)) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    let mut all = shared.slots();
    let taken = if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        all.give_back(own, slots);
        Ok(())
    } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
        all.share(own, first)
    } else {
        all.take(own, slots)
    };
    if taken.is_ok() { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    // SAFETY: see above.
    if let Some((shared, _)) = unsafe { handle(file) }.shared.as_ref() {
        drop(shared.slots());
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: see above.
    leave_shared(unsafe { handle(file) });
    ffi::SQLITE_OK
}

fn leave_shared(handle: &mut Handle) {
    if let Some((shared, mut own)) = handle.shared.take() {
        shared.slots().give_back_all(&mut own);
    }
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    with_folder: c_int,
) -> c_int {
    // SAFETY: see above.
    let Some((disk, path)) = (unsafe { place(name) }) else { return ffi::SQLITE_IOERR_DELETE };
    if !disk.has(&path) {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    }
    code(disk.remove(&path, with_folder != 0), ffi::SQLITE_IOERR_DELETE)
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _: c_int,
    found: *mut c_int,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        *found = c_int::from(place(name).is_some_and(|(disk, path)| disk.has(&path)));
    }
    ffi::SQLITE_OK
}

/// Paths are whole already: the tests' folders are.
unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: see above. There is room for so many bytes.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if usize::try_from(room).is_ok_and(|room| room < name.len()) {
            return ffi::SQLITE_CANTOPEN;
        }
        out.cast::<u8>().copy_from_nonoverlapping(name.as_ptr(), name.len());
    }
    ffi::SQLITE_OK
}
