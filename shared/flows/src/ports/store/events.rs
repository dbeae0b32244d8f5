//! Events as they are stored.

use std::future::Future;

use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::event::Event;
use waxseal_domain::id::{EndpointId, EventId, TenantName};
use waxseal_domain::limits::EVENT_RETENTION_S;
use waxseal_domain::timestamp::Timestamp;

use super::page::{Page, PageRequest};
use super::result::StoreResult;

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

    /// I5: the event and all rows of its deliveries, also of those of an earlier event of the same id.
    fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> impl Future<Output = StoreResult<Option<(EventRow, Vec<Delivery>)>>> + Send;

    /// Writes the event without its payload over the one that was accepted at the same time.
    fn put_expunged(&self, row: &EventRow) -> impl Future<Output = StoreResult<()>> + Send;

    /// I7: remembers that every message of the event that was accepted at that time was sent.
    fn mark_sent(&self, row: &EventRow) -> impl Future<Output = StoreResult<()>> + Send;

    /// A tenant's events, newest first; a bounded number of rows is looked at.
    fn events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Page<EventRow>>> + Send;
}

#[cfg(test)]
mod tests {
    use waxseal_domain::event::hops::Hops;
    use waxseal_domain::event::{Form, Submission};

    use super::*;

    #[test]
    fn an_event_is_kept_for_thirty_five_days_and_owed_from_when_it_was_accepted() {
        let text = r#"{"id":"e1","type":"a","severity":"critical"}"#.to_owned();
        let submission =
            Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
        let event_accepted_at = Timestamp::from_ms(5_000);
        let tenant = "acme".parse().unwrap();
        let accepted = Event::accept(&tenant, &submission, event_accepted_at, 7).unwrap();
        let row = EventRow {
            event: accepted.event,
            event_accepted_at,
            digest: accepted.digest,
            targets: Vec::new(),
            nonce: String::new(),
            sent: false,
        };
        assert_eq!(row.expires_at(), event_accepted_at.plus_s(35 * 24 * 3_600));
        let pending = row.pending(&"ep_1".parse().unwrap());
        assert_eq!(pending.key.id().to_string(), "dlv_1_e1");
        assert_eq!(pending.event_accepted_at, event_accepted_at);
        assert_eq!(pending.priority, Priority::Critical);
    }
}
