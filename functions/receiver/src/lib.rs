//! `receiver`: incoming hooks, verified, become events of their source's tenant.
//!
//! Nothing of the signature that was expected is logged or returned.

use waxseal_adapters::http::{self, Request, Response};
use waxseal_api_types::event::Challenge;
use waxseal_domain::acceptance::Acceptance;
use waxseal_domain::event::Submission;
use waxseal_domain::id::SourceName;
use waxseal_domain::limits::{EVENT_BYTES_MAX, FRESH_S};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Hook, Profile};
use waxseal_domain::secret::SecretContext;
use waxseal_domain::source::Source;
use waxseal_flows::accept::accept_all;
use waxseal_flows::ports::{Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _};
use waxseal_flows::profiles::require_profile;
use waxseal_flows::refusal::Refusal;
use waxseal_verify::{Key, Window};

/// What a hook was.
enum Received {
    /// An event, accepted.
    Event(Acceptance),
    /// A question, and its answer.
    Challenge(String),
}

/// `POST /hooks/{source}`: 200 once the hook is an event, or was one already.
pub async fn receive<E: Engine>(engine: &E, source: &str, request: &Request) -> Response {
    match received(engine, source, request).await {
        Ok(Received::Event(acceptance)) => {
            http::json(200, &waxseal_api_types::Acceptance::from(acceptance))
        }
        Ok(Received::Challenge(challenge)) => http::json(200, &Challenge { challenge }),
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
) -> Result<Received, Refusal> {
    let source = find(engine, source).await?.ok_or(Refusal::Problem(Problem::not_found()))?;
    if request.body().len() > EVENT_BYTES_MAX {
        return Err(Refusal::Problem(Problem::too_large("a hook", EVENT_BYTES_MAX)));
    }
    let profile = require_profile(engine, &source.profile).await?;
    let keys = keys(engine, &source, &profile).await?;
    let now_s = engine.clock().now().seconds();
    let window = Window { now_s, tolerance_s: source.tolerance_s };
    let submission = match read(&source, &profile, &keys, window, request) {
        Ok(Read::Event(submission)) => submission,
        Ok(Read::Challenge(answer)) => return Ok(Received::Challenge(answer)),
        Err(problem) => return Err(Refusal::Problem(problem)),
    };
    let mut results = accept_all(engine, &source.tenant, &[submission]).await?;
    let result = results.pop().unwrap_or_else(|| Err(Refusal::Problem(Problem::not_found())));
    result.map(Received::Event)
}

/// What a verified hook is.
enum Read {
    Event(Submission),
    Challenge(String),
}

/// Verifies a hook, and reads it as its profile says.
fn read(
    source: &Source,
    profile: &Profile,
    keys: &[Key],
    window: Window,
    request: &Request,
) -> Result<Read, Problem> {
    let header = |name: &str| http::header(request, name);
    let body = request.body().as_ref();
    let verified = profile.dialect.verify(header, body, keys, window).map_err(|fault| {
        tracing::warn!(source = %source.name, %fault, "a hook was refused");
        Problem::unverified(fault.to_string())
    })?;
    let hook = Hook { id: verified.id.as_deref(), header: &header, body };
    if let Some(answer) = profile.reading.challenge(&hook) {
        return Ok(Read::Challenge(answer));
    }
    let submission = profile.reading.submission(&format!("/hooks/{}", source.name), &hook);
    submission.map(Read::Event).map_err(|fault| {
        let detail = format!("the hook is not what {} says: {}", source.profile, fault.detail);
        Problem::bad_request(detail)
    })
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
