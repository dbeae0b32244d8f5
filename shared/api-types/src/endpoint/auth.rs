//! How requests authenticate to an endpoint's receiver, without what is secret of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_domain::endpoint::credentials::Credentials;

/// Tells how requests authenticate to the receiver, beside their signature. Secrets are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EndpointAuth {
    /// Requests carry a fixed bearer token.
    Bearer,
    /// Requests carry a user name and a password (HTTP Basic authentication).
    Basic {
        /// Names the user as whom requests are authenticated.
        username: String,
    },
    /// Requests carry an access token that an OAuth 2.0 server grants for client credentials.
    Oauth2 {
        /// Tells where the access token is requested.
        token_url: String,
        /// Identifies the client to the OAuth 2.0 server.
        client_id: String,
        /// Tells which scope is requested.
        scope: Option<String>,
        /// Tells for which audience the access token is requested.
        audience: Option<String>,
    },
}

impl EndpointAuth {
    /// Names the kind of authentication, as `type` does.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic { .. } => "basic",
            Self::Oauth2 { .. } => "oauth2",
        }
    }
}

impl From<&Credentials> for EndpointAuth {
    fn from(credentials: &Credentials) -> Self {
        match credentials.clone() {
            Credentials::Bearer { .. } => Self::Bearer,
            Credentials::Basic { username, .. } => Self::Basic { username },
            Credentials::Oauth2 { token_url, client_id, scope, audience, .. } => {
                Self::Oauth2 { token_url, client_id, scope, audience }
            }
        }
    }
}
