//! Whom a connection or a request is counted for: the client's address, also behind a proxy that the operator
//! trusts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// What one client can be told by: an IPv4 address, or the /64 of an IPv6 one, which is what one subscriber has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let prefix = u128::from(address) >> 64 << 64;
                Self(Ipv6Addr::from(prefix).into())
            }
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether an address is one of a trusted proxy.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Finds the client of a request. Each proxy adds the address that it was called from at the end of
    /// `X-Forwarded-For`, so the list is read from there, up to the first address that no trusted proxy has:
    /// what stands before it was written by whoever it belongs to.
    pub(crate) fn client_of(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut client = peer;
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            for text in String::from_utf8_lossy(value.as_bytes()).rsplit(',') {
                if !self.contain(client) {
                    return client.into();
                }
                let Some(before) = read(text.trim()) else { return client.into() };
                client = before;
            }
        }
        client.into()
    }
}

/// Reads an address, with or without a port.
fn read(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&'static str]) -> ClientAddress {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|one| one.parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        TrustedProxies::new(trusted.to_vec()).client_of(peer.parse().unwrap(), &headers)
    }

    fn of(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_for_what_it_has_seen() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), of("192.0.2.1"), "no proxy of ours");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), of("198.51.100.7"));
        assert_eq!(
            client("10.0.0.1", &["203.0.113.1, 198.51.100.7, 10.1.1.1"]),
            of("198.51.100.7")
        );
        assert_eq!(client("10.0.0.1", &["203.0.113.1", "198.51.100.7:81"]), of("198.51.100.7"));
        assert_eq!(client("fd00::1", &["[2001:db8::1]:443"]), of("2001:db8::2"));
        assert_eq!(client("10.0.0.1", &["unknown"]), of("10.0.0.1"));
        assert_eq!(client("10.0.0.1", &[]), of("10.0.0.1"));
    }

    /// Whoever writes bytes that are no text before the proxy's own entry is not taken for the proxy.
    #[test]
    fn what_a_client_writes_hides_no_address_that_a_proxy_adds() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"\xff\xfe, 198.51.100.7").unwrap();
        headers.append("x-forwarded-for", value);
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(proxies.client_of("10.0.0.1".parse().unwrap(), &headers), of("198.51.100.7"));
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_client_and_a_mapped_address_its_own() {
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
