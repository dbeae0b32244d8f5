//! Authenticates an attempt to its receiver. The endpoint's credentials are opened; an OAuth access
//! token is fetched under the same address rules as a delivery, kept in memory for as long as its
//! server says, and forgotten when a receiver refuses it.

use waxseal_domain::delivery::attempt::SendResult;
use waxseal_domain::delivery::authorization::{Authorization, bearer, read_token};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::credentials::{Credentials, NewCredentials};
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::secret::SecretContext;
use waxseal_domain::timestamp::Timestamp;
use zeroize::Zeroizing;

use crate::ports::{Clock, Engine, EngineError, KeyVault, Sender};

/// Returns the value of the header `Authorization`; none where the endpoint has no credentials.
/// `Ok(Err(_))` is the outcome of the attempt where the token could not be fetched.
pub async fn authorization<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    deadline: Timestamp,
) -> Result<Result<Option<Zeroizing<String>>, SendResult>, EngineError> {
    let Some(credentials) = &endpoint.auth else { return Ok(Ok(None)) };
    if let Credentials::Oauth2 { .. } = credentials
        && let Some(token) = engine.memory().access_tokens.get(endpoint, engine.clock().now())
    {
        return Ok(Ok(Some(bearer(&token))));
    }
    let context = SecretContext::credentials(&endpoint.tenant, &endpoint.id);
    let opened = engine.key_vault().open(&context, credentials.sealed()).await?;
    let secret =
        opened.expose_text().map_err(|fault| EngineError::unreadable("open credentials", fault))?;
    let timeout_ms = deadline.since_ms(engine.clock().now());
    match Authorization::of(credentials, endpoint, secret, timeout_ms) {
        Authorization::Header(header) => Ok(Ok(Some(header))),
        Authorization::TokenRequest(request) => {
            // What the token's server answers is an outcome of the attempt, not a failure of ours:
            // the delivery is retried by its policy, and its log says why.
            let sent = engine.sender().send(*request).await?;
            Ok(read_token(&sent).map(|(token, until)| {
                let header = bearer(&token);
                engine.memory().access_tokens.keep(endpoint, token, until);
                Some(header)
            }))
        }
    }
}

/// Seals what is secret of new credentials, for this endpoint alone.
pub async fn seal_credentials<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoint: &EndpointId,
    new: NewCredentials,
) -> Result<Credentials, EngineError> {
    let context = SecretContext::credentials(tenant, endpoint);
    let sealed = engine.key_vault().seal(&context, new.secret()).await?;
    Ok(new.sealed_as(sealed))
}

/// Forgets an endpoint's access token after the receiver has answered 401, so that the next attempt
/// fetches another.
pub fn forget_refused_token<E: Engine>(engine: &E, endpoint: &Endpoint, sent: &SendResult) {
    if sent.response.as_ref().is_some_and(|response| response.status == 401) {
        engine.memory().access_tokens.forget(endpoint);
    }
}
