//! The functions as they are deployed: release binaries, packaged by the SAM CLI.

use std::process::Command;

use crate::run::{program, root, step, target};
use crate::setup::Tools;

/// Each a Lambda binary of the package `waxseal-<name>`.
pub(crate) const FUNCTIONS: [&str; 6] = ["ingest", "deliver", "sweep", "bury", "api", "receiver"];

/// `sam validate --lint`: the template's form, and cfn-lint over it.
pub(crate) fn validate(tools: &Tools) -> Result<(), String> {
    step("sam validate", sam(tools).args(["validate", "--lint"]))
}

/// Builds and packages every function into `target/sam`, where the end-to-end tests deploy it from.
/// Of this machine's architecture, since it is to run here.
pub(crate) fn build(tools: &Tools) -> Result<(), String> {
    let mut build = program(tools.sam("cargo-lambda"));
    build.args(["lambda", "build", "--release", "--quiet"]);
    for name in FUNCTIONS {
        build.args(["--package", &format!("waxseal-{name}"), "--bin", name]);
    }
    // All in one go, so that the slow part, linking, uses every core: SAM goes one by one.
    step("build the functions", on_path(tools, &mut build))?;
    let mut package = sam(tools);
    package.args(["build", "--parameter-overrides", "Architecture=x86_64", "--build-dir"]);
    step("sam build", package.arg(target().join("sam")))
}

/// Builds the function that cold starts are compared with.
pub(crate) fn build_hello(tools: &Tools) -> Result<(), String> {
    let mut build = program(tools.sam("cargo-lambda"));
    build.args(["lambda", "build", "--release", "--quiet", "--package", "hello"]);
    step("build hello", on_path(tools, &mut build))
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
