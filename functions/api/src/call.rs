//! Calls: a request that was routed, authenticated and allowed, as handlers get it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use waxseal_adapters::http::{self, Request};
use waxseal_domain::api_key::Principal;
use waxseal_domain::id::TenantName;
use waxseal_domain::json::Json;
use waxseal_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use waxseal_domain::problem::Problem;
use waxseal_flows::configure::{AuditChange, configure};
use waxseal_flows::ports::{Change, ConfigStore as _, Engine, EngineError, MaxAge, PageRequest};

use crate::Refusal;

/// What is wrong with a cursor that is not ours.
const CURSOR_FAULT: &str = "cursor must be one that a page of this list was answered with";

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

    /// Says who calls, as the audit log does: empty where anybody may.
    fn actor(&self) -> &str {
        self.principal.as_ref().map_or("", |principal| &principal.actor)
    }
}

impl<E: Engine> GlobalCall<'_, E> {
    /// Makes a change in the caller's name. False where what is stored stands in the way.
    pub(crate) async fn change(
        &self,
        change: Change<'_>,
        audit: AuditChange<'_>,
    ) -> Result<bool, EngineError> {
        configure(self.engine, self.actor(), change, audit).await
    }
}

/// A call within a tenant.
pub(crate) struct TenantCall<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) request: &'a Request,
    pub(crate) tenant: &'a TenantName,
    /// Who calls; none where anybody may.
    pub(crate) principal: Option<&'a Principal>,
}

impl<E: Engine> TenantCall<'_, E> {
    /// Answers 404 for a tenant that is not known: the same as for another's.
    pub(crate) async fn require_tenant(&self) -> Result<(), Refusal> {
        match self.engine.store().endpoints(self.tenant, MaxAge::NOW).await? {
            Some(_) => Ok(()),
            None => Err(Problem::not_found().into()),
        }
    }

    /// Reads which part of a list is asked for, whose cursors are written in this form.
    pub(crate) fn page(&self, form: CursorForm) -> Result<PageRequest, Problem> {
        page(self.request, form)
    }

    /// Makes a change in the caller's name. False where what is stored stands in the way.
    pub(crate) async fn change(
        &self,
        change: Change<'_>,
        audit: AuditChange<'_>,
    ) -> Result<bool, EngineError> {
        let actor = self.principal.map_or("", |principal| &principal.actor);
        configure(self.engine, actor, change, audit).await
    }
}

/// What the cursors of a list are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CursorForm {
    /// Writes the time and the id of an event: `1795255200125_evt_1`.
    Event,
    /// Writes how many entries come before.
    Count,
    /// Writes the name of a tenant.
    Tenant,
    /// Writes the time and the id of an entry of the audit log.
    AuditEntry,
}

impl CursorForm {
    /// Says whether the text can be a cursor of such a list.
    fn is_of(self, text: &str) -> bool {
        match self {
            Self::Event => PageRequest::is_event_cursor(text),
            Self::Count => text.parse::<usize>().is_ok(),
            Self::Tenant => text.parse::<TenantName>().is_ok(),
            Self::AuditEntry => text.split_once("aud_").is_some_and(|(ms, _)| {
                !ms.is_empty() && ms.bytes().all(|byte| byte.is_ascii_digit())
            }),
        }
    }
}

/// Reads `limit` and `cursor` of the query. A cursor that no page was answered with is a problem: a list that
/// began anew would be read for ever.
pub(crate) fn page(request: &Request, form: CursorForm) -> Result<PageRequest, Problem> {
    let limit = match http::query(request, "limit") {
        None => PAGE_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE_MAX).contains(limit))
            .ok_or_else(|| Problem::bad_request(format!("limit must be 1 to {PAGE_MAX}")))?,
    };
    // An empty one is what a script sends whose variable is not set before its first page.
    let cursor = http::query(request, "cursor").filter(|cursor| !cursor.is_empty());
    if cursor.as_deref().is_some_and(|cursor| !form.is_of(cursor)) {
        return Err(Problem::bad_request(CURSOR_FAULT));
    }
    Ok(PageRequest { limit, cursor: cursor.map(Cow::into_owned) })
}

/// Turns an answer's value into what the audit log keeps of it. A number that no double holds, as `1e999` in a
/// filter, is kept as text, and everything else in its place: what must be hidden is found there.
pub(crate) fn audit_value<T: Serialize>(view: &T) -> Value {
    let text = serde_json::to_string(view).expect("what is answered is JSON");
    match Json::parse(&text) {
        Ok(view) => view.to_value(),
        Err(fault) => json!({"not_shown": fault.detail}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor_of(query: &str, form: CursorForm) -> Result<Option<String>, Problem> {
        let mut request = Request::default();
        *request.uri_mut() = format!("/v1/x?{query}").parse().unwrap();
        page(&request, form).map(|page| page.cursor)
    }

    #[test]
    fn a_number_that_no_double_holds_is_audited_as_text_in_its_place() {
        let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
        let filter = r#"{"data":{"x":[{"numeric":[">",1e999,"<=",0.1]}]}}"#;
        let view = format!(r#"{{"headers":{{"x-key":"canary"}},"filter":{filter},"limit":5}}"#);
        let expected = json!({"headers": {"x-key": "canary"}, "limit": 5,
            "filter": {"data": {"x": [{"numeric": [">", "1e999", "<=", 0.1]}]}}});
        assert_eq!(audit_value(&raw(&view)), expected);
    }

    #[test]
    fn a_cursor_that_is_not_ours_is_a_problem_that_names_it() {
        let forms = [
            (CursorForm::Event, "1795255200125_evt_1", ["x_evt_1", "1795255200125", "-1_evt_1"]),
            (CursorForm::Count, "20", ["twenty", "-1", "1795255200125_evt_1"]),
            (CursorForm::Tenant, "acme", ["Acme!", "a%20b", "%C3%A9"]),
            (CursorForm::AuditEntry, "01795255200125aud_7", ["~", "aud_7", "xaud_7"]),
        ];
        for (form, ours, others) in forms {
            let read = cursor_of(&format!("cursor={ours}"), form);
            assert_eq!(read.unwrap().as_deref(), Some(ours), "{form:?}");
            for other in others {
                let problem = cursor_of(&format!("cursor={other}"), form).unwrap_err();
                assert_eq!((problem.status, &*problem.detail), (400, CURSOR_FAULT), "{other}");
            }
            assert_eq!(cursor_of("cursor=", form), Ok(None));
            assert_eq!(cursor_of("limit=1", form), Ok(None));
        }
    }
}
