//! `waxseal`: all the functions in one process, over the embedded store.
//!
//! `main` reads the settings and starts either the server or the demo. The functions are the same
//! that run on Lambda; [`server`] brings them HTTP and [`worker`] messages.
//!
//! Why these dependencies: `clap` for settings as flags and environment with `--help`; `hyper`, which
//! `reqwest` brings anyway, for the server; `tokio` as everywhere.

mod client;
mod demo;
mod demo_tenant;
mod server;
mod settings;
mod worker;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use self::settings::{Command, Settings};

fn main() -> ExitCode {
    let settings = Settings::parse();
    log(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            match settings.command {
                None => server::run(&settings).await,
                Some(Command::Demo) => demo::run(&settings).await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waxseal: {error}");
            ExitCode::FAILURE
        }
    }
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
