//! `api`: tenants' endpoints, events, deliveries, keys, event types and sources, over HTTP.
//!
//! [`operation`] lists every operation; of that list requests are routed, keys are checked and the
//! OpenAPI document is made. Each other module is one noun; all answer JSON, and every error is a
//! problem document. `POST …/events` is `ingest`'s and `/hooks/…` the receiver's.
//!
//! Why these dependencies, beside those of every function: `schemars` makes JSON Schemas of the types
//! that are answered; `base64`, `hmac`, `percent-encoding` and `sha2` read what comes encoded and name
//! what comes twice.

mod audit;
mod body;
mod deliveries;
mod endpoints;
mod event_types;
mod events;
mod keys;
mod openapi;
mod operation;
mod parameters;
mod profiles;
mod sources;
mod status;
mod tenants;
mod verify;
mod webhook_keys;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use waxseal_adapters::http::{self, Request, Response};
use waxseal_api_types::Serving;
use waxseal_domain::api_key::{Principal, authenticate};
use waxseal_domain::audit::Entry;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use waxseal_domain::notice::{Notice, announce};
use waxseal_domain::ports::{Change, ConfigStore as _, Engine, EngineError, PageRequest};
use waxseal_domain::problem::Problem;

use self::operation::{Access, Found, Handler, Inside, Outside};

/// The page that shows the OpenAPI document.
const REFERENCE: &str = include_str!("reference.html");

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
            http::problem(&Problem::failed_at(error.step()))
        }
    }
}

/// The OpenAPI document, of which `/openapi.json` is the text.
pub fn openapi() -> Value {
    openapi::document()
}

async fn route<E: Engine>(engine: &E, request: &Request) -> Answer {
    let (operation, path) = match operation::find(request.method().as_str(), request.uri().path()) {
        Found::Operation(operation, path) => (operation, path),
        Found::Methods(methods) => return Err(Problem::method_not_allowed(&methods).into()),
        Found::Nothing => return Err(Problem::not_found().into()),
    };
    let path: Option<Vec<Cow<'_, str>>> =
        path.into_iter().map(|part| percent_decode_str(part).decode_utf8().ok()).collect();
    let path = path.ok_or_else(Problem::not_found)?;
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    let principal = admit(engine, request, operation.access, &path).await?;
    parameters::check(engine.schema_checker(), operation, request)?;
    match (operation.handler, path.as_slice()) {
        (Handler::Outside(name), path) => outside(engine, request, name, path, principal).await,
        (Handler::Inside(name), [tenant, path @ ..]) => {
            let tenant = tenant.parse().map_err(|_| Problem::not_found())?;
            let actor = principal.as_ref().map_or("", |principal| &principal.actor);
            let may_be_new = matches!(name, Inside::CreateEndpoint)
                && principal.as_ref().is_some_and(Principal::is_operator);
            let call = Call { engine, request, tenant: &tenant, actor };
            if !may_be_new {
                call.require_tenant().await?;
            }
            inside(call, name, path.first().copied().unwrap_or_default()).await
        }
        (Handler::Inside(_) | Handler::Elsewhere, _) => Err(Problem::not_found().into()),
    }
}

/// Who calls, if an operation wants to know: 401, 403, 404 or 429 where they may not. The one place
/// where one tenant's key is kept from another tenant's.
async fn admit<E: Engine>(
    engine: &E,
    request: &Request,
    access: Access,
    path: &[&str],
) -> Result<Option<Principal>, Refusal> {
    if access == Access::Public {
        return Ok(None);
    }
    let principal = authenticate(engine, &http::caller(request)).await??;
    match (access, path) {
        (Access::Tenant(scope), [tenant, ..]) => {
            let tenant: TenantName = tenant.parse().map_err(|_| Problem::not_found())?;
            principal.may(&tenant, scope)?;
        }
        (Access::Operator | Access::Tenant(_), _) if !principal.is_operator() => {
            return Err(Problem::operators().into());
        }
        (Access::Operator | Access::Tenant(_) | Access::Key | Access::Public, _) => {}
    }
    Ok(Some(principal))
}

/// Operations of no tenant.
async fn outside<E: Engine>(
    engine: &E,
    request: &Request,
    name: Outside,
    path: &[&str],
    principal: Option<Principal>,
) -> Answer {
    let first = path.first().copied().unwrap_or_default();
    match name {
        Outside::Health => Ok(http::json(200, &Serving::ok())),
        Outside::OpenApi => Ok(http::json(200, &openapi())),
        Outside::Reference => Ok(http::page(REFERENCE)),
        Outside::Profiles => profiles::list(engine).await,
        Outside::Profile => profiles::one(engine, first).await,
        Outside::PutProfile => profiles::put(engine, request, first).await,
        Outside::Verify => verify::answer(engine, request).await,
        Outside::WebhookKeys => webhook_keys::answer(engine, request).await,
        Outside::WhoAmI => keys::who_am_i(principal),
        Outside::Status => status::answer(engine).await,
        Outside::Tenants => tenants::list(engine, request).await,
        Outside::CreateTenant => tenants::create(engine, request, principal).await,
        Outside::EventContent => {
            let event = path.get(1).copied().unwrap_or_default();
            events::content(engine, request, first, event).await
        }
    }
}

/// Operations of one tenant; `id` is the path's second parameter, if it has one.
async fn inside<E: Engine>(call: Call<'_, E>, name: Inside, id: &str) -> Answer {
    match name {
        Inside::Events => events::list(call).await,
        Inside::Event => events::one(call, id).await,
        Inside::ExpungeEvent => events::expunged(call, id).await,
        Inside::CreateEndpoint => endpoints::create(call).await,
        Inside::Endpoints => endpoints::list(call).await,
        Inside::Endpoint => endpoints::one(call, id).await,
        Inside::ChangeEndpoint => endpoints::patch(call, id).await,
        Inside::DeleteEndpoint => endpoints::delete(call, id).await,
        Inside::TestEndpoint => endpoints::test(call, id).await,
        Inside::RotateSecret => endpoints::rotate(call, id).await,
        Inside::EnableEndpoint => endpoints::enable(call, id).await,
        Inside::DisableEndpoint => endpoints::disable(call, id).await,
        Inside::Recover => endpoints::recovered(call, id).await,
        Inside::Match => endpoints::matched(call, Some(id)).await,
        Inside::MatchDraft => endpoints::matched(call, None).await,
        Inside::EndpointDeliveries => deliveries::of_endpoint(call, id).await,
        Inside::Delivery => deliveries::one(call, id).await,
        Inside::Replay => deliveries::replayed(call, id).await,
        Inside::Cancel => deliveries::cancelled(call, id).await,
        Inside::Keys => keys::list(call).await,
        Inside::CreateKey => keys::create(call).await,
        Inside::DeleteKey => keys::delete(call, id).await,
        Inside::EventTypes => event_types::list(call).await,
        Inside::EventType => event_types::one(call, id).await,
        Inside::PutEventType => event_types::put(call, id).await,
        Inside::DeleteEventType => event_types::delete(call, id).await,
        Inside::Sources => sources::list(call).await,
        Inside::Source => sources::one(call, id).await,
        Inside::PutSource => sources::put(call, id).await,
        Inside::DeleteSource => sources::delete(call, id).await,
        Inside::Audit => audit::list(call).await,
    }
}

/// A request in a tenant, authenticated and allowed.
pub(crate) struct Call<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) request: &'a Request,
    pub(crate) tenant: &'a TenantName,
    /// Who calls, as the audit log says.
    pub(crate) actor: &'a str,
}

/// What a change is, as the audit log tells it.
pub(crate) struct Told<'a> {
    /// `endpoint.updated`.
    pub(crate) action: &'static str,
    /// The id or name of what is changed.
    pub(crate) target: &'a str,
    /// What it was.
    pub(crate) before: Option<Value>,
    /// What it is.
    pub(crate) after: Option<Value>,
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

    /// Makes a change, with its entry in the audit log, and tells whoever subscribes to that. False where
    /// what is stored stands in the way.
    pub(crate) async fn change(
        &self,
        change: Change<'_>,
        told: Told<'_>,
    ) -> Result<bool, EngineError> {
        let Told { action, target, before, after } = told;
        let entry = Entry::now(self.engine, self.tenant, self.actor, action, target);
        let entry = entry.from_to(before, after);
        let is_done = self.engine.store().change(change, Some(&entry)).await?;
        if is_done {
            announce(self.engine, &Notice::of_entry(&entry)).await?;
        }
        Ok(is_done)
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
    Ok(PageRequest { limit, cursor: http::query(request, "cursor").map(Cow::into_owned) })
}

/// A representation, as the audit log keeps it.
pub(crate) fn told<T: serde::Serialize>(view: &T) -> Option<Value> {
    serde_json::to_value(view).ok()
}
