//! How an attempt is authenticated to its receiver: the credentials are opened, and an access token is
//! fetched under the same address rules as a delivery, kept in memory for as long as its server says, and
//! forgotten when a receiver refuses it.

use waxseal_domain::delivery::attempt::Sent;
use waxseal_domain::delivery::authorization::{Authorization, bearer, read_token};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::credentials::Credentials;
use waxseal_domain::secret::SecretContext;
use waxseal_domain::timestamp::Timestamp;
use zeroize::Zeroizing;

use crate::ports::{Clock, Engine, EngineError, KeyVault, Sender};

/// The value of the header `Authorization`; none where the endpoint asks for none. `Ok(Err(_))` is what
/// the attempt came to, where no token was to be had.
pub async fn authorization<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    deadline: Timestamp,
) -> Result<Result<Option<Zeroizing<String>>, Sent>, EngineError> {
    let Some(credentials) = &endpoint.auth else { return Ok(Ok(None)) };
    if let Credentials::Oauth2 { .. } = credentials
        && let Some(token) = engine.memory().tokens.get(endpoint, engine.clock().now())
    {
        return Ok(Ok(Some(bearer(&token))));
    }
    let context = SecretContext::credentials(&endpoint.tenant, &endpoint.id);
    let secret = engine.key_vault().open(&context, credentials.sealed()).await?;
    let secret =
        secret.expose_text().map_err(|fault| EngineError::unreadable("open credentials", fault))?;
    let timeout_ms = deadline.since_ms(engine.clock().now());
    match Authorization::of(credentials, endpoint, secret, timeout_ms) {
        Authorization::Header(header) => Ok(Ok(Some(header))),
        Authorization::TokenRequest(request) => {
            let sent = engine.sender().send(*request).await;
            Ok(read_token(&sent).map(|(token, until)| {
                let header = bearer(&token);
                engine.memory().tokens.keep(endpoint, token, until);
                Some(header)
            }))
        }
    }
}

/// A receiver's 401 means that the token is no longer good: the next attempt fetches another.
pub fn refused<E: Engine>(engine: &E, endpoint: &Endpoint, sent: &Sent) {
    if sent.response.as_ref().is_some_and(|response| response.status == 401) {
        engine.memory().tokens.forget(endpoint);
    }
}
