//! Every test, and at the end how many ran and what it all has cost.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use crate::cost::{self, Stage, measure};
use crate::figures;
use crate::functions::{Package, build};
use crate::lint::{checks, clippy};
use crate::run::{beside, cargo, host, output, program, step};
use crate::setup::{Tools, setup};
use crate::test_binary::{Binary, PassedTest, of_messages, read_passed};

/// So many of the slowest tests are named at the end.
const SLOWEST: usize = 10;

/// Sets up, lints, builds, tests, measures, and says what each stage has cost. What needs no compiler runs
/// beside it.
pub(crate) fn test() -> Result<(), String> {
    let began = Instant::now();
    let tools = Tools::at_target();
    let (binaries, ()) = beside(
        || {
            clippy()?;
            build_server()?;
            build_tests()
        },
        || {
            setup()?;
            checks(&tools)
        },
    )?;
    build(&tools, Package::Tests)?;
    let passed = run_tests(&binaries)?;
    println!("── figures\n{}", figures::measure(&tools, Package::Tests)?);
    let wall_s = began.elapsed().as_secs_f64();
    println!("── cost\n{}\n{}", list_slowest(&passed), cost::table(wall_s));
    println!("{} tests passed, in {wall_s:.0} s in all.", passed.len());
    Ok(())
}

/// A command of cargo for what the tests run: for this machine by its name, as cargo-lambda has it, so that
/// both find the same compiled crates.
pub(crate) fn cargo_for_tests() -> Result<Command, String> {
    let mut command = cargo();
    command.env("CARGO_BUILD_TARGET", host()?);
    Ok(command)
}

/// Compiles the binary that the tests start. By itself: together with the tests it would hold every engine.
fn build_server() -> Result<(), String> {
    let mut build = cargo_for_tests()?;
    build.args(["build", "--quiet", "--package", "waxseal", "--package", "one-build"]);
    step(Stage::Build, "build the server", &build)
}

/// Compiles every test; the binaries that hold them.
pub(crate) fn build_tests() -> Result<Vec<Binary>, String> {
    println!("── build the tests …");
    let mut build = cargo_for_tests()?;
    build.args(["test", "--workspace", "--exclude", "waxseal", "--no-run", "--quiet"]);
    build.args(["--message-format", "json-render-diagnostics"]);
    let began = Instant::now();
    let built = measure(Stage::Build, &build)?;
    print!("{}", built.errors);
    if !built.status.success() {
        return Err("the tests do not compile: see above".to_owned());
    }
    let wall_s = began.elapsed().as_secs_f64();
    println!("── build the tests: {wall_s:.1} s, {:.1} CPU-seconds", built.cpu_s);
    Ok(of_messages(&built.said))
}

/// Runs every test of the workspace, some beside others, and answers with those that passed.
fn run_tests(binaries: &[Binary]) -> Result<Vec<PassedTest>, String> {
    println!("── tests (`cargo fuzz` needs nightly, and is left to `cargo xtask prove`)");
    let left = Mutex::new(commands(binaries)?);
    let run_until_none_is_left = || {
        let mut all = Vec::new();
        let mut failures = Vec::new();
        while let Some((name, command)) = next(&left) {
            match run_binary(&name, &command) {
                Ok(passed) => all.extend(passed),
                Err(failure) => failures.push(failure),
            }
        }
        if failures.is_empty() { Ok(all) } else { Err(failures.join("\n")) }
    };
    let (mut all, others) = beside(run_until_none_is_left, run_until_none_is_left)?;
    all.extend(others);
    Ok(all)
}

/// What is to be run, by name, the first last: what waits more than it computes begins first, so that the
/// rest runs beside it.
fn commands(binaries: &[Binary]) -> Result<Vec<(String, Command)>, String> {
    let seed = commit_number()?.to_string();
    let mut documentation = cargo_for_tests()?;
    documentation.args(["test", "--doc", "--workspace", "--exclude", "waxseal"]);
    let mut commands = vec![("examples in documentation".to_owned(), documentation)];
    for binary in binaries {
        commands.push((binary.name.clone(), binary.command(&seed)));
    }
    commands.sort_by_key(|(name, _)| name == "emulator");
    Ok(commands)
}

fn next(left: &Mutex<Vec<(String, Command)>>) -> Option<(String, Command)> {
    left.lock().ok()?.pop()
}

/// Runs one binary, and shows what it printed; the tests that passed, or that not all did.
fn run_binary(name: &str, command: &Command) -> Result<Vec<PassedTest>, String> {
    let began = Instant::now();
    let ended = measure(Stage::Tests, command).map_err(|error| format!("{name}: {error}"))?;
    let wall_s = began.elapsed().as_secs_f64();
    print!(
        "── {name}: {wall_s:.1} s, {:.1} CPU-seconds\n{}{}",
        ended.cpu_s, ended.said, ended.errors
    );
    if ended.status.success() {
        Ok(read_passed(&ended.said))
    } else {
        Err(format!("tests of {name} failed: see above"))
    }
}

/// What the slowest tests took: Markdown.
fn list_slowest(all: &[PassedTest]) -> String {
    let mut timed: Vec<(f64, &str)> = Vec::new();
    for one in all {
        if let Some(wall_s) = one.wall_s {
            timed.push((wall_s, &one.name));
        }
    }
    timed.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut table = String::from("| slowest tests | wall, s |\n| --- | --- |\n");
    for (wall_s, name) in timed.iter().take(SLOWEST) {
        let _written = writeln!(table, "| {name} | {wall_s:.1} |");
    }
    table
}

/// The first 15 hex digits of the commit that is checked out.
fn commit_number() -> Result<u64, String> {
    let mut command = program("git");
    let commit = output("git rev-parse", command.args(["rev-parse", "--short=15", "HEAD"]))?;
    u64::from_str_radix(commit.trim(), 16).map_err(|error| format!("{commit}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_tests_are_named_slowest_first() {
        let test = |name: &str, wall_s| PassedTest { name: name.to_owned(), wall_s };
        let all = [test("quick", Some(0.5)), test("untimed", None), test("slow", Some(2.0))];
        assert!(
            list_slowest(&all).ends_with("| slow | 2.0 |\n| quick | 0.5 |\n"),
            "{}",
            list_slowest(&all)
        );
    }
}
