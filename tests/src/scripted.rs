//! An engine whose sender is scripted, on an embedded store, taking the protocol's steps separately
//! as on AWS: none of the joined transactions of the embedded engine.

use std::sync::Arc;

use waxseal_adapters::clock::MovableClock;
use waxseal_adapters::embedded::{EmbeddedEngine, EmbeddedQueue, EmbeddedStore, KeyFile};
use waxseal_adapters::json_schema::JsonSchemas;
use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::dispatch::Request;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::public_url::PublicUrl;
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{Busy, Check, Clock as _, Engine, EngineError, Sender, WorkOwner};

/// What the sender does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// An answer of this status.
    Answer(u16),
    /// A panic of our own.
    Panic,
    /// No answer, however long the attempt waits.
    Hang,
    /// No handle for a connection: our own shortage.
    Shortage,
}

/// Decides by the request.
pub type Script = Arc<dyn Fn(&Request) -> Play + Send + Sync>;

/// A sender that plays a script.
pub struct ScriptedSender {
    script: Script,
    clock: MovableClock,
}

impl Sender for ScriptedSender {
    async fn send(&self, request: Request) -> Result<SendResult, EngineError> {
        let started_at = self.clock.now();
        let status = match (self.script)(&request) {
            Play::Answer(status) => status,
            Play::Panic => panic!("scripted"),
            Play::Hang => std::future::pending().await,
            Play::Shortage => return Err(EngineError::short("send", "no handle")),
        };
        let response = Response { status, headers: Vec::new(), excerpt: String::new() };
        Ok(SendResult {
            outcome: Outcome::of_status(status),
            detail: None,
            response: Some(response),
            started_at,
            ended_at: self.clock.now(),
        })
    }
}

/// An embedded engine with a scripted sender and separate steps.
pub struct ScriptedEngine {
    inner: Arc<EmbeddedEngine>,
    sender: ScriptedSender,
}

impl ScriptedEngine {
    /// Around an embedded engine.
    pub fn new(
        inner: Arc<EmbeddedEngine>,
        script: impl Fn(&Request) -> Play + Send + Sync + 'static,
    ) -> Arc<Self> {
        let clock = inner.clock().clone();
        Arc::new(Self { inner, sender: ScriptedSender { script: Arc::new(script), clock } })
    }
}

impl Engine for ScriptedEngine {
    type Store = EmbeddedStore;
    type Queue = EmbeddedQueue;
    type KeyVault = KeyFile;
    type Sender = ScriptedSender;
    type Clock = MovableClock;
    type SchemaChecker = JsonSchemas;

    fn store(&self) -> &EmbeddedStore {
        self.inner.store()
    }
    fn queue(&self) -> &EmbeddedQueue {
        self.inner.queue()
    }
    fn key_vault(&self) -> &KeyFile {
        self.inner.key_vault()
    }
    fn sender(&self) -> &ScriptedSender {
        &self.sender
    }
    fn clock(&self) -> &MovableClock {
        self.inner.clock()
    }
    fn schema_checker(&self) -> &JsonSchemas {
        self.inner.schema_checker()
    }
    fn address_rules(&self) -> &AddressRules {
        self.inner.address_rules()
    }
    fn entropy(&self) -> u128 {
        self.inner.entropy()
    }
    fn public_url(&self) -> Option<&PublicUrl> {
        None
    }

    fn endpoints_settle_s(&self) -> u64 {
        0
    }

    fn memory(&self) -> &Memory {
        self.inner.memory()
    }

    async fn work<T: Send + 'static>(
        &self,
        owner: &WorkOwner,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        self.inner.work(owner, bytes, work).await
    }

    async fn checks(&self) -> Vec<Check> {
        self.inner.checks().await
    }
    async fn operator_key_hash(&self) -> Result<String, EngineError> {
        self.inner.operator_key_hash().await
    }
}
