//! The command line: everything that the API does, for a person at a terminal or a script.
//!
//! A file a noun. [`context`] finds the server and the key and calls; [`table`] is how answers look to
//! people; [`failure`] is why a command did not do what was asked, and its exit code.

mod audit;
mod body;
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

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::context::{Connection, Context};
use self::failure::Outcome;
use crate::settings::Settings;

/// What each exit code means; it stands below every `--help`.
pub(crate) const EXIT_CODES: &str = "Exit codes: 0 done; 1 what was asked about failed, or was refused \
(a test not accepted, a doctor's finding); 2 usage; 3 not authorised; 4 not found; 5 the server or the \
network failed.";

/// What to do at a server.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
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
    /// Forward events to a port of this machine, signed as the server would.
    Listen(Box<With<listen::Listen>>),
    /// Check a deployment, and say what to do about what is wrong.
    Doctor(With<Nothing>),
}

/// Commands of a noun.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Noun<C: Subcommand> {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: C,
}

/// A command without others under it.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct With<A: Args> {
    /// First: what follows the connection would stand under its heading in the help.
    #[command(flatten)]
    arguments: A,
    #[command(flatten)]
    connection: Connection,
}

/// No arguments.
#[derive(Args, Clone, Debug)]
pub(crate) struct Nothing {}

/// Does it, says on standard error why not, and by the exit code what kind of failure it was.
pub(crate) async fn run(command: &Command, settings: &Settings) -> ExitCode {
    match command.run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.code())
        }
    }
}

impl Command {
    async fn run(&self, settings: &Settings) -> Outcome {
        let open = |connection: &Connection| Context::open(connection, settings);
        match self {
            Self::Login(with) => with.arguments.run(&with.connection, settings).await,
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
            Self::Listen(with) => with.arguments.run(&open(&with.connection)?).await,
            Self::Doctor(with) => doctor::run(&with.connection, settings).await,
        }
    }
}
