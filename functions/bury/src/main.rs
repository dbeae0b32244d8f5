//! `bury`: messages of the dead-letter queue.
//!
//! Why these dependencies, in every function: `lambda_runtime`, AWS's own, and `tokio` run it; `serde_json` reads
//! and writes; `tracing` logs.

use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use waxseal_adapters::aws::cloud_event::{BatchResponse, QueueMessage};
use waxseal_adapters::aws::metrics;
use waxseal_adapters::function::{Function, queue_messages, settle_batch};
use waxseal_flows::attempt::Disposition;
use waxseal_flows::bury::{BuryResult, bury};
use waxseal_flows::ports::EngineError;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(
    function: &Function,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<BatchResponse, Error> {
    let records = queue_messages(event.payload.get())?;
    let crashed = AtomicUsize::new(0);
    let response = settle_batch(&records, 1, |record| settle(function, record, &crashed)).await?;
    metrics::count("bury", &[("Crashed", crashed.into_inner())]);
    Ok(response)
}

async fn settle(function: &Function, record: &QueueMessage, crashed: &AtomicUsize) -> Disposition {
    match bury_record(function, record).await {
        Ok(BuryResult::Crashed) => {
            crashed.fetch_add(1, Ordering::Relaxed);
            Disposition::Done
        }
        Ok(BuryResult::NothingOwed) => Disposition::Done,
        Err(error) => {
            tracing::error!(%error, "a dead message comes again");
            Disposition::Again
        }
    }
}

async fn bury_record(
    function: &Function,
    record: &QueueMessage,
) -> Result<BuryResult, EngineError> {
    match function.read_message(record, "dead, and no message of ours: ").await? {
        Some(received) => bury(function.engine.as_ref(), &received.message).await,
        None => Ok(BuryResult::NothingOwed),
    }
}
