//! The walls between the crates and inside them, as far as the source shows them: the domain is pure, no
//! function depends on another, and no circle of imports is larger than three files.

mod imports;

use std::fs;
use std::path::{Path, PathBuf};

use self::imports::{Crate, circles};
use crate::functions::FUNCTIONS;
use crate::run::root;

/// Files that may import one another in a circle: a noun, what reads it, and what writes it.
const CIRCLE_MAX: usize = 3;

/// What the domain may not say, and why.
const IMPURE: [(&str, &str); 4] = [
    ("async fn", "it decides at once, and flows wait"),
    ("async move", "it decides at once, and flows wait"),
    (".await", "it decides at once, and flows wait"),
    ("impl Future", "it decides at once, and flows wait"),
];

/// Every wall; each breach is named.
pub(crate) fn walls() -> Result<(), String> {
    println!("── walls");
    let mut breaches = impure()?;
    breaches.extend(functions_on_functions()?);
    breaches.extend(large_circles()?);
    if breaches.is_empty() { Ok(()) } else { Err(breaches.join("\n")) }
}

/// What in the domain is not pure: it waits, or it declares a trait of the ports.
fn impure() -> Result<Vec<String>, String> {
    let mut ports = Vec::new();
    for (_, text) in sources(&root().join("shared/flows/src/ports"))? {
        ports.extend(traits(&text));
    }
    let text = read(&root().join("shared/flows/src/ports.rs"))?;
    ports.extend(traits(&text));
    let mut breaches = Vec::new();
    for (file, text) in sources(&root().join("shared/domain/src"))? {
        let said = impurities(&text, &ports).into_iter();
        breaches.extend(said.map(|fault| format!("{}: {fault}", file.display())));
    }
    Ok(breaches)
}

fn impurities(text: &str, ports: &[String]) -> Vec<String> {
    let code = imports::without_comments(text);
    let waits = IMPURE.iter().filter(|(words, _)| code.contains(words));
    let mut faults: Vec<String> =
        waits.map(|(words, why)| format!("`{words}` in the domain: {why}")).collect();
    let declared = traits(&code).into_iter().filter(|name| ports.contains(name));
    faults.extend(declared.map(|name| format!("trait {name} is a port, and belongs to the flows")));
    faults
}

/// The names of the traits that a text declares.
fn traits(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim_start().trim_start_matches("pub ");
            let name = line.strip_prefix("trait ")?;
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            name.get(..end).map(str::to_owned)
        })
        .collect()
}

/// Functions whose manifest names another function.
fn functions_on_functions() -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    for function in FUNCTIONS {
        let manifest = read(&root().join("functions").join(function).join("Cargo.toml"))?;
        let others = FUNCTIONS.iter().filter(|other| **other != function);
        for other in others.filter(|other| depends_on(&manifest, &format!("waxseal-{other}"))) {
            breaches.push(format!("functions/{function} depends on functions/{other}"));
        }
    }
    Ok(breaches)
}

/// Whether a manifest has a dependency of that name.
fn depends_on(manifest: &str, package: &str) -> bool {
    manifest.lines().any(|line| {
        let rest = line.strip_prefix(package);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    })
}

/// Circles of more than [`CIRCLE_MAX`] files, crate by crate.
fn large_circles() -> Result<Vec<String>, String> {
    let mut breaches = Vec::new();
    for folder in crates()? {
        let mut found = Crate::default();
        for (file, text) in sources(&folder.join("src"))? {
            let relative = file.strip_prefix(folder.join("src")).unwrap_or(&file);
            found.add(&relative.to_string_lossy(), &text);
        }
        let large = circles(&found).into_iter().filter(|circle| circle.len() > CIRCLE_MAX);
        let name = folder.strip_prefix(root()).unwrap_or(&folder).display().to_string();
        breaches.extend(large.map(|files| {
            format!("{name}: {} files import one another: {}", files.len(), files.join(", "))
        }));
    }
    Ok(breaches)
}

/// The folders of all crates of the workspace.
fn crates() -> Result<Vec<PathBuf>, String> {
    let mut folders = vec![root().join("tests")];
    for parent in ["functions", "infra", "shared"] {
        let inside = entries(&root().join(parent))?;
        folders.extend(inside.into_iter().filter(|folder| folder.join("Cargo.toml").is_file()));
    }
    folders.sort();
    Ok(folders)
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
    fn what_waits_and_a_port_are_named_and_comments_are_not() {
        let ports = traits("/// Rows.\npub trait Store: Send {\n}\ntrait Own<T> {}\n");
        assert_eq!(ports, ["Store", "Own"]);
        assert_eq!(impurities("// an async fn\npub fn decide() {}\n", &ports), [""; 0]);
        assert_eq!(impurities("pub async fn go() {}\n", &ports).len(), 1);
        assert_eq!(impurities("    fn go() -> impl Future<Output = ()>;\n", &ports).len(), 1);
        assert_eq!(impurities("pub trait Store {}\npub trait Else {}\n", &ports).len(), 1);
    }

    #[test]
    fn the_walls_of_this_workspace_stand() {
        assert_eq!(walls(), Ok(()));
    }

    #[test]
    fn a_dependency_is_known_by_its_whole_name() {
        let manifest = "[dependencies]\nwaxseal-api-types.workspace = true\nwaxseal-bury = { }\n";
        assert!(!depends_on(manifest, "waxseal-api"));
        assert!(depends_on(manifest, "waxseal-bury"));
        assert!(depends_on(manifest, "waxseal-api-types"));
    }
}
