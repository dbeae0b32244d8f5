//! The long forms of the attacks: what each took of what it may take, and what it costs a tenant meanwhile.

use crate::cost::Stage;
use crate::run::{cargo, output, step};

const HEAD: &str = "
Each attack in its long form, with what is counted, its bound, and what was counted:

| attack | counted | bound | counted in this run |
| --- | --- | --- | --- |
";

/// Runs every attack, and answers with the table and the figures.
pub(crate) fn attack() -> Result<String, String> {
    Ok(format!("{HEAD}{}\n{}\n{}", table()?, neighbours()?, strangers()?))
}

/// A row of each attack.
fn table() -> Result<String, String> {
    println!("── attacks");
    let mut rows = String::new();
    for (binary, attacks) in [("server", "attacks::"), ("engines", "returning::")] {
        let mut run = cargo();
        run.args(["test", "--package", "waxseal-tests", "--test", binary, "--", attacks]);
        run.args(["--nocapture", "--test-threads", "1"]);
        let printed = output("attacks", run.env("WAXSEAL_ATTACKS_LONG", "1"))?;
        for row in printed.lines().filter_map(row_of) {
            rows.push_str(row);
            rows.push('\n');
        }
    }
    if rows.is_empty() { Err("no attack has printed its row".to_owned()) } else { Ok(rows) }
}

/// The row in a line that a test has printed: where no output is captured, the test's name may stand before it.
fn row_of(line: &str) -> Option<&str> {
    let row = line.find("| ").and_then(|at| line.get(at..))?;
    (row.matches('|').count() == 5 && row.ends_with(" |")).then_some(row)
}

/// What each known attack of one tenant costs another.
fn neighbours() -> Result<String, String> {
    println!("── one tenant's worst, and its neighbour");
    let mut run = cargo();
    run.args(["run", "--quiet", "--package", "waxseal-tests", "--bin", "neighbours"]);
    output("neighbours", &mut run)
}

/// How long a tenant's events take while strangers hold as many connections as they can.
fn strangers() -> Result<String, String> {
    let mut hostile = cargo();
    hostile.args(["build", "--quiet", "--package", "waxseal-tests", "--bin", "hostile"]);
    step(Stage::Build, "build the hostile clients", &hostile)?;
    println!("── strangers");
    let mut run = cargo();
    run.args(["run", "--quiet", "--package", "waxseal-tests", "--bin", "strangers"]);
    output("strangers", &mut run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_behind_a_tests_name() {
        let row = "| filters | steps | 5 | 3 |";
        assert_eq!(row_of(&format!("test attacks::work::dear ... {row}")), Some(row));
        for other in ["", "test attacks::work::dear ... ok", "a | b"] {
            assert_eq!(row_of(other), None, "{other}");
        }
    }
}
