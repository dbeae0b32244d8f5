//! Sources: systems whose hooks come in and become events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_domain::source;

/// Describes a source: a system that sends hooks, each of which becomes an event of the tenant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Identifies the source within its tenant.
    pub name: String,
    /// Names the tenant that the events belong to.
    pub tenant: String,
    /// Names the profile by which hooks are verified and read.
    pub profile: String,
    /// Counts the secrets that hooks may be signed with. The secrets themselves are never returned.
    pub secrets: usize,
    /// Limits how far the timestamp of a hook may differ from the time at which it arrives, in seconds.
    pub tolerance_s: u64,
    /// Limits how many hooks per second are accepted. What is over it is refused with 429.
    pub max_per_second: u32,
    /// Gives the path to which the system sends its hooks.
    pub path: String,
    /// Gives the path without a tenant, where it leads to this source: to the first of its name in the deployment. It is
    /// left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_path: Option<String>,
}

impl From<&source::Source> for Source {
    fn from(source: &source::Source) -> Self {
        Self {
            name: source.name.to_string(),
            tenant: source.tenant.to_string(),
            profile: source.profile.clone(),
            secrets: source.secrets.len(),
            tolerance_s: source.tolerance_s,
            max_per_second: source.max_per_second(),
            path: source.path(),
            short_path: source.short_path(),
        }
    }
}

/// Asks for a source, or replaces it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NewSource {
    /// Names the profile by which hooks are verified and read. The default is `standard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Lists the secrets that hooks may be signed with, in the form that the profile describes: one, or two
    /// while one replaces the other.
    pub secrets: Vec<String>,
    /// Limits how far the timestamp of a hook may differ from the time at which it arrives, in seconds. The
    /// default is 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_s: Option<u64>,
    /// Limits how many hooks per second are accepted. The default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
}

impl NewSource {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            profile: Some("github".to_owned()),
            secrets: vec!["It's a Secret to Everybody".to_owned()],
            tolerance_s: None,
            max_per_second: None,
        }
    }
}
