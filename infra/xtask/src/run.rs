//! Running other programs: where, how long they took, and what they said.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The target folder, as cargo would choose it.
#[expect(clippy::disallowed_methods, reason = "xtask has no adapters: this is its one setting")]
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program in the workspace's root.
pub(crate) fn program(name: impl AsRef<Path>) -> Command {
    let mut command = Command::new(name.as_ref());
    command.current_dir(root());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    program(option_env!("CARGO").unwrap_or("cargo"))
}

/// Runs a step, its output shown; an error that names it unless it succeeds.
pub(crate) fn step(what: &str, command: &mut Command) -> Result<(), String> {
    println!("── {what}");
    let began = Instant::now();
    let status = command.status().map_err(|error| format!("{what}: cannot start: {error}"))?;
    if status.success() {
        println!("   {what}: {:.1} s", began.elapsed().as_secs_f64());
        Ok(())
    } else {
        Err(format!("{what} failed ({status})"))
    }
}

/// Runs a program quietly and answers with what it printed.
pub(crate) fn output(what: &str, command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{what}: cannot start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("{what} failed ({}):\n{text}{errors}", output.status))
    }
}
