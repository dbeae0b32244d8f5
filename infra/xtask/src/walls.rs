//! The walls between the crates and inside them, as far as the source shows them: the domain is pure, no
//! function depends on another, and no circle of imports is larger than three files.

mod dependencies;
mod imports;
mod purity;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use self::dependencies::{dependencies, unshared};
use self::imports::{Crate, circles};
use self::purity::{impurities, traits};
use crate::book::source::{self, File};
use crate::run::root;

/// Files that may import one another in a circle: a noun, what reads it, and what writes it.
const CIRCLE_MAX: usize = 3;

/// Folders that hold our crates.
const OURS: [&str; 4] = ["functions", "infra", "shared", "tests"];

/// Folders whose code decides at once, from its arguments alone.
const PURE: [&str; 2] = ["shared/domain/src", "shared/verify/src"];

/// Every wall; each breach is named.
pub(crate) fn walls() -> Result<(), String> {
    println!("── walls");
    let mut breaches = impure()?;
    breaches.extend(functions_on_functions()?);
    breaches.extend(large_circles()?);
    if breaches.is_empty() { Ok(()) } else { Err(breaches.join("\n")) }
}

/// What in the domain and in what it is built on is not pure: it waits, it reaches outside, or it declares a
/// trait of the ports. Tests are no exception, but that those in files of their own may print.
fn impure() -> Result<Vec<String>, String> {
    let mut ports = Vec::new();
    for (_, text) in sources(&root().join("shared/flows/src/ports"))? {
        ports.extend(traits(&source::code(&text)));
    }
    let text = read(&root().join("shared/flows/src/ports.rs"))?;
    ports.extend(traits(&source::code(&text)));
    let mut breaches = Vec::new();
    for folder in PURE {
        for (file, text) in sources(&root().join(folder))? {
            let place = file.strip_prefix(root().join(folder)).unwrap_or(&file);
            let is_test = place.components().any(|part| part.as_os_str() == "tests");
            let said = impurities(&text, &ports, is_test).into_iter();
            breaches.extend(said.map(|fault| format!("{}: {fault}", file.display())));
        }
    }
    Ok(breaches)
}

/// What functions depend on by its path, be it written in the workspace's manifest, that is not shared.
fn functions_on_functions() -> Result<Vec<String>, String> {
    let workspace = dependencies(&read(&root().join("Cargo.toml"))?);
    let mut breaches = Vec::new();
    for folder in entries(&root().join("functions"))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest = read(&folder.join("Cargo.toml"))?;
        let said = unshared(&format!("functions/{name}"), &manifest, &workspace).into_iter();
        breaches.extend(said.map(|on| format!("functions/{name} depends on {on}")));
    }
    breaches.sort();
    Ok(breaches)
}

/// Circles of more than [`CIRCLE_MAX`] files, crate by crate.
fn large_circles() -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    for folder in OURS {
        files.extend(source::files(folder, ".rs")?);
    }
    let mut breaches = Vec::new();
    for (folder, found) in crates(&files) {
        let large = circles(&found).into_iter().filter(|circle| circle.len() > CIRCLE_MAX);
        breaches.extend(large.map(|files| {
            format!("{folder}: {} files import one another: {}", files.len(), files.join(", "))
        }));
    }
    Ok(breaches)
}

/// The crates that files are of, by their folders: libraries, binaries, and the tests that have several
/// files. A file is of the crate whose root is nearest above it.
fn crates(files: &[File]) -> BTreeMap<&str, Crate> {
    let ends = ["/main.rs", "/lib.rs"];
    let root_of = |file| ends.iter().find_map(|end| str::strip_suffix(file, end));
    let roots: BTreeSet<&str> = files.iter().filter_map(|file| root_of(&file.path)).collect();
    let mut found: BTreeMap<&str, Crate> = BTreeMap::new();
    for file in files {
        let place = |root: &str| file.path.strip_prefix(root)?.strip_prefix('/');
        // The longer of two paths that begin alike comes later.
        let nearest = roots.iter().rev().find_map(|root| Some((*root, place(root)?)));
        if let Some((root, place)) = nearest {
            found.entry(root).or_default().add(place, &file.text);
        }
    }
    found
}

/// Every Rust file under a folder, with its text.
fn sources(folder: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = read(&path)?;
                found.push((path, text));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(said)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(said)).collect()
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_noticed_in_tests_and_binaries_too() {
        let circle = |folder: &str| {
            let around = [("main", "a"), ("a", "b"), ("b", "c"), ("c", "a")];
            let file = |(name, next): &(&str, &str)| File {
                path: format!("{folder}/{name}.rs"),
                text: format!("mod {name};\nuse crate::{next}::Item;\n"),
            };
            around.iter().map(file).collect::<Vec<_>>()
        };
        let files: Vec<File> =
            ["tests/src", "tests/src/bin/soak", "shared/verify/tests/signatures"]
                .into_iter()
                .flat_map(circle)
                .collect();
        let found = crates(&files);
        assert_eq!(found.len(), 3);
        for (folder, found) in &found {
            assert_eq!(circles(found), [["a.rs", "b.rs", "c.rs"]], "{folder}");
        }
    }

    #[test]
    fn the_walls_of_this_workspace_stand() {
        assert_eq!(walls(), Ok(()));
    }
}
