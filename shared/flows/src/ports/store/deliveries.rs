//! Deliveries' rows, and the index by which those that are due are found.

use std::future::Future;

use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, DeliveryKey, Guard, WriteResult};
use waxseal_domain::id::{EndpointId, TenantName, Ticket};
use waxseal_domain::timestamp::Timestamp;

use super::events::EventRow;
use super::page::{Page, PageRequest};
use super::result::StoreResult;

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
