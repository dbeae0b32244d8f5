//! The walls between the crates and inside them, as far as the source shows them: the domain is pure, no
//! function depends on another, and no circle of imports is larger than three files.

mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use self::imports::{Crate, circles};
use crate::book::source;
use crate::functions::FUNCTIONS;
use crate::run::root;

/// Files that may import one another in a circle: a noun, what reads it, and what writes it.
const CIRCLE_MAX: usize = 3;

/// Folders whose code decides at once, from its arguments alone.
const PURE: [&str; 2] = ["shared/domain/src", "shared/verify/src"];

/// Words that such code does not say, and why.
const IMPURE: [(&str, &str); 4] = [
    ("async await Future IntoFuture futures tokio", "flows wait"),
    ("Instant SystemTime now_utc now_local", "time is an argument"),
    ("RandomState getrandom rand", "random numbers are arguments"),
    ("TcpStream TcpListener UdpSocket ToSocketAddrs to_socket_addrs", "adapters do"),
];

/// Words by which it would speak to a terminal. What `xtask prove` runs says its figures so.
const PRINTED: &str = "print println eprint eprintln dbg stdin stdout stderr";

/// Modules of std that it does not name. What else reaches outside is known by its words.
const OUTSIDE: [&str; 7] = ["fs", "env", "process", "thread", "os", "future", "task"];

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

fn impurities(text: &str, ports: &[String], is_test: bool) -> Vec<String> {
    let code = source::code(text);
    let words: BTreeSet<&str> = words(&code).collect();
    let mut faults = Vec::new();
    let printed = (!is_test).then_some((PRINTED, "adapters do"));
    for (group, why) in IMPURE.into_iter().chain(printed) {
        let said = group.split(' ').filter(|word| words.contains(word));
        faults.extend(said.map(|word| format!("`{word}` in what is pure: {why}")));
    }
    faults.extend(outside(&code).into_iter().map(|path| format!("`{path}` in what is pure")));
    let declared = traits(&code).into_iter().filter(|name| ports.contains(name));
    faults.extend(declared.map(|name| format!("trait {name} is a port, and belongs to the flows")));
    faults
}

/// The modules of [`OUTSIDE`] that code names, by a path or in the braces of a `use`; and std as a whole,
/// by which they could be named otherwise.
fn outside(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let dense: String = code.split_whitespace().collect();
    for (at, path) in dense.match_indices("std::") {
        let rest = dense.get(at + path.len()..).unwrap_or_default();
        found.extend(words(rest).next().filter(|_| !rest.starts_with('{')).map(str::to_owned));
    }
    for path in imports::paths(code) {
        let inside = path.iter().skip_while(|name| *name != "std").nth(1);
        let is_whole =
            path.iter().any(|name| name == "std") && inside.is_none_or(|name| name == "*");
        found.extend(if is_whole { Some("*".to_owned()) } else { inside.cloned() });
    }
    if words(code).zip(words(code).skip(1)).any(|pair| pair == ("crate", "std")) {
        found.insert("*".to_owned());
    }
    found.retain(|name| name == "*" || OUTSIDE.contains(&name.as_str()));
    found.into_iter().map(|name| format!("std::{name}")).collect()
}

/// The names of the traits that code declares.
fn traits(code: &str) -> Vec<String> {
    let names = words(code).zip(words(code).skip(1));
    names.filter(|(word, _)| *word == "trait").map(|(_, name)| name.to_owned()).collect()
}

/// The words and names of code.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
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
    fn what_waits_and_a_port_are_named() {
        let ports = traits("pub trait Store: Send {\n}\npub(crate) trait Own<T> {}\n");
        assert_eq!(ports, ["Store", "Own"]);
        for one in ["pub async fn go() {}", "fn go() -> impl Future<Output = ()>;", "async || 1"] {
            assert_eq!(impurities(one, &ports, false).len(), 1, "{one}");
        }
        assert_eq!(
            impurities("pub trait Store {}\npub(super) trait Else {}\n", &ports, false).len(),
            1
        );
    }

    #[test]
    fn what_reaches_outside_is_named_however_it_is_written() {
        for one in [
            "let now = Instant::now();",
            "use std::time::{self as t, SystemTime as Clock};",
            "OffsetDateTime::now_utc()",
            "time::OffsetDateTime::now_local()",
            "RandomState::new()",
            "std::fs::read(path)",
            "::std::fs\n    ::read(path)",
            "use std::{collections::BTreeMap, env as settings};",
            "use ::std::{collections::BTreeMap, thread::{self, spawn}};",
            "use std as other;",
            "extern crate std as other;",
            "use std::*;",
            "std::process::exit(1)",
            "std::net::TcpStream::connect(to)",
            "use std::net::UdpSocket;",
            "io::stdin()",
            "println!(\"\")",
            "eprintln!(\"\")",
            "tokio::spawn(go)",
            "getrandom::fill(to)",
            "rand::random()",
        ] {
            assert_eq!(impurities(one, &[], false).len(), 1, "{one}");
        }
    }

    #[test]
    fn what_is_no_code_is_pure() {
        for one in [
            "// an async fn\npub fn decide() {}",
            "/* async\nstd::fs */ pub fn decide() {} // println!()",
            "const SAID: &str = \"async, \\\" std::env\"; const MORE: &str = r#\"\" rand\"#;",
            "use std::net::IpAddr; use std::io::Write; use std::time::Duration;",
            "use std::{fmt, net::Ipv4Addr}; env!(\"CARGO_PKG_VERSION\"); TimestampFuture",
        ] {
            assert_eq!(impurities(one, &[], false), [""; 0], "{one}");
        }
        assert_eq!(impurities("println!()", &[], true), [""; 0]);
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
