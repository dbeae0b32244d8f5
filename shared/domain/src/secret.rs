//! Secrets: shown once, stored sealed, wiped from memory, never printed.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::id::{EndpointId, SourceName, TenantName};
use crate::timestamp::Timestamp;

/// Key bytes or a secret's text, wiped when dropped. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes: for signing, sealing and the one answer that shows them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, where they are.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a secret is bound to: sealed for one owner, it does not open for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretContext {
    /// The tenant.
    pub tenant: TenantName,
    /// The endpoint's id, the source's name, or `content`.
    pub owner: String,
    /// `endpoint`, `credentials`, `source` or `link`.
    pub purpose: &'static str,
}

impl SecretContext {
    /// For an endpoint's signing secret.
    pub fn endpoint(tenant: &TenantName, endpoint: &EndpointId) -> Self {
        Self { tenant: tenant.clone(), owner: endpoint.to_string(), purpose: "endpoint" }
    }

    /// For what an endpoint's receiver is authenticated to with.
    pub fn credentials(tenant: &TenantName, endpoint: &EndpointId) -> Self {
        Self { tenant: tenant.clone(), owner: endpoint.to_string(), purpose: "credentials" }
    }

    /// For the key of a tenant's links to stored events.
    pub fn links(tenant: &TenantName) -> Self {
        Self { tenant: tenant.clone(), owner: "content".to_owned(), purpose: "link" }
    }

    /// For a source's verifying secret.
    pub fn source(tenant: &TenantName, source: &SourceName) -> Self {
        Self { tenant: tenant.clone(), owner: source.to_string(), purpose: "source" }
    }
}

/// A secret as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct SealedSecret {
    /// What the key vault made of it, in base 64.
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
