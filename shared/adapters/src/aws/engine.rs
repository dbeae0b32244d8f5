//! Wires the ports to DynamoDB, SQS and KMS. The steps are the protocol's own: the row first, the
//! queue second.

use std::sync::Arc;

use waxseal_domain::api_key::hash_of;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::limits::ENDPOINT_COPY_INGEST_S;
use waxseal_domain::public_url::PublicUrl;
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{Check, Engine, EngineError, MaxAge};

use super::cache::AgedCache;
use super::checks::{WatchedQueue, alarms, check_clock, look_at};
use super::client::{Clients, sdk_config};
use super::cloudwatch::CloudWatch;
use super::config::ConfigCache;
use super::key_vault::KmsVault;
use super::queue::SqsQueue;
use super::sender::AwsSender;
use super::{DynamoStore, failure_at};
use crate::clock::MovableClock;
use crate::entropy::entropy;
use crate::environment::Environment;
use crate::json_schema::JsonSchemas;

/// How old the copy of the operator's key may be: so long after a rotation the old one works.
const OPERATOR_KEY_COPY_S: u64 = 5 * 60;

/// The engine on DynamoDB, SQS and KMS, made once when a function starts.
#[derive(Debug)]
pub struct AwsEngine {
    store: DynamoStore,
    queue: SqsQueue,
    key_vault: KmsVault,
    sender: AwsSender,
    address_rules: Arc<AddressRules>,
    clients: Arc<Clients>,
    operator_secret: String,
    memory: Memory,
    schemas: JsonSchemas,
    operator_key_hash: AgedCache<(), String>,
    public_url: Option<PublicUrl>,
    queues_to_watch: [WatchedQueue; 4],
    alarms_prefix: String,
    cloudwatch: CloudWatch,
    clock: MovableClock,
}

impl AwsEngine {
    /// Makes the engine with a function's settings. It calls nothing yet.
    pub fn new(environment: &Environment) -> Result<Self, EngineError> {
        Self::with_clock(environment, MovableClock::default())
    }

    /// Makes the engine with a clock of its own; it goes by what AWS tells of the time.
    pub fn with_clock(environment: &Environment, clock: MovableClock) -> Result<Self, EngineError> {
        clock.go_by_what_is_told();
        let address_rules = Arc::new(environment.address_rules.clone());
        let clients = Arc::new(Clients::new(sdk_config(environment, &clock)?));
        let sender =
            AwsSender::new(Arc::clone(&address_rules), Arc::clone(&clients), clock.clone())?;
        Ok(Self {
            store: DynamoStore {
                clients: Arc::clone(&clients),
                config_table: environment.config_table.clone(),
                state_table: environment.state_table.clone(),
                cache: ConfigCache::default(),
                clock: clock.clone(),
            },
            queue: SqsQueue::new(Arc::clone(&clients), environment),
            key_vault: KmsVault::new(Arc::clone(&clients), environment),
            sender,
            address_rules,
            clients,
            memory: Memory::new(environment.breaker),
            schemas: JsonSchemas::in_place(),
            operator_secret: environment.operator_secret.clone(),
            operator_key_hash: AgedCache::new(1),
            public_url: environment.public_url.clone(),
            queues_to_watch: queues_to_watch(environment),
            alarms_prefix: environment.alarms_prefix.clone(),
            cloudwatch: CloudWatch::new(environment, clock.clone()),
            clock,
        })
    }

    async fn read_operator_key_hash(&self) -> Result<String, EngineError> {
        let secret = Environment::require("WAXSEAL_OPERATOR_SECRET", &self.operator_secret)?;
        let get = self.clients.secrets_manager().get_secret_value().secret_id(secret);
        let answer = get.send().await.map_err(failure_at("read operator key"))?;
        let key = answer.secret_string().map(str::trim).filter(|key| !key.is_empty());
        key.map(hash_of)
            .ok_or_else(|| EngineError::unreadable("read operator key", "the secret holds no text"))
    }
}

/// The deployment's queues, as far as the function knows them.
fn queues_to_watch(environment: &Environment) -> [WatchedQueue; 4] {
    let queue = |name, url: &str, should_be_empty| WatchedQueue {
        name,
        url: url.to_owned(),
        should_be_empty,
    };
    [
        queue("deliveries", &environment.queue_url, false),
        queue("critical deliveries", &environment.critical_queue_url, false),
        queue("dead letters", &environment.dead_letters_url, true),
        queue("rejected messages", &environment.rejected_queue_url, true),
    ]
}

impl Engine for AwsEngine {
    type Store = DynamoStore;
    type Queue = SqsQueue;
    type KeyVault = KmsVault;
    type Sender = AwsSender;
    type Clock = MovableClock;
    type SchemaChecker = JsonSchemas;

    fn store(&self) -> &DynamoStore {
        &self.store
    }

    fn queue(&self) -> &SqsQueue {
        &self.queue
    }

    fn key_vault(&self) -> &KmsVault {
        &self.key_vault
    }

    fn sender(&self) -> &AwsSender {
        &self.sender
    }

    fn clock(&self) -> &MovableClock {
        &self.clock
    }

    fn schema_checker(&self) -> &JsonSchemas {
        &self.schemas
    }

    fn address_rules(&self) -> &AddressRules {
        &self.address_rules
    }

    fn entropy(&self) -> u128 {
        entropy()
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = look_at(&self.clients, &self.queues_to_watch).await;
        checks.push(check_clock(self.clock.told().ahead_ms()));
        checks.extend(alarms(&self.cloudwatch, &self.alarms_prefix).await);
        checks
    }

    fn public_url(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref()
    }

    async fn operator_key_hash(&self) -> Result<String, EngineError> {
        let start = match self.operator_key_hash.get(&(), MaxAge::seconds(OPERATOR_KEY_COPY_S)) {
            Ok(copy) => return Ok(copy),
            Err(start) => start,
        };
        let hash = self.read_operator_key_hash().await?;
        self.operator_key_hash.keep(start, (), hash.clone());
        Ok(hash)
    }

    /// Returns how long an instance may still match new events with an old copy of a tenant's
    /// endpoints.
    fn endpoints_settle_s(&self) -> u64 {
        ENDPOINT_COPY_INGEST_S
    }
}
