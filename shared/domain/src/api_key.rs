//! API keys: who calls, and what they may do.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{ApiKeyId, TenantName};
use crate::ports::{ConfigStore, Engine, EngineError};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To send events.
    Ingest,
    /// Everything else of its tenant.
    Manage,
}

/// A tenant's key, as stored: the key itself is shown once, and only its hash is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// `key_…`.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant: TenantName,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the key, hexadecimal.
    pub hash: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// AWS has checked an IAM signature: acts as the operator.
    Iam,
    /// Whoever has this key.
    Key(String),
    /// Nobody.
    Nobody,
}

impl Caller {
    /// From the value of the `Authorization` header.
    pub fn from_authorization(header: Option<&str>) -> Self {
        let key = header.and_then(|value| {
            let (scheme, key) = value.trim().split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
        });
        match key {
            Some(key) if !key.is_empty() => Self::Key(key),
            _ => Self::Nobody,
        }
    }
}

/// Who calls, once known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Works for every tenant.
    Operator,
    /// Works for one tenant, within its scopes.
    Tenant(TenantName, Vec<Scope>),
}

/// SHA-256 of a key, hexadecimal: what is stored and looked up.
pub fn hash_of(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who calls, or 401.
pub async fn authenticate<E: Engine>(
    engine: &E,
    caller: &Caller,
) -> Result<Result<Principal, Problem>, EngineError> {
    let key = match caller {
        Caller::Iam => return Ok(Ok(Principal::Operator)),
        Caller::Nobody => return Ok(Err(Problem::unauthorized())),
        Caller::Key(key) => key,
    };
    let hash = hash_of(key);
    let operator = engine.operator_key_hash().await?;
    if bool::from(operator.as_bytes().ct_eq(hash.as_bytes())) {
        return Ok(Ok(Principal::Operator));
    }
    let found = engine.store().api_key(&hash).await?;
    Ok(found.map(|key| Principal::Tenant(key.tenant, key.scopes)).ok_or_else(Problem::unauthorized))
}

impl Principal {
    /// Whether it may do `scope`'s work in `tenant`: 404 for another tenant's, 403 without the scope.
    pub fn may(&self, tenant: &TenantName, scope: Scope) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            Self::Tenant(own, _) if own != tenant => Err(Problem::not_found()),
            Self::Tenant(_, scopes) if !scopes.contains(&scope) => Err(Problem::forbidden(scope)),
            Self::Tenant(..) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bearer_keys_in_any_case() {
        let key = Caller::Key("k1".to_owned());
        assert_eq!(Caller::from_authorization(Some("bearer  k1 ")), key);
        assert_eq!(Caller::from_authorization(Some("Basic k1")), Caller::Nobody);
        assert_eq!(Caller::from_authorization(Some("Bearer ")), Caller::Nobody);
        assert_eq!(Caller::from_authorization(None), Caller::Nobody);
    }

    #[test]
    fn a_key_works_in_its_tenant_and_within_its_scopes() {
        let (own, other): (TenantName, TenantName) = ("a".parse().unwrap(), "b".parse().unwrap());
        let principal = Principal::Tenant(own.clone(), vec![Scope::Ingest]);
        assert!(principal.may(&own, Scope::Ingest).is_ok());
        assert_eq!(principal.may(&own, Scope::Manage).unwrap_err().status, 403);
        assert_eq!(principal.may(&other, Scope::Ingest).unwrap_err().status, 404);
    }
}
