//! Who else can read, or could have planted, what lies in the data folder: nobody may.
//!
//! What is open to others is closed and told where everything in the folder is Waxseal's own. Where it is
//! not, as in a home folder or in `/tmp`, the start is refused: closing it would lock others out of what is
//! theirs. A file that is a link, or another user's, is refused as well: it may have been planted.
//!
//! Where files have no owner and no mode, as on Windows, nothing of this is looked at.

use std::path::Path;

use waxseal_flows::ports::EngineError;

/// Closes the folder and its files to other users, or says why that cannot be.
pub(super) fn close_to_others(folder: &Path) -> Result<(), EngineError> {
    #[cfg(unix)]
    unix::close_to_others(folder)?;
    #[cfg(not(unix))]
    let _nobody_is_told_apart = folder;
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs::{Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::Path;

    use waxseal_flows::ports::EngineError;

    /// Every file that may lie in a data folder. `lost+found` lies in the root of a file system of one's own.
    const OWN_NAMES: [&str; 10] = [
        "waxseal.db",
        "waxseal.db-wal",
        "waxseal.db-shm",
        "waxseal.db-journal",
        "secrets.key",
        "secrets.new",
        "operator.key",
        "operator.new",
        "lock",
        "lost+found",
    ];

    /// What anybody but the owner may do.
    const OTHERS: u32 = 0o077;
    /// Only in a folder of many users, as `/tmp`, may nobody remove what is another's.
    const STICKY: u32 = 0o1000;
    const STEP: &str = "close data folder to others";

    pub(super) fn close_to_others(folder: &Path) -> Result<(), EngineError> {
        let found = std::fs::metadata(folder).map_err(failed(folder))?;
        if !found.is_dir() {
            return Err(refused(folder, "is no folder"));
        }
        let us = rustix::process::geteuid().as_raw();
        // The superuser of a container is often given a folder of the machine's user.
        if found.uid() != us && us != 0 {
            return Err(refused(
                folder,
                "belongs to another user, who can read what is in it: name a folder inside of it, which is then made",
            ));
        }
        close_folder(folder, &found)?;
        for name in OWN_NAMES.into_iter().filter(|name| *name != "lost+found") {
            let path = folder.join(name);
            match std::fs::symlink_metadata(&path) {
                Ok(file) => close_file(&path, &file, [us, found.uid()])?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&path)(error)),
            }
        }
        Ok(())
    }

    fn close_folder(folder: &Path, found: &Metadata) -> Result<(), EngineError> {
        let mode = found.mode();
        if mode & OTHERS == 0 {
            return Ok(());
        }
        if mode & STICKY != 0 || !holds_only_ours(folder).map_err(failed(folder))? {
            return Err(refused(
                folder,
                &format!(
                    "is open to other users (mode {:o}) and holds more than Waxseal's files: close it \
                     (chmod 700), or name a folder inside of it, which is then made",
                    mode & 0o7777
                ),
            ));
        }
        close(folder, mode, 0o700)
    }

    fn holds_only_ours(folder: &Path) -> io::Result<bool> {
        for entry in std::fs::read_dir(folder)? {
            if !OWN_NAMES
                .iter()
                .any(|name| entry.as_ref().is_ok_and(|one| one.file_name() == *name))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn close_file(path: &Path, found: &Metadata, owners: [u32; 2]) -> Result<(), EngineError> {
        if !found.is_file() {
            return Err(refused(
                path,
                "is a link, or no file: it may have been planted there. Remove it",
            ));
        }
        if found.uid() != 0 && !owners.contains(&found.uid()) {
            return Err(refused(
                path,
                "belongs to another user: it may have been planted there. Remove it",
            ));
        }
        let is_key = path.extension().is_some_and(|extension| extension == "key");
        if is_key && found.nlink() > 1 {
            return Err(refused(
                path,
                "has another name as well (a hard link): copy it, remove it and put the copy in its place",
            ));
        }
        if found.mode() & OTHERS == 0 { Ok(()) } else { close(path, found.mode(), 0o600) }
    }

    fn close(path: &Path, was: u32, mode: u32) -> Result<(), EngineError> {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed(path))?;
        tracing::warn!(
            path = %path.display(),
            was = format!("{:o}", was & 0o7777),
            "it was open to other users, who may have read it; it is closed now"
        );
        Ok(())
    }

    fn failed(path: &Path) -> impl Fn(io::Error) -> EngineError {
        let path = path.display().to_string();
        move |error| EngineError::denied(STEP, format!("{path}: {error}"))
    }

    fn refused(path: &Path, why: &str) -> EngineError {
        EngineError::denied(STEP, format!("{} {why}", path.display()))
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_of_ours_is_closed_with_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("waxseal.db");
        std::fs::write(&file, "").unwrap();
        set_mode(&file, 0o644);
        set_mode(folder.path(), 0o755);
        close_to_others(folder.path()).unwrap();
        assert_eq!((mode(folder.path()), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_folder_that_holds_more_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        std::fs::write(folder.path().join("thesis.txt"), "").unwrap();
        let refused = close_to_others(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("mode 755") && refused.contains("chmod 700"), "{refused}");
        assert_eq!(mode(folder.path()), 0o755);
        set_mode(folder.path(), 0o700);
        close_to_others(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_of_many_users_is_refused_even_where_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o1777);
        close_to_others(folder.path()).unwrap_err();
        assert_eq!(mode(folder.path()), 0o1777);
    }

    #[test]
    fn a_link_in_place_of_a_file_is_refused_by_name() {
        for name in ["waxseal.db", "operator.key", "operator.new", "secrets.key", "lock"] {
            let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let target = other.path().join("planted");
            symlink(&target, folder.path().join(name)).unwrap();
            let refused = close_to_others(folder.path()).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("planted"), "{refused}");
            assert!(!target.exists());
        }
    }

    #[test]
    fn a_key_with_another_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("operator.key");
        std::fs::write(&key, "known to another").unwrap();
        set_mode(&key, 0o600);
        close_to_others(folder.path()).unwrap();
        std::fs::hard_link(&key, folder.path().join("lock")).unwrap();
        let refused = close_to_others(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("operator.key") && refused.contains("hard link"), "{refused}");
    }
}
