//! The `receiver` function: HTTP API, REST API or function URL.

// Futures of the SDK nest deeply.
#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use waxseal_adapters::aws::http_event::{HttpEvent, response};
use waxseal_adapters::function::Function;
use waxseal_adapters::http::{allow, problem};
use waxseal_domain::problem::Problem;
use waxseal_domain::source::HookPath;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(function: &Function, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Error> {
    let event: HttpEvent = serde_json::from_str(event.payload.get())?;
    let request = event.into_request()?;
    let path = HookPath::parse(request.uri().path());
    let answer = match (request.method().as_str(), path) {
        ("POST", Some(path)) => {
            waxseal_receiver::receive(function.engine.as_ref(), path, &request).await
        }
        ("OPTIONS", Some(_)) => allow(&request),
        (_, Some(_)) => problem(&Problem::method_not_allowed(&["POST", "OPTIONS"])),
        (_, None) => problem(&Problem::not_found()),
    };
    Ok(response(&answer))
}
