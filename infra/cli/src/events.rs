//! `events`: what was accepted, and what became of it.

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use waxseal_adapters::client::Answer;

use super::context::{Context, escape};
use super::failure::Outcome;
use super::output::{array, member, text, time};
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
    Get(Named),
    /// Print events as they come.
    Tail(Tail),
}

/// Names an event.
#[derive(Args, Clone, Debug)]
pub(crate) struct Named {
    /// The event's id.
    #[arg(value_name = "EVENT")]
    id: String,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> Outcome {
        match self {
            Self::Send(send) => send.run(context).await,
            Self::List(page) => {
                let titles = ["RECEIVED", "ID", "TYPE", "SEVERITY", "SOURCE", "SUMMARY"];
                list(context, &context.path("/events")?, page, (&titles, "No events."), row).await
            }
            Self::Get(named) => {
                let path = context.path(&format!("/events/{}", escape(&named.id)))?;
                let answer = context.send(&Call::get(path)).await?;
                context.show(&answer, |event| describe(event, read_payload(&answer)))
            }
            Self::Tail(tail) => tail.run(context).await,
        }
    }
}

fn row(event: &Value) -> Vec<String> {
    let cells = ["id", "type", "severity", "source", "summary"].map(|name| member(event, name));
    std::iter::once(time(event, "received_at")).chain(cells).collect()
}

/// Members that have a place of their own, or none.
const PLACED: [&str; 9] =
    ["id", "sender_id", "type", "source", "time", "tenant", "data", "deliveries", "received_at"];

/// Reads the payload, byte for byte as it was sent.
fn read_payload(answer: &Answer) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Payload {
        data: Option<Box<RawValue>>,
    }
    serde_json::from_slice::<Payload>(&answer.body).ok()?.data
}

fn describe(event: &Value, data: Option<Box<RawValue>>) -> String {
    let names = ["id", "sender_id", "type", "source", "time"];
    let mut pairs = names.map(|name| (name, member(event, name))).to_vec();
    pairs.push(("received", time(event, "received_at")));
    for (name, _) in event.as_object().into_iter().flatten() {
        if !PLACED.contains(&name.as_str()) {
            pairs.push((name, member(event, name)));
        }
    }
    let payload = data.map(|data| format!("\n\n{}", pretty(data.get()))).unwrap_or_default();
    format!("{}{payload}\n\n{}", fields(&pairs), describe_deliveries(event))
}

fn describe_deliveries(event: &Value) -> String {
    let mut table = Table::new(&["DELIVERY", "ENDPOINT", "STATUS", "ATTEMPTS", "NEXT ATTEMPT"]);
    for delivery in array(event, "deliveries") {
        table.row(vec![
            member(delivery, "id"),
            member(delivery, "endpoint_id"),
            state(text(delivery, "status")),
            member(delivery, "attempts"),
            time(delivery, "next_attempt_at"),
        ]);
    }
    table.text("No endpoint wanted it.")
}
