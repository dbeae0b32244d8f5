//! `receiver`: hooks over HTTP, each verified and accepted by the flow [`receive`](flow::receive).
//!
//! Why these dependencies, in every function: `lambda_runtime`, AWS's own, and `tokio` run it; `serde` and
//! `serde_json` read and write; `tracing` logs.

use waxseal_adapters::http::{self, Request, Response};
use waxseal_api_types::Acceptance;
use waxseal_api_types::event::Challenge;
use waxseal_domain::source::HookPath;
use waxseal_flows::ports::Engine;
use waxseal_flows::receive::{self as flow, HookResult, Incoming};

/// `POST /hooks/{tenant}/{source}` or `POST /hooks/{source}`: 200 once the hook is an event, or was one already.
pub async fn receive<E: Engine>(engine: &E, path: HookPath<'_>, request: &Request) -> Response {
    let hops = match http::hops(request.headers()) {
        Ok(hops) => hops,
        Err(fault) => return http::problem(&fault.into()),
    };
    let headers = request.headers().keys().filter_map(|name| {
        Some((name.as_str().to_owned(), http::header(request, name.as_str())?.to_owned()))
    });
    let incoming = Incoming { headers: headers.collect(), body: request.body().to_vec(), hops };
    match flow::receive(engine, path, incoming).await {
        Ok(HookResult::Event(acceptance)) => http::json(200, &Acceptance::from(acceptance)),
        Ok(HookResult::Challenge(challenge)) => http::json(200, &Challenge { challenge }),
        Err(refusal) => http::problem(&refusal.into_problem()),
    }
}
