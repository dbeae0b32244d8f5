//! The functions: the real binaries, packaged by the SAM CLI from the real template.

use std::process::Command;

use crate::cost::Stage;
use crate::run::{program, root, step, target};
use crate::setup::Tools;

/// Each a Lambda binary of the package `waxseal-<name>`.
pub(crate) const FUNCTIONS: [&str; 6] = ["ingest", "deliver", "sweep", "bury", "api", "receiver"];

/// How the functions are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// As they are released: optimised as a whole, each by itself, which takes most of an hour's CPU.
    Release,
    /// As the tests are compiled, so that what both need is compiled once. The sources, the packaging and
    /// the template are those of a release.
    Tests,
}

/// `sam validate --lint`: the template's form, and cfn-lint over it.
pub(crate) fn validate(tools: &Tools) -> Result<(), String> {
    step(Stage::Lint, "sam validate", sam(tools).args(["validate", "--lint"]))
}

/// Builds and packages every function into `target/sam`, where the end-to-end tests deploy it from.
/// Of this machine's architecture, since it is to run here.
pub(crate) fn build(tools: &Tools, package: Package) -> Result<(), String> {
    let mut build = program(tools.sam("cargo-lambda"));
    build.args(["lambda", "build", "--quiet"]);
    for name in FUNCTIONS {
        build.args(["--package", &format!("waxseal-{name}"), "--bin", name]);
    }
    let mut sam = sam(tools);
    sam.args(["build", "--parameter-overrides", "Architecture=x86_64", "--build-dir"]);
    sam.arg(target().join("sam"));
    match package {
        Package::Release => {
            build.arg("--release");
        }
        Package::Tests => {
            as_tests(&mut build);
            as_tests(&mut sam);
        }
    }
    // All in one go, so that the slow part, linking, uses every core: SAM goes one by one.
    step(Stage::Build, "build the functions", on_path(tools, &mut build))?;
    step(Stage::Build, "sam build", &sam)
}

/// Builds the function that cold starts are compared with.
pub(crate) fn build_hello(tools: &Tools, package: Package) -> Result<(), String> {
    let mut build = program(tools.sam("cargo-lambda"));
    build.args(["lambda", "build", "--quiet", "--package", "hello", "--bin", "hello"]);
    match package {
        Package::Release => build.arg("--release"),
        Package::Tests => as_tests(&mut build),
    };
    step(Stage::Figures, "build hello", on_path(tools, &mut build))
}

/// Has cargo-lambda compile as `cargo test` does: in the dev profile, by cargo alone, together with the
/// package that gives others' crates the tests' features. SAM passes both on.
fn as_tests(command: &mut Command) -> &mut Command {
    let mut selected = vec!["--package", "one-build"];
    let packages: Vec<String> = FUNCTIONS.iter().map(|name| format!("waxseal-{name}")).collect();
    for package in &packages {
        selected.extend(["--package", package]);
    }
    command
        .env("SAM_BUILD_MODE", "debug")
        .env("CARGO_LAMBDA_COMPILER", "cargo")
        .env("CARGO_LAMBDA_COMPILER_EXTRA_ARGS", selected.join(" "))
}

fn sam(tools: &Tools) -> Command {
    let mut sam = program(tools.sam("sam"));
    sam.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", "us-east-1");
    on_path(tools, &mut sam);
    sam
}

/// SAM finds cargo-lambda, and cargo-lambda its linker, on the path; both build into our target.
#[expect(clippy::disallowed_methods, reason = "the path is passed on, not read as a setting")]
fn on_path<'a>(tools: &Tools, command: &'a mut Command) -> &'a mut Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let tools = tools.sam("").display().to_string();
    command
        .env("PATH", format!("{}:{path}", tools.trim_end_matches('/')))
        .env("CARGO_TARGET_DIR", target())
        .current_dir(root())
}
