//! An engine: one implementation of every port, and the steps that it may join.

use std::future::Future;
use std::time::Duration;

use waxseal_domain::audit::Stamp;
use waxseal_domain::delivery::message::{Kind, Message, Received};
use waxseal_domain::delivery::{Delivery, Guard, Settlement, Written};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::flow_control::breaker::Breakers;
use waxseal_domain::id::Ticket;
use waxseal_domain::limits::ENQUEUE_TRIES_MAX;
use waxseal_domain::timestamp::Timestamp;

use super::{
    AcceptResult, Claim, Clock, DeliveryStore, Due, EngineError, EventRow, EventStore, KeyVault,
    Queue, SchemaChecker, Sender, Store,
};
use crate::memory::Memory;

/// One implementation of every port.
///
/// The provided methods take two steps in the order of the protocol: row first, queue second. An
/// engine whose store and queue are one file does both in one transaction instead.
pub trait Engine: Send + Sync + 'static {
    /// Where rows are.
    type Store: Store;
    /// Where messages are.
    type Queue: Queue;
    /// What seals secrets.
    type KeyVault: KeyVault;
    /// What POSTs.
    type Sender: Sender;
    /// What tells the time.
    type Clock: Clock;
    /// What checks payloads.
    type SchemaChecker: SchemaChecker;

    /// Its store.
    fn store(&self) -> &Self::Store;
    /// Its queue.
    fn queue(&self) -> &Self::Queue;
    /// Its key vault.
    fn key_vault(&self) -> &Self::KeyVault;
    /// Its sender.
    fn sender(&self) -> &Self::Sender;
    /// Its clock.
    fn clock(&self) -> &Self::Clock;
    /// What checks payloads against their types' schemas.
    fn schema_checker(&self) -> &Self::SchemaChecker;
    /// The addresses that may be called.
    fn address_rules(&self) -> &AddressRules;
    /// A random number: for ids, tickets, secrets and jitter.
    fn entropy(&self) -> u128;
    /// [`waxseal_domain::api_key::hash_of`] the operator's key.
    fn operator_key_hash(&self) -> impl Future<Output = Result<String, EngineError>> + Send;

    /// What this instance remembers.
    fn memory(&self) -> &Memory;

    /// What this instance has counted for its circuit breakers.
    fn breakers(&self) -> &Breakers {
        &self.memory().breakers
    }

    /// How what the engine stands on is, part by part.
    fn checks(&self) -> impl Future<Output = Vec<Check>> + Send;

    /// Where the API is reached from outside, without a slash at its end; none where nobody said.
    fn public_url(&self) -> Option<&str>;

    /// Seconds until every instance of ours acts on an endpoint just configured.
    fn endpoints_settle_s(&self) -> u64 {
        0
    }

    /// 32 random bytes: for secrets.
    fn random_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (first, second) = bytes.split_at_mut(16);
        first.copy_from_slice(&self.entropy().to_be_bytes());
        second.copy_from_slice(&self.entropy().to_be_bytes());
        bytes
    }

    /// The stamp of a change that is made now.
    fn stamp(&self) -> Stamp {
        Stamp { entropy: self.entropy(), at: self.clock().now() }
    }

    /// A new ticket.
    fn ticket(&self) -> Ticket {
        Ticket::from_entropy(self.entropy())
    }

    /// I1 and I3: the event, then a message a target. Only then may it be acknowledged.
    fn accept(
        &self,
        row: &EventRow,
        messages: Vec<Message>,
    ) -> impl Future<Output = Result<AcceptResult, EngineError>> + Send {
        async move {
            let put = match self.store().accept(row).await? {
                // The write had worked, and its answer was lost: the SDK has repeated it.
                AcceptResult::Exists(found) if found.nonce == row.nonce => AcceptResult::Created,
                put @ (AcceptResult::Created | AcceptResult::Exists(_)) => put,
            };
            if matches!(put, AcceptResult::Created) {
                self.enqueue(messages).await?;
            }
            Ok(put)
        }
    }

    /// I3: sends messages; what is not known to be queued goes again under a new ticket, checked.
    fn enqueue(
        &self,
        mut messages: Vec<Message>,
    ) -> impl Future<Output = Result<(), EngineError>> + Send {
        async move {
            for _ in 0..ENQUEUE_TRIES_MAX {
                if messages.is_empty() {
                    return Ok(());
                }
                let open = self.queue().enqueue(&messages).await;
                let now = self.clock().now();
                let unsent = messages.into_iter().enumerate().filter(|(at, _)| open.contains(at));
                messages =
                    unsent.map(|(_, message)| message.sent_again(self.ticket(), now)).collect();
            }
            match messages.len() {
                0 => Ok(()),
                count => {
                    Err(EngineError::unavailable("enqueue", format!("{count} messages not queued")))
                }
            }
        }
    }

    /// D5 and D6: the row, then the message's new visible time. The message of a `Done` is removed
    /// by whoever received it, once this has answered `Written::Done`.
    fn record_and_settle(
        &self,
        guard: Guard,
        row: &Delivery,
        received: &Received,
        settlement: Settlement,
    ) -> impl Future<Output = Result<Written, EngineError>> + Send {
        async move {
            let written = self.store().record_attempt(guard, row).await?;
            if let (Written::Done, Settlement::VisibleAt(at)) = (&written, settlement) {
                let wait_s = at.wait_s(self.clock().now());
                self.queue().wait(&received.receipt, Duration::from_secs(wait_s)).await?;
            }
            Ok(written)
        }
    }

    /// S2 and S3: the claim, then its message. A send without an answer is left: the lease heals it.
    fn claim_and_enqueue(
        &self,
        due: &Due,
        claim: Claim,
        release: Release,
    ) -> impl Future<Output = Result<bool, EngineError>> + Send {
        async move {
            let Some(born) = self.store().claim(due, &claim).await? else {
                return Ok(false);
            };
            let message = due.message(born, claim.ticket, release, self.clock().now());
            Ok(self.queue().enqueue(&[message]).await.is_empty())
        }
    }

    /// A replay: the row, then its message. A crash between is the sweep's to heal.
    fn reopen_and_enqueue(
        &self,
        guard: Guard,
        row: &Delivery,
        message: Message,
    ) -> impl Future<Output = Result<Written, EngineError>> + Send {
        async move {
            let written = self.store().record_attempt(guard, row).await?;
            if written == Written::Done {
                // Not sent: the sweep sends it within two minutes.
                let _unsent = self.queue().enqueue(&[message]).await;
            }
            Ok(written)
        }
    }
}

impl Due {
    /// The message of a claim: delivered when the next attempt may be made, to the second.
    pub fn message(
        &self,
        born: Timestamp,
        ticket: Ticket,
        release: Release,
        now: Timestamp,
    ) -> Message {
        let wait_s = u32::try_from(self.next_at.wait_s(now)).unwrap_or(u32::MAX);
        let delay_s = wait_s.max(release.delay_s);
        let kind = release.kind;
        Message { kind, delay_s, lane: self.lane, ..Message::reissue(&self.key, born, ticket, now) }
    }
}

/// How a part of the deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which part.
    pub name: String,
    /// How it is.
    pub status: CheckStatus,
    /// In words: figures, or what is wrong.
    pub detail: String,
}

/// How a part of the deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// Well.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

impl Check {
    /// Of a part that is well.
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: CheckStatus::Ok, detail: detail.into() }
    }

    /// Of a part that somebody should look at.
    pub fn warn(name: &str, detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Warn, ..Self::ok(name, detail) }
    }

    /// Of a part that does not work.
    pub fn fail(name: &str, detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Fail, ..Self::ok(name, detail) }
    }
}

/// How a claimed delivery's message is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Release {
    /// What a gate makes of it.
    pub kind: Kind,
    /// Seconds until it may be received, at least.
    pub delay_s: u32,
}
