//! The login: a server's URL, a tenant and a key, in a file that its owner alone may read.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::Failure;

/// What `login` keeps. It has no `Debug`: the key would be in it.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    pub(crate) key: String,
}

/// Finds where it is, or would be: `$XDG_CONFIG_HOME/waxseal/config.json`, or under `~/.config`.
pub(crate) fn find_usual_path() -> Result<PathBuf, Failure> {
    let configured = folder("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    match configured.or_else(|| folder("HOME").map(|home| home.join(".config"))) {
        Some(folder) => Ok(folder.join("waxseal/config.json")),
        None => Err(Failure::Usage("there is no HOME: name a file with WAXSEAL_CONFIG".to_owned())),
    }
}

#[expect(clippy::disallowed_methods, reason = "where a person's files are is no setting of ours")]
fn folder(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl Login {
    /// Reads it; none where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::Usage(format!("{}: {error}", path.display()))),
        };
        // The parser's own words may quote the key.
        let unreadable = |_| {
            Failure::Usage(format!("{}: not a login; `waxseal logout` removes it", path.display()))
        };
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    /// Writes it, readable by its owner alone from the first byte on.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let said = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
        let written = serde_json::to_string_pretty(self);
        let text = written.map_err(|error| Failure::Failed(error.to_string()))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(said)?;
        }
        let written = path.with_extension("new");
        let _none = std::fs::remove_file(&written);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&written)
            .map_err(said)?;
        file.write_all(format!("{text}\n").as_bytes()).map_err(said)?;
        std::fs::rename(&written, path).map_err(said)
    }

    /// Removes it; false where there was none.
    pub(crate) fn remove(path: &Path) -> Result<bool, Failure> {
        match std::fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::Failed(format!("{}: {error}", path.display()))),
        }
    }
}
