//! The SDK's clients: one configuration, one HTTP client, and no client before it is used.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_async::time::TimeSource;
use aws_types::SdkConfig;
use waxseal_flows::ports::{Clock, EngineError};

use super::http_client::ReqwestClient;
use crate::clock::MovableClock;
use crate::environment::Environment;

/// The configuration of a function: credentials and region from the environment variables that
/// Lambda sets, and nothing else asked or read.
pub(super) fn sdk_config(
    environment: &Environment,
    clock: &MovableClock,
) -> Result<SdkConfig, EngineError> {
    let region = Environment::require("AWS_REGION", &environment.region)?.to_owned();
    let [id, secret, token] = environment.credentials.clone();
    let token = Some(token).filter(|token| !token.is_empty());
    let credentials = Credentials::new(id, secret, token, None, "environment");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .time_source(clock.clone())
        .http_client(ReqwestClient::new(clock.clone())?);
    config.set_endpoint_url(environment.endpoint_url.clone());
    Ok(config.build())
}

/// Dates what the SDK signs: AWS refuses what its own clock says was signed some minutes ago, or later.
impl TimeSource for MovableClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(Clock::now(self).ms())
    }
}

/// A client a service. Those that a function may not need are made at their first use.
#[derive(Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    eventbridge: OnceLock<aws_sdk_eventbridge::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
}

impl Clients {
    pub(super) fn new(config: SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            config,
            sqs: OnceLock::new(),
            eventbridge: OnceLock::new(),
            kms: OnceLock::new(),
            secrets_manager: OnceLock::new(),
        }
    }

    pub(super) fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.config))
    }

    pub(super) fn eventbridge(&self) -> &aws_sdk_eventbridge::Client {
        self.eventbridge.get_or_init(|| aws_sdk_eventbridge::Client::new(&self.config))
    }

    pub(super) fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| aws_sdk_kms::Client::new(&self.config))
    }

    pub(super) fn secrets_manager(&self) -> &aws_sdk_secretsmanager::Client {
        self.secrets_manager.get_or_init(|| aws_sdk_secretsmanager::Client::new(&self.config))
    }
}
