//! One machine: the embedded engine on a disk, receivers that outlive it, and a clock that only it moves.
//!
//! The engine is the real one, opened by its own `open`. Of its ports only the sender is another's, so that a POST
//! costs no connection; the clock, which waits no real time; and the source of random numbers, so that a seed says
//! everything.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use waxseal_adapters::clock::MovableClock;
use waxseal_adapters::embedded::{EmbeddedEngine, EmbeddedQueue, EmbeddedStore, KeyFile, Options};
use waxseal_adapters::json_schema::JsonSchemas;
use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::dispatch::Request;
use waxseal_domain::delivery::message::{Message, ReceivedMessage};
use waxseal_domain::delivery::{Delivery, Guard, Settlement, WriteResult};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::limits::FUNCTION_TIMEOUT_S;
use waxseal_domain::public_url::PublicUrl;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{
    AcceptResult, Check, Claim, Clock, Due, Engine, EngineError, EventRow, Release, Sender,
};
use waxseal_tests::rng::Rng;

use crate::disk::Disk;
use crate::ledger::Ledger;

/// Of so many POSTs to the receiver that fails now and then, one is answered with 503.
const FAILING_ONE_IN: u64 = 3;

/// Where the receiver is that fails now and then.
pub const FLAKY: &str = "http://flaky.example/";
/// Where the receiver is that takes everything.
pub const STEADY: &str = "http://steady.example/";

/// When an event is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// After its commit: the engine's own way.
    AfterCommit,
    /// At once: to see that the checks notice.
    BeforeCommit,
}

/// What outlives the machine's power: time, receivers, and what was promised.
#[derive(Debug)]
pub struct Outside {
    /// The time, which only the machine's steps move.
    pub clock: MovableClock,
    ledger: Mutex<Ledger>,
    rng: Mutex<Rng>,
}

impl Outside {
    /// A world of a seed.
    pub fn new(seed: u64) -> Arc<Self> {
        let clock = MovableClock::standing_at(Timestamp::from_ms(1_800_000_000_000));
        let (ledger, rng) = (Mutex::default(), Mutex::new(Rng::new(seed)));
        Arc::new(Self { clock, ledger, rng })
    }

    /// What was promised so far.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time out there.
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Draws from the world's random numbers.
    pub fn random<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The engine between two cuts.
pub struct Machine {
    inner: Arc<EmbeddedEngine>,
    disk: Arc<Disk>,
    outside: Arc<Outside>,
    clock: StandingClock,
    sender: Receivers,
    answer: Answer,
    /// What was answered before its commit, and is under way.
    early: Mutex<Vec<JoinHandle<()>>>,
}

impl Machine {
    /// Starts it in the disk's folder.
    pub fn start(
        disk: &Arc<Disk>,
        outside: &Arc<Outside>,
        answer: Answer,
    ) -> Result<Arc<Self>, EngineError> {
        let inner = Arc::new(EmbeddedEngine::open(options(disk.folder(), &outside.clock))?);
        Ok(Arc::new(Self {
            inner,
            disk: Arc::clone(disk),
            outside: Arc::clone(outside),
            clock: StandingClock { clock: outside.clock.clone(), disk: Arc::clone(disk) },
            sender: Receivers(Arc::clone(outside)),
            answer,
            early: Mutex::default(),
        }))
    }

    /// Ends it: every file that it had open is closed afterwards.
    pub async fn end(self: Arc<Self>) {
        let early = std::mem::take(&mut *self.early.lock().unwrap_or_else(PoisonError::into_inner));
        for one in early {
            one.await.unwrap();
        }
        let machine = Arc::into_inner(self).expect("nothing is under way any more");
        drop(Arc::into_inner(machine.inner).expect("nothing uses the engine any more"));
    }

    /// The disk that it is on.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The world that it is in.
    pub fn outside(&self) -> &Outside {
        &self.outside
    }
}

fn options(folder: &Path, clock: &MovableClock) -> Options {
    Options {
        folder: folder.to_owned(),
        operator_key: Some("operator-of-a-test".to_owned()),
        address_rules: AddressRules::default(),
        clock: clock.clone(),
        breaker: BreakerSettings::default(),
        ..Options::default()
    }
}

/// Stands, but for those who wait: it is at once the time that they wait for.
pub struct StandingClock {
    clock: MovableClock,
    disk: Arc<Disk>,
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let wait_ms = at.since_ms(self.now());
        // Without power nothing comes of trying again: the invocation's time is over.
        let over_ms = if self.disk.is_off() { FUNCTION_TIMEOUT_S * 1_000 } else { 0 };
        self.clock.advance(Duration::from_millis(wait_ms.max(over_ms)));
        tokio::task::yield_now().await;
    }
}

/// Takes each POST down, and answers it.
pub struct Receivers(Arc<Outside>);

impl Sender for Receivers {
    async fn send(&self, request: Request) -> Result<SendResult, EngineError> {
        let is_flaky = request.url.starts_with(FLAKY);
        let fails = is_flaky && self.0.random(|rng| rng.one_in(FAILING_ONE_IN));
        let status = if fails { 503 } else { 200 };
        let at = self.0.clock.now();
        self.0.ledger().posted(&request.subject.delivery, &request.body, at, !fails);
        let response = Response { status, headers: Vec::new(), excerpt: String::new() };
        Ok(SendResult {
            outcome: Outcome::of_status(status),
            detail: None,
            response: Some(response),
            started_at: at,
            ended_at: at,
        })
    }
}

impl Engine for Machine {
    type Store = EmbeddedStore;
    type Queue = EmbeddedQueue;
    type KeyVault = KeyFile;
    type Sender = Receivers;
    type Clock = StandingClock;
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
    fn sender(&self) -> &Receivers {
        &self.sender
    }
    fn clock(&self) -> &StandingClock {
        &self.clock
    }
    fn schema_checker(&self) -> &JsonSchemas {
        self.inner.schema_checker()
    }
    fn address_rules(&self) -> &AddressRules {
        self.inner.address_rules()
    }
    fn entropy(&self) -> u128 {
        self.outside.random(|rng| u128::from(rng.next()) << 64 | u128::from(rng.next()))
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
    async fn checks(&self) -> Vec<Check> {
        self.inner.checks().await
    }
    async fn operator_key_hash(&self) -> Result<String, EngineError> {
        self.inner.operator_key_hash().await
    }

    async fn accept(
        &self,
        row: &EventRow,
        messages: Vec<Message>,
    ) -> Result<AcceptResult, EngineError> {
        match self.answer {
            Answer::AfterCommit => {
                let accepted = self.inner.accept(row, messages).await;
                if matches!(accepted, Ok(AcceptResult::Created)) {
                    self.outside.ledger().synced();
                }
                accepted
            }
            Answer::BeforeCommit => {
                let (inner, row) = (Arc::clone(&self.inner), row.clone());
                let late = async move {
                    let _unseen = inner.accept(&row, messages).await;
                };
                let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
                early.push(tokio::spawn(late));
                Ok(AcceptResult::Created)
            }
        }
    }

    async fn record_and_settle(
        &self,
        guard: Guard,
        row: &Delivery,
        received: &ReceivedMessage,
        settlement: Settlement,
    ) -> Result<WriteResult, EngineError> {
        let written = self.inner.record_and_settle(guard, row, received, settlement).await;
        if matches!(written, Ok(WriteResult::Done)) {
            self.outside.ledger().recorded(row);
        }
        written
    }

    async fn claim_and_enqueue(
        &self,
        due: &Due,
        claim: Claim,
        release: Release,
    ) -> Result<bool, EngineError> {
        let claimed = self.inner.claim_and_enqueue(due, claim, release).await;
        if matches!(claimed, Ok(true)) {
            self.outside.ledger().synced();
        }
        claimed
    }

    async fn reopen_and_enqueue(
        &self,
        guard: Guard,
        row: &Delivery,
        message: Message,
    ) -> Result<WriteResult, EngineError> {
        let written = self.inner.reopen_and_enqueue(guard, row, message).await;
        if matches!(written, Ok(WriteResult::Done)) {
            self.outside.ledger().synced();
        }
        written
    }
}
