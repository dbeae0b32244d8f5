//! A source: who sends hooks to our receiver, and how they are verified.

use serde::{Deserialize, Serialize};

use crate::id::{SourceName, TenantName};
use crate::secret::SealedSecret;

/// A sender of hooks. Its name is unique in the deployment, since hooks carry no tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// Its name, the last segment of the hooks' path.
    pub name: SourceName,
    /// Whose events its hooks become.
    pub tenant: TenantName,
    /// The wire contract's name.
    pub profile: String,
    /// The secrets that may have signed.
    pub secrets: Vec<SealedSecret>,
    /// How far a hook's timestamp may be off, in seconds.
    pub tolerance_s: u64,
}
