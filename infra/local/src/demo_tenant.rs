//! The tenant `demo`, made once in a new data folder: an endpoint at our own receiver, and the source
//! that verifies its hooks. The hooks become events of another tenant, else each delivery would
//! cause the next.

use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::id::{EndpointId, SourceName, TenantName};
use waxseal_domain::limits::TOLERANCE_S;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::source::Source;
use waxseal_flows::ports::{
    Change, Clock as _, ConfigStore as _, Engine as _, EngineError, KeyVault as _, MaxAge, Tenant,
};

use crate::settings::Settings;

/// Whose endpoint is at our own receiver.
pub(crate) const TENANT: &str = "demo";
/// Whose events the received hooks become.
pub(crate) const RECEIVED: &str = "demo-received";
/// The source's name.
pub(crate) const SOURCE: &str = "demo";
/// The endpoint's name.
pub(crate) const ENDPOINT: &str = "our own receiver";

/// Makes the tenant and its endpoint if there are none; else takes the endpoint along to a new address.
pub(crate) async fn prepare(
    engine: &EmbeddedEngine,
    settings: &Settings,
) -> Result<(), EngineError> {
    let named =
        |name: &str| name.parse::<TenantName>().map_err(|e| EngineError::unreadable("demo", e));
    let (tenant, received) = (named(TENANT)?, named(RECEIVED)?);
    let roster = engine.store().endpoints(&tenant, MaxAge::NOW).await?.unwrap_or_default();
    let own = roster.iter().find(|endpoint| endpoint.name.as_deref() == Some(ENDPOINT));
    if let Some(own) = own {
        return follow(engine, own, &settings.own_receiver()).await;
    }
    let created_at = engine.clock().now();
    for name in [received.clone(), tenant.clone()] {
        let change = Tenant { name, created_at };
        engine.store().change(Change::CreateTenant(&change), None).await?;
    }
    let secret = Profile::standard().dialect.generate_secret(engine.random_bytes());
    let secret = Secret::new(secret.as_bytes().to_vec());
    put_source(engine, &received, &secret).await?;
    // The endpoint last: a crash before it leaves nothing that the next start would take for whole.
    add_endpoint(engine, &tenant, &secret, settings.own_receiver()).await
}

async fn follow(engine: &EmbeddedEngine, own: &Endpoint, url: &str) -> Result<(), EngineError> {
    if own.url == url {
        return Ok(());
    }
    let moved = Endpoint { url: url.to_owned(), ..own.clone() };
    let moved = moved.next_version(engine.clock().now());
    engine.store().change(Change::PutEndpoint(&moved), None).await.map(|_| ())
}

async fn put_source(
    engine: &EmbeddedEngine,
    tenant: &TenantName,
    secret: &Secret,
) -> Result<(), EngineError> {
    let name: SourceName =
        SOURCE.parse().map_err(|error| EngineError::unreadable("demo", error))?;
    let context = SecretContext::source(tenant, &name);
    let secrets = vec![seal(engine, &context, secret).await?];
    let (tenant, profile) = (tenant.clone(), STANDARD.to_owned());
    let source = Source { name, tenant, profile, secrets, tolerance_s: TOLERANCE_S };
    engine.store().change(Change::PutSource(&source), None).await.map(|_| ())
}

async fn add_endpoint(
    engine: &EmbeddedEngine,
    tenant: &TenantName,
    secret: &Secret,
    url: String,
) -> Result<(), EngineError> {
    let id = EndpointId::from_entropy(engine.entropy());
    let now = engine.clock().now();
    let context = SecretContext::endpoint(tenant, &id);
    let endpoint = Endpoint {
        url,
        name: Some(ENDPOINT.to_owned()),
        secrets: vec![seal(engine, &context, secret).await?],
        retry: Some(RetryPolicy {
            delays_s: vec![1, 1, 2, 5, 10, 30, 60],
            jitter: false,
            window_s: None,
        }),
        ..Endpoint::new(id, tenant.clone(), STANDARD.to_owned(), now)
    };
    let roster = engine.store().endpoints(tenant, MaxAge::NOW).await?.unwrap_or_default();
    let change = Change::AddEndpoint(&endpoint, roster.version);
    engine.store().change(change, None).await.map(|_| ())
}

async fn seal(
    engine: &EmbeddedEngine,
    context: &SecretContext,
    secret: &Secret,
) -> Result<SealedSecret, EngineError> {
    let sealed = engine.key_vault().seal(context, secret).await?;
    Ok(SealedSecret { sealed, created_at: engine.clock().now(), until: None, public_key: None })
}
