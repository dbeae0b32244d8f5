//! What a sender is told of an event that was acknowledged: its id, and to whom it is owed.

use crate::id::{DeliveryId, EndpointId, EventId};

/// The answer to an event that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The event's id here.
    pub id: EventId,
    /// The sender's id, where that is another.
    pub sender_id: Option<String>,
    /// Whether the event had been accepted before.
    pub duplicate: bool,
    /// The event's deliveries, one for each endpoint that it is owed to.
    pub deliveries: Vec<OwedDelivery>,
}

/// A delivery of an event just accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedDelivery {
    /// The id under which the receiver and the API know the delivery.
    pub id: DeliveryId,
    /// The endpoint that the event is owed to.
    pub endpoint_id: EndpointId,
}
