//! `events send`: one event by flags, or a file of them in batches.
//!
//! An event without an id is given one here, so that a request that is made again, because its answer
//! was lost or was 503, finds what it has made already.

use std::path::PathBuf;

use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use waxseal_adapters::entropy::entropy;
use waxseal_api_types::event::{EventResult, EventResults, NewEvent};
use waxseal_api_types::{self as api, Acceptance};
use waxseal_domain::event::Severity;
use waxseal_domain::id::EventId;

use super::body;
use super::context::{Context, read};
use super::failure::{CommandResult, Failure, describe_problem};
use super::output::{plain, print, say};
use super::progress;
use crate::client::Call;

/// Events in a request: the API's own limit.
const BATCH_MAX: usize = 100;
/// Bytes in a request: a little under the API's limit of 1 MiB.
const BATCH_BYTES_MAX: usize = 1_000_000;

/// The event, or the file of events, that is to be sent.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Send {
    /// The type of the event, such as dlp.pii_blocked.
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "file")]
    event_type: Option<String>,
    /// Its data: JSON, @file or -.
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// Its id; the same id and content is the same event.
    #[arg(long)]
    id: Option<String>,
    /// Where it happened: a URI reference.
    #[arg(long)]
    source: Option<String>,
    /// How grave it is.
    #[arg(long)]
    severity: Option<Severity>,
    /// One line for people.
    #[arg(long)]
    summary: Option<String>,
    /// A file with an event, an array of events, or one on each line (NDJSON); - is standard input.
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["event_type", "data", "id", "source", "severity", "summary"])]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  waxseal events send --type dlp.pii_blocked --severity high --data '{\"entity_types\": [\"IBAN\"]}'
  waxseal events send --type report.made --data @report.json --id report-17
  jq -c '.[]' events.json | waxseal events send --file -

Exit codes: 0 all accepted; 1 some or all refused; 2 usage; 3 not authorised; 4 not found; 5 the server \
or the network failed.";

fn make_id() -> String {
    EventId::from_entropy(entropy()).to_string()
}

impl Send {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let path = context.path("/events")?;
        match &self.file {
            None => send_one(context, path, &self.event()?).await,
            Some(file) => send_many(context, &path, &split_events(&body::file(file)?)?).await,
        }
    }

    fn event(&self) -> Result<NewEvent, Failure> {
        Ok(NewEvent {
            id: Some(self.id.clone().unwrap_or_else(make_id)),
            event_type: self.event_type.clone().unwrap_or_default(),
            source: self.source.clone(),
            severity: self.severity.map(api::event::Severity::from),
            summary: self.summary.clone(),
            data: self.data.as_ref().map(|data| body::raw("--data", data)).transpose()?,
        })
    }
}

async fn send_one(context: &Context, path: String, event: &NewEvent) -> CommandResult {
    let call = Call { repeatable: true, ..Call::request(path, event) };
    context
        .send_and_show(&call, |accepted: &Acceptance| {
            let note = if accepted.duplicate { ", a duplicate" } else { "" };
            let (id, count) = (plain(&accepted.id), accepted.deliveries.len());
            format!("{id}  accepted{note}, for {count} endpoint(s)")
        })
        .await
}

/// Splits a file into its events, each as it is written: an array, or one after another.
fn split_events(text: &str) -> Result<Vec<String>, Failure> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let raw: Vec<&RawValue> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| not_json(&error))?
    } else {
        let all = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        all.collect::<Result<_, _>>().map_err(|error| not_json(&error))?
    };
    if raw.is_empty() {
        return Err(Failure::Usage("the file holds no event".to_owned()));
    }
    Ok(raw.into_iter().map(|raw| ensure_id(raw.get())).collect())
}

fn not_json(error: &serde_json::Error) -> Failure {
    Failure::Usage(format!("the file is not JSON: {error}"))
}

/// Gives an event that has no id a new one. What is not an object is left for the server to refuse.
fn ensure_id(event: &str) -> String {
    let has_none = serde_json::from_str::<Value>(event)
        .is_ok_and(|value| value.is_object() && value.get("id").is_none());
    match event.strip_prefix('{').filter(|_| has_none) {
        Some(rest) if rest.trim() == "}" => format!("{{\"id\":\"{}\"}}", make_id()),
        Some(rest) => format!("{{\"id\":\"{}\",{rest}", make_id()),
        None => event.to_owned(),
    }
}

/// Splits events, in their order, into as many as a request may hold.
fn split_batches(events: &[String]) -> Vec<&[String]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, event) in events.iter().enumerate() {
        let is_full = at - start == BATCH_MAX || bytes + event.len() + 1 > BATCH_BYTES_MAX;
        if is_full && at > start {
            batches.extend(events.get(start..at));
            (start, bytes) = (at, 0);
        }
        bytes += event.len() + 1;
    }
    batches.extend(events.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

async fn send_many(context: &Context, path: &str, events: &[String]) -> CommandResult {
    let bar = progress::bar(events.len(), "events");
    let mut results = Vec::new();
    for batch in split_batches(events) {
        let body = format!("[{}]", batch.join(","));
        let call = Call { repeatable: true, ..Call::post(path, body) };
        let answer = context.send(&call).await.inspect_err(|_| {
            say(&format!("waxseal: {} of {} events were sent", results.len(), events.len()));
        })?;
        results.extend(read::<EventResults>(&answer)?.results);
        bar.set_position(u64::try_from(results.len()).unwrap_or(u64::MAX));
    }
    bar.finish_and_clear();
    tell(context, &results)
}

/// Says each refusal with its place in the file, and how many events were taken.
fn tell(context: &Context, results: &[EventResult]) -> CommandResult {
    let (mut accepted, mut duplicates, mut refused) = (0, 0, 0);
    for (at, result) in (1..).zip(results) {
        match result {
            EventResult::Accepted(acceptance) => {
                accepted += 1;
                duplicates += usize::from(acceptance.duplicate);
            }
            EventResult::Refused(problem) => {
                refused += 1;
                say(&format!("event {at}: {}", describe_problem(problem)));
            }
        }
    }
    if context.json {
        context.print(&json!(results).to_string())?;
    } else {
        print(&format!("{accepted} accepted ({duplicates} duplicates), {refused} refused"))?;
    }
    if refused == 0 { Ok(()) } else { Err(Failure::Said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_event_an_array_or_lines_and_numbers_stay_as_they_are() {
        let one = r#"{"id":"a","type":"t","data":1.50}"#;
        let two = r#"{"id":"b","type":"t"}"#;
        assert_eq!(split_events(one), Ok(vec![one.to_owned()]));
        assert_eq!(
            split_events(&format!(" [{one},\n{two}]")),
            Ok(vec![one.to_owned(), two.to_owned()])
        );
        assert_eq!(
            split_events(&format!("{one}\n\n{two}\n")),
            Ok(vec![one.to_owned(), two.to_owned()])
        );
        assert!(
            split_events("[]").is_err()
                && split_events("").is_err()
                && split_events("{\"a\":").is_err()
        );
    }

    #[test]
    fn an_event_without_an_id_gets_one() {
        let given = ensure_id(r#"{"type":"t"}"#);
        assert!(
            given.starts_with("{\"id\":\"evt_") && given.ends_with("\",\"type\":\"t\"}"),
            "{given}"
        );
        assert!(serde_json::from_str::<Value>(&ensure_id("{ }")).is_ok());
        assert_eq!(ensure_id("5"), "5");
    }

    #[test]
    fn a_batch_holds_as_many_and_as_much_as_a_request_may() {
        let small = vec!["{}".to_owned(); 250];
        let lengths: Vec<usize> = split_batches(&small).iter().map(|batch| batch.len()).collect();
        assert_eq!(lengths, [100, 100, 50]);
        let large = vec!["x".repeat(400_000); 5];
        let lengths: Vec<usize> = split_batches(&large).iter().map(|batch| batch.len()).collect();
        assert_eq!(lengths, [2, 2, 1]);
        assert_eq!(split_batches(&["x".repeat(2_000_000)]).len(), 1);
    }
}
