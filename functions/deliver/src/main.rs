//! `deliver`: messages of the queue, each one attempt at most. A batch is at most ten records, and each is driven on
//! its own.
//!
//! Why these dependencies, in every function: `lambda_runtime`, AWS's own, and `tokio` run it; `serde_json` reads
//! and writes; `tracing` logs.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use waxseal_adapters::aws::cloud_event::{BatchResponse, QueueMessage};
use waxseal_adapters::aws::metrics;
use waxseal_adapters::function::{Function, deadline, queue_messages, settle_batch};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::ports::Engine as _;

/// The milliseconds that are kept free for the batch's answer: an answer that comes too late makes
/// every record come again.
const RESERVE_MS: u64 = 500;

/// Records of a batch, as the template says: all are under way at the same time.
const RECORDS_MAX: usize = 10;

/// Two threads: a record that never yields leaves its neighbours one.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(
    function: &Function,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<BatchResponse, Error> {
    let records = queue_messages(event.payload.get())?;
    let deadline = deadline(function.engine.clock(), event.context.deadline, RESERVE_MS);
    // The answer names the records that must come again. An error instead would make all of them
    // come again, those that were delivered too.
    let response =
        settle_batch(&records, RECORDS_MAX, |record| settle(function, record, deadline)).await?;
    metrics::count("deliver", &[("ComesAgain", response.failures())]);
    Ok(response)
}

async fn settle(function: &Function, record: &QueueMessage, deadline: Timestamp) -> Disposition {
    match function.read_message(record, "").await {
        Ok(Some(received)) => drive(&function.engine, received, deadline).await,
        Ok(None) => {
            metrics::count("deliver", &[("Rejected", 1)]);
            Disposition::Done
        }
        Err(error) => {
            tracing::error!(%error, "a message that cannot be read comes again");
            Disposition::Again
        }
    }
}
