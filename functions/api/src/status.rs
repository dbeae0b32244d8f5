//! How the deployment is: each part asked now.

use schemars::JsonSchema;
use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::id::TenantName;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_flows::ports::{
    Check, Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _, PageRequest,
};

use crate::Answer;

/// The tenant that the key vault is tried for: nothing of it is stored.
const NOBODY: &str = "status-check";

/// How the deployment is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub(crate) struct StatusView {
    /// When it was looked at, by the server's clock.
    #[schemars(extend("format" = "date-time"))]
    now: String,
    /// Part by part.
    checks: Vec<Check>,
}

pub(crate) async fn answer<E: Engine>(engine: &E) -> Answer {
    let mut checks = vec![store(engine).await, key_vault(engine).await];
    checks.extend(engine.checks().await);
    Ok(http::json(200, &StatusView { now: engine.clock().now().rfc3339(), checks }))
}

async fn store<E: Engine>(engine: &E) -> Check {
    let page = PageRequest { limit: 1, cursor: None };
    match engine.store().tenants(&page).await {
        Ok(_) => Check::ok("store", "answers"),
        Err(error) => Check::fail("store", error.to_string()),
    }
}

/// Seals something and opens it again.
async fn key_vault<E: Engine>(engine: &E) -> Check {
    match sealed_and_opened(engine).await {
        Ok(true) => Check::ok("key vault", "seals and opens"),
        Ok(false) => Check::fail("key vault", "opens something else than was sealed"),
        Err(error) => Check::fail("key vault", error.to_string()),
    }
}

async fn sealed_and_opened<E: Engine>(engine: &E) -> Result<bool, EngineError> {
    let tenant: TenantName =
        NOBODY.parse().map_err(|e| EngineError::unreadable("check key vault", e))?;
    let (context, secret) =
        (SecretContext::links(&tenant), Secret::new(engine.random_bytes().to_vec()));
    let sealed = engine.key_vault().seal(&context, &secret).await?;
    Ok(engine.key_vault().open(&context, &sealed).await? == secret)
}
