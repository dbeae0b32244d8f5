//! The `api` function: HTTP API, REST API or function URL.

// Futures of the SDK nest deeply.
#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;
use waxseal_adapters::aws::http_event::{HttpEvent, OwnHost, response};
use waxseal_adapters::function::Function;
use waxseal_flows::ports::Engine as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(function: &Function, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Error> {
    let event: HttpEvent = serde_json::from_str(event.payload.get())?;
    let request = event.into_request()?;
    if let Some(OwnHost(host)) = request.extensions().get() {
        function.engine.address_rules().own.learnt.learn(host);
    }
    Ok(response(&waxseal_api::answer(function.engine.as_ref(), &request).await))
}
