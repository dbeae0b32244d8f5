//! Cuts messages into batches that SQS takes: at most ten messages, and 1 MiB in all.

use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::priority::Priority;

/// The number of messages in a batch, a limit of SQS.
const ENTRIES_MAX: usize = 10;
/// Bytes in a batch: SQS takes 1,048,576.
const BYTES_MAX: usize = 1_000_000;
/// The longest delay of a message in seconds, a limit of SQS. What must wait longer is parked
/// instead, and the sweep sends its message.
const DELAY_S_MAX: u32 = 900;

/// A message as it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// The message's index among those that are sent.
    pub(super) index: usize,
    pub(super) body: String,
    pub(super) group: String,
    pub(super) delay_s: i32,
}

/// Cuts the messages of a priority into batches, in their order.
pub(super) fn batches(messages: &[Message], priority: Priority) -> Vec<Vec<Outgoing>> {
    let mut batches: Vec<Vec<Outgoing>> = Vec::new();
    let mut bytes = 0;
    for (index, message) in messages.iter().enumerate().filter(|(_, one)| one.priority == priority)
    {
        let outgoing = Outgoing::new(index, message);
        let size = outgoing.body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < ENTRIES_MAX && bytes + size <= BYTES_MAX => {
                batch.push(outgoing);
                bytes += size;
            }
            _ => {
                batches.push(vec![outgoing]);
                bytes = size;
            }
        }
    }
    batches
}

impl Outgoing {
    fn new(index: usize, message: &Message) -> Self {
        let delay_s = i32::try_from(message.delay_s.min(DELAY_S_MAX)).unwrap_or(0);
        let body = Some(message.body()).filter(|body| is_sendable(body));
        let body = body.unwrap_or_else(|| without_payload(message).body());
        Self { index, body, group: message.tenant.to_string(), delay_s }
    }
}

/// Whether SQS takes a body. It refuses for good one that is too long or holds U+FFFE or U+FFFF;
/// other characters that it refuses are escaped in JSON.
fn is_sendable(body: &str) -> bool {
    body.len() <= BYTES_MAX && !body.contains(['\u{fffe}', '\u{ffff}'])
}

/// Returns the message without its payload, so that the event is read from its row. The payload is
/// not changed to fit: it is the sender's, byte for byte.
fn without_payload(message: &Message) -> Message {
    Message { payload: None, check: true, ..message.clone() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::value::RawValue;
    use waxseal_domain::delivery::DeliveryKey;
    use waxseal_domain::timestamp::Timestamp;

    use super::*;

    fn message(payload: &str) -> Message {
        let key = DeliveryKey {
            tenant: "acme".parse().unwrap(),
            event: "e1".parse().unwrap(),
            endpoint: "ep_1".parse().unwrap(),
        };
        let payload: Arc<RawValue> = RawValue::from_string(payload.to_owned()).unwrap().into();
        Message::first(&key, Timestamp::from_ms(1), "t1".parse().unwrap(), payload)
    }

    fn sizes(messages: &[Message]) -> Vec<usize> {
        batches(messages, Priority::Normal).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_holds_ten_and_a_megabyte() {
        assert_eq!(sizes(&vec![message("1"); 25]), [10, 10, 5]);
        let large = message(&format!("\"{}\"", "x".repeat(300_000)));
        assert_eq!(sizes(&vec![large; 7]), [3, 3, 1]);
        assert!(batches(&[], Priority::Normal).is_empty());
        let all: Vec<usize> = batches(&vec![message("1"); 25], Priority::Normal)
            .iter()
            .flatten()
            .map(|o| o.index)
            .collect();
        assert_eq!(all, (0..25).collect::<Vec<_>>());
    }

    #[test]
    fn a_lane_has_its_own_batches() {
        let critical = message("1").with_priority(Priority::Critical);
        let all = [message("1"), critical, message("1")];
        let indexes =
            |priority| batches(&all, priority)[0].iter().map(|one| one.index).collect::<Vec<_>>();
        assert_eq!(indexes(Priority::Normal), [0, 2]);
        assert_eq!(indexes(Priority::Critical), [1]);
    }

    #[test]
    fn a_delay_is_at_most_what_the_queue_takes() {
        let late = Message { delay_s: 901, ..message("1") };
        assert_eq!(batches(&[late], Priority::Normal)[0][0].delay_s, 900);
    }

    #[test]
    fn what_the_queue_would_refuse_is_read_from_the_row() {
        for payload in ["\"\u{ffff}\"".to_owned(), format!("\"{}\"", "x".repeat(1_100_000))] {
            let batches = batches(&[message(&payload)], Priority::Normal);
            let sent = Message::parse(&batches[0][0].body).unwrap();
            assert!(sent.payload.is_none() && sent.check);
        }
    }
}
