//! The address rules: which URLs and which addresses may be called.
//!
//! Applied three times: to the URL when it is configured, to every resolved address before
//! connecting, and to the peer's address after. The second alone would not do: an HTTP client does
//! not resolve a literal.

mod own;
mod ranges;

pub use self::own::{LearntHosts, OwnAddresses};

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;
use url::{Host, Url};

use self::ranges::Range;
use crate::endpoint::target::{CloudTargets, Target, TargetForm};

/// Characters of a URL.
pub const URL_CHARS_MAX: usize = 2_048;

/// What may be called in this deployment.
#[derive(Clone, Debug, Default)]
pub struct AddressRules {
    /// Allows loopback, and `http` to it. Off unless a person sets it.
    pub allow_loopback: bool,
    /// The Lambda runtime's own API: whoever reaches it can steal and forge invocations.
    pub runtime_api: Option<SocketAddr>,
    /// Queues and buses of AWS; none where there is no AWS.
    pub cloud_targets: Option<CloudTargets>,
    /// Where we are ourselves.
    pub own: OwnAddresses,
}

/// Why a URL or an address may not be called.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AddressFault {
    /// The text is not a URL at all.
    #[error("is not an absolute URL")]
    NotAUrl,
    /// The URL is longer than [`URL_CHARS_MAX`].
    #[error("is longer than {URL_CHARS_MAX} characters")]
    TooLong,
    /// White space or control characters, which URL parsers drop in silence.
    #[error("must not hold white space or control characters")]
    WhiteSpace,
    /// A part after `#`, which would never be sent.
    #[error("must not have a fragment")]
    Fragment,
    /// The URL's scheme is not `https`.
    #[error("must be https")]
    NotHttps,
    /// A user name or a password in it.
    #[error("must not hold a user name or password")]
    UserInformation,
    /// The URL has a port that may not be called.
    #[error("must have port 443, or 1024 to 65535")]
    Port,
    /// A name that is only known inside some network.
    #[error("must not name a host of a private network")]
    PrivateName,
    /// An address outside the public internet.
    #[error("must not lead to {0} address")]
    Range(&'static str),
    /// The text is an ARN, and this deployment is not on AWS.
    #[error("is an ARN, and this server has no AWS: give an https URL")]
    NoAws,
    /// The text is an ARN, but not of a queue or a bus.
    #[error("is not the ARN of an SQS queue or an EventBridge bus")]
    NotAnArn,
    /// A queue or bus that the operator does not allow.
    #[error("is not among the queues and buses that this deployment may send to")]
    NotATarget,
    /// An address of Waxseal's own.
    #[error("leads back to Waxseal itself")]
    OwnAddress,
    /// A queue or bus of Waxseal's own.
    #[error("is a queue or bus of Waxseal's own")]
    OwnResource,
}

impl AddressRules {
    /// Whether an endpoint's URL may be configured and sent to; what it leads to.
    pub fn check(&self, text: &str) -> Result<Target, AddressFault> {
        match TargetForm::of(text) {
            TargetForm::Url => self.check_url(text).map(Target::Http),
            TargetForm::Arn => self.cloud_targets.as_ref().ok_or(AddressFault::NoAws)?.check(text),
        }
    }

    /// Whether a URL may be configured and called; the URL as parsed.
    pub fn check_url(&self, text: &str) -> Result<Url, AddressFault> {
        if text.chars().count() > URL_CHARS_MAX {
            return Err(AddressFault::TooLong);
        }
        if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(AddressFault::WhiteSpace);
        }
        let url = Url::parse(text).map_err(|_| AddressFault::NotAUrl)?;
        if url.fragment().is_some() {
            return Err(AddressFault::Fragment);
        }
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err(AddressFault::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::UserInformation);
        }
        let loopback = self.allow_loopback && is_loopback(&url);
        if url.scheme() != "https" && !loopback {
            return Err(AddressFault::NotHttps);
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if port != 443 && port < 1024 && !(loopback && port == 80) {
            return Err(AddressFault::Port);
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check_ip(ip.into(), port)?,
            Some(Host::Ipv6(ip)) => self.check_ip(ip.into(), port)?,
            Some(Host::Domain(name)) if !loopback && is_private_name(name) => {
                return Err(AddressFault::PrivateName);
            }
            Some(Host::Domain(_)) | None => {}
        }
        self.own.check_url(&url)?;
        Ok(url)
    }

    /// Whether an address to which a checked URL leads may be called, on that port.
    pub fn check_ip(&self, ip: IpAddr, port: u16) -> Result<(), AddressFault> {
        let range = ranges::range_of(ip);
        if range == Range::LinkLocal || self.is_runtime_api(ip, port) {
            return Err(AddressFault::Range(Range::LinkLocal.name()));
        }
        match range {
            Range::Public => self.own.check_ip(ip, port),
            Range::Loopback if self.allow_loopback => self.own.check_ip(ip, port),
            Range::Loopback | Range::LinkLocal | Range::Private | Range::Reserved => {
                Err(AddressFault::Range(range.name()))
            }
        }
    }

    /// Whether an address that a name was resolved to may be called. The port is not known there,
    /// so the runtime API's whole address is refused.
    pub fn check_resolved(&self, ip: IpAddr) -> Result<(), AddressFault> {
        let is_runtime_api =
            self.runtime_api.is_some_and(|api| ranges::unmap(api.ip()) == ranges::unmap(ip));
        match ranges::range_of(ip) {
            Range::Public => Ok(()),
            Range::Loopback if self.allow_loopback && !is_runtime_api => Ok(()),
            range @ (Range::Loopback | Range::LinkLocal | Range::Private | Range::Reserved) => {
                Err(AddressFault::Range(range.name()))
            }
        }
    }

    fn is_runtime_api(&self, ip: IpAddr, port: u16) -> bool {
        self.runtime_api
            .is_some_and(|api| ranges::unmap(api.ip()) == ranges::unmap(ip) && api.port() == port)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ranges::range_of(ip.into()) == Range::Loopback,
        Some(Host::Ipv6(ip)) => ranges::range_of(ip.into()) == Range::Loopback,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Names that resolve inside a network only: one label, or under a top level kept for that.
fn is_private_name(name: &str) -> bool {
    const PRIVATE: [&str; 6] = ["localhost", "local", "internal", "intranet", "lan", "home.arpa"];
    let name = name.trim_end_matches('.');
    !name.contains('.')
        || PRIVATE.iter().any(|top| name.strip_suffix(top).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests;
