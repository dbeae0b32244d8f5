//! Secrets: shown once, stored sealed, wiped from memory, never printed.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::id::{EndpointId, SourceName, TenantName};
use crate::timestamp::Timestamp;

/// Makes the 32 bytes of a new secret from two random numbers.
pub fn random_bytes(entropy: [u128; 2]) -> [u8; 32] {
    let [first, second] = entropy;
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&first.to_be_bytes());
    bytes[16..].copy_from_slice(&second.to_be_bytes());
    bytes
}

/// Key bytes or a secret's text, wiped when dropped. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes, for signing, sealing and the one answer that shows them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret as text. One that cannot be read is an error and never an empty text: an
    /// empty token would be sent to a receiver.
    pub fn expose_text(&self) -> Result<&str, NoText> {
        let text = std::str::from_utf8(&self.0).map_err(|_| NoText::NotUtf8)?;
        if text.is_empty() { Err(NoText::Empty) } else { Ok(text) }
    }
}

/// Why a secret is no text that can be used. It shows nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoText {
    /// The secret's bytes are not UTF-8.
    #[error("the secret is not text")]
    NotUtf8,
    /// The secret has no bytes.
    #[error("the secret is empty")]
    Empty,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a secret is bound to: sealed for one owner, it does not open for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretContext {
    /// The tenant whose secret it is: what is sealed for one does not open for another.
    pub tenant: TenantName,
    /// The endpoint's id, of a header's value with the header's name behind it, the source's name, or `content`.
    pub owner: String,
    /// `endpoint`, `credentials`, `header`, `source` or `link`.
    pub purpose: &'static str,
}

impl SecretContext {
    /// Makes the context of an endpoint's signing secret.
    pub fn endpoint(tenant: &TenantName, endpoint: &EndpointId) -> Self {
        Self { tenant: tenant.clone(), owner: endpoint.to_string(), purpose: "endpoint" }
    }

    /// Makes the context of the credentials that authenticate us to an endpoint's receiver.
    pub fn credentials(tenant: &TenantName, endpoint: &EndpointId) -> Self {
        Self { tenant: tenant.clone(), owner: endpoint.to_string(), purpose: "credentials" }
    }

    /// Makes the context of the value of a header of an endpoint's own: under another name it does not open.
    pub fn header(tenant: &TenantName, endpoint: &EndpointId, name: &str) -> Self {
        Self { tenant: tenant.clone(), owner: format!("{endpoint}/{name}"), purpose: "header" }
    }

    /// Makes the context of the key that signs a tenant's links to stored events.
    pub fn links(tenant: &TenantName) -> Self {
        Self { tenant: tenant.clone(), owner: "content".to_owned(), purpose: "link" }
    }

    /// Makes the context of the secret that verifies a source's hooks.
    pub fn source(tenant: &TenantName, source: &SourceName) -> Self {
        Self { tenant: tenant.clone(), owner: source.to_string(), purpose: "source" }
    }
}

/// A secret as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct SealedSecret {
    /// The secret as the key vault has sealed it, in base 64.
    pub sealed: String,
    /// When it was set.
    pub created_at: Timestamp,
    /// Until when it still signs, once another has taken its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The public key (`whpk_…`) of a secret that signs with ed25519.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

impl SealedSecret {
    /// Whether it signs, or verifies, at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_an_error_and_not_an_empty_secret() {
        assert_eq!(Secret::new(b"whsec_a".to_vec()).expose_text(), Ok("whsec_a"));
        assert_eq!(Secret::new(vec![0xff]).expose_text(), Err(NoText::NotUtf8));
        assert_eq!(Secret::new(Vec::new()).expose_text(), Err(NoText::Empty));
    }

    #[test]
    fn a_new_secret_holds_both_random_numbers() {
        let bytes = random_bytes([0x0102, u128::MAX - 0xff]);
        assert_eq!(bytes[..14], [0; 14]);
        assert_eq!(bytes[14..18], [1, 2, 0xff, 0xff]);
        assert_eq!(bytes[30..], [0xff, 0]);
    }

    #[test]
    fn a_secret_is_never_printed() {
        let printed = format!("{:?}", Secret::new(b"canary".to_vec()));
        assert_eq!(printed, "Secret(..)");
    }

    #[test]
    fn a_secret_is_bound_to_its_owner_and_its_purpose() {
        let tenant: TenantName = "acme".parse().unwrap();
        let endpoint: EndpointId = "ep_1".parse().unwrap();
        let contexts = [
            SecretContext::endpoint(&tenant, &endpoint),
            SecretContext::credentials(&tenant, &endpoint),
            SecretContext::links(&tenant),
            SecretContext::source(&tenant, &"shop".parse().unwrap()),
        ];
        let owners: Vec<&str> = contexts.iter().map(|one| one.owner.as_str()).collect();
        assert_eq!(owners, ["ep_1", "ep_1", "content", "shop"]);
        let purposes: Vec<&str> = contexts.iter().map(|one| one.purpose).collect();
        assert_eq!(purposes, ["endpoint", "credentials", "link", "source"]);
    }

    #[test]
    fn a_secret_is_live_up_to_its_end_and_without_one_for_ever() {
        let secret = SealedSecret {
            sealed: String::new(),
            created_at: Timestamp::from_ms(0),
            until: Some(Timestamp::from_ms(10)),
            public_key: None,
        };
        assert!(secret.is_live(Timestamp::from_ms(9)));
        assert!(!secret.is_live(Timestamp::from_ms(10)));
        assert!(SealedSecret { until: None, ..secret }.is_live(Timestamp::from_ms(u64::MAX)));
    }
}
