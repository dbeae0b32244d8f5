//! How the deployment is: each part asked now.

use waxseal_adapters::http;
use waxseal_api_types as api;
use waxseal_domain::id::{ApiKeyId, TenantName};
use waxseal_domain::problem::Problem;
use waxseal_domain::secret::{Secret, SecretContext};
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
    let mut all = vec![check_store(engine).await, check_key_vault(engine).await];
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

/// Reads and writes.
async fn check_store<E: Engine>(engine: &E) -> Check {
    match read_and_write(engine).await {
        Ok(()) => Check::ok("store", "reads and writes"),
        Err(error) => Check::fail("store", error.to_string()),
    }
}

async fn read_and_write<E: Engine>(engine: &E) -> Result<(), EngineError> {
    let store = engine.store();
    store.tenants(&PageRequest { limit: 1, cursor: None }).await?;
    let key: ApiKeyId =
        STORE_CHECK.parse().map_err(|error| EngineError::unreadable("check store", error))?;
    store.note_key_use(&key, engine.clock().now()).await
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
