//! Defines the ports: the traits that an engine must implement. Each has two real implementations:
//! one on DynamoDB, SQS and KMS, and one on a SQLite file with a key file.
//!
//! An `Err` is always our own failure. What a receiver does, and what a row says, are values.

mod engine;
mod store;

pub use engine::{Check, CheckStatus, Engine, Release};
pub use store::{
    AcceptResult, Change, Claim, ConfigStore, DeliveryStore, Due, EventRow, EventStore, GateStore,
    MaxAge, Page, PageRequest, Setting, Store, Tenant, TenantEndpoints, TenantVersion,
};

use std::fmt;
use std::future::Future;
use std::time::Duration;

use waxseal_domain::delivery::attempt::SendResult;
use waxseal_domain::delivery::dispatch::Request;
use waxseal_domain::delivery::message::{Message, Receipt};
use waxseal_domain::event::catalogue::Schema;
use waxseal_domain::id::TenantName;
use waxseal_domain::json::Fault;
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::timestamp::Timestamp;

/// What kind of failure one of our own is: whether the same step may succeed if it is taken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// More was asked for than is allowed at a time.
    Throttled,
    /// There was no answer, or one that says that the service is not well just now. A later try may
    /// succeed.
    Unavailable,
    /// What is stored, or was answered, is not in its form, or cannot be written in it. A later try
    /// would meet the same.
    Unreadable,
    /// Access is not allowed, or the address is not configured. A later try fails as well, until a
    /// person changes it.
    Denied,
    /// Another writer changed the same row at the same time.
    Conflict,
}

impl FailureKind {
    /// Whether the same step may succeed when it is taken again, with nobody doing anything about it.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::Conflict => true,
            Self::Unreadable | Self::Denied => false,
        }
    }
}

/// Our own failure: a store, a queue or a key vault that did not do what it should.
#[derive(Debug)]
pub struct EngineError {
    step: &'static str,
    kind: FailureKind,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// Why a step failed. It must hold no payload and no secret.
type Reason = Box<dyn std::error::Error + Send + Sync>;

impl EngineError {
    /// A failure of this kind, of the step so named; `cause` must hold no payload and no secret.
    pub fn of(kind: FailureKind, step: &'static str, cause: impl Into<Reason>) -> Self {
        Self { step, kind, cause: cause.into() }
    }

    /// The step was asked for too often.
    pub fn throttled(step: &'static str, cause: impl Into<Reason>) -> Self {
        Self::of(FailureKind::Throttled, step, cause)
    }

    /// The step had no answer, or one that may be another later.
    pub fn unavailable(step: &'static str, cause: impl Into<Reason>) -> Self {
        Self::of(FailureKind::Unavailable, step, cause)
    }

    /// The step found something that is not in its form; `cause` says what.
    pub fn unreadable(step: &'static str, cause: impl Into<Reason>) -> Self {
        Self::of(FailureKind::Unreadable, step, cause)
    }

    /// The step is not allowed, or not configured.
    pub fn denied(step: &'static str, cause: impl Into<Reason>) -> Self {
        Self::of(FailureKind::Denied, step, cause)
    }

    /// The step met another's change.
    pub fn conflict(step: &'static str, cause: impl Into<Reason>) -> Self {
        Self::of(FailureKind::Conflict, step, cause)
    }

    /// What did not work, in words that say nothing of whom it was for.
    pub fn step(&self) -> &'static str {
        self.step
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.step, self.cause)
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// Sends, delays and puts aside messages. How messages are received is left to the functions, since
/// SQS hands them to Lambda.
pub trait Queue: Send + Sync {
    /// Sends messages, each after its `delay_s`. Returns the indexes of those that are not known to
    /// be queued because they were refused or there was no answer. It must never send one again by
    /// itself: a second copy must have a new ticket, or both would hold the delivery.
    fn enqueue(&self, messages: &[Message]) -> impl Future<Output = Vec<usize>> + Send;

    /// Makes a received message come again after a while. A receipt that is stale is no
    /// failure: the message comes again by itself.
    fn wait(
        &self,
        receipt: &Receipt,
        wait: Duration,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Puts aside a body that cannot be read or was refused, with the reason, for a person. It goes
    /// to `rejected` and not to the dead letters: those must mean one thing only, that we crashed.
    fn reject(
        &self,
        body: &str,
        reason: &str,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;
}

/// Seals secrets and opens them. What was sealed in one context does not open in another.
pub trait KeyVault: Send + Sync {
    /// Seals a secret: text, to be stored.
    fn seal(
        &self,
        context: &SecretContext,
        secret: &Secret,
    ) -> impl Future<Output = Result<String, EngineError>> + Send;

    /// Opens what was sealed.
    fn open(
        &self,
        context: &SecretContext,
        sealed: &str,
    ) -> impl Future<Output = Result<Secret, EngineError>> + Send;
}

/// Makes one request to a receiver. Whatever the receiver or the network does is an outcome and
/// never an error.
pub trait Sender: Send + Sync {
    /// D4: one request, no redirects, no hidden retries; ended by its time-out.
    fn send(&self, request: Request) -> impl Future<Output = SendResult> + Send;
}

/// Whose a schema is: the checker keeps one compiled schema for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SchemaOwner {
    /// An event type of a tenant's catalogue, by its name.
    EventType(TenantName, String),
    /// Waxseal itself. Its schemas are known and small, and checking them waits for no tenant's.
    Waxseal,
}

/// Checks values against JSON Schemas: no I/O, but more code than a deliver function should carry, and work that a
/// tenant decides. It is counted before it begins ([`waxseal_domain::schema_plan`]), and where requests are served
/// beside it, it is done on other threads.
pub trait SchemaChecker: Send + Sync {
    /// Whether a text is a schema that can be used: it follows no reference to another document, and is not too
    /// dear for every value.
    fn compile(
        &self,
        owner: &SchemaOwner,
        schema: &Schema,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Lists what of a value does not fit; pointers start at the value, and none of the value is shown. That the
    /// value is too dear to check is a fault as well.
    fn faults(
        &self,
        owner: &SchemaOwner,
        schema: &Schema,
        value: serde_json::Value,
    ) -> impl Future<Output = Vec<Fault>> + Send;
}

/// Tells the time and waits. The simulation implements it with virtual time.
pub trait Clock: Send + Sync {
    /// Returns the current time of this machine. Instances' clocks may differ by some seconds.
    fn now(&self) -> Timestamp;

    /// Returns what a time that this clock told earlier is by the clock as it is set now: so much later as the clock
    /// has jumped ahead since. How old something is follows from it, in time that has passed.
    fn reckon(&self, at: Timestamp) -> Timestamp {
        at
    }

    /// Waits until the clock shows `at`; returns at once where that is past.
    fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send;
}
