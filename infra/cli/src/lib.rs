//! The command line: everything that the API does, for a person at a terminal or a script.
//!
//! [`Command`] is what a person can ask of a server, and [`run`] does it; [`verify`] checks a saved hook and
//! needs no server. Each file holds the commands of one noun. `context` finds the server and the key and makes
//! the calls, `table` lays answers out for people, and `failure` says why a command did not do what was asked,
//! in words and as an exit code.
//!
//! Why these dependencies: `clap` reads arguments and environment, and prints `--help`; `http` and `bytes`
//! are what the client of `waxseal-adapters` speaks; `percent-encoding`, which `url` brings anyway, escapes ids
//! in paths; `console` colours what a terminal and
//! `NO_COLOR` allow, measures the width of text and reads a key unseen; `indicatif`, by the same authors and
//! built upon it, shows progress; `icu_properties`, which `url` brings anyway, knows which characters nobody
//! sees; `humantime`, whose words `systemd` and others know too, reads how long ago something
//! was; `tokio` as everywhere.

// Their macros panic where the output is closed or full: `output` prints.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod audit_deliveries;
mod body;
mod client;
mod config;
mod confirm;
mod context;
mod deliveries;
mod doctor;
mod draft;
mod endpoints;
mod event_types;
mod events;
mod failure;
mod feed;
mod filter;
mod keys;
mod listen;
mod login;
mod matching;
mod output;
mod page;
mod pretty;
mod progress;
mod recover;
mod send;
mod since;
mod stop;
mod table;
mod tail;
mod tenants;
mod test_event;
pub mod verify;

use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use self::context::{Connection, Context};
use self::failure::CommandResult;

pub use self::client::Client;
pub use self::context::LocalServer;
pub use self::output::say;

/// What each exit code means; it stands below every `--help`.
pub const EXIT_CODES: &str = "Exit codes: 0 done; 1 what was asked about failed, or was refused \
(a test not accepted, a doctor's finding); 2 usage; 3 not authorised; 4 not found; 5 the server or the \
network failed.";

/// What a person asks of a server: a subcommand of `waxseal`, with its arguments.
#[derive(Clone, Debug)]
pub struct Command(Verb);

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Check an API key against a server, and keep both for the commands that follow.
    Login(With<login::Login>),
    /// Forget the server and the key.
    Logout(With<Nothing>),
    /// Which server, which key, and what it may do.
    Whoami(With<Nothing>),
    /// Tenants: list, create (the operator's key).
    Tenants(Noun<tenants::Command>),
    /// API keys of a tenant: list, create, revoke.
    Keys(Noun<keys::Command>),
    /// Endpoints: where events go.
    Endpoints(Noun<endpoints::Command>),
    /// Events: send, list, get, tail.
    Events(Noun<events::Command>),
    /// Deliveries: what was sent, when, and what came back.
    Deliveries(Noun<deliveries::Command>),
    /// Send a delivery again.
    Replay(With<deliveries::One>),
    /// Send all that failed or went missing since a time again.
    Recover(With<recover::Recover>),
    /// Send a test event to an endpoint and show what came back.
    Test(With<test_event::Test>),
    /// Which stored events an endpoint, or a draft of one, would get.
    Match(Box<With<matching::Match>>),
    /// Event types: what they mean, their schema and an example.
    EventTypes(Noun<event_types::Command>),
    /// What was changed, when, and by whom.
    Audit(Noun<audit::Command>),
    /// Hold every delivery's history against what is promised, and name what breaks it.
    AuditDeliveries(With<audit_deliveries::AuditDeliveries>),
    /// Forward events to a port of this machine, signed as the server would.
    Listen(Box<With<listen::Listen>>),
    /// Check a deployment, and say what to do about what is wrong.
    Doctor(With<Nothing>),
}

/// Commands of a noun.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
struct Noun<C: Subcommand> {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: C,
}

/// A command without others under it.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
struct With<A: Args> {
    /// First: what follows the connection would stand under its heading in the help.
    #[command(flatten)]
    arguments: A,
    #[command(flatten)]
    connection: Connection,
}

/// The arguments of a command that takes none.
#[derive(Args, Clone, Debug)]
struct Nothing {}

/// Does what was asked. Where it cannot, it says why on standard error, and its exit code says which kind of
/// failure it was ([`EXIT_CODES`]). `local` is the server to ask where nothing says which.
pub async fn run(command: &Command, local: &LocalServer) -> ExitCode {
    exit_code(command.0.run(local).await)
}

/// Prints a text on standard output, and says by the exit code whether it could. That nobody reads any more is no
/// failure.
pub fn print(text: &str) -> ExitCode {
    exit_code(output::print(text))
}

fn exit_code(result: CommandResult) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.code())
        }
    }
}

// The verbs and their arguments stay private: clap needs no more than these.
impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Verb::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        Verb::augment_subcommands(command)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Verb::augment_subcommands_for_update(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Verb::has_subcommand(name)
    }
}

impl Verb {
    async fn run(&self, local: &LocalServer) -> CommandResult {
        let open = |connection: &Connection| Context::open(connection, local);
        match self {
            Self::Login(with) => with.arguments.run(&with.connection, local).await,
            Self::Logout(with) => login::forget(&with.connection),
            Self::Whoami(with) => login::whoami(&open(&with.connection)?).await,
            Self::Tenants(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::Keys(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::Endpoints(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::Events(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::Deliveries(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::Replay(with) => with.arguments.replay(&open(&with.connection)?).await,
            Self::Recover(with) => with.arguments.run(&open(&with.connection)?).await,
            Self::Test(with) => with.arguments.run(&open(&with.connection)?).await,
            Self::Match(with) => with.arguments.run(&open(&with.connection)?).await,
            Self::EventTypes(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::Audit(noun) => noun.command.run(&open(&noun.connection)?).await,
            Self::AuditDeliveries(with) => with.arguments.run(&open(&with.connection)?).await,
            Self::Listen(with) => with.arguments.run(&open(&with.connection)?).await,
            Self::Doctor(with) => doctor::run(&with.connection, local).await,
        }
    }
}
