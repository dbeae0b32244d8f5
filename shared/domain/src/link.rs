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
    Ok(Some(written(base, tenant, event, (expires, &signature))))
}

/// A link of the same length that leads nowhere: for a look at a body.
pub fn sample_link(base: &str, tenant: &TenantName, event: &EventId, now: Timestamp) -> String {
    written(base, tenant, event, (now.plus_s(LINK_S).seconds(), &hex(&[0; 32])))
}

fn written(
    base: &str,
    tenant: &TenantName,
    event: &EventId,
    (expires, signature): (u64, &str),
) -> String {
    let path = format!("/v1/tenants/{tenant}/events/{event}/content");
    format!("{base}{path}?expires={expires}&signature={signature}")
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
    Ok(holds(&key, tenant, event, (expires, signature), engine.clock().now()))
}

/// Whether this key signed that, and the time has not come yet: seconds since 1970 and signature.
fn holds(
    key: &Secret,
    tenant: &TenantName,
    event: &EventId,
    (expires, signature): (u64, &str),
    now: Timestamp,
) -> bool {
    let expected = hex(&mac(key, tenant, event, expires));
    let is_ours = expected.as_bytes().ct_eq(signature.as_bytes());
    bool::from(is_ours) && now.seconds() < expires
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_until_it_expires_and_for_what_it_names_only() {
        let key = Secret::new(vec![7; 32]);
        let (tenant, other): (TenantName, TenantName) =
            ("acme".parse().unwrap(), "globex".parse().unwrap());
        let event: EventId = "e1".parse().unwrap();
        let signature = hex(&mac(&key, &tenant, &event, 1_000));
        let at = |s: u64| {
            holds(&key, &tenant, &event, (1_000, &signature), Timestamp::from_ms(s * 1_000))
        };
        assert!(at(999) && !at(1_000), "to the second");
        let now = Timestamp::from_ms(0);
        assert!(!holds(&key, &tenant, &event, (1_001, &signature), now), "not put off");
        assert!(!holds(&key, &other, &event, (1_000, &signature), now));
        assert!(!holds(&key, &tenant, &"e2".parse().unwrap(), (1_000, &signature), now));
        assert!(!holds(&key, &tenant, &event, (1_000, ""), now));
        assert!(!holds(&Secret::new(vec![8; 32]), &tenant, &event, (1_000, &signature), now));
    }
}
