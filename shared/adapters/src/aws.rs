//! The AWS engine: two DynamoDB tables, an SQS queue, a KMS key and one secret.
//!
//! The state table (lost with little harm after 35 days; items expire by `ttl`, in seconds):
//!
//! | item | pk | sk | in the index |
//! | --- | --- | --- | --- |
//! | event | `E#tenant#event` | `#` | `by_time` (`day_shard`, `received_at`) |
//! | delivery | `E#tenant#event` | `D#endpoint` | `due` (`due_shard`, `due_at`) while open; `by_endpoint` (`endpoint_key`, `born`) unless it succeeded at first |
//! | gate | `G#tenant#endpoint` | `#` | `due` (`G`, `due_at`) |
//! | rate | `R#tenant#endpoint` | window of 10 s | – |
//!
//! A held delivery's `due_shard` is `H#tenant#endpoint`: its endpoint's gate alone looks there.
//!
//! The config table (precious):
//!
//! | item | pk | sk |
//! | --- | --- | --- |
//! | tenant | `T#tenant`; and `TENANTS`, for their list | `#`; and the tenant |
//! | endpoint | `T#tenant` | `EP#id` |
//! | API key | `T#tenant`; and `K#hash`, to find it | `K#id`; and `#` |
//! | source | `S#name` | `#` |
//!
//! | access | call |
//! | --- | --- |
//! | accept an event, record an attempt, claim | one conditional write, which answers a refusal with the item |
//! | a delivery; it and its event | GetItem; BatchGetItem; consistent |
//! | an event and its deliveries | Query of its pk, consistent |
//! | what is due, what is held | Query of a shard of `due` |
//! | lists by endpoint, by time | Query of a KEYS_ONLY index, then BatchGetItem |
//! | a tenant's endpoints | one Query of its pk, up to `K#`; kept in memory |
//! | an endpoint, a key, a source | GetItem; kept in memory, for a short time |
//!
//! Ids hold no `#`, so no key reads two ways. Reads are consistent, but for the indexes.
//!
//! Why these dependencies: the AWS SDK for Rust; `aws-types` holds what its clients share, and
//! `aws-config` is left out: on Lambda region and credentials stand in the environment, and nothing
//! need be looked for. The `aws-smithy` two hold the traits of an HTTP client, for ours.

mod batch_get;
mod cache;
mod checks;
mod client;
pub mod cloud_event;
mod cloudwatch;
mod config;
mod deliveries;
mod delivery_item;
mod engine;
mod events;
mod events_by_time;
mod gates;
mod guard;
mod http_client;
pub mod http_event;
mod item;
mod key_vault;
pub mod metrics;
mod queue;
mod sender;
mod slots;
mod versioned;

pub use engine::AwsEngine;
pub use key_vault::KmsVault;
pub use queue::SqsQueue;
pub use sender::AwsSender;

use std::sync::Arc;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use waxseal_flows::ports::{EngineError, FailureKind};

use self::client::Clients;
use self::config::ConfigCache;
use crate::clock::MovableClock;
use crate::environment::Environment;

/// Keeps rows in two DynamoDB tables: one for what is configured, one for events, deliveries and
/// gates.
#[derive(Debug)]
pub struct DynamoStore {
    clients: Arc<Clients>,
    config_table: String,
    state_table: String,
    cache: ConfigCache,
    clock: MovableClock,
}

impl DynamoStore {
    fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.clients.dynamodb
    }

    fn state_table(&self) -> Result<&str, EngineError> {
        Environment::require("WAXSEAL_STATE_TABLE", &self.state_table)
    }

    fn config_table(&self) -> Result<&str, EngineError> {
        Environment::require("WAXSEAL_CONFIG_TABLE", &self.config_table)
    }
}

/// A call's failure, with all its causes; the SDK's errors hold no item and no message.
fn failure_at<E, R>(step: &'static str) -> impl Fn(SdkError<E, R>) -> EngineError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    move |error| EngineError::of(kind_of(error.code()), step, reason(&error))
}

/// What kind of failure a service's code is. Without one there was no answer.
fn kind_of(code: Option<&str>) -> FailureKind {
    let code = code.unwrap_or_default();
    // SQS writes its codes with the service before them.
    match code.rsplit_once('.').map_or(code, |(_, code)| code) {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "TooManyRequestsException"
        | "LimitExceededException" => FailureKind::Throttled,
        "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "ResourceNotFoundException"
        | "QueueDoesNotExist"
        | "DisabledException"
        | "NotFoundException" => FailureKind::Denied,
        "InvalidCiphertextException" | "IncorrectKeyException" => FailureKind::Unreadable,
        "TransactionConflictException"
        | "TransactionCanceledException"
        | "ConditionalCheckFailedException" => FailureKind::Conflict,
        _ => FailureKind::Unavailable,
    }
}

/// The causes of an error, outermost first. Not its `Debug`, which would show answers and items.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    const CHARS_MAX: usize = 1_024;
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ").chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_its_code_and_passes_where_it_is_not_known() {
        assert_eq!(
            kind_of(Some("AWS.SimpleQueueService.RequestThrottled")),
            FailureKind::Throttled
        );
        assert_eq!(kind_of(Some("InvalidCiphertextException")), FailureKind::Unreadable);
        assert_eq!(kind_of(Some("AccessDeniedException")), FailureKind::Denied);
        assert_eq!(kind_of(Some("InternalServerError")), FailureKind::Unavailable);
        assert_eq!(kind_of(None), FailureKind::Unavailable, "no answer");
    }
}
