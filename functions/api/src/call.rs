//! Calls: a request that was routed, authenticated and allowed, as handlers get it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::api_key::Principal;
use waxseal_domain::audit::Entry;
use waxseal_domain::id::TenantName;
use waxseal_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use waxseal_domain::notice::Notice;
use waxseal_domain::problem::Problem;
use waxseal_flows::announce::announce;
use waxseal_flows::ports::{Change, ConfigStore as _, Engine, EngineError, MaxAge, PageRequest};

use crate::Refusal;

/// A call outside of any tenant.
pub(crate) struct GlobalCall<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) request: &'a Request,
    /// The path's parameters, in order.
    pub(crate) path: &'a [&'a str],
    /// Who calls; none where anybody may.
    pub(crate) principal: Option<Principal>,
}

impl<E> GlobalCall<'_, E> {
    /// Gives the path's only parameter.
    pub(crate) fn name(&self) -> &str {
        self.path.first().copied().unwrap_or_default()
    }
}

/// A call within a tenant.
pub(crate) struct TenantCall<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) request: &'a Request,
    pub(crate) tenant: &'a TenantName,
    /// Who calls, as the audit log says.
    pub(crate) actor: &'a str,
}

/// A change of a tenant's configuration, as the audit log tells it.
pub(crate) struct AuditChange<'a> {
    /// A noun and a verb: `endpoint.updated`.
    pub(crate) action: &'static str,
    /// The id or name of what is changed.
    pub(crate) target: &'a str,
    /// The target as it was before the change; none where it was made.
    pub(crate) before: Option<Value>,
    /// The target as it is after the change; none where it was removed.
    pub(crate) after: Option<Value>,
}

impl<E: Engine> TenantCall<'_, E> {
    /// Answers 404 for a tenant that is not known: the same as for another's.
    pub(crate) async fn require_tenant(&self) -> Result<(), Refusal> {
        match self.engine.store().endpoints(self.tenant, MaxAge::NOW).await? {
            Some(_) => Ok(()),
            None => Err(Problem::not_found().into()),
        }
    }

    /// Reads which part of a list is asked for.
    pub(crate) fn page(&self) -> Result<PageRequest, Problem> {
        page(self.request)
    }

    /// Makes a change, with its entry in the audit log, and tells whoever subscribes to that. False where
    /// what is stored stands in the way.
    pub(crate) async fn change(
        &self,
        change: Change<'_>,
        audit: AuditChange<'_>,
    ) -> Result<bool, EngineError> {
        let AuditChange { action, target, before, after } = audit;
        let entry = Entry::new(self.engine.stamp(), self.tenant, self.actor, action, target);
        let entry = entry.from_to(before, after);
        let is_done = self.engine.store().change(change, Some(&entry)).await?;
        if is_done {
            announce(self.engine, &Notice::of_entry(&entry)).await?;
        }
        Ok(is_done)
    }
}

/// Reads `limit` and `cursor` of the query.
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

/// Turns an answer's value into what the audit log keeps of it.
pub(crate) fn audited<T: Serialize>(view: &T) -> Option<Value> {
    serde_json::to_value(view).ok()
}
