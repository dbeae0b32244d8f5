//! The engine on AWS: DynamoDB is the store, SQS the queue, KMS the key vault.
//!
//! | table | pk | sk | is |
//! | --- | --- | --- | --- |
//! | state | `E#tenant#event` | `#` | an event; index `by_time`: day_shard, received_at |
//! | state | `E#tenant#event` | `D#endpoint` | a delivery; indexes `due`: due_shard, due_at, and `by_endpoint`: endpoint_key, born |
//! | config | `T#tenant` | `#` | a tenant |
//! | config | `T#tenant` | `EP#endpoint` | an endpoint |
//! | config | `T#tenant` | `K#key` | an API key of the tenant |
//! | config | `K#hash` | `#` | the same key, by its hash |
//! | config | `S#source` | `#` | a source |
//! | config | `TENANTS` | tenant | the list of tenants |
//!
//! No id holds a `#`, so no key reads two ways. A delivery that succeeds at first touches no index.
//!
//! Why these dependencies: the AWS SDK for Rust, without its default features (they bring a second
//! HTTP client and a second TLS stack). `aws-types` holds what its clients share; `aws-config` is left
//! out: on Lambda region and credentials stand in the environment, and nothing need be looked for.

mod cache;
pub mod cloud_event;
mod config;
mod deliveries;
mod engine;
mod events;
mod guard;
pub mod http_event;
mod item;
mod key_vault;
pub mod metrics;
mod queue;

pub use engine::AwsEngine;
pub use key_vault::KmsVault;
pub use queue::SqsQueue;

use aws_sdk_dynamodb::Client;
use waxseal_domain::ports::EngineError;

use self::config::ConfigCache;

/// Rows, in DynamoDB.
#[derive(Debug)]
pub struct DynamoStore {
    client: Client,
    config_table: String,
    state_table: String,
    cache: ConfigCache,
}

/// What the SDK says of a failure: its causes, outermost first. Not its `Debug`, nor the SDK's own
/// `DisplayErrorContext`, which would show answers and items.
fn failed<E: std::error::Error + 'static>(step: &'static str) -> impl Fn(E) -> EngineError {
    move |error| {
        let outermost: &(dyn std::error::Error + 'static) = &error;
        let causes = std::iter::successors(Some(outermost), |error| error.source());
        let texts: Vec<String> = causes.map(ToString::to_string).collect();
        EngineError::new(step, texts.join(": ").chars().take(1_024).collect::<String>())
    }
}
