//! What is checked without running anything: form, lints, dependencies, the template.

use std::collections::BTreeSet;

use crate::functions::{FUNCTIONS, validate};
use crate::run::{cargo, output, program, step};
use crate::setup::Tools;
use crate::walls::walls;

/// Every check; the first that fails is named.
pub(crate) fn lint(tools: &Tools) -> Result<(), String> {
    step("formatting", cargo().args(["fmt", "--all", "--check"]))?;
    let mut clippy = cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]);
    step("clippy", &mut clippy)?;
    let mut deny = program(tools.cargo_deny());
    deny.args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    step("dependencies", &mut deny)?;
    trees()?;
    walls()?;
    template(tools)
}

/// What may not be in a dependency tree, crate by crate.
fn trees() -> Result<(), String> {
    println!("── dependency trees");
    none_of("waxseal", &["aws-sdk-", "aws-config", "lambda_runtime"])?;
    // The command line asks a server: it runs no engine of its own.
    none_of("waxseal-cli", &["aws-sdk-", "lambda_runtime", "rusqlite", "waxseal-server"])?;
    let impure = ["tokio ", "reqwest", "hyper", "rusqlite", "aws-", "rand ", "getrandom", "mio "];
    none_of("waxseal-domain", &[&impure[..], &["futures"]].concat())?;
    // The use cases know the engines by their ports alone.
    let engines = ["waxseal-adapters", "reqwest", "hyper", "rusqlite", "aws-", "lambda_runtime"];
    none_of("waxseal-flows", &engines)?;
    // What a stranger adds to their own: no clock and no runtime either.
    none_of("waxseal-verify", &[&impure[..], &["futures", "time ", "url "]].concat())?;
    // One TLS stack and one HTTP stack: what is linked twice costs size and cold start.
    let other = [
        "openssl ",
        "openssl-sys",
        "native-tls",
        "ring ",
        "s2n-",
        "boring",
        "h2 ",
        "ureq",
        "rusqlite",
    ];
    for function in FUNCTIONS {
        let package = format!("waxseal-{function}");
        none_of(&package, &other)?;
        one_of_each(&package, &["hyper", "rustls", "aws-lc-rs", "http", "reqwest", "tokio"])?;
    }
    Ok(())
}

fn none_of(package: &str, names: &[&str]) -> Result<(), String> {
    let tree = tree(package)?;
    let found = tree.lines().find(|line| names.iter().any(|name| line.starts_with(name)));
    match found {
        Some(line) => Err(format!("{package} must not depend on {line}")),
        None => Ok(()),
    }
}

/// Of each of these exactly one version, built once.
fn one_of_each(package: &str, names: &[&str]) -> Result<(), String> {
    let tree = tree(package)?;
    for name in names {
        let is_it =
            |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(" v"));
        let found: BTreeSet<&str> = tree.lines().filter(is_it).collect();
        if found.len() != 1 {
            return Err(format!("{package} must have one {name}, and has {found:?}"));
        }
    }
    Ok(())
}

/// What a package links, a line each.
fn tree(package: &str) -> Result<String, String> {
    let mut tree = cargo();
    tree.args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"]);
    let lines = output("cargo tree", tree.args(["--format", "{p}"]))?;
    Ok(lines.replace(" (*)", ""))
}

fn template(tools: &Tools) -> Result<(), String> {
    validate(tools)?;
    step("cfn-lint", program(tools.python("cfn-lint")).arg("template.yaml"))?;
    let mut check = program(tools.emulator_python());
    step("template, transformed", check.arg("infra/tools/check_template.py"))
}
