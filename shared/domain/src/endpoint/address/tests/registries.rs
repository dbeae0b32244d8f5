//! The ranges against IANA's special-purpose registries, row by row.
//!
//! What is not globally reachable is refused. What is, is refused as well: anycast of relays, name servers
//! that answer for nobody, identifiers that are no addresses. Nobody receives hooks there. Two rows carry an
//! IPv4 address each, and are judged by it.

use std::net::{IpAddr, Ipv6Addr};

use super::*;

const REGISTRIES: [&str; 2] = [
    include_str!("../iana-ipv4-special-registry.csv"),
    include_str!("../iana-ipv6-special-registry.csv"),
];
/// The rows that are judged by the IPv4 address in their last 32 bits.
const CARRIERS: [&str; 2] = ["::ffff:0:0/96", "64:ff9b::/96"];
/// Ranges that the registries do not have, since others keep them or they were given back.
const OUTSIDE: [&str; 11] = [
    // Multicast of both versions.
    "224.0.0.0/4",
    "ff00::/8",
    // IPv4-compatible, RFC 4291, and IPv4-translated, RFC 2765: both were given up.
    "::/96",
    "::ffff:0:0:0/96",
    // The rest of what RFC 6052 sets aside for translation.
    "64:ff9b::/32",
    // Site-local, RFC 3879, and NSAP, RFC 4048.
    "fec0::/10",
    "200::/7",
    // The first and the second 6bone, RFC 3701.
    "5f00::/8",
    "3ffe::/16",
    // What no registry of addresses was given yet.
    "4000::/3",
    "e000::/9",
];

/// A block's first, last and a middle address.
fn samples(block: &str) -> [IpAddr; 3] {
    let (first, length) = block.split_once('/').unwrap();
    let length: u32 = length.parse().unwrap();
    match first.parse().unwrap() {
        IpAddr::V4(first) => {
            let (first, span) = (first.to_bits(), u32::MAX.checked_shr(length).unwrap_or(0));
            [first, first + span, first + span / 2].map(|bits| IpAddr::V4(bits.into()))
        }
        IpAddr::V6(first) => {
            let (first, span) = (first.to_bits(), u128::MAX.checked_shr(length).unwrap_or(0));
            [first, first + span, first + span / 2].map(|bits| IpAddr::V6(bits.into()))
        }
    }
}

/// The blocks of a row's first cell: several between quotation marks, and marks of footnotes.
fn blocks(row: &str) -> Vec<&str> {
    let cell = match row.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap().0,
        None => row.split_once(',').unwrap().0,
    };
    cell.split(',').map(|block| block.split_whitespace().next().unwrap()).collect()
}

fn rows(registry: &'static str) -> impl Iterator<Item = &'static str> {
    registry.lines().filter(|line| !line.starts_with('#')).skip(1)
}

fn is_refused(ip: IpAddr) -> bool {
    let rules = AddressRules { allow_loopback: false, ..AddressRules::default() };
    assert_eq!(rules.check_ip(ip, 443).is_err(), rules.check_resolved(ip).is_err(), "{ip}");
    rules.check_ip(ip, 443).is_err()
}

#[test]
fn every_row_of_the_registries_is_refused_but_for_those_that_carry_an_address() {
    let (mut rows_read, mut reachable) = (0, 0);
    for row in REGISTRIES.into_iter().flat_map(rows) {
        rows_read += 1;
        reachable += usize::from(row.rsplit(',').nth(1).unwrap() == "True");
        for block in blocks(row).into_iter().filter(|block| !CARRIERS.contains(block)) {
            for ip in samples(block) {
                assert!(is_refused(ip), "{ip} of {row}");
            }
        }
    }
    assert_eq!((rows_read, reachable), (50, 14), "the registries are read whole");
}

#[test]
fn every_range_that_the_registries_lack_is_refused() {
    for block in OUTSIDE {
        // The last sample of 64:ff9b::/32 and of the two /96 is no carrier's.
        for ip in samples(block) {
            assert!(is_refused(ip), "{ip} of {block}");
        }
    }
}

#[test]
fn what_carries_an_address_is_judged_by_it() {
    let carried_by = |prefix: Ipv6Addr, ip: IpAddr| {
        let IpAddr::V4(v4) = ip else { panic!("{ip} is no IPv4 address") };
        IpAddr::V6((prefix.to_bits() | u128::from(v4.to_bits())).into())
    };
    for carrier in CARRIERS {
        let prefix: Ipv6Addr = carrier.split_once('/').unwrap().0.parse().unwrap();
        for block in REGISTRIES.into_iter().take(1).flat_map(rows).flat_map(blocks) {
            for ip in samples(block) {
                assert!(is_refused(carried_by(prefix, ip)), "{ip} in {carrier}");
            }
        }
        assert!(!is_refused(carried_by(prefix, "93.184.216.34".parse().unwrap())), "{carrier}");
    }
}

/// RFC 6052, section 2.2: where the address stands in prefixes of 48 to 96 bits, with the eight bits that are
/// zero. The translator of a network takes each for 169.254.169.254.
#[test]
fn no_prefix_length_of_local_translation_hides_an_address() {
    for ip in [
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:0:a9:fea9:fe00::",
        "64:ff9b:1:ab:a9:fea9:fe00:0",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00:5db8:d822",
        "64:ff9b:1:ffff:ffff:ffff:5db8:d822",
    ] {
        assert!(is_refused(ip.parse().unwrap()), "{ip}");
    }
}

/// RFC 5214: the interface id is 0000:5efe or 0200:5efe and the address, under any prefix.
#[test]
fn isatap_is_refused_under_any_prefix() {
    for prefix in ["2606:2800:220:1", "2a00:1450:4001:81b", "fe80:0:0:0", "2001:db8:0:0"] {
        for id in ["0:5efe", "200:5efe", "100:5efe", "300:5efe"] {
            for carried in ["a9fe:a9fe", "5db8:d822"] {
                let ip = format!("{prefix}:{id}:{carried}");
                assert!(is_refused(ip.parse().unwrap()), "{ip}");
            }
        }
    }
    assert!(!is_refused("2606:2800:220:1:5efe:0:5db8:d822".parse().unwrap()));
}

/// What is refused whole is no loopback either, which a setting may allow.
#[test]
fn loopback_within_an_outdated_form_is_refused_under_the_setting() {
    let rules = AddressRules { allow_loopback: true, ..AddressRules::default() };
    for ip in [
        "168.63.129.16",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b:1::7f00:1",
        "::ffff:0:7f00:1",
        "fe80::5efe:7f00:1",
    ] {
        assert!(rules.check_ip(ip.parse().unwrap(), 443).is_err(), "{ip}");
        assert!(rules.check_resolved(ip.parse().unwrap()).is_err(), "{ip}");
    }
}

#[test]
fn addresses_of_the_public_internet_may_be_called() {
    for ip in [
        "1.1.1.1",
        "93.184.216.34",
        "192.0.1.1",
        "192.88.98.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2001:200::1",
        "2003::1",
        "2620:4f:8001::1",
        "2a00:1450:4001:81b::200e",
        "2606:2800:220:1:248:1893:25c8:1946",
    ] {
        assert!(!is_refused(ip.parse().unwrap()), "{ip}");
    }
}
