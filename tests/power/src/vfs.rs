//! The file system that SQLite calls. It hands each call to the disk whose folder the file is in, and knows
//! nothing of cuts itself. It promises SQLite what its own file system for Unix promises, no more and no less.
//!
//! `sqlite-plugin` would hand over these calls as well. It leaves out whether a removal is to be synced, answers a
//! read beyond the end as if it were whole, and needs libclang to be built; so this is written on the bindings that
//! rusqlite has.
#![expect(unsafe_code, reason = "SQLite calls a file system through pointers to C functions")]

mod methods;

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

use rusqlite::ffi;

use self::methods::METHODS;
use crate::disk::{Disk, Failure, FileNumber, Pragmas};
use crate::locks::{Level, OwnSlots};
use crate::shm::SharedMemory;

const PATH_MAX: c_int = 512;
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

/// What SQLite is told.
fn code(result: Result<(), Failure>, fault: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failure::Full) => ffi::SQLITE_FULL,
        Err(Failure::Off | Failure::Fault) => fault,
    }
}

// SAFETY, of every function below: SQLite calls it as its documentation of `sqlite3_vfs`
// says, with pointers that are valid for the call.

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
