//! The `bury` function: batches of the dead-letter queue.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use waxseal_adapters::aws::cloud_event::{BatchResponse, CloudEvent, QueueMessage};
use waxseal_adapters::aws::metrics;
use waxseal_adapters::function::Function;
use waxseal_bury::{Buried, bury};
use waxseal_domain::message::Message;
use waxseal_flows::ports::{Engine as _, EngineError, Queue as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(
    function: &Function,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<BatchResponse, Error> {
    let CloudEvent::Sqs(records) = CloudEvent::parse(event.payload.get())? else {
        return Err("bury takes messages of a queue only".into());
    };
    let (mut again, mut crashed) = (Vec::new(), 0);
    for record in records {
        match settle(function, &record).await {
            Ok(Buried::Crashed) => crashed += 1,
            Ok(Buried::NothingOwed) => {}
            Err(error) => {
                tracing::error!(%error, "a dead message comes again");
                again.push(record.message_id);
            }
        }
    }
    metrics::count("bury", &[("Crashed", crashed)]);
    Ok(BatchResponse::of(again)?)
}

async fn settle(function: &Function, record: &QueueMessage) -> Result<Buried, EngineError> {
    let body = record.body.as_deref().unwrap_or_default();
    match Message::parse(body) {
        Ok(message) => bury(function.engine.as_ref(), &message).await,
        Err(error) => {
            let reason = format!("dead, and no message of ours: {error}");
            function.engine.queue().reject(body, &reason).await.map(|()| Buried::NothingOwed)
        }
    }
}
