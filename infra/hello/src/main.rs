//! A bare function of `lambda_runtime`: built as ours are, it is what their cold starts are compared
//! with in `infra/figures.md`. It is not deployed.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let echo = |event: LambdaEvent<Value>| async { Ok::<_, Error>(event.payload) };
    lambda_runtime::run(service_fn(echo)).await
}
