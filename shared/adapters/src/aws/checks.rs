//! How the deployment's queues and alarms are: what waits in each queue, what should not be there, and
//! which alarms say so.

use aws_sdk_sqs::types::QueueAttributeName;
use waxseal_flows::ports::{Check, EngineError};

use super::client::Clients;
use super::cloudwatch::{Alarm, CloudWatch};
use super::failure_at;

/// A queue to look at.
#[derive(Clone, Debug)]
pub(super) struct WatchedQueue {
    pub(super) name: &'static str,
    pub(super) url: String,
    /// Whether messages in it mean that something went wrong.
    pub(super) should_be_empty: bool,
}

/// A check for each queue whose URL is known.
pub(super) async fn look_at(clients: &Clients, queues: &[WatchedQueue]) -> Vec<Check> {
    let mut checks = Vec::new();
    for queue in queues.iter().filter(|queue| !queue.url.is_empty()) {
        checks.push(match count_messages(clients, &queue.url).await {
            Ok(0) => Check::ok(queue.name, "empty"),
            Ok(count) if queue.should_be_empty => {
                Check::warn(queue.name, format!("about {count} messages: look at them"))
            }
            Ok(count) => Check::ok(queue.name, format!("about {count} messages")),
            Err(error) => Check::fail(queue.name, error.to_string()),
        });
    }
    checks
}

/// A check of the alarms whose names begin so; none where no prefix is known.
pub(super) async fn alarms(cloudwatch: &CloudWatch, prefix: &str) -> Option<Check> {
    if prefix.is_empty() {
        return None;
    }
    Some(match cloudwatch.alarms(prefix).await {
        Err(error) => Check::fail("alarms", error.to_string()),
        Ok(alarms) => describe_alarms(&alarms),
    })
}

/// A check of the clock of the machine that answers, by how many milliseconds it is ahead of AWS's.
pub(super) fn check_clock(ahead_ms: i64) -> Check {
    match ahead_ms / 1_000 {
        0 => Check::ok("clock", "as AWS tells it"),
        ahead_s if ahead_s > 0 => {
            Check::warn("clock", format!("this machine's is {ahead_s} s ahead: we go by AWS's"))
        }
        ahead_s => {
            Check::warn("clock", format!("this machine's is {} s behind: we go by AWS's", -ahead_s))
        }
    }
}

fn describe_alarms(alarms: &[Alarm]) -> Check {
    let in_alarm = alarms.iter().filter(|alarm| alarm.is_ringing());
    let ringing: Vec<&str> = in_alarm.map(Alarm::name).collect();
    match (alarms.len(), ringing.as_slice()) {
        (0, _) => Check::warn("alarms", "there are none: nobody would be told"),
        (count, []) => Check::ok("alarms", format!("{count}, none of them ringing")),
        (_, ringing) => Check::warn("alarms", format!("ringing: {}", ringing.join(", "))),
    }
}

async fn count_messages(clients: &Clients, url: &str) -> Result<u64, EngineError> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let get = clients.sqs().get_queue_attributes().queue_url(url);
    let get = get.set_attribute_names(Some(names.to_vec()));
    let answer = get.send().await.map_err(failure_at("look at queue"))?;
    let found = answer.attributes.unwrap_or_default();
    let unreadable = |name: &QueueAttributeName| {
        EngineError::unreadable("look at queue", format!("{name} is missing, or no number"))
    };
    names
        .iter()
        .map(|name| {
            let text = found.get(name).ok_or_else(|| unreadable(name))?;
            text.parse::<u64>().map_err(|_| unreadable(name))
        })
        .sum()
}
