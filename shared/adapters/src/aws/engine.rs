//! The engine: ports wired together, taking the protocol's steps one by one.

use std::sync::Arc;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use waxseal_domain::address::AddressRules;
use waxseal_domain::api_key::hash_of;
use waxseal_domain::limits::ENDPOINT_COPY_INGEST_S;
use waxseal_domain::ports::{Clock as _, Engine, EngineError};

use super::cache::Cache;
use super::config::ConfigCache;
use super::{DynamoStore, KmsVault, SqsQueue, failed};
use crate::clock::SystemClock;
use crate::entropy::entropy;
use crate::environment::Environment;
use crate::sender::{Connections, HttpSender};

/// Seconds for which the operator's key is kept.
const OPERATOR_KEY_COPY_S: u64 = 300;

/// Everything on AWS.
#[derive(Debug)]
pub struct AwsEngine {
    store: DynamoStore,
    queue: SqsQueue,
    key_vault: KmsVault,
    sender: HttpSender,
    secrets: aws_sdk_secretsmanager::Client,
    operator_secret: String,
    operator_key: Cache<(), String>,
    address_rules: Arc<AddressRules>,
}

impl AwsEngine {
    /// With a function's settings. Clients connect when they are first used.
    pub fn new(environment: &Environment) -> Result<Self, EngineError> {
        let sdk = sdk(environment);
        let address_rules = Arc::new(environment.address_rules.clone());
        let rules = Arc::clone(&address_rules);
        Ok(Self {
            store: DynamoStore {
                client: aws_sdk_dynamodb::Client::new(&sdk),
                config_table: environment.config_table.clone(),
                state_table: environment.state_table.clone(),
                cache: ConfigCache::new(),
            },
            queue: SqsQueue::new(aws_sdk_sqs::Client::new(&sdk), environment),
            key_vault: KmsVault::new(aws_sdk_kms::Client::new(&sdk), environment),
            sender: HttpSender::new(rules, Connections::Fresh, Vec::new())?,
            secrets: aws_sdk_secretsmanager::Client::new(&sdk),
            operator_secret: environment.operator_secret.clone(),
            operator_key: Cache::new(1),
            address_rules,
        })
    }
}

/// By hand: on Lambda the environment has region and credentials, and nothing need be looked for.
fn sdk(environment: &Environment) -> SdkConfig {
    let [id, secret, token] = environment.credentials.clone();
    let token = Some(token).filter(|token| !token.is_empty());
    let credentials = Credentials::new(id, secret, token, None, "environment");
    let builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(environment.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    match &environment.endpoint_url {
        Some(url) => builder.endpoint_url(url).build(),
        None => builder.build(),
    }
}

impl Engine for AwsEngine {
    type Store = DynamoStore;
    type Queue = SqsQueue;
    type KeyVault = KmsVault;
    type Sender = HttpSender;
    type Clock = SystemClock;

    fn store(&self) -> &DynamoStore {
        &self.store
    }

    fn queue(&self) -> &SqsQueue {
        &self.queue
    }

    fn key_vault(&self) -> &KmsVault {
        &self.key_vault
    }

    fn sender(&self) -> &HttpSender {
        &self.sender
    }

    fn clock(&self) -> &SystemClock {
        &SystemClock
    }

    fn address_rules(&self) -> &AddressRules {
        &self.address_rules
    }

    fn entropy(&self) -> u128 {
        entropy()
    }

    fn endpoints_settle_s(&self) -> u64 {
        ENDPOINT_COPY_INGEST_S
    }

    async fn operator_key_hash(&self) -> Result<String, EngineError> {
        let now = SystemClock.now();
        if let Some(hash) = self.operator_key.get(&(), OPERATOR_KEY_COPY_S, now) {
            return Ok(hash);
        }
        let secret = Environment::needed("WAXSEAL_OPERATOR_SECRET", &self.operator_secret)?;
        let found = self.secrets.get_secret_value().secret_id(secret).send().await;
        let found = found.map_err(failed("read operator's key"))?;
        let key =
            found.secret_string().ok_or_else(|| EngineError::new("operator's key", "empty"))?;
        let hash = hash_of(key);
        self.operator_key.keep((), hash.clone(), now);
        Ok(hash)
    }
}
