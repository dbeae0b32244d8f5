//! What each stage of the test command costs: CPU-seconds, since machines differ twofold in speed, and
//! wall time depends on what else runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::run::target;

/// A part of the test command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The tools and the Python environments are installed.
    Setup,
    /// What is checked without running anything of ours.
    Lint,
    /// The server, the functions and the tests are compiled, and the functions packaged.
    Build,
    /// The tests of the workspace run.
    Tests,
    /// The figures are measured.
    Figures,
}

/// CPU-seconds of each stage so far. Stages run beside each other, so that each program counts for the
/// stage that it was started for.
static SPENT: Mutex<BTreeMap<Stage, f64>> = Mutex::new(BTreeMap::new());

/// Names the file of each measured program.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Runs a program, and writes what it and all that it waited for have cost to the file `$0`. `times` is the
/// one way to learn that which is in every POSIX shell, and in no crate without unsafe code.
const MEASURED: &str = r#""$@"; ended=$?; times > "$0"; exit $ended"#;

/// What a program came to.
pub(crate) struct ProgramResult {
    /// The status that the program ended with.
    pub(crate) status: ExitStatus,
    /// What it printed on standard output.
    pub(crate) said: String,
    /// What it printed on standard error.
    pub(crate) errors: String,
    /// What it cost, with all that it started and waited for, in CPU-seconds.
    pub(crate) cpu_s: f64,
}

/// Runs a program to its end, and counts its cost for a stage.
pub(crate) fn measure(stage: Stage, command: &Command) -> Result<ProgramResult, String> {
    let folder = target().join("cost");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let file = folder.join(format!("{}-{number}", std::process::id()));
    let output = wrap(command, &file).output();
    let Output { status, stdout, stderr } = output.map_err(|error| error.to_string())?;
    let times = fs::read_to_string(&file).unwrap_or_default();
    // It is only a figure: a program that could not be measured has still run.
    let _gone = fs::remove_file(&file);
    let cpu_s = of_children(&times).unwrap_or(0.0);
    *SPENT.lock().map_err(|error| error.to_string())?.entry(stage).or_default() += cpu_s;
    Ok(ProgramResult {
        status,
        said: String::from_utf8_lossy(&stdout).into_owned(),
        errors: String::from_utf8_lossy(&stderr).into_owned(),
        cpu_s,
    })
}

/// The same program under a shell that measures it.
fn wrap(command: &Command, file: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", MEASURED]).arg(file).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell.stdin(Stdio::null());
    shell
}

/// Of what `times` prints, the second line: user and system time of what the shell has waited for.
fn of_children(times: &str) -> Option<f64> {
    let mut sum_s = 0.0;
    for time in times.lines().nth(1)?.split_whitespace() {
        let (minutes, seconds) = time.strip_suffix('s')?.split_once('m')?;
        let (minutes, seconds): (f64, f64) = (minutes.parse().ok()?, seconds.parse().ok()?);
        sum_s += minutes * 60.0 + seconds;
    }
    Some(sum_s)
}

/// A table of what each stage has cost, in Markdown.
pub(crate) fn table(wall_s: f64) -> String {
    let mut table = String::from("| stage | CPU-seconds |\n| --- | --- |\n");
    let spent = SPENT.lock().map(|spent| spent.clone()).unwrap_or_default();
    for (stage, cpu_s) in &spent {
        let name = format!("{stage:?}").to_lowercase();
        let _written = writeln!(table, "| {name} | {cpu_s:.0} |");
    }
    let all_s: f64 = spent.values().sum();
    let cores = all_s / wall_s;
    table + &format!("| all | {all_s:.0}, in {wall_s:.0} s: {cores:.2} cores were busy |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_read() {
        let times = "0m0.010s 0m0.020s\n1m2.500s 0m0.250s\n";
        assert_eq!(of_children(times), Some(62.75));
        assert_eq!(of_children("0m0.010s 0m0.020s\n"), None);
        assert_eq!(of_children(""), None);
    }

    #[test]
    fn a_programs_cost_status_and_words_are_those_of_the_program() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo said; echo failed >&2; exit 3"]);
        let measured = measure(Stage::Tests, &command).unwrap();
        assert_eq!(measured.status.code(), Some(3));
        assert_eq!((measured.said.as_str(), measured.errors.as_str()), ("said\n", "failed\n"));
        assert!(measured.cpu_s < 1.0);
    }
}
