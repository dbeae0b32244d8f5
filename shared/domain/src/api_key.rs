//! API keys, and the callers that are told by them: who calls, and what they may do.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{ApiKeyId, TenantName};
use crate::json::Fault;
use crate::limits::{KEY_MAX_PER_SECOND, KEYS_PER_TENANT_MAX, OPERATOR_KEY_CHARS_MIN};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Allows sending events and nothing else.
    Ingest,
    /// Allows everything else of the key's tenant.
    Manage,
}

/// A tenant's key, as stored: the key itself is shown once, and only its hash is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// The key's id, `key_…`, by which it is listed and revoked. It is not the key itself.
    pub id: ApiKeyId,
    /// The tenant whose key it is.
    pub tenant: TenantName,
    /// The scopes that the key allows.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the key, hexadecimal.
    pub hash: String,
    /// A name that people gave the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Requests a second, on average over ten seconds; [`KEY_MAX_PER_SECOND`] if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
    /// When the key was created.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// Returns the requests a second that the key may make.
    pub fn max_per_second(&self) -> u32 {
        self.max_per_second.unwrap_or(KEY_MAX_PER_SECOND)
    }
}

/// Whether an operator's key can be guessed by whoever reaches the server.
pub fn is_guessable(operator_key: &str) -> bool {
    operator_key.chars().count() < OPERATOR_KEY_CHARS_MIN
}

/// What a request says of its caller, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// AWS has checked the IAM signature of this ARN, which acts as the operator.
    Iam(String),
    /// The request's key was found to be this caller's, before the rest of the request was read.
    Known(Principal),
    /// The request carries this key.
    Key(String),
    /// The request carries nothing that names a caller.
    Nobody,
}

impl Caller {
    /// Reads the caller from the value of the header `Authorization`, `Bearer` and the key.
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

/// A caller that is known, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What the audit log calls it: `operator`, a key's id, or an ARN.
    pub actor: String,
    /// For whom the caller may act, and within which scopes.
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

/// What a new key will allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// The scopes that it will have.
    pub scopes: Vec<Scope>,
    /// Requests a second that it may make; [`KEY_MAX_PER_SECOND`] if not said.
    pub max_per_second: Option<u32>,
}

/// Says whether a tenant that has these keys has room for one more.
pub fn check_room(keys: &[ApiKey]) -> Result<(), Fault> {
    if keys.len() >= KEYS_PER_TENANT_MAX {
        let detail = format!("the tenant has {KEYS_PER_TENANT_MAX} API keys, its limit");
        return Err(Fault::new("", &detail));
    }
    Ok(())
}

/// Whether a hash is that of the operator's key. It is compared in constant time, so that the time
/// tells nothing of the hash.
pub fn is_operator(operator_hash: &str, hash: &str) -> bool {
    operator_hash.as_bytes().ct_eq(hash.as_bytes()).into()
}

/// Returns the SHA-256 of a key in hexadecimal, which is stored and looked up in place of the key.
pub fn hash_of(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

impl Principal {
    /// Makes the principal of the operator, under the name by which the audit log knows the caller.
    pub fn operator(actor: &str) -> Self {
        Self { actor: actor.to_owned(), right: Right::Operator, max_per_second: None }
    }

    /// Makes the principal of a tenant's key, under the key's id.
    pub fn of(key: ApiKey) -> Self {
        let max_per_second = Some(key.max_per_second());
        let (actor, right) = (key.id.to_string(), Right::Tenant(key.tenant, key.scopes));
        Self { actor, right, max_per_second }
    }

    /// Whether the caller may do everything for every tenant.
    pub fn is_operator(&self) -> bool {
        self.right == Right::Operator
    }

    /// Grants a new key what is asked for it. What is not said is all that a key has by default, as far as
    /// the caller has it. A key gives no more than it has: to ask for more is a fault.
    pub fn grant(
        &self,
        scopes: Option<Vec<Scope>>,
        max_per_second: Option<u32>,
    ) -> Result<KeyGrant, Vec<Fault>> {
        let own = match &self.right {
            Right::Operator => vec![Scope::Ingest, Scope::Manage],
            Right::Tenant(_, own) => own.clone(),
        };
        let mut faults = Vec::new();
        if scopes.iter().flatten().any(|scope| !own.contains(scope)) {
            let detail = "must be among the scopes of the key that makes it";
            faults.push(Fault::new("/scopes", detail));
        }
        let most = self.max_per_second.unwrap_or(u32::MAX);
        if max_per_second.is_some_and(|asked| asked > most) {
            let detail = format!("must be at most {most}, as of the key that makes it");
            faults.push(Fault::new("/max_per_second", &detail));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let bounded = (most < KEY_MAX_PER_SECOND).then_some(most);
        let scopes = scopes.unwrap_or(own);
        Ok(KeyGrant { scopes, max_per_second: max_per_second.or(bounded) })
    }

    /// Checks that the caller may do the work of `scope` in `tenant`. The problem is 404 for
    /// another tenant, so that nobody learns which exist, and 403 without the scope.
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

    #[test]
    fn a_key_gives_no_more_than_it_has() {
        let right = Right::Tenant("a".parse().unwrap(), vec![Scope::Manage]);
        let slow = Principal { actor: "key_1".to_owned(), right, max_per_second: Some(5) };
        let granted = slow.grant(None, None).unwrap();
        assert_eq!(granted, KeyGrant { scopes: vec![Scope::Manage], max_per_second: Some(5) });
        let granted = slow.grant(Some(vec![Scope::Manage]), Some(1)).unwrap();
        assert_eq!(granted.max_per_second, Some(1));
        let faults = slow.grant(Some(vec![Scope::Manage, Scope::Ingest]), Some(6)).unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/scopes", "/max_per_second"]);

        // A key with more than the default's rate gives the default, where nothing is said.
        let fast = Principal { max_per_second: Some(KEY_MAX_PER_SECOND + 1), ..slow };
        assert_eq!(fast.grant(None, None).unwrap().max_per_second, None);
        let operator = Principal::operator("operator");
        let granted = operator.grant(None, Some(1_000)).unwrap();
        let both = vec![Scope::Ingest, Scope::Manage];
        assert_eq!(granted, KeyGrant { scopes: both, max_per_second: Some(1_000) });
    }

    #[test]
    fn a_key_without_a_secret_behind_its_scheme_is_nobodys() {
        for header in ["Bearer", "Bearer  ", "Bearer \t"] {
            assert_eq!(Caller::from_authorization(Some(header)), Caller::Nobody, "{header:?}");
        }
    }

    fn stored(max_per_second: Option<u32>) -> ApiKey {
        ApiKey {
            id: "key_1".parse().unwrap(),
            tenant: "a".parse().unwrap(),
            scopes: vec![Scope::Ingest],
            hash: hash_of("secret"),
            name: None,
            max_per_second,
            created_at: Timestamp::from_ms(0),
        }
    }

    #[test]
    fn a_key_makes_the_requests_that_it_says_or_as_many_as_any() {
        assert_eq!(Principal::of(stored(Some(7))).max_per_second, Some(7));
        assert_eq!(Principal::of(stored(None)).max_per_second, Some(KEY_MAX_PER_SECOND));
    }

    #[test]
    fn a_tenant_has_room_until_it_has_as_many_keys_as_it_may() {
        let mut keys = vec![stored(None); KEYS_PER_TENANT_MAX - 1];
        assert_eq!(check_room(&keys), Ok(()));
        keys.push(stored(None));
        assert!(check_room(&keys).is_err());
    }

    #[test]
    fn the_operator_is_told_by_the_hash_of_its_key_alone() {
        let operator = hash_of("operator's");
        assert!(is_operator(&operator, &hash_of("operator's")));
        assert!(!is_operator(&operator, &hash_of("another's")));
        assert!(!is_operator(&operator, ""));
        assert!(Principal::operator("operator").is_operator());
        assert!(!Principal::of(stored(None)).is_operator());
    }

    #[test]
    fn a_key_gives_as_much_as_it_has_itself() {
        let caller = Principal::of(stored(Some(5)));
        let whole = KeyGrant { scopes: vec![Scope::Ingest], max_per_second: Some(5) };
        assert_eq!(caller.grant(Some(vec![Scope::Ingest]), Some(5)), Ok(whole));
        // A key of the default's rate gives the default, and so writes nothing of it.
        let usual = Principal::of(stored(None));
        assert_eq!(usual.grant(None, None).unwrap().max_per_second, None);
    }
}
