//! The deployment itself: whether it serves, how its parts are, and the public keys that it signs with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::word::words;

/// Tells that the server serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Serving {
    /// Is always `ok`: a server that does not serve answers with a problem, or not at all.
    pub status: String,
}

impl Serving {
    /// Says that all is well.
    pub fn ok() -> Self {
        Self { status: "ok".to_owned() }
    }
}

/// Tells how the parts of the deployment are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Tells when the parts were checked, by the server's clock.
    // Not every server says so: the command line can do without.
    #[serde(default)]
    #[schemars(!default, extend("format" = "date-time"))]
    pub now: String,
    /// Lists the checks, one for each part.
    pub checks: Vec<Check>,
}

/// Tells how one part of the deployment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Names the part of the deployment that was checked.
    pub name: String,
    /// Tells how the part is.
    pub status: CheckStatus,
    /// Explains the status: in figures, or by what is wrong.
    pub detail: String,
}

words! {
    /// Tells how a part of the deployment is.
    pub enum CheckStatus {
        /// The part works as it should.
        Ok = "ok",
        /// The part works, but somebody should look at it.
        Warn = "warn",
        /// The part does not work.
        Fail = "fail",
    }
}

/// Holds public keys as a JWK Set (RFC 7517).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeySet {
    /// Lists the public keys, each as a JSON Web Key.
    pub keys: Vec<WebKey>,
}

/// Holds the public key with which the deliveries of an endpoint can be verified, as a JSON Web Key
/// (RFC 7517, RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebKey {
    /// Names the family of the key: always `OKP`.
    pub kty: String,
    /// Names the curve of the key: always `Ed25519`.
    pub crv: String,
    /// Tells what the key is for: always `sig`, to verify signatures.
    #[serde(rename = "use")]
    pub usage: String,
    /// Names the algorithm of the signatures: always `EdDSA`.
    pub alg: String,
    /// Identifies the key: the id of the endpoint, a full stop, and when the key was made, in milliseconds
    /// since 1970.
    pub kid: String,
    /// Holds the public key itself, in URL-safe base 64.
    pub x: String,
}

impl WebKey {
    /// Describes an ed25519 key; `x` is in URL-safe base 64.
    pub fn ed25519(kid: String, x: String) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            usage: "sig".to_owned(),
            alg: "EdDSA".to_owned(),
            kid,
            x,
        }
    }
}
