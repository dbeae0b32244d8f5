//! API keys: who calls, and what they may do.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{ApiKeyId, TenantName};
use crate::json::Fault;
use crate::limits::{KEY_MAX_PER_SECOND, KEYS_PER_TENANT_MAX};
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
    /// Requests a second, on average over ten seconds; [`KEY_MAX_PER_SECOND`] if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// Requests a second that it may make.
    pub fn max_per_second(&self) -> u32 {
        self.max_per_second.unwrap_or(KEY_MAX_PER_SECOND)
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// AWS has checked the IAM signature of this ARN: acts as the operator.
    Iam(String),
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
pub struct Principal {
    /// What the audit log calls it: `operator`, a key's id, or an ARN.
    pub actor: String,
    /// What it may do.
    pub right: Right,
    /// Requests a second that it may make; none where there is no bound.
    pub max_per_second: Option<u32>,
}

/// What a caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// Everything, for every tenant.
    Operator,
    /// What its scopes allow, for one tenant.
    Tenant(TenantName, Vec<Scope>),
}

/// Says whether a tenant that has these keys has room for one more.
pub fn check_room(keys: &[ApiKey]) -> Result<(), Fault> {
    if keys.len() >= KEYS_PER_TENANT_MAX {
        let detail = format!("the tenant has {KEYS_PER_TENANT_MAX} API keys, its limit");
        return Err(Fault::new("", &detail));
    }
    Ok(())
}

/// Whether a hash is that of the operator's key, told in constant time.
pub fn is_operator(operator_hash: &str, hash: &str) -> bool {
    operator_hash.as_bytes().ct_eq(hash.as_bytes()).into()
}

/// SHA-256 of a key, hexadecimal: what is stored and looked up.
pub fn hash_of(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Principal {
    /// Who works for every tenant.
    pub fn operator(actor: &str) -> Self {
        Self { actor: actor.to_owned(), right: Right::Operator, max_per_second: None }
    }

    /// Whoever has a tenant's key.
    pub fn of(key: ApiKey) -> Self {
        let max_per_second = Some(key.max_per_second());
        let (actor, right) = (key.id.to_string(), Right::Tenant(key.tenant, key.scopes));
        Self { actor, right, max_per_second }
    }

    /// Whether it works for every tenant.
    pub fn is_operator(&self) -> bool {
        self.right == Right::Operator
    }

    /// Whether it may do `scope`'s work in `tenant`: 404 for another tenant's, 403 without the scope.
    pub fn may(&self, tenant: &TenantName, scope: Scope) -> Result<(), Problem> {
        match &self.right {
            Right::Operator => Ok(()),
            Right::Tenant(own, _) if own != tenant => Err(Problem::not_found()),
            Right::Tenant(_, scopes) if !scopes.contains(&scope) => Err(Problem::forbidden(scope)),
            Right::Tenant(..) => Ok(()),
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
        let right = Right::Tenant(own.clone(), vec![Scope::Ingest]);
        let principal = Principal { actor: "key_1".to_owned(), right, max_per_second: None };
        assert!(principal.may(&own, Scope::Ingest).is_ok());
        assert_eq!(principal.may(&own, Scope::Manage).unwrap_err().status, 403);
        assert_eq!(principal.may(&other, Scope::Ingest).unwrap_err().status, 404);
    }
}
