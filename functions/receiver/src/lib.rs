//! `receiver`: incoming hooks, verified, become events of their source's tenant.
//!
//! Nothing of the signature that was expected is logged or returned.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use waxseal_adapters::http::{self, Request, Response};
use waxseal_domain::acceptance::{Acceptance, Refusal, accept_all};
use waxseal_domain::event::{Form, Submission};
use waxseal_domain::id::SourceName;
use waxseal_domain::limits::{EVENT_BYTES_MAX, FRESH_S};
use waxseal_domain::ports::{Clock as _, ConfigStore as _, Engine, EngineError, KeyVault as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::signature::verify;
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::in_utc;

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
    let body = http::text(request, EVENT_BYTES_MAX).map_err(Refusal::Problem)?;
    let keys = keys(engine, &source).await?;
    let now = engine.clock().now();
    let header = |name: &str| http::header(request, name);
    let verified =
        verify(source.profile(), header, body.as_bytes(), &keys, now, source.tolerance_s);
    let id = match verified {
        Ok(verified) => verified.id,
        Err(fault) => {
            tracing::warn!(source = %source.name, %fault, "a hook was refused");
            return Err(Refusal::Problem(Problem::unverified(fault.to_string())));
        }
    };
    let submission = submission(&source, id, body).map_err(Refusal::Problem)?;
    let mut results = accept_all(engine, &source.tenant, &[submission]).await?;
    results.pop().unwrap_or_else(|| Err(Refusal::Problem(Problem::not_found())))
}

async fn find<E: Engine>(engine: &E, name: &str) -> Result<Option<Source>, EngineError> {
    match name.parse::<SourceName>() {
        Ok(name) => engine.store().source(&name, FRESH_S).await,
        Err(_) => Ok(None),
    }
}

async fn keys<E: Engine>(engine: &E, source: &Source) -> Result<Vec<Secret>, EngineError> {
    let context = SecretContext::source(&source.tenant, &source.name);
    let now = engine.clock().now();
    let mut keys = Vec::new();
    for sealed in source.secrets.iter().filter(|secret| secret.is_live(now)) {
        let secret = engine.key_vault().open(&context, &sealed.sealed).await?;
        keys.extend(secret.expose_text().and_then(|text| source.profile().secret.key(text)));
    }
    Ok(keys)
}

/// The members of a Standard Webhooks body. `data` may be missing: then the whole body is the data.
#[derive(Deserialize)]
struct Hook<'a> {
    #[serde(rename = "type")]
    event_type: String,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// The event that a hook becomes.
#[derive(Serialize)]
struct HookEvent<'a> {
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    data: &'a RawValue,
}

fn submission(source: &Source, id: String, body: &str) -> Result<Submission, Problem> {
    let refuse = |error: serde_json::Error| {
        Problem::bad_request(format!("the body is not what {} says: {error}", source.profile))
    };
    let whole: &RawValue = serde_json::from_str(body).map_err(refuse)?;
    let hook: Hook<'_> = serde_json::from_str(body).map_err(refuse)?;
    let event = HookEvent {
        id,
        source: format!("/hooks/{}", source.name),
        event_type: hook.event_type,
        time: hook.timestamp.as_deref().and_then(in_utc),
        data: hook.data.unwrap_or(whole),
    };
    let text = serde_json::to_string(&event).map_err(refuse)?;
    Ok(Submission { text, form: Form::Own, fallback_id: None })
}
