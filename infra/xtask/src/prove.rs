//! The long forms of what every test run does shortly: many seeds, many kills, mutants, a soak.

use std::process::Command;
use std::time::Instant;

use crate::FUZZ_S;
use crate::attacks::attack;
use crate::cost::Stage;
use crate::fuzz::fuzz;
use crate::kept::{Section, keep};
use crate::mutants::{Shard, mutate};
use crate::run::{cargo, output, step};

const HEAD: &str = "
By `cargo xtask prove`, on the same machine: the simulation on many seeds, `kill -9` of the embedded
server under load, power cuts of the embedded engine on a simulated disk, `cargo fuzz` of what parses
outside input, `cargo mutants` on the domain and the flows' pure functions, a soak of the release build at a steady rate,
and each known attack of one tenant while another is served. In the soak three endpoints want each
event: one steady, one that answers half of its POSTs with 503, one that takes 100 ms; load, receivers
and server share the two cores.

";

/// How much of each.
pub(crate) struct Lengths {
    seeds: u64,
    kills: u64,
    seconds: u64,
    cuts: u64,
}

impl Lengths {
    /// Of the arguments `SEEDS KILLS SECONDS CUTS`; what is left out is as long as it should be.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let number = |at: usize, default: u64| match arguments.get(at) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("{text} is no number")),
        };
        if let Some(more) = arguments.get(4) {
            return Err(format!("{more} is one argument too many"));
        }
        Ok(Self {
            seeds: number(0, 1_000_000)?,
            kills: number(1, 100)?,
            seconds: number(2, 600)?,
            cuts: number(3, 10_000)?,
        })
    }
}

/// Runs all of them, and keeps the summary; the first that fails is named, and nothing is kept.
pub(crate) fn prove(lengths: &Lengths) -> Result<(), String> {
    step(
        Stage::Build,
        "build the server",
        cargo().args(["build", "--package", "waxseal", "--quiet"]),
    )?;
    let mut release = cargo();
    release.args(["build", "--release", "--package", "waxseal", "--quiet"]);
    step(Stage::Build, "build the server for release", &release)?;
    let simulated = simulate(lengths.seeds)?;
    let killed = kill(lengths.kills)?;
    let cut = cut_power(lengths.cuts)?;
    let fuzzed = fuzz(FUZZ_S)?;
    let mutated = mutate(Shard::WHOLE)?;
    let filtered = filters()?;
    let soaked = soak(lengths.seconds)?;
    let asked = api()?;
    let attacked = attack()?;
    let summary = format!(
        "{HEAD}- {simulated}\n- {killed}\n{cut}\n- {fuzzed}\n- {mutated}\n{filtered}\n{soaked}\n{asked}\n{attacked}"
    );
    print!("{summary}");
    keep(Section::Proved, &summary)
}

fn simulate(seeds: u64) -> Result<String, String> {
    let mut build = test(&["--release"], "engines");
    step(Stage::Build, "build the simulation", build.args(["--no-run", "--quiet"]))?;
    println!("── simulate {seeds} seeds");
    let began = Instant::now();
    let mut run = test(&["--release"], "engines");
    run.args(["--", "nothing_acknowledged_is_lost_on_any_seed"]);
    let printed = output("simulation", run.env("WAXSEAL_SEEDS", seeds.to_string()))?;
    require_one_passed(&printed)?;
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    Ok(format!("{seeds} simulated seeds: no acknowledged event lost, in {minutes:.1} min"))
}

fn kill(kills: u64) -> Result<String, String> {
    println!("── kill the server {kills} times");
    let mut run = test(&[], "server");
    run.args(["--", "what_was_acknowledged_survives_kill_9", "--nocapture"]);
    let printed = output("kill", run.env("WAXSEAL_KILLS", kills.to_string()))?;
    require_one_passed(&printed)?;
    let summary = printed.lines().find(|line| line.starts_with(&format!("{kills} kills: ")));
    summary.map(str::to_owned).ok_or_else(|| format!("kill said nothing:\n{printed}"))
}

/// On a disk that works, and on one whose writes and syncs fail now and then: a line of each.
fn cut_power(cuts: u64) -> Result<String, String> {
    println!("── cut the power {cuts} times, on each of two disks");
    let mut run = cargo();
    run.args(["test", "--package", "waxseal-power", "--test", "power", "--"]);
    run.args(["what_was_answered_outlasts", "--nocapture"]);
    let printed = output("power cuts", run.env("WAXSEAL_CUTS", cuts.to_string()))?;
    let mut lines = Vec::new();
    for line in printed.lines().filter(|line| line.contains("none lost")) {
        lines.push(format!("- {line}"));
    }
    if lines.len() == 2 && printed.contains("test result: ok. 2 passed") {
        return Ok(lines.join("\n"));
    }
    Err(format!("not the two tests that were to run:\n{printed}"))
}

/// The figures, from the table's head on.
fn soak(seconds: u64) -> Result<String, String> {
    println!("── soak for {seconds} s");
    let mut run = cargo();
    run.args(["run", "--quiet", "--package", "waxseal-tests", "--bin", "soak"]);
    let printed = output("soak", run.env("WAXSEAL_SECONDS", seconds.to_string()))?;
    let table = printed.find("| soak").and_then(|at| printed.get(at..));
    table.map(str::to_owned).ok_or_else(|| format!("soak said nothing:\n{printed}"))
}

/// A million random pairs of pattern and event, and what matching an event costs.
fn filters() -> Result<String, String> {
    println!("── filters");
    let mut million = cargo();
    million.args(["test", "--release", "--package", "waxseal-domain", "million", "--"]);
    let printed = output("a million pairs", million.args(["--ignored", "--nocapture"]))?;
    require_one_passed(&printed)?;
    let pairs = printed.lines().find(|line| line.contains("pairs")).unwrap_or_default();
    let mut cost = cargo();
    cost.args(["run", "--release", "--quiet", "--package", "waxseal-domain"]);
    let cost = output("match cost", cost.args(["--example", "match_cost"]))?;
    Ok(format!("- filters: {pairs}\n- {}\n", cost.trim().replace('\n', "; ")))
}

fn api() -> Result<String, String> {
    println!("── the API at a modest load");
    let mut run = cargo();
    run.args(["run", "--quiet", "--package", "waxseal-tests", "--bin", "latencies"]);
    output("api", &mut run)
}

fn test(options: &[&str], name: &str) -> Command {
    let mut test = cargo();
    test.arg("test").args(options).args(["--package", "waxseal-tests", "--test", name]);
    test
}

/// A filter that matches nothing would pass as well.
fn require_one_passed(printed: &str) -> Result<(), String> {
    if printed.contains("test result: ok. 1 passed") {
        return Ok(());
    }
    Err(format!("not the one test that was to run:\n{printed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_given_in_order_or_left_out() {
        let parse = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            Lengths::parse(&arguments).map(|one| (one.seeds, one.kills, one.seconds, one.cuts))
        };
        assert_eq!(parse(&[]), Ok((1_000_000, 100, 600, 10_000)));
        assert_eq!(parse(&["7", "5"]), Ok((7, 5, 600, 10_000)));
        assert_eq!(parse(&["7", "5", "60"]), Ok((7, 5, 60, 10_000)));
        assert_eq!(parse(&["7", "5", "60", "20"]), Ok((7, 5, 60, 20)));
        assert!(parse(&["many"]).is_err());
        assert!(parse(&["1", "1", "1", "1", "1"]).is_err());
    }
}
