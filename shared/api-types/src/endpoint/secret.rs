//! Secrets that sign an endpoint's deliveries: shown once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_domain::secret::SealedSecret;
use waxseal_domain::timestamp::Timestamp;

/// Describes a secret that signs deliveries, without the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveSecret {
    /// Tells when the secret was set.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
    /// Tells when the secret stops signing. It is null for the newest secret.
    #[schemars(extend("format" = "date-time"))]
    pub signs_until: Option<String>,
}

impl From<&SealedSecret> for LiveSecret {
    fn from(secret: &SealedSecret) -> Self {
        Self {
            created_at: secret.created_at.rfc3339(),
            signs_until: secret.until.map(Timestamp::rfc3339),
        }
    }
}

/// Shows a secret, this once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownSecret {
    /// Holds the secret, which is never returned again. It is null where deliveries are not signed, and
    /// where the secret was shown before.
    pub secret: Option<String>,
    /// Holds the same secret as verifiers of Standard Webhooks take it. It is left out where the profile has
    /// no headers of Standard Webhooks beside its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_secret: Option<String>,
}

/// Asks for a new secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rotation {
    /// Sets the secret, in the form that the profile describes. If it is left out, one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Names the algorithm of a secret that is made. The default is the algorithm of the previous secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Tells for how many seconds the previous secret signs as well. The default is 86400, a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_s: Option<u64>,
}

/// Shows the new secret of an endpoint, this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// Shows the new secret, where it is shown at all.
    #[serde(flatten)]
    pub shown: ShownSecret,
    /// Holds the public key that verifies deliveries, as `whpk_…`. It is left out where deliveries are not
    /// signed with ed25519.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Tells until when the previous secret signs as well.
    #[schemars(extend("format" = "date-time"))]
    pub overlap_until: String,
}

impl Rotation {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self { overlap_s: Some(86_400), ..Self::default() }
    }
}
