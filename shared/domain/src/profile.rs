//! A profile: one wire contract, as data. A further system is a further value, and no further code.
//!
//! Called by `dispatch` (to send) and by the receiver (to verify); knows nothing of either.

mod render;

pub use render::render;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::retry::RetryPolicy;
use crate::secret::Secret;

/// A wire contract: envelope, headers, signature, secret, retry policy, time-out and limit.
#[derive(Debug)]
pub struct Profile {
    /// The name by which an endpoint chooses it.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// The body's members, in order.
    pub envelope: &'static [Member],
    /// The headers of a request, beside `content-type` and `user-agent`.
    pub headers: &'static [(&'static str, HeaderValue)],
    /// How the signature is made.
    pub signature: SignatureScheme,
    /// What a secret looks like, and which bytes of it are the key.
    pub secret: SecretForm,
    /// Seconds between attempts where the endpoint has no policy of its own.
    pub delays_s: &'static [u32],
    /// Time-out of an attempt in milliseconds, where the endpoint says none.
    pub timeout_ms: u32,
}

/// A member of the body.
#[derive(Debug, Clone, Copy)]
pub enum Member {
    /// The event's type, under this name.
    Type(&'static str),
    /// The event's time, under this name.
    Time(&'static str),
    /// The payload, as it came.
    Data,
    /// All other attributes of the event, each under its own name.
    Attributes,
}

/// The value of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderValue {
    /// The delivery's id: the same at every attempt and replay.
    DeliveryId,
    /// The time of this attempt, in seconds since 1970.
    Timestamp,
    /// The signatures.
    Signature,
}

/// How a signature is made: HMAC-SHA256 over `signed`, encoded, after `prefix`.
#[derive(Debug)]
pub struct SignatureScheme {
    /// What is signed: its parts, joined.
    pub signed: &'static [Part],
    /// How the digest is written.
    pub encoding: Encoding,
    /// What stands before each signature.
    pub prefix: &'static str,
    /// What stands between several signatures; none where the header carries one only.
    pub separator: Option<char>,
}

/// A part of what is signed.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// The delivery's id.
    DeliveryId,
    /// The attempt's time, in seconds, in decimal.
    Timestamp,
    /// Fixed text.
    Text(&'static str),
    /// The body's bytes.
    Body,
}

/// How a digest is written.
#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    /// Base 64, standard alphabet, padded.
    Base64,
}

/// What a secret looks like, and which bytes of it are the key.
#[derive(Debug, Clone, Copy)]
pub enum SecretForm {
    /// `whsec_` and base 64 of 24 to 64 bytes; the decoded bytes are the key.
    Whsec,
}

/// Standard Webhooks 1.0, the default.
pub static STANDARD: Profile = Profile {
    name: "standard",
    title: "Standard Webhooks",
    envelope: &[Member::Type("type"), Member::Time("timestamp"), Member::Data, Member::Attributes],
    headers: &[
        ("webhook-id", HeaderValue::DeliveryId),
        ("webhook-timestamp", HeaderValue::Timestamp),
        ("webhook-signature", HeaderValue::Signature),
    ],
    signature: SignatureScheme {
        signed: &[Part::DeliveryId, Part::Text("."), Part::Timestamp, Part::Text("."), Part::Body],
        encoding: Encoding::Base64,
        prefix: "v1,",
        separator: Some(' '),
    },
    secret: SecretForm::Whsec,
    delays_s: &[5, 300, 1_800, 7_200, 18_000, 36_000, 36_000],
    timeout_ms: 10_000,
};

/// All profiles.
pub static PROFILES: &[&Profile] = &[&STANDARD];

impl Profile {
    /// The profile of that name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().copied().find(|profile| profile.name == name)
    }

    /// The retry policy of its endpoints that have none of their own: with jitter.
    pub fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy { delays_s: self.delays_s.to_vec(), jitter: true, window_s: None }
    }

    /// The header that carries `value`.
    pub fn header(&self, value: HeaderValue) -> Option<&'static str> {
        self.headers.iter().find(|(_, carried)| *carried == value).map(|(name, _)| *name)
    }
}

impl SecretForm {
    /// The key in a secret's text; none if the text has not this form.
    pub fn key(self, text: &str) -> Option<Secret> {
        match self {
            Self::Whsec => {
                let key = BASE64.decode(text.strip_prefix("whsec_")?).ok()?;
                (24..=64).contains(&key.len()).then(|| Secret::new(key))
            }
        }
    }

    /// What is said of a text without this form.
    pub fn shape(self) -> &'static str {
        match self {
            Self::Whsec => "must be whsec_ and base64 of 24 to 64 bytes",
        }
    }

    /// A new secret of 32 random bytes.
    pub fn generate(self, entropy: [u128; 2]) -> Secret {
        let bytes: Vec<u8> = entropy.iter().flat_map(|number| number.to_be_bytes()).collect();
        match self {
            Self::Whsec => Secret::new(format!("whsec_{}", BASE64.encode(bytes)).into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_has_its_form() {
        let secret = SecretForm::Whsec.generate([1, 2]);
        let key = SecretForm::Whsec.key(secret.expose_text().unwrap()).unwrap();
        assert_eq!(key.expose().len(), 32);
    }

    #[test]
    fn a_secret_outside_24_to_64_bytes_has_not_its_form() {
        for bytes in [0, 23, 65] {
            let text = format!("whsec_{}", BASE64.encode(vec![0; bytes]));
            assert!(SecretForm::Whsec.key(&text).is_none(), "{bytes}");
        }
        assert!(SecretForm::Whsec.key("whsec_***").is_none());
        assert!(SecretForm::Whsec.key(&BASE64.encode([0; 32])).is_none());
    }
}
