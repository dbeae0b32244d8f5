//! Values of an endpoint's own headers, most of which may be secrets.
//!
//! A value is taken for a secret unless the header's name is one of those that never hold any: nobody can list
//! the names under which receivers expect their keys. What may be a secret is stored sealed, and is shown as
//! [`NOT_SHOWN`]. Sent back, that keeps the value which is stored, so that what was read may be written again.

use std::collections::BTreeMap;

/// Headers that say how an answer should be, or where a request is from: their values are shown.
pub(super) const HARMLESS: [&str; 12] = [
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_may_be_a_secret_but_those_of_harmless_headers() {
        for name in
            ["x-api-key", "api-key", "x-auth-token", "x-team", "x-functions-key", "dd-api-key"]
        {
            assert_eq!(show(name, ""), "");
            assert_eq!(show(name, "canary"), NOT_SHOWN);
        }
        assert_eq!(show("accept", "application/json"), "application/json");
    }
}
