//! `sweep`: the function that looks for what is due. A schedule invokes it each minute.
//!
//! Why these dependencies, in every function: `lambda_runtime`, AWS's own, and `tokio` run it;
//! `serde_json` reads what invokes it.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use waxseal_adapters::aws::metrics;
use waxseal_adapters::function::{Function, deadline};
use waxseal_flows::ports::Engine as _;
use waxseal_flows::sweep::sweep;

/// The milliseconds that are kept free for the answer and the metrics.
const RESERVE_MS: u64 = 3_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(function: &Function, event: LambdaEvent<Box<RawValue>>) -> Result<(), Error> {
    let deadline = deadline(function.engine.clock(), event.context.deadline, RESERVE_MS);
    let swept = sweep(function.engine.as_ref(), deadline).await?;
    metrics::count(
        "sweep",
        &[
            ("Reissued", swept.sent),
            ("Released", swept.released),
            ("ClaimsLost", swept.left),
            ("ClockWrong", usize::from(function.engine.clock().told().ahead_ms() != 0)),
        ],
    );
    Ok(())
}
