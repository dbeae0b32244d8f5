//! `waxseal`: all the functions in one process, over the embedded store; and the command line.
//!
//! `main` reads the command line and starts the server or the demo, verifies one hook, or asks a server.
//! The functions are the same that run on Lambda; [`server`] brings them HTTP and [`worker`] messages.
//!
//! Why these dependencies: `clap` for settings as flags and environment with `--help`, and its
//! `clap_complete` for shells; `hyper`, which `reqwest` brings anyway, for the server and, with its
//! `tokio-rustls` and `webpki-roots`, for the client; `percent-encoding`, which `url` brings anyway, for ids in
//! paths; `console` for colours that a terminal and `NO_COLOR` allow, widths of text and a key typed unseen;
//! `indicatif`, of the same authors and upon it, for progress; `tokio` as everywhere.

mod cli;
mod client;
mod demo;
mod demo_tenant;
mod http;
mod server;
mod settings;
mod verify;
mod worker;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use self::settings::{Command, CommandLine};

fn main() -> ExitCode {
    let CommandLine { settings, command } = CommandLine::parse();
    log(command.is_some());
    match &command {
        None => block_on(served(server::run(&settings))),
        Some(Command::Demo(settings)) => block_on(served(demo::run(settings))),
        Some(Command::Verify(arguments)) => verify::run(arguments),
        Some(Command::Completion { shell }) => completion(*shell),
        Some(Command::Cli(command)) => block_on(cli::run(command, &settings)),
    }
}

async fn served(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    match work.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waxseal: {error}");
            ExitCode::FAILURE
        }
    }
}

fn completion(shell: clap_complete::Shell) -> ExitCode {
    // Nobody reads: nobody to tell.
    let _unread = std::io::stdout().write_all(&CommandLine::completion(shell));
    ExitCode::SUCCESS
}

fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("waxseal: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error, `info` and above unless `RUST_LOG` says otherwise; a command, which
/// prints what happens, logs errors only.
fn log(is_command: bool) {
    let default = if is_command { "error" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
