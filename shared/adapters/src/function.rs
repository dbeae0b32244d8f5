//! What the mains of all functions share: settings read, engine wired, a batch settled record by record.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use waxseal_domain::delivery::message::{Message, Receipt, ReceivedMessage};
use waxseal_domain::limits::FUNCTION_TIMEOUT_S;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::attempt::Disposition;
use waxseal_flows::ports::{Clock as _, Engine as _, EngineError, Queue as _};

use crate::aws::AwsEngine;
use crate::aws::cloud_event::{BatchResponse, CloudEvent, QueueMessage};
use crate::clock::MovableClock;
use crate::environment::Environment;

/// A function's engine and settings, made once in its initialisation.
#[derive(Clone, Debug)]
pub struct Function {
    /// The engine on AWS, shared by all invocations of this instance.
    pub engine: Arc<AwsEngine>,
    /// The tenant of an event that names none; none where such an event is refused.
    pub default_tenant: Option<String>,
}

impl Function {
    /// Makes the engine from the environment, and begins to log.
    pub fn start() -> Result<Self, EngineError> {
        let environment = Environment::read()?;
        crate::logs::start(&environment);
        // Whatever randomness costs once, it costs in the initialisation.
        crate::entropy::entropy();
        let engine = Arc::new(AwsEngine::new(&environment)?);
        Ok(Self { engine, default_tenant: environment.default_tenant })
    }

    /// The message of ours that a record holds; none where it holds none, and was put aside for a person, for
    /// the reason that begins so.
    pub async fn read_message(
        &self,
        record: &QueueMessage,
        reason: &str,
    ) -> Result<Option<ReceivedMessage>, EngineError> {
        // A message was sent before now, by the queue's clock. It tells a machine whose clock is behind before its first
        // call is answered.
        if let Some(ahead_ms) =
            record.sent_at().and_then(|at| self.engine.clock().tell_at_least(at))
        {
            tracing::warn!(ahead_ms, "this machine's clock is behind the queue's: we go by that");
        }
        // A record without a body is no message either, and is put aside like any other.
        let body = record.body.as_deref().unwrap_or_default();
        match Message::parse(body) {
            Ok(message) => {
                let handle = record.receipt_handle.clone();
                let receipt = Receipt { priority: message.priority, handle };
                Ok(Some(ReceivedMessage { message, receipt, receives: record.receives() }))
            }
            Err(error) => {
                self.engine.queue().reject(body, &format!("{reason}{error}")).await?;
                Ok(None)
            }
        }
    }
}

/// The messages of a queue that an invocation brings.
pub fn queue_messages(payload: &str) -> Result<Vec<QueueMessage>, String> {
    match CloudEvent::parse(payload)? {
        CloudEvent::Sqs(records) => Ok(records),
        CloudEvent::Http(_)
        | CloudEvent::EventBridge(_)
        | CloudEvent::Sns(_)
        | CloudEvent::Direct(_) => Err("this function takes messages of a queue only".to_owned()),
    }
}

/// Settles a batch of a queue, so many messages at a time; those that are left come again, and those alone.
pub async fn settle_batch<'a, F, S>(
    records: &'a [QueueMessage],
    at_a_time: usize,
    settle: F,
) -> Result<BatchResponse, String>
where
    F: Fn(&'a QueueMessage) -> S,
    S: Future<Output = Disposition>,
{
    let settled: Vec<Disposition> =
        stream::iter(records).map(settle).buffered(at_a_time).collect().await;
    let left = records.iter().zip(settled).filter(|(_, settled)| *settled == Disposition::Again);
    BatchResponse::of(left.map(|(record, _)| record.message_id.clone()).collect())
}

/// An invocation's deadline by the engine's clock, less what its answer needs.
pub fn deadline(clock: &MovableClock, deadline_ms: u64, reserve_ms: u64) -> Timestamp {
    let deadline = Timestamp::from_ms(deadline_ms);
    // Lambda says it by the clock of this machine, or by another: the one that leaves a time that an invocation may
    // have is meant.
    let left = [clock.wall(), clock.now()].map(|now| deadline.since_ms(now));
    let left_ms = left.into_iter().find(|left_ms| (1..=INVOCATION_MS_MAX).contains(left_ms));
    clock.now().plus_ms(left_ms.unwrap_or(FUNCTION_TIMEOUT_S * 1_000)).minus_ms(reserve_ms)
}

/// The longest time that an invocation may have: Lambda's own bound, a quarter of an hour.
const INVOCATION_MS_MAX: u64 = 900_000;

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn only_what_is_left_of_a_batch_comes_again_however_many_are_under_way() {
        let payload = |id: &str| {
            format!(r#"{{"eventSource":"aws:sqs","messageId":"{id}","receiptHandle":"r"}}"#)
        };
        let records = ["m1", "m2", "m3"].map(payload).join(",");
        let records = queue_messages(&format!(r#"{{"Records":[{records}]}}"#)).unwrap();
        let settle = async |record: &QueueMessage| match record.message_id.as_str() {
            "m2" => Disposition::Again,
            _ => Disposition::Done,
        };
        for at_a_time in [1, 2, 10] {
            let settled = settle_batch(&records, at_a_time, settle).now_or_never().unwrap();
            assert_eq!(settled, BatchResponse::of(vec!["m2".to_owned()]));
        }
        let direct = r#"{"event":{"type":"a.b"}}"#;
        assert!(queue_messages(direct).unwrap_err().contains("queue only"));
    }

    #[test]
    fn a_deadline_is_told_by_the_clock_that_goes() {
        let clock = MovableClock::default();
        clock.go_by_what_is_told();
        for wrong_ms in [0, 3_456_000_000, -3_456_000_000] {
            clock.set(wrong_ms);
            clock.tell(clock.wall().moved_ms(-wrong_ms));
            for by in [clock.wall(), clock.now()] {
                let left_ms = deadline(&clock, by.plus_s(15).ms(), 500).since_ms(clock.now());
                assert!((13_000..=14_500).contains(&left_ms), "{left_ms} of 14.5 s");
            }
            clock.set(-wrong_ms);
        }
        let left_ms = deadline(&clock, 5, 500).since_ms(clock.now());
        assert!(left_ms > 13_000, "of what says nothing");
    }
}
