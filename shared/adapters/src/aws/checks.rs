//! How the deployment's queues and alarms are: what waits in each queue, what should not be there, and
//! which alarms say so.

use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};
use aws_sdk_sqs::types::QueueAttributeName;
use waxseal_domain::ports::{Check, EngineError};

use super::client::Clients;
use super::failed;

/// Alarms that are looked at.
const ALARMS_MAX: i32 = 100;

/// A queue to look at.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) name: &'static str,
    pub(super) url: String,
    /// Whether messages in it mean that something went wrong.
    pub(super) should_be_empty: bool,
}

/// A check for each queue whose URL is known.
pub(super) async fn look_at(clients: &Clients, queues: &[Watched]) -> Vec<Check> {
    let mut checks = Vec::new();
    for queue in queues.iter().filter(|queue| !queue.url.is_empty()) {
        checks.push(match waiting(clients, &queue.url).await {
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
pub(super) async fn alarms(clients: &Clients, prefix: &str) -> Option<Check> {
    if prefix.is_empty() {
        return None;
    }
    let describe = clients.cloudwatch().describe_alarms().alarm_name_prefix(prefix);
    Some(match describe.max_records(ALARMS_MAX).send().await.map_err(failed("look at alarms")) {
        Err(error) => Check::fail("alarms", error.to_string()),
        Ok(answer) => said(answer.metric_alarms()),
    })
}

fn said(alarms: &[MetricAlarm]) -> Check {
    let ringing = alarms.iter().filter(|alarm| alarm.state_value() == Some(&StateValue::Alarm));
    let ringing: Vec<&str> = ringing.filter_map(MetricAlarm::alarm_name).collect();
    match (alarms.len(), ringing.as_slice()) {
        (0, _) => Check::warn("alarms", "there are none: nobody would be told"),
        (count, []) => Check::ok("alarms", format!("{count}, none of them ringing")),
        (_, ringing) => Check::warn("alarms", format!("ringing: {}", ringing.join(", "))),
    }
}

async fn waiting(clients: &Clients, url: &str) -> Result<u64, EngineError> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let get = clients.sqs().get_queue_attributes().queue_url(url);
    let get = get.set_attribute_names(Some(names.to_vec()));
    let answer = get.send().await.map_err(failed("look at queue"))?;
    let found = answer.attributes.unwrap_or_default();
    let figure = |name| found.get(name).and_then(|text: &String| text.parse::<u64>().ok());
    Ok(names.iter().filter_map(figure).sum())
}
