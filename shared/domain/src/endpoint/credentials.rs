//! How an endpoint's receiver is authenticated to, beside the signature: a bearer token, a user's name
//! and password, or an access token that an OAuth 2.0 server gives for client credentials (RFC 6749,
//! section 4.4).
//!
//! What is secret of it is stored sealed.

use serde::{Deserialize, Serialize};

/// How an endpoint's receiver is authenticated to, as stored.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Credentials {
    /// `Authorization: Bearer …`, always the same.
    Bearer {
        /// The token, sealed.
        sealed: String,
    },
    /// `Authorization: Basic …`.
    Basic {
        /// The user's name.
        username: String,
        /// The password, sealed.
        sealed: String,
    },
    /// `Authorization: Bearer …`, as a token server gives it.
    Oauth2 {
        /// Where tokens are had.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// For what, in the server's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// For whom, in the server's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// The client's secret, sealed.
        sealed: String,
    },
}

impl Credentials {
    /// What is secret of them, sealed.
    pub fn sealed(&self) -> &str {
        match self {
            Self::Bearer { sealed } | Self::Basic { sealed, .. } | Self::Oauth2 { sealed, .. } => {
                sealed
            }
        }
    }
}
