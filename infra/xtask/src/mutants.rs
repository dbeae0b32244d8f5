//! Mutation tests of the domain's decisions: each function is changed in turn, and a test must notice.

use std::fs;

use crate::run::{program, target};
use crate::setup;

/// Where it is decided what happens to a delivery: the files of these nouns, of which none can be forgotten.
const DECISIONS: [&str; 3] = ["delivery.rs", "delivery/*.rs", "flow_control/*.rs"];

/// The score, and what no test noticed.
pub(crate) fn mutate() -> Result<String, String> {
    let folder = target().join("mutants");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    println!("── change the domain's decisions, one by one");
    let mut run = program(setup::mutants()?);
    run.args(["mutants", "--package", "waxseal-domain", "--no-times", "--colors", "never"]);
    for files in DECISIONS {
        run.args(["--file", &format!("shared/domain/src/{files}")]);
    }
    run.args(["--jobs", "2", "--output"]).arg(&folder).args(["--", "--lib"]);
    // What no test notices is a figure, not a failure: its exit code says 2 then.
    let status = run.status().map_err(|error| format!("cargo mutants: {error}"))?;
    if !matches!(status.code(), Some(0 | 2)) {
        return Err(format!("cargo mutants ended with {status}"));
    }
    let list = |name: &str| {
        let path = folder.join("mutants.out").join(format!("{name}.txt"));
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let count = |name: &str| list(name).map(|text| text.lines().count());
    let missed = list("missed")?;
    Ok(summary(count("caught")?, count("timeout")?, count("unviable")?, &missed))
}

fn summary(caught: usize, timed_out: usize, unviable: usize, missed: &str) -> String {
    let names: Vec<&str> = missed.lines().collect();
    let scored = caught + timed_out + names.len();
    let percent = (caught + timed_out) * 100 / scored.max(1);
    let listed: String = names.iter().map(|name| format!("\n  - {name}")).collect();
    format!(
        "{scored} mutants of the domain's decisions: {percent} % noticed ({caught} by a test, \
         {timed_out} by its time), {} not; {unviable} do not compile{listed}",
        names.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_names_what_was_missed() {
        let said = summary(7, 1, 3, "judge.rs: replace < with <=\ngate.rs: replace + with -\n");
        assert!(said.starts_with("10 mutants of the domain's decisions: 80 % noticed"), "{said}");
        assert!(said.ends_with("\n  - gate.rs: replace + with -"), "{said}");
    }
}
