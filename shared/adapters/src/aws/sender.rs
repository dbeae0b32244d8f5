//! Sends attempts on AWS: POSTs to URLs, messages to SQS queues, and events to EventBridge buses.
//!
//! Each attempt is one call. The SDK does not retry, since the delivery's policy does. The detail
//! of a failure names the error's code and no more: the message beside it names our role, and
//! tenants read the detail.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::config::Region;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::MessageAttributeValue;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::time::Instant;
use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::dispatch::Request;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::endpoint::target::{BusEntry, QueueMessage, Resource, Target, outcome_of};
use waxseal_flows::ports::{Clock as _, EngineError, Sender};

use super::client::Clients;
use super::reason;
use crate::clock::MovableClock;
use crate::sender::{Connections, Failure, HttpSender, ended_at, sent_of};

/// Sends to endpoints of every kind.
#[derive(Debug)]
pub struct AwsSender {
    http: HttpSender,
    rules: Arc<AddressRules>,
    clients: Arc<Clients>,
    clock: MovableClock,
}

impl AwsSender {
    pub(super) fn new(
        rules: Arc<AddressRules>,
        clients: Arc<Clients>,
        clock: MovableClock,
    ) -> Result<Self, EngineError> {
        let http = HttpSender::new(Arc::clone(&rules), Connections::Fresh, Vec::new())?;
        Ok(Self { http: http.with_clock(clock.clone()), rules, clients, clock })
    }

    async fn send_message(&self, queue: &Resource, request: &Request) -> Result<Response, Failure> {
        let message = QueueMessage::of(request).map_err(unsendable)?;
        let mut send = self
            .clients
            .sqs()
            .send_message()
            .queue_url(queue.queue_url())
            .message_body(message.body);
        for (name, value) in message.attributes {
            let attribute =
                MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let attribute = attribute.map_err(|error| unsendable(error.to_string()))?;
            send = send.message_attributes(name, attribute);
        }
        if queue.is_fifo() {
            send = send.message_group_id(message.group);
            send = send.message_deduplication_id(message.deduplication_id);
        }
        let there = aws_sdk_sqs::config::Builder::new()
            .region(Region::new(queue.region.clone()))
            .retry_config(RetryConfig::disabled());
        let sent = send.customize().config_override(there).send().await;
        let answer = sent.map_err(|error| failure("SQS", &error))?;
        Ok(accept_answer(answer.message_id()))
    }

    async fn put_event(&self, bus: &Resource, request: &Request) -> Result<Response, Failure> {
        let entry = BusEntry::of(request).map_err(unsendable)?;
        let time = entry.time.and_then(|time| i64::try_from(time.ms()).ok());
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus.bus_arn())
            .source(entry.source)
            .detail_type(entry.detail_type)
            .detail(entry.detail)
            .resources(entry.resource)
            .set_time(time.map(DateTime::from_millis))
            .build();
        let there = aws_sdk_eventbridge::config::Builder::new()
            .region(Region::new(bus.region.clone()))
            .retry_config(RetryConfig::disabled());
        let put = self.clients.eventbridge().put_events().entries(entry).customize();
        let sent = put.config_override(there).send().await;
        let answer = sent.map_err(|error| failure("EventBridge", &error))?;
        // The call succeeds even where an entry of it fails, so the entry's own error is read.
        let Some(entry) = answer.entries().first() else {
            return Err(refusal("EventBridge", "NoEntry", "", 500));
        };
        match entry.error_code() {
            None => Ok(accept_answer(entry.event_id())),
            Some(code) => {
                let message = entry.error_message().unwrap_or_default();
                Err(refusal("EventBridge", code, message, 200))
            }
        }
    }
}

impl Sender for AwsSender {
    async fn send(&self, request: Request) -> SendResult {
        let (started_at, began) = (self.clock.now(), Instant::now());
        let timeout = Duration::from_millis(request.timeout_ms);
        let result = match self.rules.check(&request.url) {
            // The sender of POSTs checks the address again, and says why it may not be called.
            Ok(Target::Http(_)) | Err(_) => return self.http.send(request).await,
            Ok(Target::Queue(queue)) => {
                tokio::time::timeout(timeout, self.send_message(&queue, &request)).await
            }
            Ok(Target::Bus(bus)) => {
                tokio::time::timeout(timeout, self.put_event(&bus, &request)).await
            }
        };
        sent_of(
            started_at,
            ended_at(started_at, began),
            result.unwrap_or_else(|_| Err(Failure::of_timeout(timeout))),
        )
    }
}

/// Makes the answer of a queue or a bus that has taken the delivery: 200, with the id that it gave
/// as the body.
fn accept_answer(id: Option<&str>) -> Response {
    Response { status: 200, headers: Vec::new(), excerpt: id.unwrap_or_default().to_owned() }
}

fn unsendable(detail: String) -> Failure {
    Failure { outcome: Outcome::Unsendable, detail }
}

/// Says what an SDK's error means for the attempt.
fn failure<E>(service: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let Some(answer) = error.as_service_error() {
        let status = error.raw_response().map_or(400, |response| response.status().as_u16());
        let (code, message) = (answer.code().unwrap_or("Unknown"), answer.message());
        return refusal(service, code, message.unwrap_or_default(), status);
    }
    tracing::warn!(service, error = reason(error), "no answer");
    let is_timeout = matches!(error, SdkError::TimeoutError(_))
        || matches!(error, SdkError::DispatchFailure(failure) if failure.is_timeout());
    let outcome = if is_timeout { Outcome::TimedOut } else { Outcome::Unreachable };
    Failure { outcome, detail: format!("no answer of {service}") }
}

fn refusal(service: &str, code: &str, message: &str, status: u16) -> Failure {
    tracing::warn!(service, code, message, status, "refused");
    let outcome = outcome_of(code, message, status);
    Failure { outcome, detail: format!("{service} answered {code}") }
}
