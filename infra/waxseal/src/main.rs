//! `waxseal`: the server and the command line in one binary, and a demo of both.
//!
//! `main` reads the command line, and starts the server or the demo, verifies one hook, or asks a server.
//!
//! Why these dependencies: `clap` reads flags and environment, and its `clap_complete` writes completion
//! scripts for shells; `tracing-subscriber` prints logs; of the demo, `hyper` is its receiver and `tempfile` makes
//! a folder that goes with it; `tokio` as everywhere.

// Their macros panic where the output is closed or full.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod command_line;
mod demo;

use std::env::VarError;
use std::error::Error as _;
use std::io::{ErrorKind, IsTerminal as _};
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use waxseal_adapters::repeated::Repeated;

use waxseal_cli::{LocalServer, say};
use waxseal_server::Settings;

use self::command_line::{Command, CommandLine};

fn main() -> ExitCode {
    let CommandLine { settings, command } = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(told) => return tell(&told),
    };
    log(command.is_some());
    match &command {
        None => block_on(serve_until_end(waxseal_server::run(&settings))),
        Some(Command::Demo(settings)) => block_on(serve_until_end(demo::run(settings))),
        Some(Command::Verify(arguments)) => waxseal_cli::verify::run(arguments),
        Some(Command::Completion { shell }) => waxseal_cli::print(&CommandLine::completion(*shell)),
        Some(Command::Cli(command)) => {
            block_on(waxseal_cli::run(command, &local_server(&settings)))
        }
    }
}

/// The server of these settings, for commands that name no other.
fn local_server(settings: &Settings) -> LocalServer {
    LocalServer { url: settings.local_url(), key_file: settings.operator_key_file() }
}

async fn serve_until_end(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    match work.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("waxseal: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn tell(told: &clap::Error) -> ExitCode {
    match told.print() {
        Err(error) if !told.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            say(&format!("waxseal: standard output: {error}"));
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => u8::try_from(told.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            say(&format!("waxseal: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error, `info` and above unless `RUST_LOG` says otherwise; a command, which
/// prints what happens, logs errors only.
fn log(is_command: bool) {
    let default = if is_command { "error" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|error| {
        let is_unset = matches!(
            error.source().and_then(|cause| cause.downcast_ref()),
            Some(VarError::NotPresent)
        );
        if !is_unset {
            // No reason not to start: it may be written for another program.
            say(&format!("waxseal: RUST_LOG is not known ({error}): it is {default}"));
        }
        EnvFilter::new(default)
    });
    let repeated = Repeated::default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A line that cannot be written is lost. The subscriber's own complaint of it would panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let lines = lines.with_filter(repeated.clone()).with_filter(filter);
    tracing_subscriber::registry().with(lines).init();
    if !is_command {
        repeated.say_each_minute();
    }
}
