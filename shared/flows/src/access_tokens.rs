//! Keeps OAuth access tokens in memory, for as long as the servers that issued them say.

use std::sync::{Mutex, PoisonError};

use waxseal_domain::bounded_map::BoundedMap;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use zeroize::Zeroizing;

/// The number of endpoints whose tokens are kept at the same time.
const ENDPOINTS_MAX: usize = 10_000;

/// The access tokens that an instance has fetched, by endpoint and version.
#[derive(Debug)]
pub struct AccessTokens(Mutex<BoundedMap<Place, Token>>);

impl Default for AccessTokens {
    fn default() -> Self {
        Self(Mutex::new(BoundedMap::new(ENDPOINTS_MAX)))
    }
}

/// A token is of one version of an endpoint: changed credentials fetch a new one.
type Place = (TenantName, EndpointId, u64);

/// An access token as it is kept.
struct Token {
    text: Zeroizing<String>,
    until: Timestamp,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token(until {})", self.until.rfc3339())
    }
}

impl AccessTokens {
    /// Returns the token for an endpoint as it is configured now, if one is kept that has not
    /// ended.
    pub(crate) fn get(&self, endpoint: &Endpoint, now: Timestamp) -> Option<Zeroizing<String>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens
            .get(&place(endpoint))
            .filter(|token| now < token.until)
            .map(|token| token.text.clone())
    }

    /// Keeps a token for an endpoint until `until`.
    pub(crate) fn keep(&self, endpoint: &Endpoint, text: Zeroizing<String>, until: Timestamp) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(place(endpoint), Token { text, until });
    }

    /// Forgets an endpoint's token.
    pub(crate) fn forget(&self, endpoint: &Endpoint) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&place(endpoint));
    }
}

fn place(endpoint: &Endpoint) -> Place {
    (endpoint.tenant.clone(), endpoint.id.clone(), endpoint.version)
}
