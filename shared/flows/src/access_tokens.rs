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

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(version: u64) -> Endpoint {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let now = Timestamp::from_ms(0);
        Endpoint { version, ..Endpoint::new(id, tenant, "standard".to_owned(), now) }
    }

    fn kept(tokens: &AccessTokens, version: u64, at_ms: u64) -> Option<String> {
        let token = tokens.get(&endpoint(version), Timestamp::from_ms(at_ms));
        token.map(|text| text.to_string())
    }

    #[test]
    fn a_token_is_kept_for_its_endpoint_as_it_is_configured_until_it_ends() {
        let tokens = AccessTokens::default();
        let text = Zeroizing::new("token".to_owned());
        tokens.keep(&endpoint(1), text, Timestamp::from_ms(10));
        assert_eq!(kept(&tokens, 1, 9).as_deref(), Some("token"));
        assert_eq!(kept(&tokens, 1, 10), None);
        assert_eq!(kept(&tokens, 2, 9), None, "it was configured anew");
        tokens.forget(&endpoint(1));
        assert_eq!(kept(&tokens, 1, 9), None);
    }

    #[test]
    fn a_token_is_never_printed() {
        let text = Zeroizing::new("canary".to_owned());
        let token = Token { text, until: Timestamp::from_ms(0) };
        assert_eq!(format!("{token:?}"), "Token(until 1970-01-01T00:00:00Z)");
    }
}
