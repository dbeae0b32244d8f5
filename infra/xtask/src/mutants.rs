//! Mutation tests of what is decided: each function of the domain, and each of the flows that waits for nothing,
//! is changed in turn, and a unit test beside it must notice.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{program, root, target};
use crate::setup;

/// Where the flows are. Of these, a function that is async takes steps and decides nothing: the simulation and
/// the contract suite, which are too long to run for each mutant, are its tests.
const FLOWS: &str = "shared/flows/src";

/// How many of a hundred mutants must be noticed.
const NOTICED_PERCENT_MIN: usize = 98;

/// Which part of the mutants is tried: all of them take some hours on two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// The number of this part, from 0.
    number: usize,
    /// How many parts there are.
    of: usize,
}

impl Shard {
    /// The only part, which is all mutants.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    /// Reads `3/16`, the fourth of sixteen parts.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some(Self { number: number.parse().ok()?, of: of.parse().ok()? })
        });
        let shard = numbers.filter(|shard| shard.number < shard.of);
        shard
            .ok_or_else(|| format!("{text} is no part of a run: 0/16 is the first, 15/16 the last"))
    }
}

/// The score, and what no test noticed; a failure where too much was not.
pub(crate) fn mutate(shard: Shard) -> Result<String, String> {
    let folder = target().join("mutants");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    println!("── change what is decided, function by function: part {}/{}", shard.number, shard.of);
    let mut run = program(setup::mutants()?);
    run.args(["mutants", "--package", "waxseal-domain", "--package", "waxseal-flows"]);
    run.args(["--no-times", "--colors", "never", "--jobs", "2"]);
    // On a busy machine a shorter time would end tests that notice nothing, and count as noticing.
    run.args(["--minimum-test-timeout", "120"]);
    let steps = steps_of_flows()?;
    for file in &steps {
        run.args(["--exclude-re", &file.pattern()]);
    }
    run.args(["--shard", &format!("{}/{}", shard.number, shard.of)]);
    run.arg("--output").arg(&folder).args(["--", "--lib"]);
    // What no test notices is counted below; the exit code says 2 then, and 3 where a mutant ran out of time.
    let status = run.status().map_err(|error| format!("cargo mutants: {error}"))?;
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(format!("cargo mutants ended with {status}"));
    }
    let list = |name: &str| {
        let text = read(&folder.join("mutants.out").join(format!("{name}.txt")))?;
        // Its patterns do not reach what is deleted from a struct's expression.
        let decisions = text.lines().filter(|mutant| !steps.iter().any(|file| file.has(mutant)));
        Ok::<_, String>(decisions.map(str::to_owned).collect::<Vec<_>>())
    };
    let count = |name: &str| list(name).map(|mutants| mutants.len());
    let missed = list("missed")?;
    summarize(count("caught")?, count("timeout")?, count("unviable")?, &missed)
}

/// The async functions of a file, whose mutants are left out.
struct Steps {
    file: String,
    functions: Vec<String>,
}

impl Steps {
    /// A pattern of their mutants, as `cargo mutants` names them: `file:1:2: replace name -> bool with true`, or
    /// `file:1:2: replace < with > in Type::name`.
    fn pattern(&self) -> String {
        let (file, names) = (self.file.replace('.', "\\."), self.functions.join("|"));
        format!("^{file}:.*(replace|in) (\\S*::)?({names})( -> .*| with .*)?$")
    }

    /// Whether a mutant is within one of them.
    fn has(&self, mutant: &str) -> bool {
        let is_of_file = mutant.strip_prefix(&self.file).is_some_and(|rest| rest.starts_with(':'));
        let function = mutant.rsplit([' ', ':']).next();
        is_of_file && self.functions.iter().any(|name| function == Some(name))
    }
}

/// The async functions of the flows, of each file that has any.
fn steps_of_flows() -> Result<Vec<Steps>, String> {
    let mut steps = Vec::new();
    for path in sources(&root().join(FLOWS))? {
        let functions = async_functions(&read(&path)?);
        if !functions.is_empty() {
            let file = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            steps.push(Steps { file, functions });
        }
    }
    Ok(steps)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The files of a folder and of those in it, in order.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let read = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut entries: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(sources(&entry)?);
        } else {
            files.push(entry);
        }
    }
    Ok(files)
}

/// The names of the functions that are async, by their word or by their body.
fn async_functions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut last = None;
    for line in text.lines().map(str::trim) {
        let words = line.split_once("fn ").filter(|_| !line.starts_with("//"));
        if let Some((before, after)) = words {
            last = after.split(['(', '<']).next().map(str::to_owned);
            if before.split(' ').any(|word| word == "async") {
                found.extend(last.take());
            }
        } else if line == "async move {" {
            found.extend(last.take());
        }
    }
    found
}

fn summarize(
    caught: usize,
    timed_out: usize,
    unviable: usize,
    missed: &[String],
) -> Result<String, String> {
    let noticed = caught + timed_out;
    let scored = noticed + missed.len();
    let listed: String = missed.iter().map(|name| format!("\n  - {name}")).collect();
    let summary = format!(
        "{scored} mutants of what is decided: {} % noticed ({caught} by a test, {timed_out} by its time), \
         {} not; {unviable} do not compile{listed}",
        noticed * 100 / scored.max(1),
        missed.len()
    );
    if noticed * 100 < scored * NOTICED_PERCENT_MIN {
        return Err(format!("{summary}\nfewer than {NOTICED_PERCENT_MIN} % were noticed"));
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_names_what_was_missed_and_fails_where_that_is_too_much() {
        let missed = ["judge.rs: replace < with <=", "gate.rs: replace + with -"];
        let missed = missed.map(str::to_owned);
        let said = summarize(96, 2, 3, &missed).unwrap();
        assert!(said.starts_with("100 mutants of what is decided: 98 % noticed"), "{said}");
        assert!(said.ends_with("\n  - gate.rs: replace + with -"), "{said}");
        let failed = summarize(96, 1, 3, &missed);
        assert!(failed.unwrap_err().ends_with("fewer than 98 % were noticed"));
    }

    #[test]
    fn a_part_is_one_of_those_that_there_are() {
        assert_eq!(Shard::parse("0/1"), Ok(Shard::WHOLE));
        assert_eq!(Shard::parse("15/16"), Ok(Shard { number: 15, of: 16 }));
        for text in ["", "3", "16/16", "1/0", "a/b", "-1/4"] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn functions_that_take_steps_are_told_by_their_word_or_their_body() {
        let text = "
            pub async fn sweep<E: Engine>(engine: &E) {
            fn pass_over<T>(met: Result<T, Error>) {
            /// Not async fn at_all() {
            fn accept(
                &self,
            ) -> impl Future<Output = ()> + Send {
                async move {
            pub(crate) async fn reissue(due: &Due) -> bool {";
        assert_eq!(async_functions(text), ["sweep", "accept", "reissue"]);
    }

    #[test]
    fn steps_are_those_of_one_file_and_of_whole_names() {
        let functions = vec!["sweep".to_owned(), "reissue".to_owned()];
        let steps = Steps { file: "shared/flows/src/sweep.rs".to_owned(), functions };
        let pattern = r"^shared/flows/src/sweep\.rs:.*(replace|in) (\S*::)?(sweep|reissue)( -> .*| with .*)?$";
        assert_eq!(steps.pattern(), pattern);
        let field = "delete field sent from struct SweepResult expression in";
        assert!(steps.has(&format!("shared/flows/src/sweep.rs:3:5: {field} sweep")));
        assert!(!steps.has(&format!("shared/flows/src/sweep.rs:3:5: {field} sweep_all")));
        assert!(!steps.has(&format!("shared/flows/src/send.rs:3:5: {field} sweep")));
    }
}
