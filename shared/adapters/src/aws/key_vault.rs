//! The key vault on KMS: each secret under one key, bound to its owner by the encryption context.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::HashMap;
use waxseal_domain::ports::{Clock as _, EngineError, KeyVault};
use waxseal_domain::secret::{Secret, SecretContext};

use super::cache::Cache;
use super::failed;
use crate::clock::SystemClock;
use crate::environment::Environment;

/// Seconds for which an opened secret is kept: KMS for every delivery would cost more than all else.
const COPY_S: u64 = 900;
/// Opened secrets that are kept.
const COPIES_MAX: usize = 10_000;

/// Seals and opens with a KMS key.
#[derive(Debug)]
pub struct KmsVault {
    client: Client,
    key_id: String,
    opened: Cache<(SecretContext, String), Secret>,
}

impl KmsVault {
    pub(super) fn new(client: Client, environment: &Environment) -> Self {
        Self { client, key_id: environment.key_id.clone(), opened: Cache::new(COPIES_MAX) }
    }
}

impl KeyVault for KmsVault {
    async fn seal(&self, context: &SecretContext, secret: &Secret) -> Result<String, EngineError> {
        let sealed = self
            .client
            .encrypt()
            .key_id(Environment::needed("WAXSEAL_KEY_ID", &self.key_id)?)
            .plaintext(Blob::new(secret.expose()))
            .set_encryption_context(Some(bound_to(context)))
            .send()
            .await
            .map_err(failed("seal secret"))?;
        let blob =
            sealed.ciphertext_blob().ok_or_else(|| EngineError::new("seal secret", "empty"))?;
        Ok(BASE64.encode(blob))
    }

    async fn open(&self, context: &SecretContext, sealed: &str) -> Result<Secret, EngineError> {
        let (entry, now) = ((context.clone(), sealed.to_owned()), SystemClock.now());
        if let Some(secret) = self.opened.get(&entry, COPY_S, now) {
            return Ok(secret);
        }
        let failed_to_read = |error| EngineError::new("open secret", error);
        let opened = self
            .client
            .decrypt()
            .key_id(Environment::needed("WAXSEAL_KEY_ID", &self.key_id)?)
            .ciphertext_blob(Blob::new(BASE64.decode(sealed).map_err(failed_to_read)?))
            .set_encryption_context(Some(bound_to(context)))
            .send()
            .await
            .map_err(failed("open secret"))?;
        let blob = opened.plaintext.ok_or_else(|| EngineError::new("open secret", "empty"))?;
        let secret = Secret::new(blob.into_inner());
        self.opened.keep(entry, secret.clone(), now);
        Ok(secret)
    }
}

fn bound_to(context: &SecretContext) -> HashMap<String, String> {
    HashMap::from([
        ("tenant".to_owned(), context.tenant.to_string()),
        ("owner".to_owned(), context.owner.clone()),
        ("purpose".to_owned(), context.purpose.to_owned()),
    ])
}
