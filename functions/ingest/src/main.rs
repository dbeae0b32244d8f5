//! The `ingest` function: HTTP API, REST API, function URL, EventBridge, SNS, SQS, or directly.

// Futures of the SDK nest deeply.
#![recursion_limit = "256"]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::{RawValue, to_raw_value};
use waxseal_adapters::aws::cloud_event::{
    BusEvent, CloudEvent, DirectEvent, QueueMessage, TopicMessage,
};
use waxseal_adapters::aws::{cloud_message, http_event, metrics};
use waxseal_adapters::function::{Function, settle_batch};
use waxseal_adapters::http::{Request, Response, problem};
use waxseal_domain::event::hops::Hops;
use waxseal_domain::problem::Problem;
use waxseal_flows::attempt::Disposition;
use waxseal_flows::refusal::Refusal;
use waxseal_flows::take_in::{CloudMessage, take_in, take_in_or_put_aside};
use waxseal_ingest::answer_each;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start()?;
    lambda_runtime::run(service_fn(|event| handle(&function, event))).await
}

async fn handle(
    function: &Function,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Box<RawValue>, Error> {
    let answer = match CloudEvent::parse(event.payload.get())? {
        CloudEvent::Http(request) => {
            to_raw_value(&http_event::response(&http(function, &request).await))
        }
        CloudEvent::EventBridge(event) => to_raw_value(&bus(function, &event).await?),
        CloudEvent::Sns(messages) => to_raw_value(&topic(function, messages).await?),
        CloudEvent::Sqs(records) => {
            to_raw_value(&settle_batch(&records, 1, |record| settle(function, record)).await?)
        }
        CloudEvent::Direct(direct) => return direct_answer(function, direct).await,
    };
    Ok(answer?)
}

async fn http(function: &Function, request: &Request) -> Response {
    let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    match (request.method().as_str(), path.as_slice()) {
        ("POST", ["v1", "tenants", tenant, "events"]) => {
            waxseal_ingest::accept(function.engine.as_ref(), tenant, request).await
        }
        ("OPTIONS", ["v1", "tenants", _, "events"]) => waxseal_adapters::http::allow(request),
        _ => problem(&Problem::not_found()),
    }
}

async fn bus(function: &Function, event: &BusEvent) -> Result<(), Error> {
    take(function, &cloud_message::from_bus(event)?).await
}

async fn topic(function: &Function, messages: Vec<TopicMessage>) -> Result<(), Error> {
    for message in messages {
        take(function, &cloud_message::from_topic(message)).await?;
    }
    Ok(())
}

async fn settle(function: &Function, record: &QueueMessage) -> Disposition {
    match take(function, &cloud_message::from_queue(record)).await {
        Ok(()) => Disposition::Done,
        Err(error) => {
            tracing::error!(%error, "our own failure: the message comes again");
            Disposition::Again
        }
    }
}

/// Takes in the events of a source that waits for no answer. An error is our own failure, and the
/// source tries again.
async fn take(function: &Function, message: &CloudMessage) -> Result<(), Error> {
    let default_tenant = function.default_tenant.as_deref();
    let aside = take_in_or_put_aside(function.engine.as_ref(), message, default_tenant).await?;
    if aside > 0 {
        metrics::count("ingest", &[("Rejected", aside)]);
    }
    Ok(())
}

/// Answered as the API does: an acceptance or a problem, and for several `results`.
async fn direct_answer(function: &Function, direct: DirectEvent) -> Result<Box<RawValue>, Error> {
    let (body, is_many) = match (direct.event, direct.events) {
        (Some(event), None) => (event.get().to_owned(), false),
        (None, Some(events)) => (serde_json::to_string(&events)?, true),
        _ => return Err("a direct invocation has either event or events".into()),
    };
    let (tenant, hops) = (Ok(direct.tenant), Ok(Hops::default()));
    let message = CloudMessage { tenant, message_id: None, hops, body };
    let default_tenant = function.default_tenant.as_deref();
    let mut results = match take_in(function.engine.as_ref(), &message, default_tenant).await {
        Ok(results) => results,
        Err(Refusal::Problem(problem)) => {
            return Ok(to_raw_value(&waxseal_api_types::Problem::from(&problem))?);
        }
        Err(Refusal::Busy(busy)) => {
            return Ok(to_raw_value(&waxseal_api_types::Problem::from(&busy.into()))?);
        }
        Err(Refusal::Ours(error)) => return Err(error.into()),
    };
    if is_many {
        return Ok(to_raw_value(&answer_each(results))?);
    }
    match results.pop() {
        Some(Ok(acceptance)) => Ok(to_raw_value(&waxseal_api_types::Acceptance::from(acceptance))?),
        Some(Err(refusal)) => {
            Ok(to_raw_value(&waxseal_api_types::Problem::from(&refusal.into_problem()))?)
        }
        None => Err("there is no event".into()),
    }
}
