//! The `deliver` function: batches of the queue, each record on its own.

use futures_util::future::join_all;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use waxseal_adapters::aws::cloud_event::{BatchResponse, CloudEvent, QueueMessage};
use waxseal_adapters::aws::metrics;
use waxseal_adapters::function::{Function, deadline};
use waxseal_deliver::{Settled, drive};
use waxseal_domain::message::{Message, Receipt, Received};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Engine as _, Queue as _};

/// Kept free for the batch's answer, in milliseconds.
const RESERVE_MS: u64 = 500;

/// Two threads: a record that never yields leaves its neighbours one.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

/// A batch is at most ten records: all are driven at the same time.
async fn handle(
    function: &Function,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<BatchResponse, Error> {
    let CloudEvent::Sqs(records) = CloudEvent::parse(event.payload.get())? else {
        return Err("deliver takes messages of a queue only".into());
    };
    let deadline = deadline(event.context.deadline, RESERVE_MS);
    let each = records.iter().map(|record| settle(function, record, deadline));
    let settled = join_all(each).await;
    let again: Vec<String> = records
        .into_iter()
        .zip(settled)
        .filter(|(_, settled)| *settled == Settled::Again)
        .map(|(record, _)| record.message_id)
        .collect();
    metrics::count("deliver", &[("ComesAgain", again.len())]);
    Ok(BatchResponse::of(again)?)
}

async fn settle(function: &Function, record: &QueueMessage, deadline: Timestamp) -> Settled {
    let body = record.body.as_deref().unwrap_or_default();
    let message = match Message::parse(body) {
        Ok(message) => message,
        Err(error) => return put_aside(function, body, &error.to_string()).await,
    };
    let receipt = Receipt { lane: message.lane, handle: record.receipt_handle.clone() };
    let received = Received { message, receipt, receives: record.receives() };
    drive(&function.engine, received, deadline).await
}

/// A body that is no message of ours: kept for a person, with the reason.
async fn put_aside(function: &Function, body: &str, reason: &str) -> Settled {
    match function.engine.queue().reject(body, reason).await {
        Ok(()) => {
            metrics::count("deliver", &[("Rejected", 1)]);
            Settled::Done
        }
        Err(error) => {
            tracing::error!(%error, "a message that cannot be read comes again");
            Settled::Again
        }
    }
}
