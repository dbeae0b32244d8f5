//! The store's ports: events, deliveries, and what is configured.
//!
//! | row | key | found also by |
//! | --- | --- | --- |
//! | event | tenant, event | `by_time`: tenant and day |
//! | delivery | tenant, event, endpoint | `due`: shard; `by_endpoint`: tenant and endpoint |
//! | tenant, endpoint, API key, source | tenant and id; a key by its hash, a source by its name | – |
//!
//! Every read is consistent, unless a [`MaxAge`] allows a copy.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::audit::Entry;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, DeliveryKey, Guard, WriteResult};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::Event;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::flow_control::rate::TokenRequest;
use waxseal_domain::id::{ApiKeyId, EndpointId, EventId, SourceName, TenantName, Ticket};
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;

use super::EngineError;

type StoreResult<T> = Result<T, EngineError>;

/// The stored row of an event.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Holds the event as it is stored; its payload is gone once it was expunged.
    pub event: Event,
    /// When the event was accepted. It tells the event from an earlier one of the same id, which
    /// has expired.
    pub event_accepted_at: Timestamp,
    /// The hash of what the sender sent, by which other content under the same id is noticed.
    pub digest: String,
    /// The endpoints that the event is owed to, fixed at the first write.
    pub targets: Vec<EndpointId>,
    /// A random number of the invocation that wrote the row. By it an invocation knows its own
    /// write when the SDK has repeated it.
    pub nonce: String,
    /// Whether a duplicate has seen every message sent.
    pub sent: bool,
}

impl EventRow {
    /// Returns when the row may be removed: [`EVENT_RETENTION_S`] after the event was accepted.
    pub fn expires_at(&self) -> Timestamp {
        self.event_accepted_at.plus_s(EVENT_RETENTION_S)
    }

    /// Makes the event's delivery to an endpoint, in the state that a delivery without a row has.
    pub fn pending(&self, endpoint: &EndpointId) -> Delivery {
        Delivery::pending(
            self.delivery_key(endpoint),
            self.event_accepted_at,
            Priority::of(&self.event),
        )
    }

    /// Makes the key of the event's delivery to an endpoint.
    pub fn delivery_key(&self, endpoint: &EndpointId) -> DeliveryKey {
        DeliveryKey {
            tenant: self.event.tenant.clone(),
            event: self.event.id.clone(),
            endpoint: endpoint.clone(),
        }
    }
}

/// What the store did when an event was to be written.
#[derive(Clone, Debug)]
pub enum AcceptResult {
    /// The event was written.
    Created,
    /// Nothing was written: the store has an event of that id already, which is returned.
    Exists(Box<EventRow>),
}

/// An entry of the due index. It may lag behind its row, so a claim checks the row itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The delivery whose row must be looked at.
    pub key: DeliveryKey,
    /// The `due_at` of the row when the index was written. A claim succeeds only if the row still
    /// has it.
    pub due_at: Timestamp,
    /// The earliest time of the next attempt.
    pub next_at: Timestamp,
    /// The number of claims since the last recorded result; it doubles the lease.
    pub claims: u32,
    /// How urgent it is, and so which queue its messages take.
    pub priority: Priority,
}

/// What a claim writes into a delivery's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The ticket of the message that is responsible from now on.
    pub ticket: Ticket,
    /// The end of the lease, at which the sweep looks at the row again.
    pub due_at: Timestamp,
    /// The time for which other messages leave the row alone for a while: now for a late message
    /// that claims it, the time of sending for a gate's release. None for a claim of the sweep.
    pub taken_at: Option<Timestamp>,
}

/// A part of a list, newest first. It may be empty and yet have a cursor.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries of this part, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub cursor: Option<String>,
}

/// Which part of a list to read.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The largest number of entries to return.
    pub limit: usize,
    /// The cursor of the page before; none for the first page. Whoever takes one from outside has refused
    /// what cannot be one: the store begins at the start where it cannot read it.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// Says whether the text can be a cursor of a list of events or deliveries: the milliseconds since 1970
    /// and, behind `_`, the id of the event before which the next page begins; of events no id where a day is
    /// over.
    pub fn is_event_cursor(text: &str) -> bool {
        text.split_once('_').is_some_and(|(ms, id)| {
            ms.bytes().all(|byte| byte.is_ascii_digit())
                // Stores may keep a time as a signed number.
                && ms.parse::<i64>().is_ok()
                && (id.is_empty() || id.parse::<EventId>().is_ok())
        })
    }
}

/// How old a copy may be that a read is answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(u64);

impl MaxAge {
    /// No copy at all: the store is read now.
    pub const NOW: Self = Self(0);

    /// A copy of at most so many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the age in seconds.
    pub const fn as_seconds(self) -> u64 {
        self.0
    }
}

/// The version of a tenant's endpoints and catalogue. Adding to them is refused over another
/// version than was read, so that limits hold however many are added at once, without a counter
/// that could drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantVersion(pub u64);

impl TenantVersion {
    /// Returns the version that follows this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The stored row of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// The name by which everything of the tenant is found.
    pub name: TenantName,
    /// When the tenant was created.
    pub created_at: Timestamp,
}

/// A tenant's endpoints, with the version by which their number is bounded.
#[derive(Clone, Debug, Default)]
pub struct TenantEndpoints {
    /// Rises with every endpoint that is added or takes another profile, and with every event type
    /// that is put.
    pub version: TenantVersion,
    /// Whether the tenant's catalogue may hold event types.
    pub has_catalogue: bool,
    /// Holds the endpoints, oldest first.
    pub endpoints: Vec<Endpoint>,
}

impl std::ops::Deref for TenantEndpoints {
    type Target = [Endpoint];
    fn deref(&self) -> &[Endpoint] {
        &self.endpoints
    }
}

/// Stores events. The rows are the only record of what was acknowledged.
pub trait EventStore: Send + Sync {
    /// I1: writes the event if there is none of that id, or only one that has expired.
    fn accept(&self, row: &EventRow) -> impl Future<Output = StoreResult<AcceptResult>> + Send;

    /// Reads an event; none where it was never accepted or has expired.
    fn event(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> impl Future<Output = StoreResult<Option<EventRow>>> + Send;

    /// I5: the event and all rows of its deliveries, of earlier incarnations too.
    fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> impl Future<Output = StoreResult<Option<(EventRow, Vec<Delivery>)>>> + Send;

    /// Writes the event without its payload over the one of the same incarnation.
    fn put_expunged(&self, row: &EventRow) -> impl Future<Output = StoreResult<()>> + Send;

    /// I7: remembers that every message of this incarnation was sent.
    fn mark_sent(&self, row: &EventRow) -> impl Future<Output = StoreResult<()>> + Send;

    /// A tenant's events, newest first; a bounded number of rows is looked at.
    fn events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Page<EventRow>>> + Send;
}

/// Stores deliveries' rows, and finds those that are due.
pub trait DeliveryStore: Send + Sync {
    /// Reads a delivery's row; none while nothing was recorded of it.
    fn delivery(
        &self,
        key: &DeliveryKey,
    ) -> impl Future<Output = StoreResult<Option<Delivery>>> + Send;

    /// Reads a delivery's row and its event in one call.
    fn delivery_and_event(
        &self,
        key: &DeliveryKey,
    ) -> impl Future<Output = StoreResult<(Option<Delivery>, Option<EventRow>)>> + Send;

    /// Writes the whole row if `guard` allows it. Every change of a delivery is written so, except
    /// for a claim, which changes a row that it has not read.
    fn record_attempt(
        &self,
        guard: Guard,
        row: &Delivery,
    ) -> impl Future<Output = StoreResult<WriteResult>> + Send;

    /// Takes step S1: reads what is due in a shard of the index, earliest first.
    fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Due>>> + Send;

    /// Takes step S2: if the row is still open and due at `due.due_at`, the claim's ticket holds it
    /// from now on. Returns the row's `event_accepted_at`; none if another was faster. A claim that
    /// the SDK repeats finds its own ticket and succeeds.
    fn claim(
        &self,
        due: &Due,
        claim: &Claim,
    ) -> impl Future<Output = StoreResult<Option<Timestamp>>> + Send;

    /// An endpoint's deliveries that did not succeed at first, newest event first.
    fn deliveries_by_endpoint(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        page: &PageRequest,
    ) -> impl Future<Output = StoreResult<Page<Delivery>>> + Send;
}

/// Gates of endpoints in trouble, and what they hold.
pub trait GateStore: Send + Sync {
    /// An endpoint's gate, from a copy of at most that age; none where there is no trouble.
    fn gate(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Gate>>> + Send;

    /// Writes a gate if the stored one has still the version of `before` (none: if there is none); false if not.
    fn put_gate(
        &self,
        gate: &Gate,
        before: Option<&Gate>,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Removes a gate if it is still this version; false if not.
    fn delete_gate(&self, gate: &Gate) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Reads the gates whose review is due, earliest first.
    fn due_gates(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Gate>>> + Send;

    /// Takes tokens of a window and returns how many there were, 0 where the window is used up.
    /// `whose` is an endpoint's name ([`waxseal_domain::flow_control::rate::of_endpoint`]) or the
    /// id of an API key.
    fn take_tokens(
        &self,
        whose: &str,
        wanted: TokenRequest,
    ) -> impl Future<Output = StoreResult<u32>> + Send;

    /// Takes a slot of an endpoint for one attempt; none where all are taken. A slot is a lease and
    /// not a count: a counter would stay too high for ever after a crash.
    fn take_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> impl Future<Output = StoreResult<Option<Slot>>> + Send;

    /// Gives a slot back, unless its lease was over and it is another's.
    fn give_back_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Reads the deliveries that a gate holds and that are due, earliest first.
    fn held_deliveries(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Due>>> + Send;
}

/// What is configured: precious, small, read often, written seldom.
pub trait ConfigStore: Send + Sync {
    /// Makes a change and writes the audit entry that tells of it, both or neither: a log that can
    /// miss a change is no proof. False where what is stored is not as the change requires. There is
    /// no other way to change what people configure, so no change goes without its entry.
    fn change(
        &self,
        change: Change<'_>,
        entry: &Entry,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Writes an endpoint of which only the health is another than in the version before; false if
    /// the stored one has not that version. Health is what Waxseal has seen and nobody's wish, so
    /// the audit log does not tell of it.
    fn note_health(&self, endpoint: &Endpoint) -> impl Future<Output = StoreResult<bool>> + Send;

    /// A tenant's audit log, newest first.
    fn audit(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
    ) -> impl Future<Output = StoreResult<Page<Entry>>> + Send;

    /// A tenant's catalogue, by name, from a copy of at most that age.
    fn event_types(
        &self,
        tenant: &TenantName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Arc<Vec<EventType>>>> + Send;

    /// All tenants, by name.
    fn tenants(&self, page: &PageRequest)
    -> impl Future<Output = StoreResult<Page<Tenant>>> + Send;

    /// A tenant's endpoints, oldest first, from a copy of at most that age; none if there is no
    /// such tenant.
    fn endpoints(
        &self,
        tenant: &TenantName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Arc<TenantEndpoints>>>> + Send;

    /// One endpoint, from a copy of at most that age.
    fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Arc<Endpoint>>>> + Send;

    /// The key of that hash, from a short-lived copy.
    fn api_key(&self, hash: &str) -> impl Future<Output = StoreResult<Option<ApiKey>>> + Send;

    /// A tenant's keys, newest first.
    fn api_keys(
        &self,
        tenant: &TenantName,
    ) -> impl Future<Output = StoreResult<Vec<ApiKey>>> + Send;

    /// Notes when a key was used, for people to see.
    fn note_key_use(
        &self,
        key: &ApiKeyId,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Reads when keys were last used, as far as it was noted.
    fn key_uses(
        &self,
        keys: &[ApiKeyId],
    ) -> impl Future<Output = StoreResult<HashMap<ApiKeyId, Timestamp>>> + Send;

    /// A source, from a copy of at most that age.
    fn source(
        &self,
        name: &SourceName,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Source>>> + Send;

    /// A tenant's sources, by name.
    fn sources(&self, tenant: &TenantName)
    -> impl Future<Output = StoreResult<Vec<Source>>> + Send;

    /// A setting of the deployment, from a copy of at most that age.
    fn setting(
        &self,
        kind: Setting,
        name: &str,
        max_age: MaxAge,
    ) -> impl Future<Output = StoreResult<Option<Arc<str>>>> + Send;

    /// Names and texts of all settings of a kind, by name.
    fn settings(
        &self,
        kind: Setting,
    ) -> impl Future<Output = StoreResult<Vec<(String, Arc<str>)>>> + Send;

    /// Stores the sealed key that signs a tenant's links, which Waxseal makes when it first needs
    /// one; false where the tenant has a key, which stays.
    fn keep_link_key(
        &self,
        tenant: &TenantName,
        sealed: &str,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
}

/// One change of what is configured.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Creates a tenant, if there is none of that name.
    CreateTenant(&'a Tenant),
    /// Adds an endpoint, if there is none of that id and the tenant's endpoints still have that
    /// version.
    AddEndpoint(&'a Endpoint, TenantVersion),
    /// Replaces an endpoint, if the stored one has the version before this one's.
    PutEndpoint(&'a Endpoint),
    /// Replaces an endpoint that takes another profile, if the stored one has the version before
    /// this one's and the tenant's endpoints still have that version. Profiles bound how many
    /// endpoints may use them.
    MoveEndpoint(&'a Endpoint, TenantVersion),
    /// Removes an endpoint, if the stored one has this version.
    RemoveEndpoint(&'a Endpoint),
    /// Adds an API key.
    AddApiKey(&'a ApiKey),
    /// Removes an API key, if there is one of that id and hash.
    RemoveApiKey(&'a ApiKey),
    /// Creates or replaces a source, unless another tenant has one of that name.
    PutSource(&'a Source),
    /// Removes a source, if it is the tenant's.
    RemoveSource(&'a Source),
    /// Creates or replaces an event type, if the tenant's endpoints and catalogue still have that
    /// version.
    PutEventType(&'a TenantName, &'a EventType, TenantVersion),
    /// Removes an event type, if the tenant has it.
    RemoveEventType(&'a TenantName, &'a EventType),
    /// Creates or replaces a profile of the deployment's own: its name, and the text of its file.
    PutProfile(&'a str, &'a str),
}

impl Change<'_> {
    /// Returns the tenant whose configuration is changed; none where it is the deployment's.
    pub fn tenant(&self) -> Option<&TenantName> {
        Some(match self {
            Self::CreateTenant(tenant) => &tenant.name,
            Self::AddEndpoint(endpoint, _)
            | Self::PutEndpoint(endpoint)
            | Self::MoveEndpoint(endpoint, _)
            | Self::RemoveEndpoint(endpoint) => &endpoint.tenant,
            Self::AddApiKey(key) | Self::RemoveApiKey(key) => &key.tenant,
            Self::PutSource(source) | Self::RemoveSource(source) => &source.tenant,
            Self::PutEventType(tenant, ..) | Self::RemoveEventType(tenant, _) => tenant,
            Self::PutProfile(..) => return None,
        })
    }
}

/// A kind of setting of the whole deployment. There are few settings of each kind, so all of them
/// can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// A profile's file, by the profile's name.
    Profile,
    /// The sealed key that signs a tenant's links to stored events, by the tenant's name.
    LinkKey,
}

impl Setting {
    /// Returns the word under which the stores keep settings of this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::LinkKey => "link_key",
        }
    }
}

/// Joins the four stores, which one engine implements together.
pub trait Store: EventStore + DeliveryStore + GateStore + ConfigStore {}

impl<T: EventStore + DeliveryStore + GateStore + ConfigStore> Store for T {}
