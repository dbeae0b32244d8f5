//! `waxseal`: all the functions in one process, over the embedded store.
//!
//! `main` reads the settings and starts the server or the demo, or verifies one hook and ends. The
//! functions are the same that run on Lambda; [`server`] brings them HTTP and [`worker`] messages.
//!
//! Why these dependencies: `clap` for settings as flags and environment with `--help`; `hyper`, which
//! `reqwest` brings anyway, for the server; `tokio` as everywhere.

mod client;
mod demo;
mod demo_tenant;
mod server;
mod settings;
mod verify;
mod worker;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use self::settings::{Command, Settings};

fn main() -> ExitCode {
    let settings = Settings::parse();
    log(&settings);
    let done = match &settings.command {
        Some(Command::Verify(arguments)) => return verify::run(arguments),
        Some(Command::Demo) => block_on(demo::run(&settings)),
        None => block_on(server::run(&settings)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waxseal: {error}");
            ExitCode::FAILURE
        }
    }
}

fn block_on(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}

/// Logs go to standard error, `info` and above unless `RUST_LOG` says otherwise; the demo, which
/// prints what happens, logs errors only.
fn log(settings: &Settings) {
    let default = if settings.command.is_some() { "error" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
