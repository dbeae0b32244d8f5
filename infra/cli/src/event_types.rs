//! `event-types`: what each type means, the schema of its data, and an example.

use clap::{Args, Subcommand};
use serde_json::value::RawValue;
use waxseal_api_types::{EventType, NewEventType};

use super::body;
use super::confirm::{Confirm, confirm};
use super::context::{Context, escape};
use super::failure::{CommandResult, Failure};
use super::output::{plain, print, show};
use super::page::{Page, list};
use super::pretty::pretty;
use super::table::fields;
use crate::client::Call;

/// What to do with event types.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// All event types of the tenant.
    List(Page),
    /// An event type, with its schema and example.
    Get(EventTypeName),
    /// Make or replace an event type.
    Put(Put),
    /// Delete an event type; events of it are accepted as before.
    Delete {
        #[command(flatten)]
        named: EventTypeName,
        #[command(flatten)]
        confirm: Confirm,
    },
}

/// Names an event type.
#[derive(Args, Clone, Debug)]
pub(crate) struct EventTypeName {
    /// The type, such as dlp.pii_blocked.
    #[arg(value_name = "TYPE")]
    event_type: String,
}

/// What an event type is to be.
#[derive(Args, Clone, Debug)]
pub(crate) struct Put {
    #[command(flatten)]
    named: EventTypeName,
    /// What it means, for people.
    #[arg(long)]
    description: Option<String>,
    /// A JSON Schema of its data: JSON, @file or -.
    #[arg(long, value_name = "JSON")]
    schema: Option<String>,
    /// An example of its data: JSON, @file or -.
    #[arg(long, value_name = "JSON")]
    example: Option<String>,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        match self {
            Self::List(page) => {
                let titles = ["TYPE", "SCHEMA", "DESCRIPTION"];
                list(
                    context,
                    &context.path("/event-types")?,
                    page,
                    &titles,
                    "No event types.",
                    |one: &EventType| {
                        let schema = if one.schema.is_some() { "yes" } else { "" };
                        vec![plain(&one.name), schema.to_owned(), show(one.description.as_ref())]
                    },
                )
                .await
            }
            Self::Get(named) => {
                context.send_and_show(&Call::get(named.path(context)?), describe).await
            }
            Self::Put(put) => context.send_and_show(&put.call(context)?, describe).await,
            Self::Delete { named, confirm: given } => {
                confirm(*given, &format!("Delete event type {}?", named.event_type))?;
                let call = Call { method: "DELETE", ..Call::get(named.path(context)?) };
                context.send(&call).await?;
                if context.json { Ok(()) } else { print(&format!("Deleted {}.", named.event_type)) }
            }
        }
    }
}

impl EventTypeName {
    fn path(&self, context: &Context) -> Result<String, Failure> {
        context.path(&format!("/event-types/{}", escape(&self.event_type)))
    }
}

impl Put {
    fn call(&self, context: &Context) -> Result<Call, Failure> {
        let schema = self.schema.as_ref().map(|text| body::raw("--schema", text));
        let example = self.example.as_ref().map(|text| body::raw("--example", text));
        let request = NewEventType {
            description: self.description.clone(),
            schema: schema.transpose()?,
            example: example.transpose()?,
        };
        let call = Call::request(self.named.path(context)?, &request);
        Ok(Call { method: "PUT", repeatable: true, ..call })
    }
}

fn describe(event_type: &EventType) -> String {
    let head = fields(&[
        ("type", plain(&event_type.name)),
        ("description", show(event_type.description.as_ref())),
    ]);
    let schema = block("schema", event_type.schema.as_deref());
    format!("{head}{schema}{}", block("example", event_type.example.as_deref()))
}

/// Lays JSON out under a name, over several lines; nothing where there is none.
fn block(name: &str, json: Option<&RawValue>) -> String {
    json.map(|json| format!("\n\n{name}\n{}", pretty(json.get()))).unwrap_or_default()
}
