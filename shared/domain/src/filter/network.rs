//! Networks of addresses, and texts that are one of them.

use std::net::IpAddr;

/// The longest text of an address: `ffff:…:255.255.255.255`.
const ADDRESS_BYTES_MAX: usize = 45;

/// The addresses that begin with these bits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    bits: u128,
    /// Bits of an address that are not the network's.
    free: u32,
    is_v4: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "must be a network, as 10.0.0.0/8 or 2001:db8::/32";
        let (address, length) = text.split_once('/').ok_or(SHAPE)?;
        let address = parse(address).ok_or(SHAPE)?;
        let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u32 = length.parse().ok().filter(|_| is_number).ok_or(SHAPE)?;
        let free = width(address).checked_sub(length).ok_or("has a mask longer than an address")?;
        let network = Self { bits: bits(address), free, is_v4: address.is_ipv4() };
        if network.bits & !mask(free) != 0 {
            return Err("has bits beyond its mask: write the first address of the network");
        }
        Ok(network)
    }

    /// The network of one address alone, if the text is one.
    pub(super) fn of_address(text: &str) -> Option<Self> {
        let address = parse(text)?;
        Some(Self { bits: bits(address), free: 0, is_v4: address.is_ipv4() })
    }

    /// Whether the text is an address of it, in whichever notation.
    pub(super) fn holds(&self, text: &str) -> bool {
        parse(text).is_some_and(|address| {
            address.is_ipv4() == self.is_v4 && bits(address) & mask(self.free) == self.bits
        })
    }
}

fn parse(text: &str) -> Option<IpAddr> {
    let may_be = text.len() <= ADDRESS_BYTES_MAX && text.contains(['.', ':']);
    if may_be { text.parse().ok() } else { None }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// All ones but for so many at the end.
fn mask(free: u32) -> u128 {
    u128::MAX.checked_shl(free).unwrap_or(0)
}
