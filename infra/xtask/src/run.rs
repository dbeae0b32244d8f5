//! Running other programs: where, what they cost, and what they said.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::cost::{Stage, measure};

/// Returns the folder of the workspace's `Cargo.toml`.
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

/// The name of this machine's kind for the compiler, as in `x86_64-unknown-linux-gnu`.
pub(crate) fn host() -> Result<String, String> {
    let said = output("rustc", program("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("rustc does not say its host: {said}"))
}

/// Runs a step to its end, and shows what it said; an error that names it unless it succeeds. Steps run
/// beside each other, so that the output of each is shown as a whole.
pub(crate) fn step(stage: Stage, what: &str, command: &Command) -> Result<(), String> {
    println!("── {what} …");
    let began = Instant::now();
    let done = measure(stage, command).map_err(|error| format!("{what}: cannot start: {error}"))?;
    let wall_s = began.elapsed().as_secs_f64();
    let output = format!("{}{}", done.said, done.errors);
    if done.status.success() {
        println!("── {what}: {wall_s:.1} s, {:.1} CPU-seconds\n{output}", done.cpu_s);
        Ok(())
    } else {
        Err(format!("{what} failed ({})\n{output}", done.status))
    }
}

/// Runs a program quietly and answers with what it printed.
pub(crate) fn output(what: &str, command: &mut Command) -> Result<String, String> {
    let ran = command.stdin(Stdio::null()).output();
    let output = ran.map_err(|error| format!("{what}: cannot start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("{what} failed ({}):\n{text}{errors}", output.status))
    }
}

/// Runs two sequences of steps beside each other; the error of the first that failed.
pub(crate) fn beside<A: Send, B: Send>(
    one: impl FnOnce() -> Result<A, String> + Send,
    other: impl FnOnce() -> Result<B, String> + Send,
) -> Result<(A, B), String> {
    std::thread::scope(|scope| {
        let running = scope.spawn(other);
        let one = one();
        let other = running.join().unwrap_or_else(|_| Err("a thread of xtask panicked".to_owned()));
        Ok((one?, other?))
    })
}
