//! URLs in every notation that a parser may know.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union};

use super::{matching, one_of};

/// A URL in any notation that leads somewhere, and some that lead nowhere.
pub fn url() -> BoxedStrategy<String> {
    let scheme = prop_oneof![9 => Just("https".to_owned()), 1 => one_of(&["http", "HTTPS", "ftp"])];
    let user = prop_oneof![9 => Just(String::new()), 1 => one_of(&["u@", "u:p@", ":@", "@"])];
    let port =
        prop_oneof![4 => Just(String::new()), 1 => any::<u16>().prop_map(|p| format!(":{p}"))];
    let rest =
        prop_oneof![Just("/".to_owned()), Just(String::new()), matching("/[a-z?&=#%./]{0,12}")];
    (scheme, user, host(), port, rest)
        .prop_map(|(scheme, user, host, port, rest)| format!("{scheme}://{user}{host}{port}{rest}"))
        .boxed()
}

fn host() -> impl Strategy<Value = String> {
    let v6 = (v6_prefix(), any::<u32>())
        .prop_map(|(prefix, n)| format!("[{prefix}{:x}:{:x}]", n >> 16, n & 0xffff));
    let embedded = (one_of(&["::", "::ffff:", "::ffff:0:", "64:ff9b::"]), v4())
        .prop_map(|(prefix, n)| format!("[{prefix}{}]", Ipv4Addr::from(n)));
    let any_v6 = any::<u128>().prop_map(|n| format!("[{}]", Ipv6Addr::from(n)));
    let names = one_of(&[
        "example.com",
        "EXAMPLE.com.",
        "localhost",
        "a.localhost.",
        "db.internal",
        "printer",
        "müller.example",
        "x.local",
        "LOCALHOST",
        "loc%61lhost",
        "ｌocalhost",
        "a.home.arpa",
        "..",
    ]);
    Union::new_weighted(vec![
        (4, v4().prop_flat_map(|number| select(notations(number))).boxed()),
        (2, v6.boxed()),
        (2, embedded.boxed()),
        (1, any_v6.boxed()),
        (2, names),
    ])
}

/// An IPv4 address, often one of a range that is set aside.
fn v4() -> impl Strategy<Value = u32> {
    let set_aside = select(&[0_u8, 10, 100, 127, 169, 172, 192, 198, 224][..]);
    let first = prop_oneof![set_aside, any::<u8>()];
    let second = prop_oneof![select(&[0_u8, 16, 64, 168, 254][..]), any::<u8>()];
    (first, second, any::<[u8; 2]>()).prop_map(|(a, b, [c, d])| u32::from_be_bytes([a, b, c, d]))
}

fn v6_prefix() -> impl Strategy<Value = String> {
    one_of(&["::", "::ffff:", "64:ff9b::", "2002:", "fe80::", "fd00::", "2001:db8::", "2606::"])
}

/// The ways to write an IPv4 address.
fn notations(number: u32) -> Vec<String> {
    let [a, b, c, d] = number.to_be_bytes();
    let dotted = Ipv4Addr::from(number).to_string();
    vec![
        format!("{dotted}."),
        number.to_string(),
        format!("{number:#x}"),
        format!("0{number:o}"),
        format!("{a}.{}", number & 0x00ff_ffff),
        format!("{a:#x}.{b}.{}", number & 0xffff),
        format!("0{a:o}.0{b:o}.{c}.{d}"),
        dotted.replace('.', "。"),
        dotted.replace('1', "①"),
        dotted.replace('1', "%31"),
        dotted,
    ]
}
