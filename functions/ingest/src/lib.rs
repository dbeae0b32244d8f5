//! `ingest`: events in. Bounds and parses what came, and has it accepted.
//!
//! Called by whatever brings HTTP. What makes an event valid is the domain's `Event::accept`, and what makes it
//! durable is the flow `accept`.
//!
//! Why these dependencies, in every function: `lambda_runtime`, AWS's own, and `tokio` run it; `serde`
//! and `serde_json` read and write; `tracing` logs. Here `base64` and `percent-encoding` read the
//! headers of CloudEvents in binary mode.

mod content;

use waxseal_adapters::http::{self, Request, Response};
use waxseal_api_types::event::{EventResult, EventResults};
use waxseal_domain::api_key::Scope;
use waxseal_domain::event::acceptance::Acceptance;
use waxseal_domain::limits::REQUEST_BYTES_MAX;
use waxseal_domain::problem::Problem;
use waxseal_flows::accept::accept_all;
use waxseal_flows::authenticate::admit;
use waxseal_flows::ports::Engine;
use waxseal_flows::refusal::Refusal;

use self::content::Content;

/// `POST /v1/tenants/{tenant}/events`: acknowledged with 202 once it is durable and queued.
pub async fn accept<E: Engine>(engine: &E, tenant: &str, request: &Request) -> Response {
    match accept_request(engine, tenant, request).await {
        Ok(response) => response,
        Err(refusal) => http::problem(&refusal.into_problem()),
    }
}

async fn accept_request<E: Engine>(
    engine: &E,
    tenant: &str,
    request: &Request,
) -> Result<Response, Refusal> {
    let tenant = admit(engine, &http::caller(request), tenant, Scope::Ingest).await?;
    let text = http::text(request, REQUEST_BYTES_MAX)?;
    let content = content::read(request.headers(), text)?;
    let submissions = content.submissions();
    let mut results = accept_all(engine, &tenant, submissions).await?;
    match content {
        Content::Many(_) => Ok(http::json(202, &answer_each(results))),
        Content::One(_) => match results.pop() {
            Some(result) => Ok(http::json(202, &waxseal_api_types::Acceptance::from(result?))),
            None => Err(Problem::bad_request("there is no event").into()),
        },
    }
}

/// Answers an array: each event gets its own result, in the events' order.
pub fn answer_each(results: Vec<Result<Acceptance, Refusal>>) -> EventResults {
    let mut answers = Vec::with_capacity(results.len());
    for result in results {
        answers.push(match result {
            Ok(acceptance) => EventResult::Accepted(acceptance.into()),
            Err(refusal) => EventResult::Refused((&refusal.into_problem()).into()),
        });
    }
    EventResults { results: answers }
}
