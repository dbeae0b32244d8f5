//! What names a delivery, and the shard that follows from it.

use crate::id::{DeliveryId, EndpointId, EventId, TenantName};
use crate::limits::DUE_SHARDS;

/// Names a delivery by its tenant, event and endpoint. It is the idempotency key of every step of a
/// delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryKey {
    /// The tenant whose event it is.
    pub tenant: TenantName,
    /// The event that is owed.
    pub event: EventId,
    /// The endpoint that the event is owed to.
    pub endpoint: EndpointId,
}

impl DeliveryKey {
    /// Returns the id under which receivers and the API know the delivery.
    pub fn id(&self) -> DeliveryId {
        DeliveryId { endpoint: self.endpoint.clone(), event: self.event.clone() }
    }

    /// Returns the delivery's shard of the due index, 0 to [`DUE_SHARDS`] − 1. It follows from the
    /// id, so that a row never moves to another shard.
    pub fn due_shard(&self) -> u32 {
        shard(&self.id().to_string(), DUE_SHARDS)
    }
}

/// Spreads texts evenly over so many shards, by FNV-1a. The result is stored in keys, so it must be
/// the same on every machine and in every version.
pub fn shard(text: &str, shards: u32) -> u32 {
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % shards
}
