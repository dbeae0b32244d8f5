//! What a sender is told of an event that was acknowledged: its id, and to whom it is owed.

use schemars::JsonSchema;
use serde::Serialize;

use crate::id::{DeliveryId, EndpointId, EventId};

/// An event, acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Acceptance {
    /// Its id.
    #[schemars(with = "String")]
    pub id: EventId,
    /// Its sender's id, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<String>,
    /// Whether it had been accepted before.
    pub duplicate: bool,
    /// To whom it is owed.
    pub deliveries: Vec<Owed>,
}

/// A delivery of an event just accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Owed {
    /// The delivery's id.
    #[schemars(with = "String")]
    pub id: DeliveryId,
    /// The endpoint's.
    #[schemars(with = "String")]
    pub endpoint_id: EndpointId,
}
