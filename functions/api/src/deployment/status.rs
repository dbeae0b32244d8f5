//! How the deployment is: each part asked now.

use waxseal_adapters::http;
use waxseal_api_types as api;
use waxseal_domain::id::{ApiKeyId, TenantName};
use waxseal_domain::limits::CLOCK_BEHIND_WARN_S;
use waxseal_domain::problem::Problem;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    Check, CheckStatus, Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _,
    PageRequest,
};

use crate::OperationResult;
use crate::call::GlobalCall;

/// The tenant that the key vault is tried for: nothing of it is stored.
const NOBODY: &str = "status-check";

/// The key whose last use is when the store was last tried: no caller has it.
const STORE_CHECK: &str = "key_statuscheck";

/// Answers whether requests can be served: with the names of what fails, and nothing more, as anybody may ask.
pub(super) async fn serving<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let all = call.engine.health().await;
    let failing = all.into_iter().filter(|check| check.status == CheckStatus::Fail);
    let names: Vec<String> = failing.map(|check| check.name).collect();
    if names.is_empty() {
        Ok(http::json(200, &api::Serving::ok()))
    } else {
        Err(Problem::unhealthy(&names).into())
    }
}

/// Checks every part now.
pub(super) async fn check<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let engine = call.engine;
    let mut all = check_store(engine).await;
    all.push(check_key_vault(engine).await);
    all.extend(engine.checks().await);
    let checks = all.into_iter().map(view).collect();
    Ok(http::json(200, &api::Status { now: engine.clock().now().rfc3339(), checks }))
}

fn view(check: Check) -> api::Check {
    let Check { name, status, detail } = check;
    let status = match status {
        CheckStatus::Ok => api::CheckStatus::Ok,
        CheckStatus::Warn => api::CheckStatus::Warn,
        CheckStatus::Fail => api::CheckStatus::Fail,
    };
    api::Check { name, status, detail }
}

/// Reads and writes; with it, the clock is compared with the time that was written last.
async fn check_store<E: Engine>(engine: &E) -> Vec<Check> {
    let now = engine.clock().now();
    match read_and_write(engine, now).await {
        Ok(last) => vec![Check::ok("store", "reads and writes"), check_clock(now, last)],
        Err(error) => vec![Check::fail("store", error.to_string())],
    }
}

/// Notes the time in the store; the time that was noted there before, if there was one. Time that was noted does
/// not go back, so that a clock that did is told for as long as it is behind.
async fn read_and_write<E: Engine>(
    engine: &E,
    now: Timestamp,
) -> Result<Option<Timestamp>, EngineError> {
    let store = engine.store();
    store.tenants(&PageRequest { limit: 1, cursor: None }).await?;
    let key: ApiKeyId =
        STORE_CHECK.parse().map_err(|error| EngineError::unreadable("check store", error))?;
    let last = store.key_uses(std::slice::from_ref(&key)).await?.remove(&key);
    store.note_key_use(&key, last.map_or(now, |last| last.max(now))).await?;
    Ok(last)
}

fn check_clock(now: Timestamp, last: Option<Timestamp>) -> Check {
    let behind_s = last.map_or(0, |last| last.since_ms(now) / 1_000);
    if behind_s < CLOCK_BEHIND_WARN_S {
        Check::ok("clock", now.rfc3339())
    } else {
        let detail = format!(
            "{}, {behind_s} s behind a time that is stored: it is wrong, or was",
            now.rfc3339()
        );
        Check::warn("clock", detail)
    }
}

/// Seals something and opens it again.
async fn check_key_vault<E: Engine>(engine: &E) -> Check {
    match seals_and_opens(engine).await {
        Ok(true) => Check::ok("key vault", "seals and opens"),
        Ok(false) => Check::fail("key vault", "opens something else than was sealed"),
        Err(error) => Check::fail("key vault", error.to_string()),
    }
}

async fn seals_and_opens<E: Engine>(engine: &E) -> Result<bool, EngineError> {
    let tenant: TenantName =
        NOBODY.parse().map_err(|e| EngineError::unreadable("check key vault", e))?;
    let (context, secret) =
        (SecretContext::links(&tenant), Secret::new(engine.random_bytes().to_vec()));
    let sealed = engine.key_vault().seal(&context, &secret).await?;
    Ok(engine.key_vault().open(&context, &sealed).await? == secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_what_is_stored_is_a_warning() {
        let now = Timestamp::from_ms(1_800_000_000_000);
        assert_eq!(check_clock(now, None).status, CheckStatus::Ok);
        assert_eq!(check_clock(now, Some(now.minus_s(900))).status, CheckStatus::Ok);
        assert_eq!(check_clock(now, Some(now.plus_s(59))).status, CheckStatus::Ok);
        let behind = check_clock(now, Some(now.plus_s(40 * 86_400)));
        assert_eq!(behind.status, CheckStatus::Warn);
        assert!(behind.detail.contains("3456000 s behind"), "{}", behind.detail);
    }
}
