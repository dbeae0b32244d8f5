//! Every test, and at the end how many ran.

use std::process::Stdio;
use std::time::Instant;

use crate::figures::measure;
use crate::functions::build;
use crate::lint::lint;
use crate::run::{cargo, output, program, step};
use crate::setup::setup;

/// Sets up, lints, builds, tests, counts.
pub(crate) fn test() -> Result<(), String> {
    let began = Instant::now();
    let tools = setup()?;
    lint(&tools)?;
    // By itself: together with the tests it would be built with every engine.
    step("build the server", cargo().args(["build", "--package", "waxseal", "--quiet"]))?;
    build(&tools)?;
    let passed = run_tests()?;
    println!("── figures\n{}", measure(&tools)?);
    println!("{passed} tests passed, in {:.0} s in all.", began.elapsed().as_secs_f64());
    Ok(())
}

/// Runs every test of the workspace, shows the output, and counts what passed.
fn run_tests() -> Result<u32, String> {
    println!("── tests (`cargo fuzz` needs nightly, and is left to `cargo xtask prove`)");
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--exclude", "waxseal", "--no-fail-fast"]);
    // What fails, fails again: each commit has random cases of its own, and always the same.
    tests.env("PROPTEST_RNG_SEED", commit_number()?.to_string());
    let child = tests.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let ended = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&ended.stdout);
    print!("{text}");
    if !ended.status.success() {
        return Err("tests failed: see above".to_owned());
    }
    Ok(text.lines().filter_map(passed).sum())
}

/// The first 15 hex digits of the commit that is checked out.
fn commit_number() -> Result<u64, String> {
    let mut command = program("git");
    let commit = output("git rev-parse", command.args(["rev-parse", "--short=15", "HEAD"]))?;
    u64::from_str_radix(commit.trim(), 16).map_err(|error| format!("{commit}: {error}"))
}

/// Of `test result: ok. 12 passed; …`.
fn passed(line: &str) -> Option<u32> {
    let rest = line.strip_prefix("test result: ok. ")?;
    rest.split_once(" passed")?.0.parse().ok()
}
