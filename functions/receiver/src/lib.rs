//! `receiver`: incoming hooks, verified, become events of their source's tenant.
//!
//! Nothing of the signature that was expected is logged or returned.

use waxseal_adapters::http::{self, Request, Response};
use waxseal_domain::acceptance::{Acceptance, Refusal, accept_all};
use waxseal_domain::event::Submission;
use waxseal_domain::id::SourceName;
use waxseal_domain::limits::{EVENT_BYTES_MAX, FRESH_S};
use waxseal_domain::ports::{Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Hook, Profile};
use waxseal_domain::secret::SecretContext;
use waxseal_domain::source::Source;
use waxseal_verify::{Key, Window};

/// `POST /hooks/{source}`: 200 once the hook is an event, or was one already.
pub async fn receive<E: Engine>(engine: &E, source: &str, request: &Request) -> Response {
    match received(engine, source, request).await {
        Ok(acceptance) => http::json(200, &acceptance),
        Err(refusal) => {
            if let Refusal::Ours(error) = &refusal {
                tracing::error!(%error, "a hook was not acknowledged");
            }
            http::problem(&refusal.into_problem())
        }
    }
}

async fn received<E: Engine>(
    engine: &E,
    source: &str,
    request: &Request,
) -> Result<Acceptance, Refusal> {
    let source = find(engine, source).await?.ok_or(Refusal::Problem(Problem::not_found()))?;
    let body = request.body().as_ref();
    if body.len() > EVENT_BYTES_MAX {
        return Err(Refusal::Problem(Problem::too_large("a hook", EVENT_BYTES_MAX)));
    }
    let profile = Profile::require(engine, &source.profile).await?;
    let keys = keys(engine, &source, &profile).await?;
    let now_s = engine.clock().now().seconds();
    let window = Window { now_s, tolerance_s: source.tolerance_s };
    let header = |name: &str| http::header(request, name);
    let verified = match profile.dialect.verify(header, body, &keys, window) {
        Ok(verified) => verified,
        Err(fault) => {
            tracing::warn!(source = %source.name, %fault, "a hook was refused");
            return Err(Refusal::Problem(Problem::unverified(fault.to_string())));
        }
    };
    let submission = submission(&source, &profile, verified.id.as_deref(), request);
    let submission = submission.map_err(Refusal::Problem)?;
    let mut results = accept_all(engine, &source.tenant, &[submission]).await?;
    results.pop().unwrap_or_else(|| Err(Refusal::Problem(Problem::not_found())))
}

async fn find<E: Engine>(engine: &E, name: &str) -> Result<Option<Source>, EngineError> {
    match name.parse::<SourceName>() {
        Ok(name) => engine.store().source(&name, FRESH_S).await,
        Err(_) => Ok(None),
    }
}

async fn keys<E: Engine>(
    engine: &E,
    source: &Source,
    profile: &Profile,
) -> Result<Vec<Key>, EngineError> {
    let context = SecretContext::source(&source.tenant, &source.name);
    let now = engine.clock().now();
    let mut keys = Vec::new();
    for sealed in source.secrets.iter().filter(|secret| secret.is_live(now)) {
        let secret = engine.key_vault().open(&context, &sealed.sealed).await?;
        keys.extend(profile.dialect.key(secret.expose_text().unwrap_or_default()));
    }
    Ok(keys)
}

/// The event that a hook is, as its profile reads it.
fn submission(
    source: &Source,
    profile: &Profile,
    id: Option<&str>,
    request: &Request,
) -> Result<Submission, Problem> {
    let header = |name: &str| http::header(request, name);
    let hook = Hook { id, header: &header, body: request.body() };
    let submission = profile.reading.submission(&format!("/hooks/{}", source.name), &hook);
    submission.map_err(|fault| {
        let detail = format!("the hook is not what {} says: {}", source.profile, fault.detail);
        Problem::bad_request(detail)
    })
}
