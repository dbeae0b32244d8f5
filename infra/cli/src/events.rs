//! `events`: what was accepted, and what became of it.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use waxseal_api_types::Event;
use waxseal_api_types::event::{DeliveryBrief, EventMembers};

use super::context::{Context, escape, print_json, read};
use super::failure::{CommandResult, Failure};
use super::output::{plain, print, show, time_if_any};
use super::page::{Page, list};
use super::pretty::pretty;
use super::send::Send;
use super::table::{Table, fields, state};
use super::tail::Tail;
use crate::client::Call;

/// What to do with events.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Send an event, or a file of them.
    Send(Box<Send>),
    /// All events of the tenant, newest first.
    List(Page),
    /// An event and its deliveries.
    Get(EventName),
    /// Print events as they come.
    Tail(Tail),
}

/// Names the event that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct EventName {
    /// The id of the event.
    #[arg(value_name = "EVENT")]
    id: String,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        match self {
            Self::Send(send) => send.run(context).await,
            Self::List(page) => {
                let titles = ["RECEIVED", "ID", "TYPE", "SEVERITY", "SOURCE", "SUMMARY"];
                list(context, &context.path("/events")?, page, &titles, "No events.", row).await
            }
            Self::Get(named) => {
                let path = context.path(&format!("/events/{}", escape(&named.id)))?;
                let answer = context.send(&Call::get(path)).await?;
                if context.json {
                    return print_json(&answer);
                }
                let event: Event = read(&answer)?;
                let members = event.read().map_err(|error| unreadable(&error))?;
                let attributes = event.attributes().map_err(|error| unreadable(&error))?;
                print(&describe(&members, &attributes))
            }
            Self::Tail(tail) => tail.run(context).await,
        }
    }
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::Unavailable(format!("the event cannot be read: {error}"))
}

fn row(event: &Event) -> Vec<String> {
    let Ok(members) = event.read() else { return vec!["an event that cannot be read".to_owned()] };
    vec![
        time_if_any(members.received_at.as_ref()),
        plain(&members.id),
        plain(&members.event_type),
        show(members.severity),
        plain(&members.source),
        show(members.summary.as_ref()),
    ]
}

fn describe(event: &EventMembers, attributes: &Map<String, Value>) -> String {
    let mut pairs = vec![
        ("id", plain(&event.id)),
        ("sender_id", show(event.sender_id.as_ref())),
        ("type", plain(&event.event_type)),
        ("source", plain(&event.source)),
        ("time", plain(&event.time)),
        ("received", time_if_any(event.received_at.as_ref())),
        ("data_base64", show(event.data_base64.as_ref())),
        ("expunged", show(event.expunged.then_some(true))),
    ];
    for (name, value) in attributes {
        pairs.push((name, describe_attribute(value)));
    }
    let payload = match &event.data {
        Some(data) => format!("\n\n{}", pretty(data.get())),
        None => String::new(),
    };
    let deliveries = describe_deliveries(event.deliveries.as_deref().unwrap_or_default());
    format!("{}{payload}\n\n{deliveries}", fields(&pairs))
}

/// Lays an attribute out: text as it is, nothing as nothing, all else as JSON.
fn describe_attribute(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            plain(&value.to_string())
        }
    }
}

fn describe_deliveries(deliveries: &[DeliveryBrief]) -> String {
    let mut table = Table::new(&["DELIVERY", "ENDPOINT", "STATUS", "ATTEMPTS", "NEXT ATTEMPT"]);
    for delivery in deliveries {
        table.row(vec![
            plain(&delivery.id),
            plain(&delivery.endpoint_id),
            state(delivery.status.as_str()),
            delivery.attempts.to_string(),
            time_if_any(delivery.next_attempt_at.as_ref()),
        ]);
    }
    table.text("No endpoint wanted it.")
}
