//! Sends deliveries' messages to SQS. The queues are standard ones; the tenant is each message's
//! group, so that a noisy tenant waits for itself.

mod batches;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, SendMessageBatchRequestEntry,
};
use waxseal_domain::delivery::message::{Message, Receipt, ReceivedMessage};
use waxseal_domain::delivery::priority::Priority;
use waxseal_flows::ports::{EngineError, Queue};

use self::batches::{Outgoing, batches};
use super::client::Clients;
use super::failure_at;
use crate::environment::Environment;

/// The longest wait by visibility, in seconds. SQS allows 12 hours from the receive, of which some
/// have passed.
const WAIT_S_MAX: u64 = 43_000;
/// Bytes of a rejected body: SQS takes 1 MiB, the reason included.
const REJECTED_BYTES_MAX: usize = 1_000_000;
/// Characters of the reason beside it.
const REASON_CHARS_MAX: usize = 256;

/// Holds the addresses of the queues for normal and critical messages and of `rejected`.
#[derive(Debug)]
pub struct SqsQueue {
    clients: Arc<Clients>,
    queue_url: String,
    critical_queue_url: String,
    rejected_queue_url: String,
}

impl SqsQueue {
    pub(super) fn new(clients: Arc<Clients>, environment: &Environment) -> Self {
        Self {
            clients,
            queue_url: environment.queue_url.clone(),
            critical_queue_url: environment.critical_queue_url.clone(),
            rejected_queue_url: environment.rejected_queue_url.clone(),
        }
    }

    /// Receives up to ten messages of a priority, once there are any. On AWS an event source
    /// mapping does this.
    pub async fn receive(
        &self,
        priority: Priority,
        wait_s: i32,
    ) -> Result<Vec<ReceivedMessage>, EngineError> {
        let receive = self
            .clients
            .sqs()
            .receive_message()
            .queue_url(self.url(priority)?)
            .max_number_of_messages(10)
            .wait_time_seconds(wait_s)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = receive.send().await.map_err(failure_at("receive messages"))?;
        let read = |message: &aws_sdk_sqs::types::Message| {
            let unreadable = |error| EngineError::unreadable("read message", error);
            let counted = MessageSystemAttributeName::ApproximateReceiveCount;
            let receives = message.attributes().and_then(|all| all.get(&counted)?.parse().ok());
            Ok(ReceivedMessage {
                message: Message::parse(message.body().unwrap_or_default()).map_err(unreadable)?,
                receipt: Receipt {
                    priority,
                    handle: message
                        .receipt_handle()
                        .ok_or_else(|| {
                            EngineError::unreadable("read message", "it has no receipt")
                        })?
                        .to_owned(),
                },
                // As of an event source: a count that cannot be read is not taken for a first receive, since
                // only that may go without reading the row.
                receives: receives.unwrap_or(2),
            })
        };
        answer.messages().iter().map(read).collect()
    }

    /// Removes a message that is done with. On AWS an event source mapping does this.
    pub async fn remove(&self, receipt: &Receipt) -> Result<(), EngineError> {
        let delete = self.clients.sqs().delete_message().queue_url(self.url(receipt.priority)?);
        let delete = delete.receipt_handle(&receipt.handle);
        delete.send().await.map(|_| ()).map_err(failure_at("remove message"))
    }

    fn url(&self, priority: Priority) -> Result<&str, EngineError> {
        match priority {
            Priority::Normal => Environment::require("WAXSEAL_QUEUE_URL", &self.queue_url),
            Priority::Critical => {
                Environment::require("WAXSEAL_CRITICAL_QUEUE_URL", &self.critical_queue_url)
            }
        }
    }

    /// Sends a batch and returns the indexes of the messages that are known to be queued.
    async fn send(
        &self,
        priority: Priority,
        batch: &[Outgoing],
    ) -> Result<Vec<usize>, EngineError> {
        let entries = batch
            .iter()
            .map(|outgoing| {
                SendMessageBatchRequestEntry::builder()
                    .id(outgoing.index.to_string())
                    .message_body(outgoing.body.as_str())
                    .message_group_id(outgoing.group.as_str())
                    .delay_seconds(outgoing.delay_s)
                    .build()
                    .map_err(|error| EngineError::unreadable("send messages", error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let send = self.clients.sqs().send_message_batch();
        let send = send.queue_url(self.url(priority)?).set_entries(Some(entries)).customize();
        // The SDK must not retry: it would send the same ticket twice, and each copy would take
        // itself for the holder. Whoever asked sends again what is not known to be queued, under a
        // new ticket.
        let once = aws_sdk_sqs::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer =
            send.config_override(once).send().await.map_err(failure_at("send messages"))?;
        for refused in answer.failed() {
            tracing::warn!(code = refused.code(), "a message was not queued");
        }
        Ok(answer.successful().iter().filter_map(|sent| sent.id().parse().ok()).collect())
    }
}

impl Queue for SqsQueue {
    async fn enqueue(&self, messages: &[Message]) -> Vec<usize> {
        let mut queued = vec![false; messages.len()];
        let both = Priority::ALL.into_iter();
        let all = both.flat_map(|priority| {
            batches(messages, priority).into_iter().map(move |b| (priority, b))
        });
        for (priority, batch) in all {
            match self.send(priority, &batch).await {
                Ok(indexes) => {
                    for index in indexes {
                        if let Some(queued) = queued.get_mut(index) {
                            *queued = true;
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, messages = batch.len(), "not known to be queued");
                }
            }
        }
        queued.iter().enumerate().filter(|(_, queued)| !**queued).map(|(index, _)| index).collect()
    }

    async fn wait(&self, receipt: &Receipt, wait: Duration) -> Result<(), EngineError> {
        let change = self
            .clients
            .sqs()
            .change_message_visibility()
            .queue_url(self.url(receipt.priority)?)
            .receipt_handle(&receipt.handle)
            .visibility_timeout(i32::try_from(wait.as_secs().min(WAIT_S_MAX)).unwrap_or(i32::MAX));
        match change.send().await {
            Ok(_) => Ok(()),
            // A receipt is stale when its message is visible again already. The message comes again
            // by itself, so nothing is lost.
            Err(error) if is_stale(error.code(), error.message()) => Ok(()),
            Err(error) => Err(failure_at("delay message")(error)),
        }
    }

    async fn reject(&self, body: &str, reason: &str) -> Result<(), EngineError> {
        let url = Environment::require("WAXSEAL_REJECTED_QUEUE_URL", &self.rejected_queue_url)?;
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(clean_reason(reason))
            .build()
            .map_err(|error| EngineError::unreadable("put aside", error))?;
        // A body that SQS would refuse is shortened: to fail here would make its message come again
        // and again until it counts as a crash of ours.
        let body = body.get(..body.floor_char_boundary(REJECTED_BYTES_MAX)).unwrap_or(body);
        let send = self
            .clients
            .sqs()
            .send_message()
            .queue_url(url)
            .message_body(if body.is_empty() { "(empty)" } else { body })
            .message_attributes("reason", reason);
        send.send().await.map(|_| ()).map_err(failure_at("put aside"))
    }
}

/// Whether a receipt was refused because its message is visible again, received again or gone.
fn is_stale(code: Option<&str>, message: Option<&str>) -> bool {
    let code = code.unwrap_or_default();
    let code = code.rsplit_once('.').map_or(code, |(_, code)| code);
    let message = message.unwrap_or_default();
    match code {
        "ReceiptHandleIsInvalid" | "MessageNotInflight" => true,
        "InvalidParameterValue" => {
            ["expired", "not available", "does not exist"].iter().any(|word| message.contains(word))
        }
        _ => false,
    }
}

/// A reason as SQS takes one: some text, without control characters.
fn clean_reason(reason: &str) -> String {
    let plain = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = plain.take(REASON_CHARS_MAX).collect();
    if plain.trim().is_empty() { "unknown".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_receipt_is_told_from_a_wrong_call() {
        let expired = "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle \
                       has expired.";
        assert!(is_stale(Some("InvalidParameterValue"), Some(expired)));
        assert!(is_stale(Some("ReceiptHandleIsInvalid"), None));
        assert!(is_stale(Some("AWS.SimpleQueueService.MessageNotInflight"), None));
        let wrong = "Value 99999 for parameter VisibilityTimeout is invalid.";
        assert!(!is_stale(Some("InvalidParameterValue"), Some(wrong)));
        assert!(!is_stale(Some("AccessDenied"), None));
        assert!(!is_stale(None, None));
    }

    #[test]
    fn a_reason_is_never_empty_and_never_long() {
        assert_eq!(clean_reason(" \n"), "unknown");
        assert_eq!(clean_reason("a\u{7}b"), "a b");
        assert_eq!(clean_reason(&"ä".repeat(300)).chars().count(), 256);
    }
}
