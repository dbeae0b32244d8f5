//! The key vault: KMS itself seals each secret, bound to tenant, owner and purpose by its encryption
//! context. Whom a secret belongs to is in CloudTrail, and no key of ours is ever in memory.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_kms::primitives::Blob;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_flows::ports::{EngineError, KeyVault, MaxAge};

use super::cache::AgedCache;
use super::client::Clients;
use super::failure_at;
use crate::environment::Environment;

/// How long an opened secret is kept in memory. What was sealed never changes: a rotated secret is
/// another sealed text, and the endpoint says which are live.
const COPY_S: u64 = 15 * 60;
/// Opened secrets in memory.
const COPIES_MAX: usize = 10_000;

/// Seals with a KMS key.
#[derive(Debug)]
pub struct KmsVault {
    clients: Arc<Clients>,
    key_id: String,
    opened: AgedCache<(String, SecretContext), Secret>,
}

impl KmsVault {
    pub(super) fn new(clients: Arc<Clients>, environment: &Environment) -> Self {
        let key_id = environment.key_id.clone();
        Self { clients, key_id, opened: AgedCache::new(COPIES_MAX) }
    }
}

impl KeyVault for KmsVault {
    async fn seal(&self, context: &SecretContext, secret: &Secret) -> Result<String, EngineError> {
        let encrypt = self
            .clients
            .kms()
            .encrypt()
            .key_id(Environment::require("WAXSEAL_KEY_ID", &self.key_id)?)
            .set_encryption_context(Some(bound_to(context)))
            .plaintext(Blob::new(secret.expose()));
        let answer = encrypt.send().await.map_err(failure_at("seal secret"))?;
        let ciphertext = answer.ciphertext_blob.ok_or_else(|| {
            EngineError::unreadable("seal secret", "an answer without a ciphertext")
        })?;
        Ok(BASE64.encode(ciphertext))
    }

    async fn open(&self, context: &SecretContext, sealed: &str) -> Result<Secret, EngineError> {
        let place = (sealed.to_owned(), context.clone());
        let start = match self.opened.get(&place, MaxAge::seconds(COPY_S)) {
            Ok(copy) => return Ok(copy),
            Err(start) => start,
        };
        let ciphertext = BASE64.decode(sealed).map_err(|_| unreadable("it is not base 64"))?;
        let decrypt = self
            .clients
            .kms()
            .decrypt()
            .key_id(Environment::require("WAXSEAL_KEY_ID", &self.key_id)?)
            .set_encryption_context(Some(bound_to(context)))
            .ciphertext_blob(Blob::new(ciphertext));
        let answer = decrypt.send().await.map_err(failure_at("open secret"))?;
        let plaintext =
            answer.plaintext.ok_or_else(|| unreadable("an answer without a plaintext"))?;
        let secret = Secret::new(plaintext.into_inner());
        self.opened.keep(start, place, secret.clone());
        Ok(secret)
    }
}

fn unreadable(why: &'static str) -> EngineError {
    EngineError::unreadable("open secret", why)
}

fn bound_to(context: &SecretContext) -> HashMap<String, String> {
    HashMap::from([
        ("tenant".to_owned(), context.tenant.to_string()),
        ("owner".to_owned(), context.owner.clone()),
        ("purpose".to_owned(), context.purpose.to_owned()),
    ])
}
