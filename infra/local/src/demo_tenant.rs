//! The tenant `demo`, made once in a new data folder: an endpoint at our own receiver, and the source
//! that verifies its hooks. The hooks become events of another tenant, else each delivery would
//! cause the next.

use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_domain::endpoint::{Endpoint, EndpointState, Health};
use waxseal_domain::id::{EndpointId, SourceName, TenantName};
use waxseal_domain::limits::TOLERANCE_S;
use waxseal_domain::ports::{
    Clock as _, ConfigStore as _, Engine as _, EngineError, KeyVault as _, Tenant,
};
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::retry::RetryPolicy;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::source::Source;
use waxseal_domain::subscription::Subscription;

use crate::settings::Settings;

/// Whose endpoint is at our own receiver.
pub(crate) const TENANT: &str = "demo";
/// Whose events the received hooks become.
pub(crate) const RECEIVED: &str = "demo-received";
/// The source's name.
pub(crate) const SOURCE: &str = "demo";
/// The endpoint's name.
pub(crate) const ENDPOINT: &str = "our own receiver";

/// Makes the tenant if there is none; else takes its endpoint along to a new address.
pub(crate) async fn prepare(
    engine: &EmbeddedEngine,
    settings: &Settings,
) -> Result<(), EngineError> {
    let named = |name: &str| name.parse::<TenantName>().map_err(|e| EngineError::new("demo", e));
    let (tenant, received) = (named(TENANT)?, named(RECEIVED)?);
    let now = engine.clock().now();
    if let Some(endpoints) = engine.store().endpoints(&tenant, 0).await? {
        return follow(engine, &endpoints, &settings.own_receiver()).await;
    }
    let secret = Profile::standard().dialect.generate_secret(engine.random_bytes());
    let secret = Secret::new(secret.as_bytes().to_vec());
    put_source(engine, &received, &secret).await?;
    put_endpoint(engine, &tenant, &secret, settings.own_receiver()).await?;
    // The tenant last: a crash before it leaves nothing that the next start would take for whole.
    for name in [received, tenant] {
        engine.store().create_tenant(&Tenant { name, created_at: now }).await?;
    }
    Ok(())
}

async fn follow(
    engine: &EmbeddedEngine,
    endpoints: &[Endpoint],
    url: &str,
) -> Result<(), EngineError> {
    let own = endpoints.iter().find(|endpoint| endpoint.name.as_deref() == Some(ENDPOINT));
    let Some(moved) = own.filter(|endpoint| endpoint.url != url) else { return Ok(()) };
    let mut endpoint = moved.clone();
    url.clone_into(&mut endpoint.url);
    endpoint.version += 1;
    endpoint.updated_at = engine.clock().now();
    engine.store().put_endpoint(&endpoint, Some(moved.version)).await.map(|_| ())
}

async fn put_source(
    engine: &EmbeddedEngine,
    tenant: &TenantName,
    secret: &Secret,
) -> Result<(), EngineError> {
    let name: SourceName = SOURCE.parse().map_err(|error| EngineError::new("demo", error))?;
    let context = SecretContext::source(tenant, &name);
    let secrets = vec![seal(engine, &context, secret).await?];
    let (tenant, profile) = (tenant.clone(), STANDARD.to_owned());
    let source = Source { name, tenant, profile, secrets, tolerance_s: TOLERANCE_S };
    engine.store().put_source(&source).await.map(|_| ())
}

async fn put_endpoint(
    engine: &EmbeddedEngine,
    tenant: &TenantName,
    secret: &Secret,
    url: String,
) -> Result<(), EngineError> {
    let id = EndpointId::from_entropy(engine.entropy());
    let now = engine.clock().now();
    let context = SecretContext::endpoint(tenant, &id);
    let endpoint = Endpoint {
        id,
        tenant: tenant.clone(),
        url,
        name: Some(ENDPOINT.to_owned()),
        subscription: Subscription::default(),
        profile: STANDARD.to_owned(),
        secrets: vec![seal(engine, &context, secret).await?],
        retry: Some(RetryPolicy {
            delays_s: vec![1, 1, 2, 5, 10, 30, 60],
            jitter: false,
            window_s: None,
        }),
        timeout_ms: None,
        max_per_second: None,
        headers: std::collections::BTreeMap::new(),
        state: EndpointState::Enabled,
        health: Health::Unverified,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    engine.store().put_endpoint(&endpoint, None).await.map(|_| ())
}

async fn seal(
    engine: &EmbeddedEngine,
    context: &SecretContext,
    secret: &Secret,
) -> Result<SealedSecret, EngineError> {
    let sealed = engine.key_vault().seal(context, secret).await?;
    Ok(SealedSecret { sealed, created_at: engine.clock().now(), until: None, public_key: None })
}
