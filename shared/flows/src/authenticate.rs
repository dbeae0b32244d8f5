//! Finds out who calls the API. No other place checks keys.

use waxseal_domain::api_key::{ApiKey, Caller, Principal, Scope, hash_of, is_operator};
use waxseal_domain::flow_control::rate::window_end;
use waxseal_domain::flow_control::throttle::Admission;
use waxseal_domain::id::TenantName;
use waxseal_domain::problem::Problem;

use crate::ports::{Clock, ConfigStore, Engine, EngineError, GateStore};
use crate::refusal::Refusal;

/// Finds the principal behind a caller. The problem is 401 for a caller that is not known and 429
/// for a key that calls too often.
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
    if let Some(retry_after_s) = throttle(engine, &key).await? {
        return Err(Problem::too_many(key.max_per_second(), retry_after_s).into());
    }
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

/// Counts a request of a key. Returns the seconds to wait where the key's requests of this window
/// are used up.
async fn throttle<E: Engine>(engine: &E, key: &ApiKey) -> Result<Option<u64>, EngineError> {
    let now = engine.clock().now();
    let throttle = &engine.memory().throttle;
    let wanted = match throttle.ask(&key.id, key.max_per_second(), now) {
        Admission::Granted => return Ok(None),
        Admission::Refused => return Ok(Some(window_end(now).wait_s(now).max(1))),
        Admission::Ask(wanted) => wanted,
    };
    // Asked for many requests at once, and only when those that this instance may let pass by
    // itself are used up. So a key that calls now and then costs no write.
    let granted = engine.store().take_tokens(key.id.as_str(), wanted).await?;
    let is_granted = throttle.record_grant(&key.id, wanted, granted);
    Ok((!is_granted).then(|| window_end(now).wait_s(now).max(1)))
}

/// Notes when a key was last used, at most once a minute. The note is for people only, so a failure
/// does not stop the request.
async fn note_use<E: Engine>(engine: &E, key: &ApiKey) {
    let now = engine.clock().now();
    if engine.memory().throttle.is_use_to_be_noted(&key.id, now) {
        let _unnoted = engine.store().note_key_use(&key.id, now).await;
    }
}
