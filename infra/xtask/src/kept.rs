//! `infra/figures.md`: sections, each kept by its own command.

use std::fs;

use crate::run::root;

/// Where the part of `cargo xtask prove` begins; before it stands that of `cargo xtask figures`.
const PROVED: &str = "\n## The long forms\n";

/// A section of the file.
#[derive(Clone, Copy)]
pub(crate) enum Section {
    /// Of `cargo xtask figures`.
    Measured,
    /// Of `cargo xtask prove`.
    Proved,
}

/// Replaces a section, and leaves the other as it is.
pub(crate) fn keep(section: Section, text: &str) -> Result<(), String> {
    let file = root().join("infra/figures.md");
    let said = |error: std::io::Error| format!("{}: {error}", file.display());
    let kept = fs::read_to_string(&file).map_err(said)?;
    fs::write(&file, replace(&kept, section, text)).map_err(said)
}

fn replace(kept: &str, section: Section, text: &str) -> String {
    let (measured, proved) = kept.split_at(kept.find(PROVED).unwrap_or(kept.len()));
    match section {
        Section::Measured => format!("{text}{proved}"),
        Section::Proved => format!("{measured}{PROVED}{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_replaces_its_own_section_only() {
        let both = replace("# Figures\n\na\n", Section::Proved, "\nb\n");
        assert_eq!(both, "# Figures\n\na\n\n## The long forms\n\nb\n");
        let other = replace(&both, Section::Measured, "# Figures\n\nc\n");
        assert_eq!(other, "# Figures\n\nc\n\n## The long forms\n\nb\n");
        assert_eq!(replace(&other, Section::Proved, "\nd\n"), other.replace('b', "d"));
    }
}
