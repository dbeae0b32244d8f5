//! `keys`: API keys of a tenant. One is shown once, when it is made.

use clap::{Subcommand, ValueEnum};
use waxseal_api_types::{self as api, Key, NewKey};

use super::confirm::{Confirm, confirm};
use super::context::{Context, escape};
use super::failure::CommandResult;
use super::output::{join, plain, print, say, show, time};
use super::page::{Page, list};
use crate::client::Call;

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// All keys of the tenant; not the keys themselves.
    List(Page),
    /// Make a key, and print it: this once.
    Create {
        /// A name by which people know the key.
        #[arg(long)]
        name: Option<String>,
        /// What it may do; both if not said.
        #[arg(long, value_enum, value_delimiter = ',')]
        scopes: Vec<Scope>,
    },
    /// Revoke a key, at once.
    Revoke {
        /// The id of the key, key_….
        id: String,
        #[command(flatten)]
        confirm: Confirm,
    },
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Send events, and nothing else.
    Ingest,
    /// Everything else of its tenant.
    Manage,
}

impl Scope {
    fn of_api(self) -> api::Scope {
        match self {
            Self::Ingest => api::Scope::Ingest,
            Self::Manage => api::Scope::Manage,
        }
    }
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let path = context.path("/keys")?;
        match self {
            Self::List(page) => {
                let titles = ["ID", "NAME", "SCOPES", "CREATED"];
                list(context, &path, page, &titles, "No keys.", |key: &Key| {
                    vec![
                        plain(&key.id),
                        show(key.name.as_ref()),
                        join(&key.scopes),
                        time(&key.created_at),
                    ]
                })
                .await
            }
            Self::Create { name, scopes } => {
                let scopes: Vec<api::Scope> = scopes.iter().map(|scope| scope.of_api()).collect();
                let request = NewKey {
                    name: name.clone(),
                    scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
                    max_per_second: None,
                };
                context.send_and_show(&Call::request(path, &request), describe).await
            }
            Self::Revoke { id, confirm: given } => {
                confirm(*given, &format!("Revoke key {id}?"))?;
                revoke(context, &format!("{path}/{}", escape(id)), id).await
            }
        }
    }
}

fn describe(key: &Key) -> String {
    say("The key, shown this once: keep it now.");
    let (id, scopes) = (plain(&key.id), join(&key.scopes));
    format!("{}\n{id}  {scopes}", show(key.key.as_ref()))
}

async fn revoke(context: &Context, path: &str, id: &str) -> CommandResult {
    let call = Call { method: "DELETE", ..Call::get(path) };
    context.send(&call).await?;
    if context.json { Ok(()) } else { print(&format!("Revoked {id}.")) }
}
