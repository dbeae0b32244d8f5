//! Finds out who calls the API. No other place checks keys.

use waxseal_domain::api_key::{ApiKey, Caller, Principal, Scope, hash_of, is_operator};
use waxseal_domain::flow_control::rate::{Rate, of_requests};
use waxseal_domain::id::TenantName;
use waxseal_domain::problem::Problem;

use crate::ports::{Clock, ConfigStore, Engine};
use crate::refusal::Refusal;
use crate::throttle::{Turn, take_turn};

/// Finds the principal behind a caller. The problem is 401 for a caller that is not known and 429
/// for a key that calls too often, or whose tenant does.
pub async fn authenticate<E: Engine>(engine: &E, caller: &Caller) -> Result<Principal, Refusal> {
    let key = match caller {
        Caller::Iam(arn) => return Ok(Principal::operator(arn)),
        Caller::Known(principal) => return Ok(principal.clone()),
        Caller::Nobody => return Err(Problem::unauthorized().into()),
        Caller::Key(key) => key,
    };
    let hash = hash_of(key);
    let operator = engine.operator_key_hash().await?;
    if is_operator(&operator, &hash) {
        return Ok(Principal::operator("operator"));
    }
    let Some(key) = engine.store().api_key(&hash).await? else {
        return Err(Problem::unauthorized().into());
    };
    bound_requests(engine, &key).await?;
    note_use(engine, &key).await;
    Ok(Principal::of(key))
}

/// Returns the tenant of that name if the caller may do the work of `scope` in it. The refusal is
/// 401, 403, 404 or 429.
pub async fn admit<E: Engine>(
    engine: &E,
    caller: &Caller,
    tenant: &str,
    scope: Scope,
) -> Result<TenantName, Refusal> {
    let principal = authenticate(engine, caller).await?;
    let tenant: TenantName = tenant.parse().map_err(|_| Problem::not_found())?;
    principal.may(&tenant, scope)?;
    Ok(tenant)
}

/// Counts a request of a key, and of its tenant. The refusal is 429.
async fn bound_requests<E: Engine>(engine: &E, key: &ApiKey) -> Result<(), Refusal> {
    let of_key = Rate::per_second(key.max_per_second());
    if let Turn::Over { wait_s, .. } = take_turn(engine, key.id.as_str(), of_key).await? {
        return Err(Problem::too_many("API key", key.max_per_second(), wait_s).into());
    }
    let bounds = engine.memory().tenant_bounds;
    let whose = of_requests(&key.tenant);
    if let Turn::Over { wait_s, .. } = take_turn(engine, &whose, bounds.requests()).await? {
        let most = bounds.requests_per_second;
        return Err(Problem::too_many("tenant of the API key", most, wait_s).into());
    }
    Ok(())
}

/// Notes when a key was last used, at most once a minute. The note is for people only, so a failure
/// does not stop the request.
async fn note_use<E: Engine>(engine: &E, key: &ApiKey) {
    let now = engine.clock().now();
    if engine.memory().throttle.is_use_to_be_noted(key.id.as_str(), now) {
        let _unnoted = engine.store().note_key_use(&key.id, now).await;
    }
}
