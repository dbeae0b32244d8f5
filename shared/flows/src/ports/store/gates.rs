//! Gates of endpoints in trouble, what they hold, and the tokens and slots of rates.

use std::future::Future;

use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::flow_control::rate::TokenRequest;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;

use super::deliveries::Due;
use super::max_age::MaxAge;
use super::result::StoreResult;

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
