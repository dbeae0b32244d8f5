//! Our own addresses: what is sent to one of them comes back to us. To refuse them is a courtesy to whoever configures
//! an endpoint by mistake. A relay of somebody else's leads back as well, and what ends a circle is its hops
//! ([`crate::event::hops`]).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use url::{Host, Url};

use super::{AddressFault, is_loopback, ranges};
use crate::public_url::PublicUrl;

/// Hosts that are learnt from requests, at most: an API has few names.
const LEARNT_MAX: usize = 16;
/// The port at which AWS serves the hosts that are learnt.
const HTTPS: u16 = 443;

/// Where this deployment is reached.
#[derive(Clone, Debug)]
pub struct OwnAddresses {
    /// The addresses that this process listens at. One that is unspecified stands for all of this machine's.
    pub listens: Vec<SocketAddr>,
    /// Says whether an address is one of this machine's; asked only about ports that this process listens at.
    pub is_local: fn(IpAddr) -> bool,
    /// Where the API is reached from outside, where somebody said it.
    pub public_url: Option<PublicUrl>,
    /// Hosts at which requests came in.
    pub learnt: LearntHosts,
}

/// Hosts at which requests came in, as AWS tells them. All copies of it are one.
#[derive(Clone, Debug, Default)]
pub struct LearntHosts(Arc<Mutex<BTreeSet<String>>>);

impl LearntHosts {
    /// Learns a host. It must be one that AWS tells, never the request itself: a sender could otherwise have any
    /// receiver refused.
    pub fn learn(&self, host: &str) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < LEARNT_MAX && !hosts.contains(host) {
            hosts.insert(host.to_ascii_lowercase());
        }
    }

    fn contains(&self, host: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }
}

impl Default for OwnAddresses {
    fn default() -> Self {
        Self {
            listens: Vec::new(),
            is_local: |_| false,
            public_url: None,
            learnt: LearntHosts::default(),
        }
    }
}

impl OwnAddresses {
    /// Whether a URL leads to us, as far as it tells without a look-up.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), AddressFault> {
        let Some(port) = url.port_or_known_default() else { return Ok(()) };
        let is_own = match url.host() {
            Some(Host::Ipv4(ip)) => self.is_own(ip.into(), port),
            Some(Host::Ipv6(ip)) => self.is_own(ip.into(), port),
            Some(Host::Domain(_)) => is_loopback(url) && self.listens_on_loopback(port),
            None => false,
        };
        let is_named = self.public_url.as_ref().is_some_and(|own| is_within(url, own.as_str()));
        if is_own || is_named || self.is_learnt(url, port) {
            return Err(AddressFault::OwnAddress);
        }
        Ok(())
    }

    /// Whether an address that was found leads to us.
    pub(super) fn check_ip(&self, ip: IpAddr, port: u16) -> Result<(), AddressFault> {
        if self.is_own(ip, port) { Err(AddressFault::OwnAddress) } else { Ok(()) }
    }

    /// Whether this process listens at a port, at whatever address.
    pub fn listens_at(&self, port: u16) -> bool {
        self.listens.iter().any(|own| own.port() == port)
    }

    fn is_own(&self, ip: IpAddr, port: u16) -> bool {
        let ip = ranges::unmap(ip);
        let is_own = |own: IpAddr| match own {
            IpAddr::V4(own) if own.is_unspecified() => ip.is_ipv4() && self.is_this_machine(ip),
            IpAddr::V6(own) if own.is_unspecified() => self.is_this_machine(ip),
            own => ranges::unmap(own) == ip,
        };
        self.listens.iter().any(|own| own.port() == port && is_own(own.ip()))
    }

    fn is_this_machine(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || (self.is_local)(ip)
    }

    fn listens_on_loopback(&self, port: u16) -> bool {
        let is_there = |ip: IpAddr| ip.is_unspecified() || ranges::unmap(ip).is_loopback();
        self.listens.iter().any(|own| own.port() == port && is_there(own.ip()))
    }

    fn is_learnt(&self, url: &Url, port: u16) -> bool {
        port == HTTPS && name_of(url).is_some_and(|name| self.learnt.contains(name))
    }
}

/// The host of a URL; a full stop at its end names the same host.
fn name_of(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_suffix('.').unwrap_or(host))
}

/// Whether a URL is that of the API or below it: of the same host and port, its path beginning with the API's.
fn is_within(url: &Url, own: &str) -> bool {
    let Ok(own) = Url::parse(own) else { return false };
    let is_there =
        name_of(url) == name_of(&own) && url.port_or_known_default() == own.port_or_known_default();
    let path = own.path().trim_end_matches('/');
    let below = url.path().strip_prefix(path);
    is_there && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::address::AddressRules;

    fn rules(listens: &str, public_url: &str) -> AddressRules {
        let own = OwnAddresses {
            listens: vec![listens.parse().unwrap()],
            is_local: |ip| ip.to_string() == "93.184.216.34",
            public_url: public_url.parse().ok(),
            ..OwnAddresses::default()
        };
        AddressRules { allow_loopback: true, own, ..AddressRules::default() }
    }

    fn is_own(rules: &AddressRules, url: &str) -> bool {
        rules.check_url(url) == Err(AddressFault::OwnAddress)
    }

    #[test]
    fn no_spelling_hides_where_we_listen() {
        let rules = rules("127.0.0.1:8080", "");
        for url in [
            "http://127.0.0.1:8080/hooks/a",
            "http://[::ffff:127.0.0.1]:8080/",
            "http://2130706433:8080/",
            "http://0x7f.1:8080/",
            "http://0177.0.0.1:8080/",
            "https://127.1:8080/",
            "http://localhost:8080/",
            "http://LOCALHOST.:8080/",
            "http://a.localhost:8080/",
            "http://①②⑦.0.0.1:8080/",
        ] {
            assert!(is_own(&rules, url), "{url}");
        }
        // A receiver of somebody else on this machine.
        for url in ["http://127.0.0.1:8081/", "http://127.0.0.2:8080/", "http://[::1]:8080/"] {
            assert_eq!(rules.check_url(url).map(|_| ()), Ok(()), "{url}");
        }
        let found = "127.0.0.1".parse().unwrap();
        assert_eq!(rules.check_ip(found, 8_080), Err(AddressFault::OwnAddress));
        assert_eq!(rules.check_ip(found, 8_081), Ok(()));
    }

    #[test]
    fn who_listens_everywhere_is_at_every_address_of_the_machine() {
        let everywhere = rules("0.0.0.0:8443", "");
        for url in
            ["https://93.184.216.34:8443/", "https://127.0.0.9:8443/", "https://localhost:8443/"]
        {
            assert!(is_own(&everywhere, url), "{url}");
        }
        for url in ["https://93.184.216.35:8443/", "https://93.184.216.34/", "https://[::1]:8443/"]
        {
            assert!(!is_own(&everywhere, url), "{url}");
        }
        let both = rules("[::]:8443", "");
        for url in ["https://[::1]:8443/", "https://127.0.0.1:8443/", "https://93.184.216.34:8443/"]
        {
            assert!(is_own(&both, url), "{url}");
        }
    }

    #[test]
    fn the_public_url_is_refused_with_all_below_it() {
        let whole = rules("127.0.0.1:8080", "https://hooks.example");
        for url in [
            "https://hooks.example/",
            "https://HOOKS.example./hooks/a",
            "https://hooks.example:443/x",
            "https://hooks%2Eexample/",
        ] {
            assert!(is_own(&whole, url), "{url}");
        }
        for url in [
            "https://hooks.example:8443/",
            "https://other.hooks.example/",
            "https://hooks.example.org/",
        ] {
            assert!(!is_own(&whole, url), "{url}");
        }
        let below = rules("127.0.0.1:8080", "https://example.com/waxseal/");
        assert!(is_own(&below, "https://example.com/waxseal/hooks/a"));
        assert!(is_own(&below, "https://example.com/x/../waxseal"));
        assert!(!is_own(&below, "https://example.com/waxsealed"));
        assert!(!is_own(&below, "https://example.com/siem"));
    }

    #[test]
    fn hosts_are_learnt_and_are_few() {
        let rules = rules("127.0.0.1:8080", "");
        assert!(!is_own(&rules, "https://abc.execute-api.example/"));
        rules.own.learnt.learn("ABC.execute-api.example");
        assert!(is_own(&rules, "https://abc.execute-api.example./hooks/a"));
        assert!(!is_own(&rules, "https://abc.execute-api.example:8443/"));
        for number in 0..2 * LEARNT_MAX {
            rules.own.learnt.learn(&format!("h{number}.example"));
        }
        assert!(!is_own(&rules, &format!("https://h{LEARNT_MAX}.example/")));
    }
}
