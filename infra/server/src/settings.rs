//! Settings: flags, and the same as environment variables.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgAction, Args};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::public_url::PublicUrl;

/// How a server is run: the data folder, the address, and the bounds.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Serving")]
pub struct Settings {
    /// Where the API and the receiver listen.
    #[arg(long, env = "WAXSEAL_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The data folder, made if it is not there.
    #[arg(long, env = "WAXSEAL_DATA", default_value = ".waxseal")]
    pub data: PathBuf,
    /// The operator's API key; one is made at the first start and kept with the data.
    #[arg(long, env = "WAXSEAL_API_KEY", hide_env_values = true, value_parser = read_key)]
    pub api_key: Option<String>,
    /// Allow endpoints on loopback, and http to them.
    #[arg(
        long, env = "WAXSEAL_ALLOW_LOOPBACK", action = ArgAction::SetTrue,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub allow_loopback: bool,
    /// Where the API is reached from outside, for links to stored events; where it listens, if not said.
    #[arg(long, env = "WAXSEAL_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
    /// Certificates (PEM) of authorities to trust beside Mozilla's.
    #[arg(long, env = "WAXSEAL_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Attempts under way at the same time.
    #[arg(long, env = "WAXSEAL_MAX_ATTEMPTS", default_value_t = 128,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_attempts: u32,
    /// Share of failed attempts within a minute, in percent, that opens an endpoint's circuit breaker.
    #[arg(long, env = "WAXSEAL_BREAKER_PERCENT", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub breaker_percent: u32,
    /// Seconds from a breaker's opening to its first probe, and between probes.
    #[arg(long, env = "WAXSEAL_PROBE_S", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub probe_s: u32,
    /// Connections open at the same time.
    #[arg(long, env = "WAXSEAL_MAX_CONNECTIONS", default_value_t = 1_024,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_connections: u32,
}

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
}

impl Settings {
    /// Reads settings from flags as the binary does, for who starts a server in a process of its own.
    pub fn of_flags<'a>(flags: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let named = std::iter::once("waxseal").chain(flags);
        let read = <Flags as clap::Parser>::try_parse_from(named);
        read.map(|flags| flags.settings).map_err(|error| error.to_string())
    }

    /// Where this machine reaches a server of these settings, without a slash at its end.
    pub fn local_url(&self) -> String {
        local_url(self.listen)
    }

    /// The file that holds the operator's API key, unless the key is given.
    pub fn operator_key_file(&self) -> PathBuf {
        self.data.join("operator.key")
    }

    /// Where the API of a server at that address is reached from outside.
    pub(crate) fn public_url(&self, address: SocketAddr) -> PublicUrl {
        self.public_url.clone().unwrap_or_else(|| {
            local_url(address).parse().expect("an address behind http:// is a URL")
        })
    }

    /// Which addresses deliveries may go to.
    pub(crate) fn address_rules(&self) -> AddressRules {
        AddressRules { allow_loopback: self.allow_loopback, ..AddressRules::default() }
    }
}

/// Reads the operator's key. With one that is empty nobody could be the operator.
fn read_key(text: &str) -> Result<String, String> {
    let key = text.trim();
    if key.is_empty() {
        return Err("neither it nor WAXSEAL_API_KEY may be empty".to_owned());
    }
    Ok(key.to_owned())
}

/// The URL at which this machine reaches a server that listens there.
pub(crate) fn local_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}
