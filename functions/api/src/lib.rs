//! `api`: tenants' endpoints, events, deliveries, keys, event types and sources, over HTTP.
//!
//! Each noun's module lists its operations with their handlers; [`operation`] says what an operation is and
//! adds the lists up. By them [`routing`] finds who answers a request and checks the caller's key, and
//! [`openapi`] makes the document. All answer JSON of the types in `waxseal-api-types`, and every error is a
//! problem document. `POST …/events` is `ingest`'s and `/hooks/…` the receiver's.
//!
//! Why these dependencies, beside those of every function: `schemars` makes JSON Schemas of the types
//! that are answered; `base64` and `percent-encoding` read what comes encoded.

mod audit;
mod body;
mod call;
mod deliveries;
mod deployment;
mod endpoints;
mod event_types;
mod events;
mod keys;
mod openapi;
mod operation;
mod parameters;
mod profiles;
mod routing;
mod sources;
mod tenants;
mod verify;

use std::sync::OnceLock;

pub use self::routing::{Need, need};
use bytes::Bytes;
use serde_json::Value;
use waxseal_adapters::http::{self, Request, Response};
use waxseal_domain::problem::Problem;
use waxseal_flows::ports::Engine;
pub(crate) use waxseal_flows::refusal::Refusal;

pub(crate) type OperationResult = Result<Response, Refusal>;

/// Answers any request of the API.
pub async fn answer<E: Engine>(engine: &E, request: &Request) -> Response {
    match routing::route(engine, request).await {
        Ok(response) => response,
        Err(Refusal::Problem(problem)) => http::problem(&problem),
        Err(Refusal::Busy(busy)) => http::problem(&busy.into()),
        Err(Refusal::Ours(error)) => {
            tracing::error!(%error, path = request.uri().path(), "a request failed");
            http::problem(&Problem::failed_at(error.step()))
        }
    }
}

/// The text of the OpenAPI document. Anybody may ask for it, so it is made once.
fn openapi_text<E: Engine>() -> Bytes {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| Bytes::from(openapi::<E>().to_string()));
    text.clone()
}

/// Makes the OpenAPI document, of which `/openapi.json` is the text. It is the same for every engine.
pub fn openapi<E: Engine>() -> Value {
    let operations: Vec<_> = operation::all::<E>().map(|one| &one.description).collect();
    openapi::document(&operations)
}
