//! Wires the ports to one SQLite file, and joins the steps that one file allows (T1 to T4).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use rustls::pki_types::CertificateDer;
use waxseal_domain::api_key::hash_of;
use waxseal_domain::clock::Jump;
use waxseal_domain::delivery::message::{Message, ReceivedMessage};
use waxseal_domain::delivery::{Delivery, Guard, Settlement, WriteResult};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::limits::{AUDIT_RETENTION_S, EVENT_RETENTION_S};
use waxseal_domain::public_url::PublicUrl;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{
    AcceptResult, Check, Claim, Clock as _, Due, Engine, EngineError, EventRow, Release,
};

use super::config_cache::ConfigCache;
use super::failure::failure_at;
use super::gates_in_memory::Gates;
use super::inboxes::Inboxes;
use super::key_file::KeyFile;
use super::queue::{self, EmbeddedQueue};
use super::reader::Readers;
use super::writer::{Durability, Writer};
use super::{EmbeddedStore, clock, config, deliveries, events, files, inbox, schema};
use crate::clock::MovableClock;
use crate::entropy::entropy;
use crate::json_schema::JsonSchemas;
use crate::sender::{Connections, HttpSender};

/// The number of expired events that one call removes: the writing thread does nothing else
/// meanwhile.
const EXPIRE_MAX: usize = 500;

/// What the key file seals when a folder is new, and opens at every start.
const CHECK: &str = "key-check";

/// How the engine is opened.
#[derive(Debug, Default)]
pub struct Options {
    /// The folder that holds the SQLite file and the key file.
    pub folder: PathBuf,
    /// The operator's API key; one is made and kept if there is none.
    pub operator_key: Option<String>,
    /// The addresses that may be called.
    pub address_rules: AddressRules,
    /// Attempts of one endpoint under way at the same time; 0 is without a bound.
    pub attempts_per_endpoint: usize,
    /// When circuit breakers open.
    pub breaker: BreakerSettings,
    /// Where the API is reached from outside, without a slash at its end.
    pub public_url: Option<PublicUrl>,
    /// What tells the time.
    pub clock: MovableClock,
    /// Authorities trusted beside Mozilla's.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

/// The engine on one SQLite file, in one process.
#[derive(Debug)]
pub struct EmbeddedEngine {
    store: Arc<EmbeddedStore>,
    queue: EmbeddedQueue,
    inboxes: Arc<Inboxes>,
    key_vault: KeyFile,
    sender: HttpSender,
    address_rules: Arc<AddressRules>,
    operator_key: String,
    memory: Memory,
    clock: MovableClock,
    schemas: JsonSchemas,
    public_url: Option<PublicUrl>,
    /// The lock on the folder, which is held for as long as this value lives.
    _lock: File,
}

impl EmbeddedEngine {
    /// Opens the data folder, or makes it. A second process on one folder is refused.
    pub fn open(options: Options) -> Result<Self, EngineError> {
        let folder: &Path = &options.folder;
        files::make_folder(folder)?;
        let lock = files::lock(folder)?;
        let path = folder.join("waxseal.db");
        let connection = schema::open_writer(&path).map_err(failure_at("open database"))?;
        let key_vault = key_vault(&connection, folder)?;
        let per_endpoint_max = match options.attempts_per_endpoint {
            0 => usize::MAX,
            most => most,
        };
        clock::start(&connection, &options.clock).map_err(failure_at("compare clock"))?;
        let clock = options.clock;
        let inboxes = Arc::new(Inboxes::new(per_endpoint_max, &clock));
        let now = clock.now();
        queue::load(&connection, &inboxes, now).map_err(failure_at("read messages"))?;
        let gates = Arc::new(Gates::load(&connection, now).map_err(failure_at("read gates"))?);
        let writer =
            Writer::start(connection).map_err(|e| EngineError::unavailable("start writer", e))?;
        let cache = Arc::new(ConfigCache::default());
        let readers = Readers::new(&path);
        let clock_of_store = clock.clone();
        let store =
            Arc::new(EmbeddedStore { writer, readers, cache, gates, clock: clock_of_store });
        let address_rules = Arc::new(options.address_rules);
        let rules = Arc::clone(&address_rules);
        let plain = HttpSender::new(rules, Connections::Kept, options.extra_roots)?;
        let sender = plain.with_clock(clock.clone());
        let operator_key = match options.operator_key {
            Some(key) => key,
            None => files::operator_key(folder)?,
        };
        Ok(Self {
            queue: EmbeddedQueue::new(Arc::clone(&store), Arc::clone(&inboxes), clock.clone()),
            store,
            inboxes,
            key_vault,
            sender,
            address_rules,
            operator_key,
            memory: Memory::new(options.breaker),
            clock,
            schemas: JsonSchemas::beside_requests(),
            public_url: options.public_url,
            _lock: lock,
        })
    }

    /// The operator's API key.
    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// Removes a bounded number of events that have expired, with what is left of their deliveries, and audit entries
    /// that have. What is owed stays, but for deliveries that nobody works on any more: those end as `failed`,
    /// `expired`, and are returned with their events, to be announced.
    pub async fn expire(&self) -> Result<Vec<(Delivery, EventRow)>, EngineError> {
        let (now, jumps) = (self.clock.now(), self.clock.jumps());
        let expired = jumps.older_than(EVENT_RETENTION_S, now);
        let audit = jumps.older_than(AUDIT_RETENTION_S, now);
        let clock = self.clock.clone();
        self.store
            .writer
            .write(
                "expire events",
                Durability::Lazy,
                move |connection| {
                    clock::keep(connection, &clock.last_seen())?;
                    for range in &audit {
                        config::expire_audit(connection, range)?;
                    }
                    let mut ended = Vec::new();
                    for range in &expired {
                        ended.extend(events::end_expired(connection, range, EXPIRE_MAX)?);
                        events::remove_settled(connection, range, EXPIRE_MAX)?;
                    }
                    Ok(ended)
                },
                |_| (),
            )
            .await
    }

    /// Looks whether the clock has jumped. If it has, everything that is planned is moved by as much, and only then is
    /// the new time gone by. Returns the jump.
    pub async fn follow_clock(&self) -> Result<Option<Jump>, EngineError> {
        let Some(jump) = self.clock.jump() else { return Ok(None) };
        let (inboxes, gates) = (Arc::clone(&self.inboxes), Arc::clone(&self.store.gates));
        let (clock, mut seen) = (self.clock.clone(), self.clock.last_seen());
        seen.at = jump.to;
        seen.jumps.add(jump);
        self.store
            .writer
            .write(
                "follow clock",
                Durability::Alone,
                move |connection| {
                    clock::keep(connection, &seen)?;
                    clock::move_schedule(connection, jump.by_ms, jump.to)
                },
                move |moved: &Vec<Gate>| {
                    clock.follow(jump);
                    inboxes.move_by(jump.by_ms);
                    gates.follow(moved, jump.by_ms);
                },
            )
            .await?;
        clock::tell(jump, "the schedule moves with it");
        Ok(Some(jump))
    }
}

/// The key file, which must open what it sealed when the folder was new.
fn key_vault(connection: &Connection, folder: &Path) -> Result<KeyFile, EngineError> {
    let tenant = CHECK.parse().map_err(|error| EngineError::unreadable("check key file", error))?;
    let context = SecretContext::links(&tenant);
    let sealed = config::key_check(connection).map_err(failure_at("check key file"))?;
    let key_file = KeyFile::new(&files::secrets_key(folder, sealed.is_some())?)?;
    if let Some(sealed) = sealed {
        let opened = key_file.open_now(&context, &sealed);
        opened.map_err(|_| files::key_file_fault(folder, "is another one"))?;
    } else {
        let sealed = key_file.seal_now(&context, &Secret::new(CHECK.as_bytes().to_vec()))?;
        config::keep_key_check(connection, &sealed).map_err(failure_at("check key file"))?;
    }
    Ok(key_file)
}

impl Engine for EmbeddedEngine {
    type Store = EmbeddedStore;
    type Queue = EmbeddedQueue;
    type KeyVault = KeyFile;
    type Sender = HttpSender;
    type Clock = MovableClock;
    type SchemaChecker = JsonSchemas;

    fn store(&self) -> &EmbeddedStore {
        &self.store
    }

    fn queue(&self) -> &EmbeddedQueue {
        &self.queue
    }

    fn key_vault(&self) -> &KeyFile {
        &self.key_vault
    }

    fn sender(&self) -> &HttpSender {
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
        let mut checks = self.store.checks().await;
        checks.push(clock::check(&self.clock, self.clock.now()));
        checks
    }

    fn public_url(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref()
    }

    fn endpoints_settle_s(&self) -> u64 {
        0
    }

    async fn operator_key_hash(&self) -> Result<String, EngineError> {
        Ok(hash_of(&self.operator_key))
    }

    /// Takes step T1: writes the event and its messages in one transaction.
    async fn accept(
        &self,
        row: &EventRow,
        messages: Vec<Message>,
    ) -> Result<AcceptResult, EngineError> {
        let (row, clock) = (row.clone(), self.clock.clone());
        let inboxes = Arc::clone(&self.inboxes);
        // Only after the commit do the messages enter memory, where they are received: an attempt
        // must not be made for an event that a crash could still lose.
        let then = move |(_, inserted): &(AcceptResult, Vec<queue::QueuedMessage>)| {
            queue::deliver_all(&inboxes, inserted);
        };
        let written = self.store.writer.write(
            "accept event",
            Durability::Synced,
            move |connection| {
                let put = events::put(connection, &row, &clock)?;
                let inserted = match &put {
                    // Visible by the clock as it is now: it may have jumped since the event was accepted.
                    AcceptResult::Created => queue::insert_all(connection, messages, clock.now())?,
                    AcceptResult::Exists(_) => Vec::new(),
                };
                Ok((put, inserted))
            },
            then,
        );
        written.await.map(|(put, _)| put)
    }

    /// Takes step T2: writes the result, and removes the message or sets its new visible time. It
    /// need not be synced: a power cut then repeats a POST and loses nothing.
    async fn record_and_settle(
        &self,
        guard: Guard,
        row: &Delivery,
        received: &ReceivedMessage,
        settlement: Settlement,
    ) -> Result<WriteResult, EngineError> {
        let (receipt, key) = (received.receipt.clone(), row.key.clone());
        let Some((id, _)) = inbox::parse(&receipt) else {
            return Err(EngineError::unreadable(
                "settle message",
                "the receipt is not of this queue",
            ));
        };
        let (row, clock) = (row.clone(), self.clock.clone());
        let (inboxes, before) = (Arc::clone(&self.inboxes), inbox::jumps_before(&receipt));
        self.store
            .writer
            .write(
                "record attempt",
                Durability::Lazy,
                move |connection| {
                    let mut planned = Some((row, settlement));
                    if before != Some(clock.jumps_followed())
                        && let Some((row, settlement)) = planned.take()
                    {
                        planned = clock::plan_anew(connection, &clock, row, settlement)?;
                    }
                    let Some((row, settlement)) = planned else {
                        let stored = deliveries::find(connection, &key)?;
                        return Ok((WriteResult::Refused(stored.map(Box::new)), settlement));
                    };
                    let written = deliveries::record(connection, guard, &row)?;
                    match (&written, settlement) {
                        (WriteResult::Refused(_), _) => {}
                        (WriteResult::Done, Settlement::Done) => queue::remove(connection, id)?,
                        (WriteResult::Done, Settlement::VisibleAt(at)) => {
                            queue::set_visible(connection, id, at)?;
                        }
                    }
                    Ok((written, settlement))
                },
                move |(written, settlement)| match (written, *settlement) {
                    (WriteResult::Refused(_), _) => {}
                    (WriteResult::Done, Settlement::Done) => {
                        inboxes.of(receipt.priority).remove(id);
                    }
                    (WriteResult::Done, Settlement::VisibleAt(at)) => {
                        inboxes.of(receipt.priority).wait(&receipt, at);
                    }
                },
            )
            .await
            .map(|(written, _)| written)
    }

    /// Takes step T3: writes the claim and its message in one transaction.
    async fn claim_and_enqueue(
        &self,
        due: &Due,
        claim: Claim,
        release: Release,
    ) -> Result<bool, EngineError> {
        let (due, clock) = (due.clone(), self.clock.clone());
        let inboxes = Arc::clone(&self.inboxes);
        let written = self.store.writer.write(
            "claim delivery",
            Durability::Synced,
            move |connection| {
                let now = clock.now();
                // A claim that was planned before a jump is refused: the row's `due_at` has moved.
                let Some(event_accepted_at) = deliveries::claim(connection, &due, &claim)? else {
                    return Ok(Vec::new());
                };
                queue::insert_all(
                    connection,
                    vec![due.message(event_accepted_at, claim.ticket, release, now)],
                    now,
                )
            },
            move |inserted| queue::deliver_all(&inboxes, inserted),
        );
        written.await.map(|inserted| !inserted.is_empty())
    }

    /// Takes step T4: writes the row, opened again, and its message in one transaction.
    async fn reopen_and_enqueue(
        &self,
        guard: Guard,
        row: &Delivery,
        message: Message,
    ) -> Result<WriteResult, EngineError> {
        let (row, clock) = (row.clone(), self.clock.clone());
        let inboxes = Arc::clone(&self.inboxes);
        let written = self.store.writer.write(
            "replay delivery",
            Durability::Synced,
            move |connection| {
                let now = clock.now();
                let row = row.reopened_for(now.plus_s(u64::from(message.delay_s)));
                let written = deliveries::record(connection, guard, &row)?;
                let inserted = match written {
                    WriteResult::Done => queue::insert_all(connection, vec![message], now)?,
                    WriteResult::Refused(_) => Vec::new(),
                };
                Ok((written, inserted))
            },
            move |(_, inserted)| {
                queue::deliver_all(&inboxes, inserted);
            },
        );
        written.await.map(|(written, _)| written)
    }
}
