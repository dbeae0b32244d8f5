//! Settings: flags, and the same as environment variables.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use rustls::pki_types::CertificateDer;
use waxseal_domain::endpoint::address::{AddressRules, OwnReceiver};

use crate::cli::EXIT_CODES;
use crate::http::roots_in;
use crate::{cli, demo_tenant, verify};

/// Signed webhooks, delivered until they are taken.
///
/// Without a command it serves: everything in one process, on one folder. The commands ask a server, this
/// one or any other.
#[derive(Clone, Debug, Parser)]
#[command(name = "waxseal", version, about, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    /// How to serve.
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// What to do, if not serve.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// How to serve.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Serving")]
pub(crate) struct Settings {
    /// Where the API and the receiver listen.
    #[arg(long, env = "WAXSEAL_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The data folder, made if it is not there.
    #[arg(long, env = "WAXSEAL_DATA", default_value = ".waxseal")]
    pub(crate) data: PathBuf,
    /// The operator's API key; one is made at the first start and kept with the data.
    #[arg(long, env = "WAXSEAL_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// Allow endpoints on loopback, and http to them.
    #[arg(
        long, env = "WAXSEAL_ALLOW_LOOPBACK", action = ArgAction::SetTrue,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub(crate) allow_loopback: bool,
    /// Where the API is reached from outside, for links to stored events; where it listens, if not said.
    #[arg(long, env = "WAXSEAL_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Certificates (PEM) of authorities to trust beside Mozilla's.
    #[arg(long, env = "WAXSEAL_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Attempts under way at the same time.
    #[arg(long, env = "WAXSEAL_MAX_ATTEMPTS", default_value_t = 128,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max_attempts: u32,
    /// Share of failed attempts within a minute, in percent, that opens an endpoint's circuit breaker.
    #[arg(long, env = "WAXSEAL_BREAKER_PERCENT", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) breaker_percent: u32,
    /// Seconds from a breaker's opening to its first probe, and between probes.
    #[arg(long, env = "WAXSEAL_PROBE_S", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub(crate) probe_s: u32,
    /// Connections open at the same time.
    #[arg(long, env = "WAXSEAL_MAX_CONNECTIONS", default_value_t = 1_024,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_connections: u32,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Cli(Box<cli::Command>),
    /// Post the sample events and watch them arrive: at the running server, or one started for it.
    Demo(Box<Settings>),
    /// Verify a hook that was saved, and explain why it does not verify. Needs no server.
    Verify(Box<verify::Arguments>),
    /// Print a shell's completion script.
    #[command(
        after_help = "Example: waxseal completion bash > ~/.local/share/bash-completion/completions/waxseal"
    )]
    Completion {
        /// Which shell.
        shell: Shell,
    },
}

impl CommandLine {
    /// A shell's completion script, for this command line.
    pub(crate) fn completion(shell: Shell) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "waxseal", &mut script);
        script
    }
}

impl Settings {
    /// The address at which this machine reaches the server.
    pub(crate) fn own_address(&self) -> SocketAddr {
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        address
    }

    /// Where the API is reached from outside, without a slash at its end.
    pub(crate) fn public_url(&self) -> String {
        let own = || format!("http://{}", self.own_address());
        let url = self.public_url.clone().unwrap_or_else(own);
        url.trim_end_matches('/').to_owned()
    }

    /// The URL of the demo's receiver: the one exception to the address rules.
    pub(crate) fn own_receiver(&self) -> String {
        format!("http://{}/hooks/{}", self.own_address(), demo_tenant::SOURCE)
    }

    /// What may be called.
    pub(crate) fn address_rules(&self) -> AddressRules {
        let own = OwnReceiver { tenant: demo_tenant::TENANT.to_owned(), url: self.own_receiver() };
        let own_receiver = self.own_address().ip().is_loopback().then_some(own);
        let allow_loopback = self.allow_loopback;
        AddressRules { allow_loopback, own_receiver, ..AddressRules::default() }
    }

    /// The authorities in `--ca-file`.
    pub(crate) fn extra_roots(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        roots_in(self.ca_file.as_deref())
    }
}
