//! What SQLite asks of an open file: to read, to write, to sync, to lock, and to share memory.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

use rusqlite::ffi;

use super::{Handle, OpenFile, code};
use crate::disk::Pragmas;
use crate::locks::{Level, OwnSlots, are_slots};

/// SQLite's own default on Unix: a write damages nothing beside it.
const CHARACTERISTICS: c_int = ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE;
const SECTOR: c_int = 4_096;
/// What the pragma's name and its argument are in what `SQLITE_FCNTL_PRAGMA` brings.
const NAME: usize = 1;
const ARGUMENT: usize = 2;

/// The functions of every open file.
pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
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

/// The handle of a file.
///
/// # Safety
/// `file` was opened by `open` and is not closed; nobody else uses it now.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: `open` has made it an `OpenFile` whose handle is a box, by the contract of this function.
    unsafe { &mut *(*file.cast::<OpenFile>()).handle }
}

// SAFETY, of every function below: SQLite calls it as its documentation of `sqlite3_io_methods` says, with pointers
// that are valid for the call, and with files that `open` has opened.

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
