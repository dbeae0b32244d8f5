//! The data folder: its lock, and the keys that are made once and kept in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use waxseal_domain::id::base32;
use waxseal_domain::secret::Secret;
use waxseal_flows::ports::EngineError;

use super::privacy::close_to_others;
use crate::entropy::entropy;

/// The step that locks.
const LOCK: &str = "lock data folder";
/// The step that opens the database.
const OPEN: &str = "open database";
/// The key file's name.
const SECRETS_KEY: &str = "secrets.key";

/// The SQLite file's name.
pub(super) const DATABASE: &str = "waxseal.db";
/// The operator's key file's name.
const OPERATOR_KEY: &str = "operator.key";

/// Makes the folder if it is not there, and closes it to other users.
pub(super) fn make_folder(folder: &Path) -> Result<(), EngineError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        EngineError::denied("make data folder", format!("{}: {error}", folder.display()))
    })?;
    close_to_others(folder)
}

/// The locks on a folder. They are held until they are dropped, and end with the process, also after
/// `kill -9`.
#[derive(Debug)]
pub(super) struct FolderLock {
    /// The lock on the file `lock`, which every system has.
    _file: File,
    /// The lock on the folder itself, which stays where somebody removes the file; none where the file
    /// system has none for folders.
    _folder: Option<File>,
}

/// Locks the folder for this process.
pub(super) fn lock(folder: &Path) -> Result<FolderLock, EngineError> {
    let file = private_file().create(true).truncate(false).open(folder.join("lock"));
    let file = file.map_err(|error| EngineError::denied(LOCK, error))?;
    take(&file, folder)?.map_err(|error| EngineError::denied(LOCK, error))?;
    Ok(FolderLock { _file: file, _folder: lock_itself(folder)? })
}

/// Locks the folder as such. Where a file system cannot, the lock file alone must do, and it is said.
fn lock_itself(folder: &Path) -> Result<Option<File>, EngineError> {
    #[cfg(unix)]
    {
        let opened = File::open(folder).map_err(|error| EngineError::denied(LOCK, error))?;
        match take(&opened, folder)? {
            Ok(()) => return Ok(Some(opened)),
            Err(error) => {
                tracing::warn!(%error, "the folder has no lock but the file `lock`: leave it");
            }
        }
    }
    Ok(None)
}

/// Takes a lock, which is refused where another process has it.
fn take(file: &File, folder: &Path) -> Result<std::io::Result<()>, EngineError> {
    match file.try_lock() {
        Ok(()) => Ok(Ok(())),
        Err(TryLockError::WouldBlock) => {
            let detail = format!("another process uses {}", folder.display());
            Err(EngineError::conflict(LOCK, detail))
        }
        Err(TryLockError::Error(error)) => Ok(Err(error)),
    }
}

/// Makes the SQLite file where there is none, empty and readable by its owner only: SQLite gives its other
/// files the same mode. Where the folder has had a database, its absence is told, and no other is made: an
/// empty server would look as if all were well.
pub(super) fn make_database(folder: &Path) -> Result<PathBuf, EngineError> {
    let path = folder.join(DATABASE);
    if path.exists() {
        return Ok(path);
    }
    for left in [SECRETS_KEY, "waxseal.db-wal"] {
        if folder.join(left).exists() {
            return Err(database_fault(folder, &format!("is missing beside {left}")));
        }
    }
    let made = private_file().create_new(true).open(&path);
    made.map_err(|error| EngineError::denied("make database", error))?;
    Ok(path)
}

/// Whether the folder has the key of a server that ran here before.
pub(super) fn has_secrets_key(folder: &Path) -> bool {
    folder.join(SECRETS_KEY).exists()
}

/// The database is not what this folder's server has written.
pub(super) fn database_fault(folder: &Path, how: &str) -> EngineError {
    let path = folder.join(DATABASE);
    let detail = format!(
        "{} {how}: bring it back from a backup; to begin anew, name an empty folder",
        path.display()
    );
    EngineError::unreadable(OPEN, detail)
}

/// The write-ahead log is missing, which holds what was acknowledged last.
pub(super) fn log_fault(database: &Path) -> EngineError {
    let path = database.display();
    let detail = format!(
        "{path}-wal is missing, and {path} was not closed cleanly: what was acknowledged last may be in the \
         missing file. Bring it back; to go on without it, make an empty file of that name"
    );
    EngineError::unreadable(OPEN, detail)
}

/// How files of the folder are opened to be written: readable by their owner only where they are made.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The key that seals secrets; made at the first start. Where something was sealed already, its loss is
/// told, and no other key is made: secrets that cannot be opened are worth a person's look.
pub(super) fn secrets_key(folder: &Path, was_made: bool) -> Result<Secret, EngineError> {
    let path = folder.join(SECRETS_KEY);
    if was_made && !path.exists() {
        return Err(key_file_fault(folder, "is missing"));
    }
    let text = read_or_make(&path, || {
        let bytes = [entropy().to_be_bytes(), entropy().to_be_bytes()].concat();
        BASE64.encode(bytes)
    })?;
    let key = BASE64.decode(text.trim()).map(Secret::new);
    key.map_err(|_| EngineError::unreadable("read key file", "secrets.key is not base 64"))
}

/// The key file is not the one that this folder's secrets were sealed with.
pub(super) fn key_file_fault(folder: &Path, how: &str) -> EngineError {
    let path = folder.join(SECRETS_KEY);
    let detail = format!(
        "{} {how}, and this folder's secrets were sealed with it: bring it back from a backup",
        path.display()
    );
    EngineError::unreadable("open key file", detail)
}

/// The operator's API key; made at the first start.
pub(super) fn operator_key(folder: &Path) -> Result<String, EngineError> {
    let text = read_or_make(&folder.join(OPERATOR_KEY), || {
        format!("wxs_{}{}", base32(entropy()), base32(entropy()))
    })?;
    let key = text.trim();
    if key.is_empty() {
        let detail = "operator.key is empty: remove it, and another key is made";
        return Err(EngineError::unreadable("read operator key", detail));
    }
    Ok(key.to_owned())
}

/// Reads a file; if there is none, makes it, whole or not at all, readable by its owner only.
fn read_or_make(path: &Path, make: impl FnOnce() -> String) -> Result<String, EngineError> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(EngineError::denied("read key file", error)),
    }
    let text = make();
    write(path, &text).map_err(|error| EngineError::denied("write key file", error))?;
    Ok(text)
}

/// Writes a new file. A draft that a crash has left is removed, and none is written into that somebody put
/// there: a link would lead the key out of the folder.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private_file().create_new(true).open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
