//! Seals and opens the values of an endpoint's own headers that may be secrets, each for its endpoint and its
//! name alone.

use std::collections::BTreeMap;

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::headers::{NOT_SHOWN, OwnHeaders, may_be_secret};
use waxseal_domain::secret::{Secret, SecretContext};

use crate::ports::{Engine, EngineError, KeyVault as _};

/// Returns the values of the sealed headers, by name.
pub async fn open_headers<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
) -> Result<Vec<(String, Secret)>, EngineError> {
    let mut opened = Vec::new();
    for (name, sealed) in &endpoint.sealed_headers {
        let context = SecretContext::header(&endpoint.tenant, &endpoint.id, name);
        opened.push((name.clone(), engine.key_vault().open(&context, sealed).await?));
    }
    Ok(opened)
}

/// Seals what may be secret of the headers that an endpoint is to have. A value that reads [`NOT_SHOWN`] is the
/// one that `before` has under that name; without one there is no such header.
pub async fn seal_headers<E: Engine>(
    engine: &E,
    before: &Endpoint,
    wanted: BTreeMap<String, String>,
) -> Result<OwnHeaders, EngineError> {
    let mut headers = OwnHeaders::default();
    for (name, value) in wanted {
        let value = if value != NOT_SHOWN {
            value
        } else if let Some(sealed) = before.sealed_headers.get(&name) {
            headers.sealed.insert(name, sealed.clone());
            continue;
        } else if let Some(plain) = before.headers.get(&name) {
            // It was stored before values were sealed.
            plain.clone()
        } else {
            continue;
        };
        if may_be_secret(&name, &value) {
            let context = SecretContext::header(&before.tenant, &before.id, &name);
            let secret = Secret::new(value.into_bytes());
            headers.sealed.insert(name, engine.key_vault().seal(&context, &secret).await?);
        } else {
            headers.shown.insert(name, value);
        }
    }
    Ok(headers)
}

/// Seals what may be secret of headers that were stored before values were sealed; none where nothing is left
/// to seal.
pub async fn seal_stored_headers<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
) -> Result<Option<OwnHeaders>, EngineError> {
    if !endpoint.headers.iter().any(|(name, value)| may_be_secret(name, value)) {
        return Ok(None);
    }
    seal_headers(engine, endpoint, endpoint.shown_headers()).await.map(Some)
}
