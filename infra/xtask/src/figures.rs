//! Figures: measured at the end of every test run, and kept in `infra/figures.md` on request.

use crate::cost::{Stage, measure as run};
use crate::functions::{Package, build, build_hello};
use crate::kept::{self, Section};
use crate::run::{host, program, target};
use crate::setup::Tools;
use crate::test::build_tests;

const HEAD: &str = "\
# Figures

Measured by `cargo xtask figures` on a machine with two x86-64 cores, release builds, all on loopback;
`cargo xtask test` measures and prints them too, of functions as tests compile them. Cold initialisation:
from the process's start to its first request for an invocation, median of 41 interleaved runs; `hello` is a
bare `lambda_runtime` function of the same build (`infra/hello`). The emulator's own time is in what is
measured on it.

";

/// Measures; the tests must have been built, and the functions so. The answer is Markdown.
pub(crate) fn measure(tools: &Tools, package: Package) -> Result<String, String> {
    build_hello(tools, package)?;
    // Where the build of the tests has put it: chosen by itself it would be compiled with other features, and
    // half of all crates with it.
    let figures = target().join(host()?).join("debug/figures");
    let measured = run(Stage::Figures, &program(figures))?;
    if measured.status.success() {
        return Ok(measured.said);
    }
    Err(format!("figures failed ({}):\n{}{}", measured.status, measured.said, measured.errors))
}

/// Builds, measures, and keeps the figures.
pub(crate) fn keep(tools: &Tools) -> Result<(), String> {
    build_tests()?;
    build(tools, Package::Release)?;
    let figures = measure(tools, Package::Release)?;
    print!("{figures}");
    kept::keep(Section::Measured, &format!("{HEAD}{figures}"))
}
