//! The algorithms that make signatures, and the encodings that write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256: one secret signs and verifies.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// Ed25519: the public key verifies only.
    #[serde(rename = "ed25519")]
    Ed25519,
}

impl Algorithm {
    /// Returns the number of bytes of a signature.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::Ed25519 => 64,
        }
    }
}

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Encoding {
    /// Writes bytes in hexadecimal, lower case.
    #[serde(rename = "hex")]
    Hex,
    /// Writes bytes in base 64, with the standard alphabet and padding.
    #[serde(rename = "base64")]
    Base64,
}

impl Encoding {
    /// Returns the text of a signature's bytes.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
        }
    }

    /// Reads a signature's bytes, and only as [`Encoding::encode`] writes them, so that a signature
    /// has one text only.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            // `hex` reads upper case too, which would be a second text of the same signature.
            Self::Hex if text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_what_it_writes() {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let bytes: Vec<u8> = (0..=255).collect();
            assert_eq!(encoding.decode(&encoding.encode(&bytes)), Some(bytes));
        }
        for bad in ["0", "0G", "AB", "é", "+1", " 1"] {
            assert_eq!(Encoding::Hex.decode(bad), None, "{bad}");
        }
        for bad in ["AAA", "AB==", "A-_=", "AAAA\n", "===="] {
            assert_eq!(Encoding::Base64.decode(bad), None, "{bad}");
        }
    }
}
