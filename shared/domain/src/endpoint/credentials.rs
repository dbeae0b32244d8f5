//! How an endpoint's receiver is authenticated to, beside the signature: a bearer token, a user's name
//! and password, or an access token that an OAuth 2.0 server gives for client credentials (RFC 6749,
//! section 4.4).
//!
//! What is secret of it is stored sealed.

mod new;

pub use self::new::{NewCredentials, SECRET_CHARS_MAX, TEXT_CHARS_MAX};

use serde::{Deserialize, Serialize};

/// How an endpoint's receiver is authenticated to, as stored.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Credentials {
    /// The receiver is sent `Authorization: Bearer …` with a token that stays the same.
    Bearer {
        /// The token, as the key vault has sealed it.
        sealed: String,
    },
    /// The receiver is sent `Authorization: Basic …`.
    Basic {
        /// The name before the colon, which must have none itself.
        username: String,
        /// The password, as the key vault has sealed it.
        sealed: String,
    },
    /// The receiver is sent `Authorization: Bearer …` with an access token that a server issues.
    Oauth2 {
        /// The URL at which access tokens are asked for.
        token_url: String,
        /// The id by which the token server knows us.
        client_id: String,
        /// The scope that is asked for, in the token server's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// The audience that the token is for, in the token server's words.
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
