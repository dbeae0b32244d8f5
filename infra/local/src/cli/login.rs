//! `login`, `logout`, `whoami`: which server, which key, and what it may do.

use std::io::IsTerminal as _;

use clap::Args;
use serde_json::{Value, json};

use super::config::Login as Stored;
use super::context::{Connection, Context, Found, Origin, escaped, shown};
use super::failure::{Failure, Outcome};
use super::output::{member, print, say};
use super::table::fields;
use crate::client::{Call, Client};
use crate::settings::Settings;

/// Checks and keeps.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Login {}

const EXAMPLES: &str = "Examples:
  waxseal login --url https://hooks.example.com --tenant acme        # asks for the key
  aws secretsmanager get-secret-value --secret-id … --query SecretString --output text |
    waxseal login --url https://hooks.example.com
  waxseal login                                                      # the server on this machine

The key comes from --key, WAXSEAL_KEY, standard input or a prompt, or else from the data folder of a \
server on this machine (.waxseal/operator.key).";

/// What a key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Powers {
    /// Everything, for every tenant.
    Operator,
    /// Everything of its tenant but, it may be, sending.
    Manage,
    /// Sending events at most.
    Ingest,
    /// A tenant's key, and nobody said of which tenant.
    SomeTenants,
}

impl Powers {
    /// For people.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Operator => "the operator's: everything, for every tenant",
            Self::Manage => "a tenant's, with the scope manage",
            Self::Ingest => "a tenant's, without the scope manage: it may send events at most",
            Self::SomeTenants => "a tenant's; --tenant to see what it may do there",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Manage => "manage",
            Self::Ingest => "ingest",
            Self::SomeTenants => "tenant",
        }
    }
}

/// What the key may do: by what the server refuses, for it has no path that says so.
pub(crate) async fn powers(client: &Client, tenant: Option<&str>) -> Result<Powers, Failure> {
    let answer = client.send(&Call::get("/v1/tenants?limit=1")).await?;
    match answer.status {
        200 => return Ok(Powers::Operator),
        403 => {}
        _ => return Err(Failure::of(&answer)),
    }
    let Some(tenant) = tenant else { return Ok(Powers::SomeTenants) };
    let path = format!("/v1/tenants/{}/endpoints?limit=1", escaped(tenant));
    let answer = client.send(&Call::get(path)).await?;
    match answer.status {
        200 => Ok(Powers::Manage),
        403 => Ok(Powers::Ingest),
        _ => Err(Failure::of(&answer)),
    }
}

/// 200 from `/healthz`.
pub(crate) async fn healthy(client: &Client) -> Outcome {
    let answer = client.send(&Call::get("/healthz")).await?;
    if answer.status == 200 { Ok(()) } else { Err(Failure::of(&answer)) }
}

impl Login {
    pub(crate) async fn run(&self, connection: &Connection, settings: &Settings) -> Outcome {
        let none = "which server? --url, or start one here with `waxseal`";
        let found = connection.find(settings)?.ok_or_else(|| Failure::Usage(none.to_owned()))?;
        let key = key(connection, &found)?;
        let client = connection.client(&found.url, &key)?;
        healthy(&client).await?;
        let powers = powers(&client, found.tenant.as_deref()).await?;
        let path = connection.path()?;
        let Found { url, tenant, .. } = found;
        Stored { url: url.clone(), tenant: tenant.clone(), key }.write(&path)?;
        say(&format!("waxseal: kept in {}", shown(&path)));
        tell(connection.is_json(), &url, tenant.as_deref(), &powers, "login")
    }
}

/// The key to log in with: given, typed or piped, or else the one that was found.
fn key(connection: &Connection, found: &Found) -> Result<String, Failure> {
    if let (Some(_), Some(key)) = (&connection.key, &found.key) {
        return Ok(key.clone());
    }
    let typed = if std::io::stdin().is_terminal() { prompted(found)? } else { piped()? };
    let none = "which key? --key, WAXSEAL_KEY, or on standard input";
    let kept = || found.key.clone().ok_or_else(|| Failure::Usage(none.to_owned()));
    if typed.is_empty() { kept() } else { Ok(typed) }
}

fn prompted(found: &Found) -> Result<String, Failure> {
    let or = match (&found.key, &found.origin) {
        (Some(_), Origin::Embedded(path)) => format!(" (Enter: the one in {})", shown(path)),
        (Some(_), Origin::Login(_) | Origin::Given) => " (Enter: the one that is kept)".to_owned(),
        (None, _) => String::new(),
    };
    eprint!("API key for {}{or}: ", found.url);
    let typed = console::Term::stderr().read_secure_line();
    let typed = typed.map_err(|error| Failure::Failed(format!("the terminal: {error}")))?;
    Ok(typed.trim().to_owned())
}

fn piped() -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
    Ok(line.trim().to_owned())
}

/// Forgets the login.
pub(crate) fn forget(connection: &Connection) -> Outcome {
    let path = connection.path()?;
    let was = Stored::remove(&path)?;
    say(&if was {
        format!(
            "waxseal: removed {}; the key itself works still: `waxseal keys revoke`",
            shown(&path)
        )
    } else {
        "waxseal: there was no login".to_owned()
    });
    Ok(())
}

/// Asks the server.
pub(crate) async fn whoami(context: &Context) -> Outcome {
    let powers = powers(&context.client, context.tenant()).await?;
    let origin = match &context.origin {
        Origin::Given => "flags or environment".to_owned(),
        Origin::Login(path) | Origin::Embedded(path) => shown(path),
    };
    tell(context.json, &context.url, context.tenant(), &powers, &origin)
}

fn tell(is_json: bool, url: &str, tenant: Option<&str>, powers: &Powers, from: &str) -> Outcome {
    let whole = json!({"url": url, "tenant": tenant, "key": powers.word(), "from": from});
    if is_json {
        return print(&whole.to_string());
    }
    let said = |name| member(&whole, name);
    let key = Value::String(powers.words().to_owned());
    let key = key.as_str().unwrap_or_default().to_owned();
    print(&fields(&[
        ("server", said("url")),
        ("tenant", said("tenant")),
        ("key", key),
        ("from", said("from")),
    ]))
}
