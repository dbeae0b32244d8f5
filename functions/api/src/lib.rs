//! `api`: tenants' endpoints, events, deliveries, replay, test event, keys and sources, over HTTP.
//!
//! [`answer`] tells every path. Each module is one noun; all answer JSON, and every error is a
//! problem document. `POST …/events` is `ingest`'s and `/hooks/…` the receiver's.

mod body;
mod deliveries;
mod endpoints;
mod events;
mod keys;
mod profiles;
mod sources;
mod tenants;
mod verify;
mod webhook_keys;

use waxseal_adapters::http::{self, Request, Response};
use waxseal_domain::api_key::{Principal, Scope, authenticate};
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use waxseal_domain::ports::{ConfigStore as _, Engine, EngineError, PageRequest};
use waxseal_domain::problem::Problem;

/// The OpenAPI document.
pub const OPENAPI: &str = include_str!("openapi.json");

/// Why there is no answer but an error.
pub(crate) enum Refusal {
    /// What the caller did.
    Problem(Problem),
    /// Our own failure.
    Ours(EngineError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Ours(error)
    }
}

pub(crate) type Answer = Result<Response, Refusal>;

/// Answers any request of the API.
pub async fn answer<E: Engine>(engine: &E, request: &Request) -> Response {
    match route(engine, request).await {
        Ok(response) => response,
        Err(Refusal::Problem(problem)) => http::problem(&problem),
        Err(Refusal::Ours(error)) => {
            tracing::error!(%error, path = request.uri().path(), "a request failed");
            http::problem(&Problem::unavailable())
        }
    }
}

async fn route<E: Engine>(engine: &E, request: &Request) -> Answer {
    let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    match (request.method().as_str(), path.as_slice()) {
        ("GET", ["healthz"]) => Ok(http::json(200, &Health { status: "ok" })),
        ("GET", ["openapi.json"]) => Ok(openapi()),
        ("GET", ["v1", "profiles"]) => profiles::list(engine).await,
        ("GET", ["v1", "profiles", name]) => profiles::one(engine, name).await,
        ("PUT", ["v1", "profiles", name]) => profiles::put(engine, request, name).await,
        ("POST", ["v1", "verify"]) => verify::answer(engine, request).await,
        ("GET", [".well-known", "webhook-keys"]) => webhook_keys::answer(engine, request).await,
        ("GET", ["v1", "tenants", tenant, "events", id, "content"]) => {
            events::content(engine, request, tenant, id).await
        }
        (method, ["v1", "tenants", rest @ ..]) => tenant(engine, request, method, rest).await,
        _ => Err(Problem::not_found().into()),
    }
}

async fn tenant<E: Engine>(engine: &E, request: &Request, method: &str, path: &[&str]) -> Answer {
    let principal = authenticate(engine, &http::caller(request)).await??;
    let [name, rest @ ..] = path else {
        return tenants::answer(engine, request, method, &principal).await;
    };
    let tenant: TenantName = name.parse().map_err(|_| Problem::not_found())?;
    principal.may(&tenant, Scope::Manage)?;
    let call = Call { engine, request, tenant: &tenant };
    if (method, rest) != ("POST", &["endpoints"]) || principal != Principal::Operator {
        call.require_tenant().await?;
    }
    match rest {
        ["events", rest @ ..] => events::answer(call, method, rest).await,
        ["endpoints", rest @ ..] => endpoints::answer(call, method, rest).await,
        ["deliveries", rest @ ..] => deliveries::answer(call, method, rest).await,
        ["keys", rest @ ..] => keys::answer(call, method, rest).await,
        ["sources", name] => sources::answer(call, method, name).await,
        _ => Err(Problem::not_found().into()),
    }
}

/// A request in a tenant, authenticated and allowed.
pub(crate) struct Call<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) request: &'a Request,
    pub(crate) tenant: &'a TenantName,
}

impl<E: Engine> Call<'_, E> {
    /// 404 for a tenant that is not known: the same as for another's.
    async fn require_tenant(&self) -> Result<(), Refusal> {
        match self.engine.store().endpoints(self.tenant, 0).await? {
            Some(_) => Ok(()),
            None => Err(Problem::not_found().into()),
        }
    }

    /// Which part of a list is asked for.
    pub(crate) fn page(&self) -> Result<PageRequest, Problem> {
        page(self.request)
    }
}

/// `limit` and `cursor` of the query.
pub(crate) fn page(request: &Request) -> Result<PageRequest, Problem> {
    let limit = match http::query(request, "limit") {
        None => PAGE_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE_MAX).contains(limit))
            .ok_or_else(|| Problem::bad_request(format!("limit must be 1 to {PAGE_MAX}")))?,
    };
    Ok(PageRequest { limit, cursor: http::query(request, "cursor").map(str::to_owned) })
}

#[derive(serde::Serialize)]
struct Health {
    status: &'static str,
}

/// A part of a list, as JSON.
#[derive(serde::Serialize)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    pub(crate) cursor: Option<String>,
}

fn openapi() -> Response {
    let mut response = Response::new(OPENAPI.into());
    let json = ::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
