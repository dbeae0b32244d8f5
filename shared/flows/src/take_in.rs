//! Takes in events that cloud sources bring: finds their tenant, has them accepted, and deals with
//! those that are refused.
//!
//! An asynchronous source already has its answer. So a refused event is put aside with its problem,
//! and our own failure is thrown back to the source, which tries again.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use waxseal_domain::event::acceptance::Acceptance;
use waxseal_domain::event::hops::{Hops, NoHops};
use waxseal_domain::event::{Form, Submission};
use waxseal_domain::id::TenantName;
use waxseal_domain::json::Fault;
use waxseal_domain::limits::EVENTS_PER_REQUEST_MAX;
use waxseal_domain::problem::Problem;

use crate::accept::accept_all;
use crate::ports::{Engine, EngineError, Queue as _};
use crate::refusal::Refusal;

/// The events of one message or of one direct invocation, not yet read.
#[derive(Debug)]
pub struct CloudMessage {
    /// The tenant that the source names beside the body, as in a message attribute; or what is wrong with what it
    /// says.
    pub tenant: Result<Option<String>, Problem>,
    /// The message's id, which becomes the id of an event that has none of its own.
    pub message_id: Option<String>,
    /// How many of Waxseal's deliveries lie behind it, as it says beside the body.
    pub hops: Result<Hops, NoHops>,
    /// An event, or an array of them, as over HTTP.
    pub body: String,
}

/// An EventBridge event in the form of the API's events.
#[derive(Serialize)]
struct FromBus<'a> {
    id: &'a str,
    source: &'a str,
    time: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    data: &'a RawValue,
}

/// A body, or EventBridge's `detail`, that says its tenant.
#[derive(Deserialize)]
struct SaysTenant {
    tenant: Option<String>,
}

impl CloudMessage {
    /// Makes the message of an EventBridge event. The tenant is read from `detail`.
    pub fn from_bus(
        id: &str,
        source: &str,
        time: &str,
        event_type: &str,
        detail: &RawValue,
        resources: &[String],
    ) -> Result<Self, EngineError> {
        let event = FromBus { id, source, time, event_type, data: detail };
        let body = serde_json::to_string(&event);
        let body =
            body.map_err(|error| EngineError::unreadable("read EventBridge event", error))?;
        let hops = Hops::of_resources(resources);
        Ok(Self { tenant: read_tenant(detail.get()), message_id: None, hops, body })
    }

    fn tenant(&self, default: Option<&str>) -> Result<TenantName, Problem> {
        let said = match self.tenant.clone()? {
            Some(name) => Some(name),
            None => read_tenant(&self.body)?,
        };
        let name = said.or_else(|| default.map(str::to_owned)).ok_or_else(|| {
            Problem::bad_request("it names no tenant, and there is no default tenant")
        })?;
        name.parse().map_err(|_| Problem::not_found())
    }

    fn submissions(&self) -> Result<Vec<Submission>, Problem> {
        let hops = self.hops?;
        if !self.body.trim_start().starts_with('[') {
            let submission = |text: String| Submission {
                text,
                form: Form::Plain,
                fallback_id: self.message_id.clone(),
                hops,
            };
            return Ok(vec![submission(self.body.clone())]);
        }
        let items: Vec<&RawValue> = serde_json::from_str(&self.body)
            .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
        if items.len() > EVENTS_PER_REQUEST_MAX {
            let detail = format!("must hold at most {EVENTS_PER_REQUEST_MAX} events");
            return Err(Problem::unprocessable(vec![Fault::new("", &detail)]));
        }
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, item)| Submission {
                text: item.get().to_owned(),
                form: Form::Plain,
                // Each event of an array needs an id of its own.
                fallback_id: self.message_id.as_ref().map(|id| format!("{id}-{index}")),
                hops,
            })
            .collect())
    }
}

/// Reads the tenant that an object says. One that cannot be read is a problem: the event must not become the
/// default tenant's. What is no object says none.
fn read_tenant(text: &str) -> Result<Option<String>, Problem> {
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    match serde_json::from_str::<SaysTenant>(text) {
        Ok(says) => Ok(says.tenant),
        Err(error) if error.is_data() => Err(Problem::bad_request("tenant must be text")),
        Err(error) => Err(Problem::bad_request(format!("the body is not JSON: {error}"))),
    }
}

/// Accepts the events of a message, and returns a result for each. An outer refusal is the result
/// of all of them.
pub async fn take_in<E: Engine>(
    engine: &E,
    message: &CloudMessage,
    default_tenant: Option<&str>,
) -> Result<Vec<Result<Acceptance, Refusal>>, Refusal> {
    let tenant = message.tenant(default_tenant).map_err(Refusal::Problem)?;
    let submissions = message.submissions().map_err(Refusal::Problem)?;
    accept_all(engine, &tenant, &submissions).await
}

/// Accepts the events of a source that waits for no answer. Each event that is refused is put aside
/// with its problem, for a person; an error is our own failure. Returns how many were put aside.
pub async fn take_in_or_put_aside<E: Engine>(
    engine: &E,
    message: &CloudMessage,
    default_tenant: Option<&str>,
) -> Result<usize, EngineError> {
    let results = match take_in(engine, message, default_tenant).await {
        Ok(results) => results,
        Err(refusal) => vec![Err(refusal)],
    };
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(_) => {}
            Err(Refusal::Problem(problem)) => problems.push(problem),
            Err(Refusal::Ours(error)) => return Err(error),
            Err(Refusal::Busy(busy)) => return Err(busy.into()),
        }
    }
    for problem in &problems {
        tracing::warn!(status = problem.status, detail = problem.detail, "an event was refused");
        let document = waxseal_api_types::Problem::from(problem);
        let reason = serde_json::to_string(&document).unwrap_or_else(|_| problem.detail.clone());
        engine.queue().reject(&message.body, &reason).await?;
    }
    Ok(problems.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant_of(body: &str) -> Result<String, u16> {
        let (tenant, hops) = (Ok(None), Ok(Hops::default()));
        let message = CloudMessage { tenant, message_id: None, hops, body: body.to_owned() };
        message.tenant(Some("usual")).map(|name| name.to_string()).map_err(|one| one.status)
    }

    #[test]
    fn the_default_tenant_gets_what_says_none_and_nothing_that_cannot_be_read() {
        assert_eq!(tenant_of(r#"{"tenant":"acme"}"#).as_deref(), Ok("acme"));
        for says_none in [r#"{"type":"a"}"#, r#"{"tenant":null}"#, r#"[{"tenant":"acme"}]"#] {
            assert_eq!(tenant_of(says_none).as_deref(), Ok("usual"), "{says_none}");
        }
        for unreadable in [r#"{"tenant":5}"#, r#"{"tenant":"a","tenant":"b"}"#, r#"{"tenant":"#] {
            assert_eq!(tenant_of(unreadable), Err(400), "{unreadable}");
        }
        let detail = RawValue::from_string(r#"{"tenant":["acme"]}"#.to_owned()).unwrap();
        let time = "2026-11-21T10:00:00Z";
        let message = CloudMessage::from_bus("1", "aws.events", time, "a", &detail, &[]).unwrap();
        assert_eq!(message.tenant(Some("usual")).unwrap_err().status, 400);
    }
}
