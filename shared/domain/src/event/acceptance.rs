//! What a sender is told of an event that was acknowledged: its id, and to whom it is owed.

use crate::id::{DeliveryId, EndpointId, EventId};

/// An event, acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its id.
    pub id: EventId,
    /// Its sender's id, where that is another.
    pub sender_id: Option<String>,
    /// Whether it had been accepted before.
    pub duplicate: bool,
    /// To whom it is owed.
    pub deliveries: Vec<Owed>,
}

/// A delivery of an event just accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The endpoint's.
    pub endpoint_id: EndpointId,
}
