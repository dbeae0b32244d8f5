//! What an address is: public, loopback, or one of the ranges that are never called.
//!
//! Two IPv6 forms that are in use carry an IPv4 address, always in the same place, and what they carry is
//! judged. Every other form that carries one is refused whole: where in it the address stands depends on a
//! prefix length that only the translator knows (RFC 6052), or nobody uses it any more. So is all that the
//! IANA special-purpose address registries list, globally reachable or not; the tests go through them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    Public,
    Loopback,
    LinkLocal,
    Private,
    Reserved,
}

impl Range {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Public => "a public",
            Self::Loopback => "a loopback",
            Self::LinkLocal => "a link-local",
            Self::Private => "a private",
            Self::Reserved => "a reserved",
        }
    }
}

pub(super) fn range_of(ip: IpAddr) -> Range {
    match unmap(ip) {
        IpAddr::V4(ip) => of_v4(ip),
        IpAddr::V6(ip) => of_v6(ip),
    }
}

/// The IPv4 address that an IPv6 form carries, or the address itself.
pub(super) fn unmap(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        // ::ffff:0:0/96 mapped, 64:ff9b::/96 NAT64
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        _ => ip,
    }
}

fn of_v4(ip: Ipv4Addr) -> Range {
    match ip.octets() {
        [127, ..] => Range::Loopback,
        // 168.63.129.16 is the same to machines on Azure: the host's own services.
        [169, 254, ..] | [168, 63, 129, 16] => Range::LinkLocal,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Range::Private,
        [0, ..]
        | [192, 0, 0 | 2, _]
        | [192, 31, 196, _]
        | [192, 52, 193, _]
        | [192, 88, 99, _]
        | [192, 175, 48, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Range::Reserved,
        _ => Range::Public,
    }
}

/// Only global unicast, 2000::/3, can be public; within it, what is set aside is not. Outside of it are
/// `::/96` and `::ffff:0:0:0/96`, 64:ff9b:1::/48, discard, `SRv6` SIDs and multicast.
fn of_v6(ip: Ipv6Addr) -> Range {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Range::Loopback,
        [0xfe80..=0xfebf, ..] => Range::LinkLocal,
        // Unique-local, and site-local before it.
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Range::Private,
        // ISATAP's interface ids, under any prefix, whatever their bits for "universal" and "group" say.
        [_, _, _, _, 0 | 0x100 | 0x200 | 0x300, 0x5efe, ..]
        // 2001::/23: Teredo, benchmarking, AMT, AS112, ORCHID, DETs and what else is a protocol's.
        | [0x2001, 0..=0x1ff, ..]
        // Documentation.
        | [0x2001, 0xdb8, ..]
        | [0x3fff, 0..=0xfff, ..]
        // 6to4, and the 6bone, which was given back.
        | [0x2002 | 0x3ffe, ..]
        // AS112: name servers that answer for private addresses.
        | [0x2620, 0x4f, 0x8000, ..] => Range::Reserved,
        [0x2000..=0x3fff, ..] => Range::Public,
        _ => Range::Reserved,
    }
}
