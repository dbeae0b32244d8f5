//! Makes and checks links to stored events. They are signed with a key of the tenant's, which is
//! stored sealed. The operator's key would do as well, but then the function that delivers could
//! read it.

use waxseal_domain::event::link::{holds, sign_link};
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::secret::{Secret, SecretContext};

use crate::ports::{Clock, ConfigStore, Engine, EngineError, KeyVault, MaxAge, Setting};

/// How old a copy of a tenant's key may be, in seconds: it never changes.
const KEY_COPY_S: u64 = 3_600;

/// Makes a link to an event's content. None where the API's public URL is not configured; `Err`
/// where the tenant has no key for links.
pub async fn content_link<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    event: &EventId,
) -> Result<Option<String>, EngineError> {
    let Some(base) = engine.public_url() else { return Ok(None) };
    let key = key(engine, tenant).await?.ok_or_else(|| {
        EngineError::unreadable("link to the event", "the tenant has no key for links")
    })?;
    Ok(Some(sign_link(&key, base.as_str(), tenant, event, engine.clock().now())))
}

/// Whether a link was signed with the tenant's key and has not expired. `expires` is in seconds
/// since 1970.
pub async fn is_good<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    event: &EventId,
    expires: u64,
    signature: &str,
) -> Result<bool, EngineError> {
    let Some(key) = key(engine, tenant).await? else { return Ok(false) };
    Ok(holds(&key, tenant, event, expires, signature, engine.clock().now()))
}

/// Makes and stores the key that signs a tenant's links, unless the tenant has one.
pub async fn ensure_key<E: Engine>(engine: &E, tenant: &TenantName) -> Result<(), EngineError> {
    let store = engine.store();
    if store
        .setting(Setting::LinkKey, tenant.as_str(), MaxAge::seconds(KEY_COPY_S))
        .await?
        .is_some()
    {
        return Ok(());
    }
    let key = Secret::new(engine.random_bytes().to_vec());
    let sealed = engine.key_vault().seal(&SecretContext::links(tenant), &key).await?;
    // Where another instance was faster, its key stays: links may be signed with it already.
    store.keep_link_key(tenant, &sealed).await.map(|_| ())
}

async fn key<E: Engine>(engine: &E, tenant: &TenantName) -> Result<Option<Secret>, EngineError> {
    let sealed = engine
        .store()
        .setting(Setting::LinkKey, tenant.as_str(), MaxAge::seconds(KEY_COPY_S))
        .await?;
    let Some(sealed) = sealed else { return Ok(None) };
    engine.key_vault().open(&SecretContext::links(tenant), &sealed).await.map(Some)
}
