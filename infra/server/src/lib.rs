//! The server: all of Waxseal in one process, on one data folder.
//!
//! [`run`] serves until Ctrl-C; [`start`] and [`Server::stop`] do the same in steps, for who does something
//! meanwhile. The functions are those that run on Lambda, over the embedded engine: `server` brings them HTTP
//! requests, `worker` brings them messages. Nothing here decides what becomes of an event.
//!
//! Why these dependencies: `clap` reads [`Settings`] from flags and environment, and describes them in
//! `--help`; `hyper`, which `reqwest` brings anyway, serves; `tokio` and `tracing` as everywhere.

// Their macros panic where the output is closed or full.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod server;
mod settings;
mod worker;

pub use self::server::{Server, run, start, start_by};
pub use self::settings::Settings;
