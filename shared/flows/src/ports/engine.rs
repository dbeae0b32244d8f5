//! An engine: one implementation of every port, and the steps that it may join.

use std::future::Future;
use std::time::Duration;

use waxseal_domain::audit::Stamp;
use waxseal_domain::delivery::message::{Kind, Message, ReceivedMessage};
use waxseal_domain::delivery::{Delivery, Guard, Settlement, WriteResult};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::flow_control::breaker::Breakers;
use waxseal_domain::id::Ticket;
use waxseal_domain::limits::{ENQUEUE_TRIES_MAX, WAIT_BY_VISIBILITY_S_MAX};
use waxseal_domain::public_url::PublicUrl;
use waxseal_domain::secret::random_bytes;
use waxseal_domain::timestamp::Timestamp;

use super::{
    AcceptResult, Claim, Clock, DeliveryStore, Due, EngineError, EventRow, EventStore, KeyVault,
    Queue, SchemaChecker, Sender, Store,
};
use crate::memory::Memory;

/// One implementation of every port.
///
/// The provided methods take two steps in the order of the protocol: the row first, the queue
/// second. In that order a crash leaves a row that the sweep finds; in the other a message without
/// a row. An engine whose store and queue are one file does both in one transaction instead.
pub trait Engine: Send + Sync + 'static {
    /// Keeps the rows of events, deliveries, gates and what is configured.
    type Store: Store;
    /// Holds the messages that wait for an attempt.
    type Queue: Queue;
    /// Seals secrets before they are stored, and opens them.
    type KeyVault: KeyVault;
    /// Makes the requests to receivers.
    type Sender: Sender;
    /// Tells the time and waits.
    type Clock: Clock;
    /// Checks payloads against the JSON Schemas of a tenant's catalogue.
    type SchemaChecker: SchemaChecker;

    /// Returns the store, which every instance shares.
    fn store(&self) -> &Self::Store;
    /// Returns the queue, which every instance shares.
    fn queue(&self) -> &Self::Queue;
    /// Returns the key vault that sealed what the store holds.
    fn key_vault(&self) -> &Self::KeyVault;
    /// Returns the sender, which applies [`Engine::address_rules`].
    fn sender(&self) -> &Self::Sender;
    /// Returns the clock; no flow asks the system for the time.
    fn clock(&self) -> &Self::Clock;
    /// Returns the checker of payloads, which keeps compiled schemas.
    fn schema_checker(&self) -> &Self::SchemaChecker;
    /// Returns the rules for the addresses that receivers may have.
    fn address_rules(&self) -> &AddressRules;
    /// Returns a random number, from a source that is good enough for ids, tickets and secrets.
    fn entropy(&self) -> u128;
    /// Returns the hash of the operator's key, as [`waxseal_domain::api_key::hash_of`] makes it.
    fn operator_key_hash(&self) -> impl Future<Output = Result<String, EngineError>> + Send;

    /// Returns what this instance remembers between invocations.
    fn memory(&self) -> &Memory;

    /// Returns what this instance has counted for its circuit breakers, with their settings.
    fn breakers(&self) -> &Breakers {
        &self.memory().breakers
    }

    /// Checks each part that the engine depends on, such as tables, queues and keys, and says how
    /// it is.
    fn checks(&self) -> impl Future<Output = Vec<Check>> + Send;

    /// Returns the URL at which the API is reached from outside, without a slash at its end; none
    /// where it is not configured.
    fn public_url(&self) -> Option<&PublicUrl>;

    /// Seconds until every instance of ours acts on an endpoint just configured: 0 where no instance keeps
    /// a copy of what is stored.
    fn endpoints_settle_s(&self) -> u64;

    /// Returns 32 random bytes, from which a new secret is made.
    fn random_bytes(&self) -> [u8; 32] {
        random_bytes([self.entropy(), self.entropy()])
    }

    /// Returns the time and the random number of an audit entry for a change that is made now.
    fn stamp(&self) -> Stamp {
        Stamp { entropy: self.entropy(), at: self.clock().now() }
    }

    /// Draws a new ticket. Every send of a message needs one of its own.
    fn ticket(&self) -> Ticket {
        Ticket::from_entropy(self.entropy())
    }

    /// Takes steps I1 and I3: writes the event, then sends a message for each target. Only after an
    /// `Ok` may the event be acknowledged.
    fn accept(
        &self,
        row: &EventRow,
        messages: Vec<Message>,
    ) -> impl Future<Output = Result<AcceptResult, EngineError>> + Send {
        async move {
            let put = match self.store().accept(row).await? {
                // The SDK has repeated a write that had worked and whose answer was lost: the row
                // that is found is our own.
                AcceptResult::Exists(found) if found.nonce == row.nonce => AcceptResult::Created,
                put @ (AcceptResult::Created | AcceptResult::Exists(_)) => put,
            };
            if matches!(put, AcceptResult::Created) {
                self.enqueue(messages).await?;
            }
            Ok(put)
        }
    }

    /// Takes step I3: sends messages. What is not known to be queued is sent again under a new
    /// ticket and with `check` set, since the first copy may be queued all the same: with one
    /// ticket both copies would hold the delivery and make every attempt.
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
                messages = unsent.map(|(_, message)| message.resend(self.ticket(), now)).collect();
            }
            match messages.len() {
                0 => Ok(()),
                count => {
                    Err(EngineError::unavailable("enqueue", format!("{count} messages not queued")))
                }
            }
        }
    }

    /// Takes steps D5 and D6: writes the row, then sets the time at which the message comes again.
    /// A message that is done is removed by whoever received it, once this has returned
    /// `WriteResult::Done`.
    fn record_and_settle(
        &self,
        guard: Guard,
        row: &Delivery,
        received: &ReceivedMessage,
        settlement: Settlement,
    ) -> impl Future<Output = Result<WriteResult, EngineError>> + Send {
        async move {
            let written = self.store().record_attempt(guard, row).await?;
            if let (WriteResult::Done, Settlement::VisibleAt(at)) = (&written, settlement) {
                // Never for longer than a message waits: the clock may have been set back since.
                let wait_s = at.wait_s(self.clock().now()).min(WAIT_BY_VISIBILITY_S_MAX);
                self.queue().wait(&received.receipt, Duration::from_secs(wait_s)).await?;
            }
            Ok(written)
        }
    }

    /// Takes steps S2 and S3: claims the row, then sends its message; false where another was
    /// faster or the send had no answer. A send without an answer is not repeated: the lease ends,
    /// and the next sweep claims again.
    fn claim_and_enqueue(
        &self,
        due: &Due,
        claim: Claim,
        release: Release,
    ) -> impl Future<Output = Result<bool, EngineError>> + Send {
        async move {
            let Some(event_accepted_at) = self.store().claim(due, &claim).await? else {
                return Ok(false);
            };
            let message = due.message(event_accepted_at, claim.ticket, release, self.clock().now());
            Ok(self.queue().enqueue(&[message]).await.is_empty())
        }
    }

    /// Writes the row of a replay, then sends its message. If a crash comes between, the sweep
    /// sends one.
    fn reopen_and_enqueue(
        &self,
        guard: Guard,
        row: &Delivery,
        message: Message,
    ) -> impl Future<Output = Result<WriteResult, EngineError>> + Send {
        async move {
            let written = self.store().record_attempt(guard, row).await?;
            if written == WriteResult::Done {
                // A message that was not sent is left: the row is due, and the sweep sends one
                // within two minutes.
                let _unsent = self.queue().enqueue(&[message]).await;
            }
            Ok(written)
        }
    }
}

impl Due {
    /// Makes the message of a claim. It is delayed until the next attempt may be made, to the
    /// second.
    pub fn message(
        &self,
        event_accepted_at: Timestamp,
        ticket: Ticket,
        release: Release,
        now: Timestamp,
    ) -> Message {
        let wait_s = u32::try_from(self.next_at.wait_s(now)).unwrap_or(u32::MAX);
        let delay_s = wait_s.max(release.delay_s);
        let kind = release.kind;
        Message {
            kind,
            delay_s,
            priority: self.priority,
            ..Message::reissue(&self.key, event_accepted_at, ticket, now)
        }
    }
}

/// The state of one part of the deployment, as `doctor` and the API show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The name of the part, such as a table or a queue.
    pub name: String,
    /// Whether the part works.
    pub status: CheckStatus,
    /// A sentence for a person, with figures or with what is wrong.
    pub detail: String,
}

/// Whether a part of the deployment works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// The part works and needs no attention.
    Ok,
    /// The part works, but a person should look at it.
    Warn,
    /// The part does not work.
    Fail,
}

impl Check {
    /// Makes the check of a part that works.
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: CheckStatus::Ok, detail: detail.into() }
    }

    /// Makes the check of a part that works and that a person should look at.
    pub fn warn(name: &str, detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Warn, ..Self::ok(name, detail) }
    }

    /// Makes the check of a part that does not work.
    pub fn fail(name: &str, detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Fail, ..Self::ok(name, detail) }
    }
}

/// How the message of a claimed delivery is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Release {
    /// How a gate treats the message.
    pub kind: Kind,
    /// The least number of seconds until the message may be received.
    pub delay_s: u32,
}
