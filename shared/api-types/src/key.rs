//! API keys: who calls, and what they may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_domain::api_key::{self, ApiKey};

use crate::word::words;

words! {
    /// Names something that an API key allows.
    pub enum Scope {
        /// The key may send events.
        Ingest = "ingest",
        /// The key may do everything else within its tenant.
        Manage = "manage",
    }
}

impl From<api_key::Scope> for Scope {
    fn from(scope: api_key::Scope) -> Self {
        match scope {
            api_key::Scope::Ingest => Self::Ingest,
            api_key::Scope::Manage => Self::Manage,
        }
    }
}

/// Describes an API key of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Identifies the key, as `key_…`. It is not the key itself.
    pub id: String,
    /// Names the key for people.
    pub name: Option<String>,
    /// Lists what the key allows.
    pub scopes: Vec<Scope>,
    /// Limits how many requests per second the key may make, averaged over ten seconds.
    pub max_per_second: u32,
    /// Tells when the key was created.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
    /// Tells when the key was last used, to the minute. It is null for a key that was never used.
    #[schemars(extend("format" = "date-time"))]
    pub last_used_at: Option<String>,
    /// Holds the key itself, to be sent as `Authorization: Bearer <key>`. It is returned only by the request
    /// that creates the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl From<&ApiKey> for Key {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            scopes: key.scopes.iter().copied().map(Scope::from).collect(),
            max_per_second: key.max_per_second(),
            created_at: key.created_at.rfc3339(),
            last_used_at: None,
            key: None,
        }
    }
}

/// Asks for an API key.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewKey {
    /// Names the key for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lists what the key allows, which is no more than the key allows that makes it. The default is all of
    /// that; of a key that the operator makes, it is everything within its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// Limits how many requests per second the key may make, averaged over ten seconds. It is at most the limit
    /// of the key that makes it. The default is 100, or that limit where it is lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
}

/// Describes the API key that a request was made with.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Identifies the caller, as the audit log does.
    // Not every server says so: the command line can do without.
    #[serde(default)]
    #[schemars(!default)]
    pub actor: String,
    /// Tells whether the caller is the operator, who may do everything for every tenant.
    pub operator: bool,
    /// Names the tenant that the key belongs to. It is null for the operator.
    pub tenant: Option<String>,
    /// Lists what the key allows.
    // Not every server says so: the command line can do without.
    #[serde(default)]
    #[schemars(!default)]
    pub scopes: Vec<Scope>,
    /// Limits how many requests per second the key may make. It is null where there is no limit.
    pub max_per_second: Option<u32>,
}

impl NewKey {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            name: Some("Agent runtime".to_owned()),
            scopes: Some(vec![Scope::Ingest]),
            max_per_second: None,
        }
    }
}

impl Identity {
    /// Makes the example that the API document shows.
    pub fn example() -> Self {
        Self {
            actor: "key_1".to_owned(),
            operator: false,
            tenant: Some("acme".to_owned()),
            scopes: vec![Scope::Ingest, Scope::Manage],
            max_per_second: Some(100),
        }
    }
}
