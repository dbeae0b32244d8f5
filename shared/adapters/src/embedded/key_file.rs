//! The key vault of the embedded engine: AES-256-GCM under a key in a file.
//!
//! A sealed secret is base 64 of a 12-byte random nonce, the ciphertext and its tag; what it is
//! bound to is authenticated with it, so it does not open for another tenant or endpoint.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_flows::ports::{EngineError, KeyVault};

/// Bytes of a nonce.
const NONCE: usize = 12;

/// Seals with a key that is in a file.
#[derive(Debug)]
pub struct KeyFile(RandomizedNonceKey);

impl KeyFile {
    /// Makes the vault of a key of 32 bytes; an error where it has another length.
    pub fn new(key: &Secret) -> Result<Self, EngineError> {
        RandomizedNonceKey::new(&AES_256_GCM, key.expose())
            .map(Self)
            .map_err(|_| EngineError::unreadable("read key file", "it does not hold 32 bytes"))
    }
}

impl KeyFile {
    /// Seals a secret without waiting for anything, for callers that are not async.
    pub(super) fn seal_now(
        &self,
        context: &SecretContext,
        secret: &Secret,
    ) -> Result<String, EngineError> {
        let mut sealed = secret.expose().to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(bound_to(context)), &mut sealed)
            .map_err(|_| EngineError::unreadable("seal secret", "AES-GCM refused"))?;
        Ok(BASE64.encode([nonce.as_ref().as_slice(), sealed.as_slice()].concat()))
    }

    /// Opens a secret without waiting for anything, for callers that are not async.
    pub(super) fn open_now(
        &self,
        context: &SecretContext,
        sealed: &str,
    ) -> Result<Secret, EngineError> {
        let bytes = BASE64.decode(sealed).map_err(|_| not_ours())?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE).ok_or_else(not_ours)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| not_ours())?;
        let mut ciphertext = ciphertext.to_vec();
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(bound_to(context)), &mut ciphertext)
            .map_err(|_| not_ours())?;
        let secret = Secret::new(opened.to_vec());
        zeroize::Zeroize::zeroize(&mut ciphertext);
        Ok(secret)
    }
}

impl KeyVault for KeyFile {
    async fn seal(&self, context: &SecretContext, secret: &Secret) -> Result<String, EngineError> {
        self.seal_now(context, secret)
    }

    async fn open(&self, context: &SecretContext, sealed: &str) -> Result<Secret, EngineError> {
        self.open_now(context, sealed)
    }
}

fn not_ours() -> EngineError {
    EngineError::unreadable("open secret", "it was not sealed here, for this owner")
}

/// Only the last part may hold a `#`, as a header's name does, so no two contexts read alike.
fn bound_to(context: &SecretContext) -> Vec<u8> {
    format!("{}#{}#{}", context.purpose, context.tenant, context.owner).into_bytes()
}
