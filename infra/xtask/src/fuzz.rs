//! Coverage-guided fuzzing of what parses outside input: `cargo fuzz`, where a nightly toolchain is there.

use std::process::Command;

use crate::run::{output, program, root, target};
use crate::setup;

/// The files of `tests/fuzz/targets`.
const TARGETS: [&str; 7] = ["event", "filter", "hook", "invocation", "profile", "schema", "text"];
/// Bytes of an input: what is longer finds little more, and slowly.
const INPUT_BYTES_MAX: u32 = 4_096;

/// Fuzzes each target for so many seconds; what was run, in a line.
pub(crate) fn fuzz(seconds: u64) -> Result<String, String> {
    if output("nightly", nightly(program("cargo")).arg("--version")).is_err() {
        let left_out = "cargo fuzz is left out: there is no nightly toolchain; proptest covers the \
                        same parsers (`tests/tests/engines/fuzz.rs`)";
        println!("── {left_out}");
        return Ok(left_out.to_owned());
    }
    let cargo_fuzz = setup::fuzz()?;
    let mut runs = 0;
    for name in TARGETS {
        println!("── fuzz {name} for {seconds} s");
        let mut run = nightly(program(&cargo_fuzz));
        // Memory errors are not what safe Rust has: no sanitizer, and more inputs.
        run.args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"]);
        run.arg(root().join("tests/fuzz")).arg(name).arg("--");
        run.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={INPUT_BYTES_MAX}"));
        runs += count(&run_and_read(name, &mut run)?)?;
    }
    let targets = TARGETS.len();
    Ok(format!("cargo fuzz: {runs} inputs to {targets} targets, {seconds} s each, and no crash"))
}

/// With the nightly toolchain, whoever runs us, and a target folder of its own.
fn nightly(mut command: Command) -> Command {
    command.env("RUSTUP_TOOLCHAIN", "nightly").env("CARGO_TARGET_DIR", target().join("fuzz"));
    command.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTFLAGS");
    command
}

/// What a run said; what broke it, if it failed.
fn run_and_read(name: &str, run: &mut Command) -> Result<String, String> {
    let output = run.output().map_err(|error| format!("cargo fuzz: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default();
    Err(format!("fuzzing {name} failed ({}):\n{}", output.status, last.join("\n")))
}

/// Of `Done 12345 runs in 61 second(s)`.
fn count(said: &str) -> Result<u64, String> {
    let runs = said
        .lines()
        .find_map(|line| line.strip_prefix("Done ")?.split_whitespace().next()?.parse().ok());
    runs.ok_or_else(|| "cargo fuzz did not say how much it ran".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted_and_silence_is_no_success() {
        assert_eq!(count("INFO: x\nDone 2097152 runs in 61 second(s)\n"), Ok(2_097_152));
        assert!(count("").is_err());
    }
}
