//! What code says that decides at once, and what it must not say.

use std::collections::BTreeSet;

use super::imports::{self, words};
use crate::book::source;

/// Words that such code does not say, and why.
const IMPURE: [(&str, &str); 4] = [
    ("async await Future IntoFuture futures tokio", "flows wait"),
    ("Instant SystemTime now_utc now_local", "time is an argument"),
    ("RandomState getrandom rand", "random numbers are arguments"),
    ("TcpStream TcpListener UdpSocket ToSocketAddrs to_socket_addrs", "adapters do"),
];

/// Words by which it would speak to a terminal. What `xtask prove` runs says its figures so.
const PRINTED: &str = "print println eprint eprintln dbg stdin stdout stderr";

/// Modules of std that it does not name. What else reaches outside is known by its words.
const OUTSIDE: [&str; 7] = ["fs", "env", "process", "thread", "os", "future", "task"];

/// What of code is not pure, and which of the ports' traits it declares.
pub(super) fn impurities(text: &str, ports: &[String], is_test: bool) -> Vec<String> {
    let code = source::code(text);
    let words: BTreeSet<&str> = words(&code).collect();
    let mut faults = Vec::new();
    let printed = (!is_test).then_some((PRINTED, "adapters do"));
    for (group, why) in IMPURE.into_iter().chain(printed) {
        let said = group.split(' ').filter(|word| words.contains(word));
        faults.extend(said.map(|word| format!("`{word}` in what is pure: {why}")));
    }
    faults.extend(outside(&code).into_iter().map(|path| format!("`{path}` in what is pure")));
    let declared = traits(&code).into_iter().filter(|name| ports.contains(name));
    faults.extend(declared.map(|name| format!("trait {name} is a port, and belongs to the flows")));
    faults
}

/// The modules of [`OUTSIDE`] that code names, by a path or in the braces of a `use`; and std as a whole,
/// by which they could be named otherwise.
fn outside(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let dense: String = code.split_whitespace().collect();
    for (at, path) in dense.match_indices("std::") {
        let rest = dense.get(at + path.len()..).unwrap_or_default();
        found.extend(words(rest).next().filter(|_| !rest.starts_with('{')).map(str::to_owned));
    }
    for path in imports::paths(code) {
        let inside = path.iter().skip_while(|name| *name != "std").nth(1);
        let is_whole =
            path.iter().any(|name| name == "std") && inside.is_none_or(|name| name == "*");
        found.extend(if is_whole { Some("*".to_owned()) } else { inside.cloned() });
    }
    if words(code).zip(words(code).skip(1)).any(|pair| pair == ("crate", "std")) {
        found.insert("*".to_owned());
    }
    found.retain(|name| name == "*" || OUTSIDE.contains(&name.as_str()));
    found.into_iter().map(|name| format!("std::{name}")).collect()
}

/// The names of the traits that code declares.
pub(super) fn traits(code: &str) -> Vec<String> {
    let names = words(code).zip(words(code).skip(1));
    names.filter(|(word, _)| *word == "trait").map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_and_a_port_are_named() {
        let ports = traits("pub trait Store: Send {\n}\npub(crate) trait Own<T> {}\n");
        assert_eq!(ports, ["Store", "Own"]);
        for one in ["pub async fn go() {}", "fn go() -> impl Future<Output = ()>;", "async || 1"] {
            assert_eq!(impurities(one, &ports, false).len(), 1, "{one}");
        }
        assert_eq!(
            impurities("pub trait Store {}\npub(super) trait Else {}\n", &ports, false).len(),
            1
        );
    }

    #[test]
    fn what_reaches_outside_is_named_however_it_is_written() {
        for one in [
            "let now = Instant::now();",
            "use std::time::{self as t, SystemTime as Clock};",
            "OffsetDateTime::now_utc()",
            "time::OffsetDateTime::now_local()",
            "RandomState::new()",
            "std::fs::read(path)",
            "::std::fs\n    ::read(path)",
            "use std::{collections::BTreeMap, env as settings};",
            "use ::std::{collections::BTreeMap, thread::{self, spawn}};",
            "use std as other;",
            "extern crate std as other;",
            "use std::*;",
            "std::process::exit(1)",
            "std::net::TcpStream::connect(to)",
            "use std::net::UdpSocket;",
            "io::stdin()",
            "println!(\"\")",
            "eprintln!(\"\")",
            "tokio::spawn(go)",
            "getrandom::fill(to)",
            "rand::random()",
        ] {
            assert_eq!(impurities(one, &[], false).len(), 1, "{one}");
        }
    }

    #[test]
    fn what_is_no_code_is_pure() {
        for one in [
            "// an async fn\npub fn decide() {}",
            "/* async\nstd::fs */ pub fn decide() {} // println!()",
            "const SAID: &str = \"async, \\\" std::env\"; const MORE: &str = r#\"\" rand\"#;",
            "use std::net::IpAddr; use std::io::Write; use std::time::Duration;",
            "use std::{fmt, net::Ipv4Addr}; env!(\"CARGO_PKG_VERSION\"); TimestampFuture",
        ] {
            assert_eq!(impurities(one, &[], false), [""; 0], "{one}");
        }
        assert_eq!(impurities("println!()", &[], true), [""; 0]);
    }
}
