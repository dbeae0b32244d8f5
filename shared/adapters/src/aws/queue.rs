//! The queue on SQS: standard, fair by message group, one message a delivery.

use std::collections::HashSet;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, SendMessageBatchRequestEntry,
};
use waxseal_domain::message::{Message, Receipt, Received};
use waxseal_domain::ports::{EngineError, Queue};

use super::failed;
use crate::environment::Environment;

/// Messages of one call.
const BATCH_MAX: usize = 10;
/// Bytes of one call: SQS takes 1 MiB, and counts more than the bodies.
const BATCH_BYTES_MAX: usize = 1_000_000;
/// Longest delay of a message, in seconds.
const DELAY_S_MAX: u32 = 900;
/// Longest visibility, below SQS's 12 hours from the receive.
const VISIBILITY_S_MAX: u64 = 43_000;

/// Messages, in SQS.
#[derive(Debug)]
pub struct SqsQueue {
    client: Client,
    queue_url: String,
    rejected_queue_url: String,
}

impl SqsQueue {
    pub(super) fn new(client: Client, environment: &Environment) -> Self {
        Self {
            client,
            queue_url: environment.queue_url.clone(),
            rejected_queue_url: environment.rejected_queue_url.clone(),
        }
    }

    /// Receives up to ten messages: for tests, since on Lambda the event source mapping does.
    pub async fn receive(&self, wait_s: i32) -> Result<Vec<Received>, EngineError> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(wait_s)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(failed("receive messages"))?;
        let read = |message: &aws_sdk_sqs::types::Message| {
            let count = message
                .attributes()
                .and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
            Some(Received {
                message: Message::parse(message.body()?).ok()?,
                receipt: Receipt(message.receipt_handle()?.to_owned()),
                receives: count.and_then(|text| text.parse().ok()).unwrap_or(1),
            })
        };
        Ok(received.messages().iter().filter_map(read).collect())
    }

    /// Removes a message that is done with.
    pub async fn remove(&self, receipt: &Receipt) -> Result<(), EngineError> {
        let delete = self.client.delete_message().queue_url(&self.queue_url);
        let deleted = delete.receipt_handle(&receipt.0).send().await;
        deleted.map(|_| ()).map_err(failed("remove message"))
    }

    /// One call; answers with the indexes that SQS took.
    async fn send(&self, batch: &[(usize, &Message, String)]) -> HashSet<usize> {
        let mut entries = Vec::with_capacity(batch.len());
        for (index, message, body) in batch {
            let delay_s = i32::try_from(message.delay_s.min(DELAY_S_MAX)).unwrap_or_default();
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body)
                .message_group_id(message.tenant.as_str())
                .delay_seconds(delay_s)
                .build();
            entries.extend(entry);
        }
        // Never sent again by the SDK: two copies under one ticket would both be "the holder".
        let once = aws_sdk_sqs::config::Builder::new().retry_config(RetryConfig::disabled());
        let sent = self
            .client
            .send_message_batch()
            .queue_url(&self.queue_url)
            .set_entries(Some(entries))
            .customize()
            .config_override(once)
            .send()
            .await;
        match sent {
            Ok(sent) => sent.successful().iter().filter_map(|one| one.id().parse().ok()).collect(),
            Err(error) => {
                tracing::warn!(error = %failed("enqueue")(error), "messages are not known to be queued");
                HashSet::new()
            }
        }
    }
}

impl Queue for SqsQueue {
    async fn enqueue(&self, messages: &[Message]) -> Vec<usize> {
        let mut sent = HashSet::new();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (index, message) in messages.iter().enumerate() {
            let body = message.body();
            if batch.len() == BATCH_MAX || bytes + body.len() > BATCH_BYTES_MAX {
                sent.extend(self.send(&batch).await);
                batch.clear();
                bytes = 0;
            }
            bytes += body.len();
            batch.push((index, message, body));
        }
        if !batch.is_empty() {
            sent.extend(self.send(&batch).await);
        }
        (0..messages.len()).filter(|index| !sent.contains(index)).collect()
    }

    async fn wait(&self, receipt: &Receipt, wait_s: u64) -> Result<(), EngineError> {
        let seconds = i32::try_from(wait_s.min(VISIBILITY_S_MAX)).unwrap_or_default();
        let changed = self
            .client
            .change_message_visibility()
            .queue_url(&self.queue_url)
            .receipt_handle(&receipt.0)
            .visibility_timeout(seconds)
            .send()
            .await;
        // A stale receipt, or any other failure: the message comes again by itself and is judged.
        if let Err(error) = changed {
            tracing::warn!(error = %failed("delay message")(error), "it comes at its queue's visibility");
        }
        Ok(())
    }

    async fn reject(&self, body: &str, reason: &str) -> Result<(), EngineError> {
        let queue = Environment::needed("WAXSEAL_REJECTED_QUEUE_URL", &self.rejected_queue_url)?;
        let reason: String = reason.chars().take(256).collect();
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(reason);
        let attribute = attribute.build().map_err(failed("put aside"))?;
        // An empty body is refused by SQS, and one over its bound would be as well.
        let body: String = body.chars().take(BATCH_BYTES_MAX / 4).collect();
        self.client
            .send_message()
            .queue_url(queue)
            .message_body(if body.is_empty() { "(empty)" } else { &body })
            .message_attributes("reason", attribute)
            .send()
            .await
            .map(|_| ())
            .map_err(failed("put aside"))
    }
}
