//! The store's ports: events, deliveries, and what is configured.
//!
//! | row | key | found also by |
//! | --- | --- | --- |
//! | event | tenant, event | `by_time`: tenant and day |
//! | delivery | tenant, event, endpoint | `due`: shard; `by_endpoint`: tenant and endpoint |
//! | tenant, endpoint, API key, source | tenant and id; a key by its hash, a source by its name | – |
//!
//! Every read is consistent, unless a `max_age_s` allows a copy.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use waxseal_domain::api_key::ApiKey;
use waxseal_domain::audit::Entry;
use waxseal_domain::delivery::lane::Lane;
use waxseal_domain::delivery::{Delivery, DeliveryKey, Guard, Written};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::Event;
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::flow_control::rate::Tokens;
use waxseal_domain::id::{ApiKeyId, EndpointId, EventId, SourceName, TenantName, Ticket};
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;

use super::EngineError;

type Answer<T> = Result<T, EngineError>;

/// An event's row.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// The event.
    pub event: Event,
    /// When it was accepted: tells this incarnation from one that has expired.
    pub born: Timestamp,
    /// Of what the sender sent.
    pub digest: String,
    /// Whom it is owed to, fixed at the first write.
    pub targets: Vec<EndpointId>,
    /// Of the invocation that wrote it: its own write, repeated by an SDK, is known by it.
    pub nonce: String,
    /// Whether a duplicate has seen every message sent.
    pub sent: bool,
}

impl EventRow {
    /// When it may be removed.
    pub fn expires_at(&self) -> Timestamp {
        self.born.plus_s(EVENT_RETENTION_S)
    }

    /// Its delivery to an endpoint, as it is without a row.
    pub fn pending(&self, endpoint: &EndpointId) -> Delivery {
        Delivery::pending(self.delivery_key(endpoint), self.born, Lane::of(&self.event))
    }

    /// The key of its delivery to an endpoint.
    pub fn delivery_key(&self, endpoint: &EndpointId) -> DeliveryKey {
        DeliveryKey {
            tenant: self.event.tenant.clone(),
            event: self.event.id.clone(),
            endpoint: endpoint.clone(),
        }
    }
}

/// What became of writing an event.
#[derive(Clone, Debug)]
pub enum AcceptResult {
    /// It is new.
    Created,
    /// There is one of that id: this.
    Exists(Box<EventRow>),
}

/// An entry of the due index. May lag behind its row: a claim is conditional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which delivery.
    pub key: DeliveryKey,
    /// When it was due.
    pub due_at: Timestamp,
    /// No attempt before this.
    pub next_at: Timestamp,
    /// Claims so far.
    pub claims: u32,
    /// The queue that its messages take.
    pub lane: Lane,
}

/// What a claim writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The message that is responsible from now on.
    pub ticket: Ticket,
    /// When the row is due again.
    pub due_at: Timestamp,
    /// When it is driven, where the claim is a late message's own; none where it is the sweep's.
    pub taken_at: Option<Timestamp>,
}

/// A part of a list, newest first. It may be empty and yet have a cursor.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub cursor: Option<String>,
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// At most so many entries.
    pub limit: usize,
    /// Where it begins, from the page before. One that is not ours begins at the start.
    pub cursor: Option<String>,
}

/// A tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub name: TenantName,
    /// Since when.
    pub created_at: Timestamp,
}

/// A tenant's endpoints, oldest first.
#[derive(Clone, Debug, Default)]
pub struct TenantEndpoints {
    /// Rises with every endpoint that is added or takes another profile, and every event type put: what
    /// is bounded in number is bounded by it.
    pub version: u64,
    /// Whether the tenant's catalogue may hold event types.
    pub has_catalogue: bool,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

impl std::ops::Deref for TenantEndpoints {
    type Target = [Endpoint];
    fn deref(&self) -> &[Endpoint] {
        &self.endpoints
    }
}

/// Events.
pub trait EventStore: Send + Sync {
    /// I1: writes the event if there is none of that id, or only one that has expired.
    fn accept(&self, row: &EventRow) -> impl Future<Output = Answer<AcceptResult>> + Send;

    /// The event.
    fn event(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> impl Future<Output = Answer<Option<EventRow>>> + Send;

    /// I5: the event and all rows of its deliveries, of earlier incarnations too.
    fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> impl Future<Output = Answer<Option<(EventRow, Vec<Delivery>)>>> + Send;

    /// Writes the event without its payload over the one of the same incarnation.
    fn put_expunged(&self, row: &EventRow) -> impl Future<Output = Answer<()>> + Send;

    /// I7: remembers that every message of this incarnation was sent.
    fn mark_sent(&self, row: &EventRow) -> impl Future<Output = Answer<()>> + Send;

    /// A tenant's events, newest first; a bounded number of rows is looked at.
    fn events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> impl Future<Output = Answer<Page<EventRow>>> + Send;
}

/// Deliveries.
pub trait DeliveryStore: Send + Sync {
    /// The row; none while pending.
    fn delivery(&self, key: &DeliveryKey) -> impl Future<Output = Answer<Option<Delivery>>> + Send;

    /// The row and its event, in one call.
    fn delivery_and_event(
        &self,
        key: &DeliveryKey,
    ) -> impl Future<Output = Answer<(Option<Delivery>, Option<EventRow>)>> + Send;

    /// Writes the row if `guard` allows: the one conditional write after an attempt, and of every
    /// other change but the sweep's claim.
    fn record_attempt(
        &self,
        guard: Guard,
        row: &Delivery,
    ) -> impl Future<Output = Answer<Written>> + Send;

    /// S1: what is due in a shard of the index, earliest first.
    fn due(
        &self,
        shard: u32,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Due>>> + Send;

    /// S2: if the row is still open and due exactly then, the claim's ticket holds it from now on.
    /// Answers with the incarnation; none if another was faster.
    fn claim(
        &self,
        due: &Due,
        claim: &Claim,
    ) -> impl Future<Output = Answer<Option<Timestamp>>> + Send;

    /// An endpoint's deliveries that did not succeed at first, newest event first.
    fn deliveries_by_endpoint(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        page: &PageRequest,
    ) -> impl Future<Output = Answer<Page<Delivery>>> + Send;
}

/// Gates of endpoints in trouble, and what they hold.
pub trait GateStore: Send + Sync {
    /// An endpoint's gate, from a copy of at most that age; none where there is no trouble.
    fn gate(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        max_age_s: u64,
    ) -> impl Future<Output = Answer<Option<Gate>>> + Send;

    /// Writes a gate if the stored one has the version `over` (none: if there is none); false if not.
    fn put_gate(&self, gate: &Gate, over: Option<u64>)
    -> impl Future<Output = Answer<bool>> + Send;

    /// Removes a gate if it is still this version; false if not.
    fn delete_gate(&self, gate: &Gate) -> impl Future<Output = Answer<bool>> + Send;

    /// Gates that are due, earliest first.
    fn due_gates(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Gate>>> + Send;

    /// Takes tokens of a window of whoever is so named, an endpoint ([`waxseal_domain::flow_control::rate::of_endpoint`]) or an
    /// API key; how many there were, 0 where it is used up.
    fn take_tokens(&self, whose: &str, wanted: Tokens) -> impl Future<Output = Answer<u32>> + Send;

    /// Takes a slot of an endpoint, for one attempt; none where all are taken.
    fn take_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> impl Future<Output = Answer<Option<Slot>>> + Send;

    /// Gives a slot back, unless its lease was over and it is another's.
    fn give_back_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// What a gate holds and is due, earliest first.
    fn held(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Due>>> + Send;
}

/// What is configured: precious, small, read often, written seldom.
pub trait ConfigStore: Send + Sync {
    /// Makes a change, and the entry that tells of it: both or neither. False where what is stored is
    /// not as the change says.
    fn change(
        &self,
        change: Change<'_>,
        entry: Option<&Entry>,
    ) -> impl Future<Output = Answer<bool>> + Send;

    /// A tenant's audit log, newest first.
    fn audit(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
    ) -> impl Future<Output = Answer<Page<Entry>>> + Send;

    /// A tenant's catalogue, by name, from a copy of at most that age.
    fn event_types(
        &self,
        tenant: &TenantName,
        max_age_s: u64,
    ) -> impl Future<Output = Answer<Arc<Vec<EventType>>>> + Send;

    /// All tenants, by name.
    fn tenants(&self, page: &PageRequest) -> impl Future<Output = Answer<Page<Tenant>>> + Send;

    /// A tenant's endpoints, oldest first, from a copy of at most that age; none if there is no
    /// such tenant.
    fn endpoints(
        &self,
        tenant: &TenantName,
        max_age_s: u64,
    ) -> impl Future<Output = Answer<Option<Arc<TenantEndpoints>>>> + Send;

    /// One endpoint, from a copy of at most that age.
    fn endpoint(
        &self,
        tenant: &TenantName,
        id: &EndpointId,
        max_age_s: u64,
    ) -> impl Future<Output = Answer<Option<Arc<Endpoint>>>> + Send;

    /// The key of that hash, from a short-lived copy.
    fn api_key(&self, hash: &str) -> impl Future<Output = Answer<Option<ApiKey>>> + Send;

    /// A tenant's keys, newest first.
    fn api_keys(&self, tenant: &TenantName) -> impl Future<Output = Answer<Vec<ApiKey>>> + Send;

    /// Notes that a key was used.
    fn note_key_use(
        &self,
        key: &ApiKeyId,
        at: Timestamp,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// When keys were last used, as far as it was noted: by key.
    fn key_uses(
        &self,
        keys: &[ApiKeyId],
    ) -> impl Future<Output = Answer<HashMap<ApiKeyId, Timestamp>>> + Send;

    /// A source, from a copy of at most that age.
    fn source(
        &self,
        name: &SourceName,
        max_age_s: u64,
    ) -> impl Future<Output = Answer<Option<Source>>> + Send;

    /// A tenant's sources, by name.
    fn sources(&self, tenant: &TenantName) -> impl Future<Output = Answer<Vec<Source>>> + Send;

    /// A setting of the deployment, from a copy of at most that age.
    fn setting(
        &self,
        kind: Setting,
        name: &str,
        max_age_s: u64,
    ) -> impl Future<Output = Answer<Option<Arc<str>>>> + Send;

    /// Names and texts of all settings of a kind, by name.
    fn settings(
        &self,
        kind: Setting,
    ) -> impl Future<Output = Answer<Vec<(String, Arc<str>)>>> + Send;

    /// Writes a setting; where `over` is false only if there is none of that name: false if there is.
    fn put_setting(
        &self,
        kind: Setting,
        name: &str,
        text: &str,
        over: bool,
    ) -> impl Future<Output = Answer<bool>> + Send;
}

/// One change of what is configured.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Where there is none of that name.
    CreateTenant(&'a Tenant),
    /// Where there is none of that id, and the tenant's roster is still of that version.
    AddEndpoint(&'a Endpoint, u64),
    /// Over the version before this one's.
    PutEndpoint(&'a Endpoint),
    /// The same, where it takes another profile: the tenant's roster is still of that version.
    MoveEndpoint(&'a Endpoint, u64),
    /// If it is still this version.
    RemoveEndpoint(&'a Endpoint),
    /// A new one.
    AddApiKey(&'a ApiKey),
    /// If there is one of that id and hash.
    RemoveApiKey(&'a ApiKey),
    /// Unless another tenant has one of that name.
    PutSource(&'a Source),
    /// If it is the tenant's.
    RemoveSource(&'a Source),
    /// Where the tenant's roster is still of that version.
    PutEventType(&'a TenantName, &'a EventType, u64),
    /// If there is one.
    RemoveEventType(&'a TenantName, &'a EventType),
}

impl Change<'_> {
    /// Whose configuration it changes.
    pub fn tenant(&self) -> &TenantName {
        match self {
            Self::CreateTenant(tenant) => &tenant.name,
            Self::AddEndpoint(endpoint, _)
            | Self::PutEndpoint(endpoint)
            | Self::MoveEndpoint(endpoint, _)
            | Self::RemoveEndpoint(endpoint) => &endpoint.tenant,
            Self::AddApiKey(key) | Self::RemoveApiKey(key) => &key.tenant,
            Self::PutSource(source) | Self::RemoveSource(source) => &source.tenant,
            Self::PutEventType(tenant, ..) | Self::RemoveEventType(tenant, _) => tenant,
        }
    }
}

/// What a setting of the deployment is. There are few of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// A profile's file, by the profile's name.
    Profile,
    /// The sealed key that signs a tenant's links to stored events, by the tenant's name.
    LinkKey,
}

impl Setting {
    /// As the stores write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::LinkKey => "link_key",
        }
    }
}

/// All of a store.
pub trait Store: EventStore + DeliveryStore + GateStore + ConfigStore {}

impl<T: EventStore + DeliveryStore + GateStore + ConfigStore> Store for T {}
