//! `event-types`: what each type means, the schema of its data, and an example.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::body;
use super::confirm::{Confirm, confirm};
use super::context::{Context, escape};
use super::failure::{Failure, Outcome};
use super::output::{member, print};
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
    Get(Named),
    /// Make or replace an event type.
    Put(Put),
    /// Delete an event type; events of it are accepted as before.
    Delete {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        confirm: Confirm,
    },
}

/// Names an event type.
#[derive(Args, Clone, Debug)]
pub(crate) struct Named {
    /// The type, such as dlp.pii_blocked.
    #[arg(value_name = "TYPE")]
    event_type: String,
}

/// What an event type is to be.
#[derive(Args, Clone, Debug)]
pub(crate) struct Put {
    #[command(flatten)]
    named: Named,
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

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Box<RawValue>>,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> Outcome {
        match self {
            Self::List(page) => {
                let titles = (["TYPE", "SCHEMA", "DESCRIPTION"].as_slice(), "No event types.");
                list(context, &context.path("/event-types")?, page, titles, |one| {
                    let has_schema = one.get("schema").is_some_and(|schema| !schema.is_null());
                    let schema = if has_schema { "yes" } else { "" };
                    vec![member(one, "type"), schema.to_owned(), member(one, "description")]
                })
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

impl Named {
    fn path(&self, context: &Context) -> Result<String, Failure> {
        context.path(&format!("/event-types/{}", escape(&self.event_type)))
    }
}

impl Put {
    fn call(&self, context: &Context) -> Result<Call, Failure> {
        let schema = self.schema.as_ref().map(|text| body::raw("--schema", text));
        let example = self.example.as_ref().map(|text| body::raw("--example", text));
        let body = Body {
            description: self.description.as_deref(),
            schema: schema.transpose()?,
            example: example.transpose()?,
        };
        let text =
            serde_json::to_string(&body).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Call { method: "PUT", repeatable: true, ..Call::post(self.named.path(context)?, text) })
    }
}

fn describe(event_type: &Value) -> String {
    let head = fields(&[
        ("type", member(event_type, "type")),
        ("description", member(event_type, "description")),
    ]);
    format!("{head}{}{}", block(event_type, "schema"), block(event_type, "example"))
}

/// A member under its name, over several lines; nothing where there is none.
fn block(event_type: &Value, name: &str) -> String {
    match event_type.get(name).filter(|value| !value.is_null()) {
        Some(value) => format!("\n\n{name}\n{}", pretty(&value.to_string())),
        None => String::new(),
    }
}
