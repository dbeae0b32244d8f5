//! Endpoints' secrets: made or taken, sealed, shown once; two live while one rotates.

use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::ports::{Clock as _, Engine, EngineError, KeyVault as _};
use waxseal_domain::profile::STANDARD;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};

use super::write;
use crate::body::Body;
use crate::{Answer, Call};

/// Seconds for which the secret before still signs, if not said: a day.
const OVERLAP_S: u64 = 86_400;

/// Seals the secret that was given, or a new one.
pub(super) async fn seal<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoint: &EndpointId,
    given: Option<String>,
) -> Result<(Secret, SealedSecret), EngineError> {
    let secret = match given {
        Some(text) => Secret::new(text.into_bytes()),
        None => STANDARD.secret.generate([engine.entropy(), engine.entropy()]),
    };
    let context = SecretContext::endpoint(tenant, endpoint);
    let sealed = engine.key_vault().seal(&context, &secret).await?;
    Ok((secret, SealedSecret { sealed, created_at: engine.clock().now(), until: None }))
}

#[derive(Serialize)]
struct Rotated {
    secret: String,
    /// Until when the secret before signs too.
    overlap_until: String,
}

/// `POST …/rotate-secret`. An overlap under two minutes is refused: instances keep copies of an
/// endpoint for one, and receivers need a moment as well.
pub(super) async fn rotate<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    let mut body = Body::read(call.request)?;
    let given = body.text("secret", 256).value();
    if given.as_ref().is_some_and(|text| STANDARD.secret.key(text).is_none()) {
        body.fault("secret", STANDARD.secret.shape());
    }
    let overlap_s = body.whole("overlap_s", 120..=30 * 86_400).value().unwrap_or(OVERLAP_S);
    body.finish()?;
    super::find(&call, id).await?;
    let (secret, sealed) = seal(call.engine, call.tenant, id, given).await?;
    let until = sealed.created_at.plus_s(overlap_s);
    write(&call, id, |endpoint, _| endpoint.rotated(sealed.clone(), until)).await?;
    let secret = secret.expose_text().unwrap_or_default().to_owned();
    Ok(http::json(200, &Rotated { secret, overlap_until: until.rfc3339() }))
}
