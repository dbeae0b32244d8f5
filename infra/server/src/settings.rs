//! Settings: flags, and the same as environment variables.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{ArgAction, Args};
use ipnet::IpNet;
use waxseal_adapters::machine::is_local;
use waxseal_domain::endpoint::address::{AddressRules, OwnAddresses};
use waxseal_domain::flow_control::tenant_bounds::TenantBounds;
use waxseal_domain::limits::{
    TENANT_DELIVERIES_PER_MINUTE, TENANT_DELIVERIES_PER_MINUTE_RANGE, TENANT_MAX_PER_SECOND,
    TENANT_MAX_PER_SECOND_RANGE,
};
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
    /// Requests a second of all API keys of a tenant together; what is over it is refused.
    #[arg(long, env = "WAXSEAL_TENANT_MAX_PER_SECOND", default_value_t = TENANT_MAX_PER_SECOND,
          value_parser = whole(TENANT_MAX_PER_SECOND_RANGE))]
    pub tenant_max_per_second: u32,
    /// Attempts a minute at all deliveries of a tenant together; what is over it waits.
    #[arg(long, env = "WAXSEAL_TENANT_DELIVERIES_PER_MINUTE", default_value_t = TENANT_DELIVERIES_PER_MINUTE,
          value_parser = whole(TENANT_DELIVERIES_PER_MINUTE_RANGE))]
    pub tenant_deliveries_per_minute: u32,
    /// Connections open at the same time.
    #[arg(long, env = "WAXSEAL_MAX_CONNECTIONS", default_value_t = 1_024,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_connections: u32,
    /// Connections that one address may hold without a valid key; half of all, if not said.
    #[arg(long, env = "WAXSEAL_MAX_CONNECTIONS_PER_ADDRESS",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_connections_per_address: Option<u32>,
    /// Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8, with commas between them.
    #[arg(long, env = "WAXSEAL_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,
}

impl Settings {
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

    /// What each tenant may do at the most.
    pub(crate) fn tenant_bounds(&self) -> TenantBounds {
        TenantBounds {
            requests_per_second: self.tenant_max_per_second,
            deliveries_per_minute: self.tenant_deliveries_per_minute,
        }
    }

    /// How many connections without a valid key one address may hold, of so many in all.
    pub(crate) fn most_of_address(&self, connections: u32) -> usize {
        let half = connections.div_ceil(2);
        let most = self.max_connections_per_address.unwrap_or(half).min(connections);
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Which addresses deliveries may go to, from a server that listens at that one.
    pub(crate) fn address_rules(&self, address: SocketAddr) -> AddressRules {
        let own = OwnAddresses {
            listens: vec![address],
            is_local,
            public_url: self.public_url.clone(),
            ..OwnAddresses::default()
        };
        AddressRules { allow_loopback: self.allow_loopback, own, ..AddressRules::default() }
    }
}

/// Reads a number within its bounds.
fn whole(bounds: RangeInclusive<u32>) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(*bounds.start())..=i64::from(*bounds.end()))
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
