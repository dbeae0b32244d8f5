//! Headers as the `http` crate has them.

use http::HeaderMap;

/// A lookup for [`Profile::verify`](crate::Profile::verify) over a header map.
///
/// A header that is there more than once, or is not visible ASCII, counts by its first value, or as
/// missing.
pub fn headers<'h>(map: &'h HeaderMap) -> impl Fn(&str) -> Option<&'h str> {
    |name| map.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_header_in_any_case() {
        let mut map = HeaderMap::new();
        map.insert("X-Hub-Signature-256", "sha256=00".parse().unwrap());
        assert_eq!(headers(&map)("x-hub-signature-256"), Some("sha256=00"));
        assert_eq!(headers(&map)("x-other"), None);
    }
}
