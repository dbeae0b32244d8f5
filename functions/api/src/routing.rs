//! Routing: which operation a request asks for, and whether its caller may have it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::api_key::Principal;
use waxseal_domain::id::TenantName;
use waxseal_domain::problem::Problem;
use waxseal_flows::authenticate::authenticate;
use waxseal_flows::ports::Engine;

use crate::call::{GlobalCall, TenantCall};
use crate::operation::{Access, Found, Handler, TenantOperation, find};
use crate::{OperationResult, Refusal, parameters};

/// What a request asks for, as far as its head tells: whether a key comes first, and whether there is a body to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// An operation that wants a valid key.
    Key,
    /// An operation that anybody may call.
    NoKey,
    /// No operation: whatever the body holds, the answer is 404 or 405.
    Nothing,
}

/// Tells what a request needs, by its method and path.
pub fn need<E: Engine>(method: &str, path: &str) -> Need {
    match find::<E>(method, path) {
        Found::Operation(operation, _) if operation.description.access == Access::Public => {
            Need::NoKey
        }
        Found::Operation(..) => Need::Key,
        Found::Methods(_) | Found::Nothing => Need::Nothing,
    }
}

/// Answers a request by the handler of its operation.
pub(crate) async fn route<E: Engine>(engine: &E, request: &Request) -> OperationResult {
    let (operation, escaped) = match find::<E>(request.method().as_str(), request.uri().path()) {
        Found::Operation(operation, parameters) => (operation, parameters),
        Found::Methods(methods) => return Err(Problem::method_not_allowed(&methods).into()),
        Found::Nothing => return Err(Problem::not_found().into()),
    };
    let mut decoded: Vec<Cow<'_, str>> = Vec::with_capacity(escaped.len());
    for part in escaped {
        decoded.push(percent_decode_str(part).decode_utf8().map_err(|_| Problem::not_found())?);
    }
    let path: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
    let principal = admit(engine, request, operation.description.access, &path).await?;
    parameters::check(engine.schema_checker(), &operation.description, request).await?;
    match operation.handler {
        Handler::Global(handle) => {
            handle(GlobalCall { engine, request, path: &path, principal }).await
        }
        Handler::Tenant(handle) => {
            answer_in_tenant(engine, request, &path, principal.as_ref(), handle, false).await
        }
        Handler::MaybeNewTenant(handle) => {
            let may_be_new = principal.as_ref().is_some_and(Principal::is_operator);
            answer_in_tenant(engine, request, &path, principal.as_ref(), handle, may_be_new).await
        }
        Handler::Elsewhere => Err(Problem::not_found().into()),
    }
}

async fn answer_in_tenant<E: Engine>(
    engine: &E,
    request: &Request,
    path: &[&str],
    principal: Option<&Principal>,
    handle: TenantOperation<E>,
    may_be_new: bool,
) -> OperationResult {
    let [tenant, rest @ ..] = path else { return Err(Problem::not_found().into()) };
    let tenant: TenantName = tenant.parse().map_err(|_| Problem::not_found())?;
    let call = TenantCall { engine, request, tenant: &tenant, principal };
    if !may_be_new {
        call.require_tenant().await?;
    }
    handle(call, rest.first().copied().unwrap_or_default()).await
}

/// Finds out who calls, if an operation wants to know: 401, 403, 404 or 429 where they may not. The one
/// place where one tenant's key is kept from another tenant's.
async fn admit<E: Engine>(
    engine: &E,
    request: &Request,
    access: Access,
    path: &[&str],
) -> Result<Option<Principal>, Refusal> {
    if access == Access::Public {
        return Ok(None);
    }
    let principal = authenticate(engine, &http::caller(request)).await?;
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
