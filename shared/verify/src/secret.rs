//! Secrets' texts: what they look like, and which key is in one. The profile decides, never the
//! prefix alone: `whsec_` is decoded for one sender and part of the key for another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Encoding};
use crate::key::Key;
use crate::profile::Profile;

/// What a profile's secrets look like.
#[derive(Clone, Debug)]
pub(crate) struct SecretForm {
    /// Whether the key is what is base 64 after a prefix; else the whole text is.
    pub(crate) whsec: bool,
    /// Whether a secret may sign with HMAC-SHA256.
    pub(crate) hmac: bool,
    pub(crate) optional: bool,
    /// How a new secret of text looks.
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) encoding: Encoding,
}

impl Default for SecretForm {
    fn default() -> Self {
        let (before, after) = (String::new(), String::new());
        Self { whsec: false, hmac: true, optional: false, before, after, encoding: Encoding::Hex }
    }
}

/// Why a text is no secret of a profile. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretFault {
    /// Not `whsec_` and base 64.
    #[error("must be whsec_ and base64 of 24 to 64 bytes")]
    Whsec,
    /// Not a key of ed25519.
    #[error("must be whsk_ and base64 of a 32-byte seed, or whpk_ and base64 of a public key")]
    Ed25519,
    /// Not text that may be a key.
    #[error("must be 8 to 256 printable ASCII characters")]
    Text,
    /// A good secret, and the profile has no signature for it.
    #[error("is of an algorithm that the profile does not have")]
    Algorithm,
}

impl Profile {
    /// The key in a secret's text.
    pub fn key(&self, secret: &str) -> Result<Key, SecretFault> {
        if !self.secret.whsec {
            let printable = secret.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let fits = (8..=256).contains(&secret.len()) && printable;
            return fits.then(|| self.hmac_key(secret, secret.as_bytes())).ok_or(SecretFault::Text);
        }
        let key = if let Some(text) = secret.strip_prefix("whsk_") {
            read_signing_key(text).ok_or(SecretFault::Ed25519)?
        } else if let Some(text) = secret.strip_prefix("whpk_") {
            read_verifying_key(text).ok_or(SecretFault::Ed25519)?
        } else {
            self.hmac_key(secret, &whsec(secret).ok_or(SecretFault::Whsec)?)
        };
        self.variant(key.algorithm()).map(|_| key).ok_or(SecretFault::Algorithm)
    }

    /// A new secret from 32 random bytes: what to keep, and to show once.
    pub fn generate_secret(&self, entropy: [u8; 32]) -> Zeroizing<String> {
        let entropy = Zeroizing::new(entropy);
        if !self.secret.whsec {
            let random = Zeroizing::new(self.secret.encoding.encode(entropy.as_slice()));
            let (before, after) = (&self.secret.before, &self.secret.after);
            return Zeroizing::new(format!("{before}{}{after}", *random));
        }
        let prefix = if self.secret.hmac { "whsec_" } else { "whsk_" };
        write_prefixed(prefix, entropy.as_slice())
    }

    /// A new ed25519 secret (`whsk_`) from 32 random bytes, where the profile has that algorithm.
    pub fn generate_signing_secret(&self, entropy: [u8; 32]) -> Option<Zeroizing<String>> {
        let entropy = Zeroizing::new(entropy);
        self.variant(Algorithm::Ed25519).map(|_| write_prefixed("whsk_", entropy.as_slice()))
    }

    /// An HMAC key, and the Standard Webhooks key that goes beside it: derived from the secret's
    /// text, whatever that looks like.
    pub(crate) fn hmac_key(&self, text: &str, bytes: &[u8]) -> Key {
        Key::hmac(bytes, self.takes_standard_beside().then_some(text.as_bytes()))
    }
}

/// A key's text: prefix and base 64.
pub(crate) fn write_prefixed(prefix: &str, bytes: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(BASE64.encode(bytes));
    Zeroizing::new(format!("{prefix}{}", *encoded))
}

fn whsec(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let key = Zeroizing::new(BASE64.decode(secret.strip_prefix("whsec_")?).ok()?);
    (24..=64).contains(&key.len()).then_some(key)
}

/// Reads a key from a seed, or from a seed and its public key, as the tools of Standard Webhooks
/// write them.
fn read_signing_key(text: &str) -> Option<Key> {
    let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
    let (seed, public) = bytes.split_at_checked(32)?;
    let key = SigningKey::from_bytes(seed.try_into().ok()?);
    let agrees = public.is_empty() || public == key.verifying_key().as_bytes();
    agrees.then(|| Key::for_signing(key))
}

fn read_verifying_key(text: &str) -> Option<Key> {
    let bytes: [u8; 32] = BASE64.decode(text).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok()?;
    (!key.is_weak()).then(|| Key::for_verifying(key))
}
