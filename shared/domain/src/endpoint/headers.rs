//! Headers of an endpoint's own: which may be set, which are reserved, and whose values may be secrets.
//!
//! A value is taken for a secret unless the header's name is one of those that never hold any: nobody can list
//! the names under which receivers expect their keys. What may be a secret is stored sealed, and is shown as
//! [`NOT_SHOWN`]. Sent back, that keeps the value which is stored, so that what was read may be written again.

use std::collections::BTreeMap;

use crate::event::hops::HOPS_HEADER;
use crate::limits::{HEADER_NAME_CHARS_MAX, HEADER_VALUE_CHARS_MAX};
use crate::profile::Profile;

/// Headers that no endpoint may set: they belong to the connection, or Waxseal sends them itself.
/// `authorization` is set by the endpoint's `auth`.
const RESERVED: [&str; 18] = [
    "authorization",
    "connection",
    "cookie",
    "forwarded",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "traceparent",
    "expect",
    HOPS_HEADER,
];

/// Headers that say how an answer should be, or where a request is from: their values are shown.
const HARMLESS: [&str; 12] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-language",
    "from",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "x-requested-with",
];

/// Stands in place of a value that is not shown.
pub const NOT_SHOWN: &str = "(not shown)";

/// An endpoint's own headers as they are stored, by names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnHeaders {
    /// The values that are shown.
    pub shown: BTreeMap<String, String>,
    /// The values that may be secrets, each as the key vault has sealed it.
    pub sealed: BTreeMap<String, String>,
}

/// Whether the value of a header may be a secret: every value of every header but the harmless ones, unless it
/// is empty. The name is in lower case.
pub fn may_be_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && !HARMLESS.contains(&name)
}

/// Returns the value as it is shown.
pub fn show<'a>(name: &str, value: &'a str) -> &'a str {
    if may_be_secret(name, value) { NOT_SHOWN } else { value }
}

/// Says whether an endpoint of a profile may set a header of this name, in lower case.
pub fn may_set(name: &str, profile: &Profile) -> bool {
    is_name(name) && !is_reserved(name) && !is_of_profile(name, profile)
}

/// Whether an endpoint may set a header whatever its profile is. It is asked where the profile is
/// not known, so that all other faults can be named.
pub fn may_set_in_any(name: &str) -> bool {
    is_name(name) && !is_reserved(name)
}

/// Says whether a header may have this value: printable ASCII, so that every receiver reads the same.
pub fn is_value(value: &str) -> bool {
    value.len() <= HEADER_VALUE_CHARS_MAX && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A token of RFC 9110.
fn is_name(name: &str) -> bool {
    (1..=HEADER_NAME_CHARS_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_reserved(name: &str) -> bool {
    // `webhook-…` are the headers of Standard Webhooks, which may stand beside any profile's own.
    RESERVED.contains(&name) || name.starts_with("webhook-")
}

fn is_of_profile(name: &str, profile: &Profile) -> bool {
    let prefix = profile.envelope.extension_headers.as_deref();
    profile.dialect.header_names().any(|own| own == name)
        || prefix.is_some_and(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_ones_own_may_be_set() {
        let standard = Profile::standard();
        assert!(may_set("x-team", &standard) && may_set_in_any("x-team"));
        for name in ["", "a b", "ä", "a:b", &"x".repeat(HEADER_NAME_CHARS_MAX + 1)] {
            assert!(!may_set(name, &standard), "{name}");
        }
    }

    #[test]
    fn reserved_headers_and_the_profiles_may_not() {
        let github = Profile::find_builtin("github").unwrap();
        for name in RESERVED.iter().chain(&["webhook-id", "x-hub-signature-256"]) {
            assert!(!may_set(name, &github), "{name}");
        }
        assert!(may_set("x-hub-signature-256", &Profile::standard()));
        let binary = Profile::find_builtin("cloudevents-binary").unwrap();
        assert!(!may_set("ce-severity", &binary));
    }

    #[test]
    fn every_value_may_be_a_secret_but_those_of_harmless_headers() {
        for name in
            ["x-api-key", "api-key", "x-auth-token", "x-team", "x-functions-key", "dd-api-key"]
        {
            assert_eq!(show(name, ""), "");
            assert_eq!(show(name, "canary"), NOT_SHOWN);
        }
        assert_eq!(show("accept", "application/json"), "application/json");
        let standard = Profile::standard();
        assert!(HARMLESS.iter().all(|name| may_set(name, &standard)));
    }

    #[test]
    fn a_value_is_printable_and_short() {
        assert!(is_value("") && is_value("a b~"));
        assert!(!is_value("a\tb") && !is_value("ä"));
        assert!(!is_value(&"x".repeat(HEADER_VALUE_CHARS_MAX + 1)));
    }
}
