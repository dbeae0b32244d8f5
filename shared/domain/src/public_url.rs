//! Where the API is reached from outside: links to stored events begin with it, and receivers that are asked
//! for a handshake know us by its host.

use std::str::FromStr;

/// The URL of the API as others see it, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
}

impl PublicUrl {
    /// Returns the URL as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the host of the URL.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    /// Reads a URL that paths can be appended to, or says what it must be.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "must be a URL as https://hooks.example.com, without a query";
        let parsed = url::Url::parse(text).map_err(|_| SHAPE)?;
        let is_plain = matches!(parsed.scheme(), "https" | "http")
            && parsed.query().is_none()
            && parsed.fragment().is_none();
        let host = parsed.host_str().filter(|_| is_plain).ok_or(SHAPE)?;
        Ok(Self { host: host.to_owned(), text: text.trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_whole_or_refused() {
        let read = |text: &str| text.parse::<PublicUrl>();
        let ours = read("https://hooks.example/waxseal/").unwrap();
        assert_eq!(
            (ours.as_str(), ours.host()),
            ("https://hooks.example/waxseal", "hooks.example")
        );
        let port = read("http://127.0.0.1:8080").unwrap();
        assert_eq!((port.as_str(), port.host()), ("http://127.0.0.1:8080", "127.0.0.1"));
        for bad in
            ["", "hooks.example", "ftp://hooks.example", "https://", "https://a/?b", "https://a/#b"]
        {
            assert!(read(bad).unwrap_err().contains("must be a URL"), "{bad}");
        }
    }
}
