//! How an attempt is authenticated to its receiver: the credentials are opened, and an access token is
//! fetched under the same address rules as a delivery, kept in memory for as long as its server says, and
//! forgotten when a receiver refuses it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use waxseal_domain::attempt::Sent;
use waxseal_domain::credentials::{Authorization, Credentials, bearer, read_token};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::secret::SecretContext;
use waxseal_domain::timestamp::Timestamp;
use zeroize::Zeroizing;

use crate::ports::{Clock, Engine, EngineError, KeyVault, Sender};

/// Endpoints whose tokens are kept.
const ENDPOINTS_MAX: usize = 10_000;

/// Access tokens, in an instance's memory.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<HashMap<Place, Token>>);

/// A token is of one version of an endpoint: changed credentials fetch a new one.
type Place = (TenantName, EndpointId, u64);

struct Token {
    text: Zeroizing<String>,
    until: Timestamp,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token(until {})", self.until.rfc3339())
    }
}

/// The value of the header `Authorization`; none where the endpoint asks for none. `Ok(Err(_))` is what
/// the attempt came to, where no token was to be had.
pub async fn authorization<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    deadline: Timestamp,
) -> Result<Result<Option<Zeroizing<String>>, Sent>, EngineError> {
    let Some(credentials) = &endpoint.auth else { return Ok(Ok(None)) };
    if let Credentials::Oauth2 { .. } = credentials
        && let Some(token) = engine.memory().tokens.get(&place(endpoint), engine.clock().now())
    {
        return Ok(Ok(Some(bearer(&token))));
    }
    let context = SecretContext::credentials(&endpoint.tenant, &endpoint.id);
    let secret = engine.key_vault().open(&context, credentials.sealed()).await?;
    let secret = secret.expose_text().unwrap_or_default();
    let timeout_ms = deadline.since_ms(engine.clock().now());
    match credentials.authorization(endpoint, secret, timeout_ms) {
        Authorization::Header(header) => Ok(Ok(Some(header))),
        Authorization::TokenRequest(request) => {
            let sent = engine.sender().send(*request).await;
            Ok(read_token(&sent).map(|(token, until)| {
                let header = bearer(&token);
                engine.memory().tokens.keep(place(endpoint), Token { text: token, until });
                Some(header)
            }))
        }
    }
}

/// A receiver's 401 means that the token is no longer good: the next attempt fetches another.
pub fn refused<E: Engine>(engine: &E, endpoint: &Endpoint, sent: &Sent) {
    if sent.response.as_ref().is_some_and(|response| response.status == 401) {
        engine.memory().tokens.forget(&place(endpoint));
    }
}

impl Tokens {
    fn get(&self, place: &Place, now: Timestamp) -> Option<Zeroizing<String>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(place).filter(|token| now < token.until).map(|token| token.text.clone())
    }

    fn keep(&self, place: Place, token: Token) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= ENDPOINTS_MAX {
            tokens.clear();
        }
        tokens.insert(place, token);
    }

    fn forget(&self, place: &Place) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }
}

fn place(endpoint: &Endpoint) -> Place {
    (endpoint.tenant.clone(), endpoint.id.clone(), endpoint.version)
}
