//! Figures: measured at the end of every test run, and kept in `infra/figures.md` on request.

use crate::functions::{build, build_hello};
use crate::kept::{self, Section};
use crate::run::{cargo, output};
use crate::setup::Tools;

const HEAD: &str = "\
# Figures

Measured by `cargo xtask figures` on a machine with two x86-64 cores, release builds, all on loopback;
`cargo xtask test` measures and prints them again. Cold initialisation: from the process's start to its
first request for an invocation, median of 41 interleaved runs; `hello` is a bare `lambda_runtime`
function of the same build (`infra/hello`). The emulator's own time is in what is measured on it.

";

/// Measures; the functions must have been built. The answer is Markdown.
pub(crate) fn measure(tools: &Tools) -> Result<String, String> {
    build_hello(tools)?;
    let mut figures = cargo();
    figures.args(["run", "--quiet", "--package", "waxseal-tests", "--bin", "figures"]);
    output("figures", &mut figures)
}

/// Builds, measures, and keeps the figures.
pub(crate) fn keep(tools: &Tools) -> Result<(), String> {
    build(tools)?;
    let figures = measure(tools)?;
    print!("{figures}");
    kept::keep(Section::Measured, &format!("{HEAD}{figures}"))
}
