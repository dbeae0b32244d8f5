//! Asking before what cannot be undone.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;

use super::failure::{CommandResult, Failure};

/// Whether it was said already.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Confirm {
    /// Do not ask; needed where there is no terminal.
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Asks on a terminal; elsewhere `--yes` must have been said.
pub(crate) fn confirm(given: Confirm, question: &str) -> CommandResult {
    if given.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::Usage(format!(
            "{question} There is no terminal to ask at: say --yes"
        )));
    }
    let mut stderr = std::io::stderr();
    let _unseen = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was done".to_owned())),
    }
}
