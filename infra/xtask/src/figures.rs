//! Figures: measured at the end of every test run, and kept in `infra/figures.md` on request.

use crate::cost::{Stage, measure as run};
use crate::functions::{Package, build, build_hello};
use crate::kept::{self, Section};
use crate::setup::Tools;
use crate::test::cargo_for_tests;

const HEAD: &str = "\
# Figures

Measured by `cargo xtask figures` on a machine with two x86-64 cores, release builds, all on loopback;
`cargo xtask test` measures and prints them too, of functions as tests compile them. Cold initialisation: from the process's start to its
first request for an invocation, median of 41 interleaved runs; `hello` is a bare `lambda_runtime`
function of the same build (`infra/hello`). The emulator's own time is in what is measured on it.

";

/// Measures; the functions must have been built so. The answer is Markdown.
pub(crate) fn measure(tools: &Tools, package: Package) -> Result<String, String> {
    build_hello(tools, package)?;
    let mut figures = cargo_for_tests()?;
    // Selected as the tests are, so that nothing is compiled anew.
    figures.args(["run", "--quiet", "--package", "waxseal-tests", "--bin", "figures"]);
    let measured = run(Stage::Figures, &figures)?;
    if measured.status.success() {
        return Ok(measured.said);
    }
    Err(format!("figures failed ({}):\n{}{}", measured.status, measured.said, measured.errors))
}

/// Builds, measures, and keeps the figures.
pub(crate) fn keep(tools: &Tools) -> Result<(), String> {
    build(tools, Package::Release)?;
    let figures = measure(tools, Package::Release)?;
    print!("{figures}");
    kept::keep(Section::Measured, &format!("{HEAD}{figures}"))
}
