//! A binary of tests: where cargo has put it, how it is run, and what it said.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What waits more than it computes, for the emulator's schedules and time-outs: so many of its tests run at
/// the same time, whatever the machine.
const WAITING: (&str, &str) = ("emulator", "4");

/// A binary that `cargo test --no-run` has built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binary {
    /// The package's folder and the target's name, as in `shared/domain: waxseal_domain`.
    pub(crate) name: String,
    /// Where it runs: its package's folder, as under `cargo test`.
    folder: PathBuf,
    path: PathBuf,
}

/// A test that passed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PassedTest {
    /// The path of the test within its binary.
    pub(crate) name: String,
    /// How long it took, on the wall; none where the harness does not say.
    pub(crate) wall_s: Option<f64>,
}

impl Binary {
    /// The command that runs all its tests, each with its time. `seed` draws the random cases.
    ///
    /// The harness times tests behind an unstable option; the variable has this very binary take it, and
    /// compiles nothing otherwise.
    pub(crate) fn command(&self, seed: &str) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(["-Zunstable-options", "--report-time"])
            .env("RUSTC_BOOTSTRAP", "1")
            // What fails, fails again: each commit has random cases of its own, and always the same.
            .env("PROPTEST_RNG_SEED", seed)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .current_dir(&self.folder);
        if self.name == WAITING.0 {
            command.args(["--test-threads", WAITING.1]);
        }
        command
    }
}

/// The binaries of tests among what cargo's messages name, one message a line.
pub(crate) fn of_messages(messages: &str) -> Vec<Binary> {
    messages.lines().filter_map(of_message).collect()
}

fn of_message(message: &str) -> Option<Binary> {
    if !message.contains(r#""test":true}"#) {
        return None;
    }
    let path = PathBuf::from(text_of(message, "executable")?);
    let folder = Path::new(&text_of(message, "manifest_path")?).parent()?.to_owned();
    // Behind the path of the target's source stands the target's own name, first of that key.
    let name = text_of(message, "name")?;
    Some(Binary { name, folder, path })
}

/// The text of a member. Paths with quotes or backslashes in them are not understood.
fn text_of(message: &str, member: &str) -> Option<String> {
    let (_, rest) = message.split_once(&format!(r#""{member}":""#))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The tests that passed, of what a harness printed.
pub(crate) fn read_passed(said: &str) -> Vec<PassedTest> {
    said.lines().filter_map(read_passed_line).collect()
}

/// Of `test module::name ... ok <1.234s>`; the time is left out by the harness of documentation.
fn read_passed_line(line: &str) -> Option<PassedTest> {
    let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let time = result.strip_prefix("ok")?.trim();
    let wall_s = time.strip_prefix('<').and_then(|time| time.strip_suffix("s>"));
    Some(PassedTest {
        name: name.to_owned(),
        wall_s: wall_s.and_then(|seconds| seconds.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_messages_name_the_binaries_of_tests() {
        let test = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/tests#waxseal-tests@0.1.0","manifest_path":"/w/tests/Cargo.toml","target":{"kind":["test"],"crate_types":["bin"],"name":"engines","src_path":"/w/tests/tests/engines/main.rs","edition":"2024","doc":false,"doctest":false,"test":true},"profile":{"opt_level":"0","debuginfo":1,"debug_assertions":true,"overflow_checks":true,"test":true},"features":[],"filenames":["/t/engines-1"],"executable":"/t/engines-1","fresh":false}"#;
        let library = test.replace(r#""test":true},"features""#, r#""test":false},"features""#);
        let library = library.replace(r#""test":true},"profile""#, r#""test":false},"profile""#);
        let none = test.replace(r#""executable":"/t/engines-1""#, r#""executable":null"#);
        let messages = format!("{test}\n{library}\n{none}\n{{\"reason\":\"build-finished\"}}\n");
        let found = of_messages(&messages);
        assert_eq!(found.len(), 1, "{found:?}");
        let binary = Binary {
            name: "engines".to_owned(),
            folder: PathBuf::from("/w/tests"),
            path: PathBuf::from("/t/engines-1"),
        };
        assert_eq!(found[0], binary);
    }

    #[test]
    fn what_passed_is_counted_with_its_time() {
        let said = "\nrunning 4 tests\ntest a::b ... ok <1.234s>\ntest c - should panic ... ok\n\
            test d ... FAILED <0.1s>\ntest e ... ignored\n\ntest result: FAILED. 2 passed; 1 failed\n";
        let passed = read_passed(said);
        let names: Vec<&str> = passed.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a::b", "c - should panic"]);
        assert_eq!((passed[0].wall_s, passed[1].wall_s), (Some(1.234), None));
    }
}
