//! Dependency trees: what may not be in one, and that the tests' builds compile each crate once.

use std::collections::{BTreeMap, BTreeSet};

use crate::cost::{Stage, measure};
use crate::functions::FUNCTIONS;
use crate::run::cargo;

/// What touches the world outside.
const IMPURE: [&str; 8] =
    ["tokio ", "reqwest", "hyper", "rusqlite", "aws-", "rand ", "getrandom", "mio "];

/// Other TLS and HTTP stacks than ours, and the other engine's store: what is linked twice costs size and
/// cold start.
const OTHER_STACKS: [&str; 9] =
    ["openssl ", "openssl-sys", "native-tls", "ring ", "s2n-", "boring", "h2 ", "ureq", "rusqlite"];

/// What stands behind the ports.
const ENGINES: [&str; 6] =
    ["waxseal-adapters", "reqwest", "hyper", "rusqlite", "aws-", "lambda_runtime"];

/// Of these a function links exactly one version.
const ONE_OF_EACH: [&str; 6] = ["hyper", "rustls", "aws-lc-rs", "http", "reqwest", "tokio"];

/// Checks the dependency trees of the binary, of the crates that must link no engine, and of every
/// function.
pub(crate) fn check() -> Result<(), String> {
    println!("── dependency trees …");
    none_of("waxseal", &["aws-sdk-", "aws-config", "lambda_runtime"])?;
    // The command line asks a server: it runs no engine of its own.
    none_of("waxseal-cli", &["aws-sdk-", "lambda_runtime", "rusqlite", "waxseal-server"])?;
    none_of("waxseal-domain", &IMPURE)?;
    none_of("waxseal-domain", &["futures"])?;
    // The use cases know the engines by their ports alone.
    none_of("waxseal-flows", &ENGINES)?;
    none_of("waxseal-api-types", &IMPURE)?;
    // What a stranger adds to their own: no clock and no runtime either.
    none_of("waxseal-verify", &IMPURE)?;
    none_of("waxseal-verify", &["futures", "time ", "url "])?;
    for function in FUNCTIONS {
        let package = format!("waxseal-{function}");
        let tree = list_linked(&package)?;
        has_none_of(&package, &tree, &OTHER_STACKS)?;
        has_one_of_each(&package, &tree)?;
    }
    check_compiled_once()
}

fn none_of(package: &str, names: &[&str]) -> Result<(), String> {
    has_none_of(package, &list_linked(package)?, names)
}

fn has_none_of(package: &str, tree: &str, names: &[&str]) -> Result<(), String> {
    let found = tree.lines().find(|line| names.iter().any(|name| line.starts_with(name)));
    match found {
        Some(line) => Err(format!("{package} must not depend on {line}")),
        None => Ok(()),
    }
}

fn has_one_of_each(package: &str, tree: &str) -> Result<(), String> {
    for name in ONE_OF_EACH {
        let named = format!("{name} v");
        let found: BTreeSet<&str> = tree.lines().filter(|line| line.starts_with(&named)).collect();
        if found.len() != 1 {
            return Err(format!("{package} must have one {name}, and has {found:?}"));
        }
    }
    Ok(())
}

/// What a package links, a line each.
fn list_linked(package: &str) -> Result<String, String> {
    tree(&["--package", package, "--edges", "normal", "--format", "{p}"])
}

/// The server and the functions, built for tests, use the crates that the tests have compiled: `one-build`
/// gives others' crates the same features in each of the three builds.
fn check_compiled_once() -> Result<(), String> {
    let tests = features(&["--workspace", "--exclude", "waxseal", "--edges", "normal,build,dev"])?;
    let mut functions: Vec<String> = Vec::new();
    for function in FUNCTIONS {
        functions.extend(["--package".to_owned(), format!("waxseal-{function}")]);
    }
    let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
    for (what, selected) in [("server", &["--package", "waxseal"][..]), ("functions", &functions)] {
        let built =
            features(&[selected, &["--package", "one-build", "--edges", "normal"]].concat())?;
        let twice = find_differences(&built, &tests);
        if let Some((name, missing)) = twice.first() {
            return Err(format!(
                "{name} would be compiled for the {what} and for the tests: name the features \
                 {missing} in infra/one-build/Cargo.toml"
            ));
        }
    }
    Ok(())
}

/// The features of each crate of others, as in `tokio v1.2.3` → `net,rt`; several where build scripts ask
/// for others than the build.
type Features = BTreeMap<String, BTreeSet<String>>;

fn features(selected: &[&str]) -> Result<Features, String> {
    let lines = tree(&[selected, &["--format", "{p}|{f}"]].concat())?;
    let mut features = Features::new();
    for line in lines.lines() {
        // Ours stand in a folder; their features are the engines, and differ on purpose.
        if let Some((name, its)) = line.split_once('|').filter(|(name, _)| !name.contains(" (/")) {
            features.entry(name.to_owned()).or_default().insert(its.to_owned());
        }
    }
    Ok(features)
}

/// The crates of one build that the other compiles with other features only, and which those are.
fn find_differences(one: &Features, other: &Features) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, all) in one {
        let Some(others) = other.get(name).filter(|others| !all.is_subset(others)) else {
            continue;
        };
        let has: BTreeSet<&str> = all.iter().flat_map(|its| its.split(',')).collect();
        let others = others.iter().flat_map(|its| its.split(','));
        let missing: BTreeSet<&str> = others.filter(|one| !has.contains(one)).collect();
        found.push((name.clone(), missing.into_iter().collect::<Vec<_>>().join(", ")));
    }
    found
}

/// What `cargo tree` says, a package a line.
fn tree(arguments: &[&str]) -> Result<String, String> {
    let mut tree = cargo();
    let said = measure(Stage::Lint, tree.args(["tree", "--prefix", "none"]).args(arguments))?;
    if !said.status.success() {
        return Err(format!("cargo tree failed ({}):\n{}", said.status, said.errors));
    }
    Ok(said.said.replace(" (*)", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(pairs: &[(&str, &str)]) -> Features {
        let mut features = Features::new();
        for (name, its) in pairs {
            features.entry((*name).to_owned()).or_default().insert((*its).to_owned());
        }
        features
    }

    #[test]
    fn crates_that_would_be_compiled_twice_are_named_with_their_missing_features() {
        let server = build(&[("tokio v1", "net,rt"), ("bytes v1", "std"), ("own v1", "")]);
        let tests =
            build(&[("tokio v1", "fs,net,rt,test-util"), ("bytes v1", ""), ("bytes v1", "std")]);
        let twice = [("tokio v1".to_owned(), "fs, test-util".to_owned())];
        assert_eq!(find_differences(&server, &tests), twice);
    }
}
