//! `keys`: API keys of a tenant. One is shown once, when it is made.

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::confirm::{Confirm, confirm};
use super::context::{Context, escape};
use super::failure::Outcome;
use super::output::{member, print, say, time};
use super::page::{Page, list};
use crate::client::Call;

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// All keys of the tenant; not the keys themselves.
    List(Page),
    /// Make a key, and print it: this once.
    Create {
        /// For people.
        #[arg(long)]
        name: Option<String>,
        /// What it may do; both if not said.
        #[arg(long, value_enum, value_delimiter = ',')]
        scopes: Vec<Scope>,
    },
    /// Revoke a key, at once.
    Revoke {
        /// Its id, key_….
        id: String,
        #[command(flatten)]
        confirm: Confirm,
    },
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Send events.
    Ingest,
    /// Everything else of its tenant.
    Manage,
}

impl Scope {
    fn word(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Manage => "manage",
        }
    }
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> Outcome {
        let path = context.path("/keys")?;
        match self {
            Self::List(page) => {
                let titles = (["ID", "NAME", "SCOPES", "CREATED"].as_slice(), "No keys.");
                list(context, &path, page, titles, |key| {
                    let cells = ["id", "name", "scopes"].map(|name| member(key, name));
                    cells.into_iter().chain([time(key, "created_at")]).collect()
                })
                .await
            }
            Self::Create { name, scopes } => {
                context
                    .send_and_show(&Call::post(path, body(name.as_deref(), scopes)), describe)
                    .await
            }
            Self::Revoke { id, confirm: given } => {
                confirm(*given, &format!("Revoke key {id}?"))?;
                revoke(context, &format!("{path}/{}", escape(id)), id).await
            }
        }
    }
}

fn body(name: Option<&str>, scopes: &[Scope]) -> String {
    let mut members = Map::new();
    if let Some(name) = name {
        members.insert("name".to_owned(), json!(name));
    }
    if !scopes.is_empty() {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        members.insert("scopes".to_owned(), json!(words));
    }
    Value::Object(members).to_string()
}

fn describe(key: &Value) -> String {
    let (id, scopes) = (member(key, "id"), member(key, "scopes"));
    say("The key, shown this once: keep it now.");
    format!("{}\n{id}  {scopes}", member(key, "key"))
}

async fn revoke(context: &Context, path: &str, id: &str) -> Outcome {
    let call = Call { method: "DELETE", ..Call::get(path) };
    context.send(&call).await?;
    if context.json { Ok(()) } else { print(&format!("Revoked {id}.")) }
}
