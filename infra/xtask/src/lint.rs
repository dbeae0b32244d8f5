//! What is checked without running anything: form, lints, dependencies, the template.

use crate::run::{cargo, output, program, step};
use crate::setup::Tools;

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
    template(tools)
}

/// What may not be in a dependency tree, crate by crate.
fn trees() -> Result<(), String> {
    println!("── dependency trees");
    none_of("waxseal", &["aws-sdk-", "aws-config", "lambda_runtime"])?;
    let impure = ["tokio ", "reqwest", "hyper", "rusqlite", "aws-", "rand ", "getrandom", "mio "];
    none_of("waxseal-domain", &impure)
}

fn none_of(package: &str, names: &[&str]) -> Result<(), String> {
    let mut tree = cargo();
    tree.args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"]);
    let tree = output("cargo tree", &mut tree)?;
    let found = tree.lines().find(|line| names.iter().any(|name| line.starts_with(name)));
    match found {
        Some(line) => Err(format!("{package} must not depend on {line}")),
        None => Ok(()),
    }
}

fn template(tools: &Tools) -> Result<(), String> {
    step("cfn-lint", program(tools.python("cfn-lint")).arg("template.yaml"))?;
    let mut check = program(tools.emulator_python());
    step("template, transformed", check.arg("infra/tools/check_template.py"))
}
