//! The data folder: its lock, and the keys that are made once and kept in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use waxseal_domain::id::base32;
use waxseal_domain::secret::Secret;
use waxseal_flows::ports::EngineError;

use crate::entropy::entropy;

/// The key file's name.
const SECRETS_KEY: &str = "secrets.key";

/// Makes the folder if it is not there, readable by its owner only.
pub(super) fn make_folder(folder: &Path) -> Result<(), EngineError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        EngineError::denied("make data folder", format!("{}: {error}", folder.display()))
    })
}

/// Locks the folder for this process: the lock ends with it, also after `kill -9`.
pub(super) fn lock(folder: &Path) -> Result<File, EngineError> {
    let path = folder.join("lock");
    let failed = |error: std::io::Error| EngineError::denied("lock data folder", error);
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let detail = format!("another process uses {}", folder.display());
            Err(EngineError::conflict("lock data folder", detail))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
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
    let text = read_or_make(&folder.join("operator.key"), || {
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

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
