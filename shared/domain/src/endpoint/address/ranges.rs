//! What an address is: public, loopback, or one of the ranges that are never called.
//!
//! IPv6 forms that carry an IPv4 address are unwrapped, and what they carry is judged. Sources: the
//! IANA special-purpose address registries.

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
        // ::ffff:0:0/96 mapped, ::ffff:0:0:0/96 translated, 64:ff9b::/96 NAT64
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        // 64:ff9b:1::/48 local NAT64: the last 32 bits of its /96 form
        (0x64, 0xff9b, 1, _, _, _) => v4(g, h),
        // 2002::/16 6to4
        (0x2002, high, low, _, _, _) => v4(high, low),
        // ::/96 IPv4-compatible, but for :: and ::1
        (0, 0, 0, 0, 0, 0) if g != 0 || h > 1 => v4(g, h),
        _ => ip,
    }
}

fn of_v4(ip: Ipv4Addr) -> Range {
    match ip.octets() {
        [127, ..] => Range::Loopback,
        [169, 254, ..] => Range::LinkLocal,
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

/// Only global unicast, 2000::/3, can be public; within it, what is set aside is not.
fn of_v6(ip: Ipv6Addr) -> Range {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Range::Loopback,
        [0xfe80..=0xfebf, ..] => Range::LinkLocal,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Range::Private,
        // 2001::/23 protocol assignments with Teredo; documentation; 3fff::/20
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Range::Reserved,
        [0x2000..=0x3fff, ..] => Range::Public,
        _ => Range::Reserved,
    }
}
