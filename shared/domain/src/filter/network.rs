//! Networks of addresses, and texts that are one of them.

use std::net::IpAddr;

use ipnet::IpNet;

/// The longest text of an address: `ffff:…:255.255.255.255`.
const ADDRESS_BYTES_MAX: usize = 45;

/// The addresses that begin with the same bits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network(IpNet);

impl Network {
    /// Reads `10.0.0.0/8`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "must be a network, as 10.0.0.0/8 or 2001:db8::/32";
        let (address, length) = text.split_once('/').ok_or(SHAPE)?;
        let address = parse(address).ok_or(SHAPE)?;
        let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u32 = length.parse().ok().filter(|_| is_number).ok_or(SHAPE)?;
        let read = u8::try_from(length).ok().and_then(|bits| IpNet::new(address, bits).ok());
        let network = read.ok_or("has a mask longer than an address")?;
        if network != network.trunc() {
            return Err("has bits beyond its mask: write the first address of the network");
        }
        Ok(Self(network))
    }

    /// The network of one address alone, if the text is one.
    pub(super) fn of_address(text: &str) -> Option<Self> {
        parse(text).map(|address| Self(address.into()))
    }

    /// Whether the text is an address of it, in whichever notation. An IPv4 address is none of an IPv6 network,
    /// and the other way round.
    pub(super) fn holds(&self, text: &str) -> bool {
        parse(text).is_some_and(|address| self.0.contains(&address))
    }
}

fn parse(text: &str) -> Option<IpAddr> {
    let may_be = text.len() <= ADDRESS_BYTES_MAX && text.contains(['.', ':']);
    if may_be { text.parse().ok() } else { None }
}
