//! Messages of queues and topics and events of a bus, as the flow `take_in` takes them: where each says its tenant,
//! its id, and how many of Waxseal's deliveries lie behind it.

use waxseal_domain::event::hops::{HOPS_HEADER, Hops};
use waxseal_domain::problem::Problem;
use waxseal_flows::ports::EngineError;
use waxseal_flows::take_in::CloudMessage;

use super::cloud_event::{BusEvent, QueueMessage, TopicMessage};

/// The attribute of a message that names its tenant.
const TENANT: &str = "tenant";

/// Reads an event of a bus.
pub fn from_bus(event: &BusEvent) -> Result<CloudMessage, EngineError> {
    let BusEvent { id, source, time, detail_type, detail, resources } = event;
    CloudMessage::from_bus(id, source, time, detail_type, detail, resources)
}

/// Reads a message of a topic.
pub fn from_topic(message: TopicMessage) -> CloudMessage {
    let attribute = |name: &str| message.message_attributes.get(name).map(|one| &*one.value);
    CloudMessage {
        tenant: Ok(attribute(TENANT).map(str::to_owned)),
        hops: Hops::most(attribute(HOPS_HEADER)),
        message_id: Some(message.message_id),
        body: message.message,
    }
}

/// Reads a message of a queue. Without a body it holds no event, and is put aside as one that cannot be read.
pub fn from_queue(message: &QueueMessage) -> CloudMessage {
    let attribute = |name: &str| message.message_attributes.get(name);
    let tenant = attribute(TENANT).map(|one| {
        let text = one.string_value.clone();
        text.ok_or_else(|| Problem::bad_request("the message attribute tenant must be text"))
    });
    // What is no text is no number either.
    let hops = attribute(HOPS_HEADER).map(|one| one.string_value.as_deref().unwrap_or_default());
    CloudMessage {
        tenant: tenant.transpose(),
        hops: Hops::most(hops),
        message_id: Some(message.message_id.clone()),
        body: message.body.clone().unwrap_or_default(),
    }
}
