//! The whole command line: settings to serve with, or a command.

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use waxseal_cli::{EXIT_CODES, verify};
use waxseal_server::Settings;

/// Signed webhooks, delivered until they are taken.
///
/// Without a command it serves: everything in one process, on one folder. The commands ask a server, this
/// one or any other.
#[derive(Clone, Debug, Parser)]
#[command(name = "waxseal", version, about, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    /// Where the server listens, where its data is, and what it allows.
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// What to do, if not serve.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Cli(Box<waxseal_cli::Command>),
    /// Post sample events and watch them arrive: at the running server, if it allows loopback, or at one of the
    /// demo's own.
    Demo(Box<Settings>),
    /// Verify a hook that was saved, and explain why it does not verify. Needs no server.
    Verify(Box<verify::Arguments>),
    /// Print a shell's completion script.
    #[command(
        after_help = "Example: waxseal completion bash > ~/.local/share/bash-completion/completions/waxseal"
    )]
    Completion {
        /// The shell that the script is for.
        shell: Shell,
    },
}

impl CommandLine {
    /// A shell's completion script, for this command line.
    pub(crate) fn completion(shell: Shell) -> String {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "waxseal", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}
