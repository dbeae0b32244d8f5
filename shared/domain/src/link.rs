//! Links to stored events: for a body that cannot hold its payload. Each is signed and expires.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::id::{EventId, TenantName};
use crate::ports::{Clock, ConfigStore, Engine, EngineError, KeyVault, Setting};
use crate::secret::{Secret, SecretContext};
use crate::timestamp::Timestamp;

/// How long a link is good, in seconds: longer than any retry policy's window.
const LINK_S: u64 = 30 * 86_400;
/// How old a copy of a tenant's key may be, in seconds: it never changes.
const KEY_COPY_S: u64 = 3_600;

/// A link to an event's content; none where nobody said where the API is. `Err` where the tenant has no
/// key.
pub async fn content_link<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    event: &EventId,
) -> Result<Option<String>, EngineError> {
    let Some(base) = engine.public_url() else { return Ok(None) };
    let missing = || EngineError::new("link to the event", "the tenant has no key for links");
    let key = key(engine, tenant).await?.ok_or_else(missing)?;
    let expires = engine.clock().now().plus_s(LINK_S).seconds();
    let signature = hex(&mac(&key, tenant, event, expires));
    let path = format!("/v1/tenants/{tenant}/events/{event}/content");
    Ok(Some(format!("{base}{path}?expires={expires}&signature={signature}")))
}

/// Whether a link is ours and good still.
pub async fn is_good<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    event: &EventId,
    expires: u64,
    signature: &str,
) -> Result<bool, EngineError> {
    let Some(key) = key(engine, tenant).await? else { return Ok(false) };
    let expected = hex(&mac(&key, tenant, event, expires));
    let is_ours = expected.as_bytes().ct_eq(signature.as_bytes());
    Ok(bool::from(is_ours)
        && engine.clock().now() < Timestamp::from_ms(expires.saturating_mul(1_000)))
}

/// Makes a tenant's key, unless it has one.
pub async fn ensure_key<E: Engine>(engine: &E, tenant: &TenantName) -> Result<(), EngineError> {
    let store = engine.store();
    if store.setting(Setting::LinkKey, tenant.as_str(), KEY_COPY_S).await?.is_some() {
        return Ok(());
    }
    let key = Secret::new(engine.random_bytes().to_vec());
    let sealed = engine.key_vault().seal(&SecretContext::links(tenant), &key).await?;
    // Another may have been faster: its key is the one.
    store.put_setting(Setting::LinkKey, tenant.as_str(), &sealed, false).await.map(|_| ())
}

async fn key<E: Engine>(engine: &E, tenant: &TenantName) -> Result<Option<Secret>, EngineError> {
    let sealed = engine.store().setting(Setting::LinkKey, tenant.as_str(), KEY_COPY_S).await?;
    let Some(sealed) = sealed else { return Ok(None) };
    engine.key_vault().open(&SecretContext::links(tenant), &sealed).await.map(Some)
}

fn mac(key: &Secret, tenant: &TenantName, event: &EventId, expires: u64) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    mac.update(format!("waxseal/content-link/v1\n{tenant}\n{event}\n{expires}").as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
