//! `login`, `logout`, `whoami`: which server, which key, and what it may do.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use serde_json::json;
use waxseal_api_types::{Identity, Scope};

use super::config::Login as StoredLogin;
use super::context::{Connection, Context, FoundServer, LocalServer, Origin, escape};
use super::failure::{CommandResult, Failure};
use super::output::{join, plain, print, print_json_text, say, show};
use super::table::fields;
use crate::client::{Call, Client};

/// Checks an API key, and keeps it.
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
    /// As the server says: of this tenant, with these scopes.
    Told(String, Vec<Scope>),
    /// Everything of its tenant but, it may be, sending.
    Manage,
    /// Sending events at most.
    Ingest,
    /// A tenant's key, and nobody said of which tenant.
    SomeTenants,
}

impl Powers {
    /// Says it to people.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Operator => "the operator's: everything, for every tenant".to_owned(),
            Self::Told(tenant, scopes) => {
                format!("tenant {}'s, with {}", plain(tenant), join(scopes))
            }
            Self::Manage => "a tenant's, with the scope manage".to_owned(),
            Self::Ingest => {
                "a tenant's, without the scope manage: it may send events at most".to_owned()
            }
            Self::SomeTenants => "a tenant's; --tenant to see what it may do there".to_owned(),
        }
    }

    /// Whether it may look at its tenant's endpoints.
    pub(crate) fn may_manage(&self) -> bool {
        match self {
            Self::Operator | Self::Manage => true,
            Self::Told(_, scopes) => scopes.contains(&Scope::Manage),
            Self::Ingest | Self::SomeTenants => false,
        }
    }

    /// The tenant whose key it is, where the server says.
    pub(crate) fn tenant(&self) -> Option<&str> {
        match self {
            Self::Told(tenant, _) => Some(tenant),
            Self::Operator | Self::Manage | Self::Ingest | Self::SomeTenants => None,
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Told(_, scopes) => join(scopes).replace(", ", ","),
            Self::Manage => "manage".to_owned(),
            Self::Ingest => "ingest".to_owned(),
            Self::SomeTenants => "tenant".to_owned(),
        }
    }
}

/// Asks what the key may do. A server that has no path for that is asked by what it refuses.
pub(crate) async fn ask_powers(client: &Client, tenant: Option<&str>) -> Result<Powers, Failure> {
    let answer = client.send(&Call::get("/v1/whoami")).await?;
    match answer.status {
        200 => {}
        404 => return probe(client, tenant).await,
        _ => return Err(Failure::of(&answer)),
    }
    let identity: Identity = serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::Unavailable("the answer is no identity of ours".to_owned()))?;
    let own = identity.tenant.unwrap_or_default();
    if identity.operator {
        return Ok(Powers::Operator);
    }
    match tenant.filter(|tenant| *tenant != own) {
        Some(other) => {
            Err(Failure::NotFound(format!("the key is of tenant {}, not {other}", plain(&own))))
        }
        None => Ok(Powers::Told(own, identity.scopes)),
    }
}

async fn probe(client: &Client, tenant: Option<&str>) -> Result<Powers, Failure> {
    let answer = client.send(&Call::get("/v1/tenants?limit=1")).await?;
    match answer.status {
        200 => return Ok(Powers::Operator),
        403 => {}
        _ => return Err(Failure::of(&answer)),
    }
    let Some(tenant) = tenant else { return Ok(Powers::SomeTenants) };
    let path = format!("/v1/tenants/{}/endpoints?limit=1", escape(tenant));
    let answer = client.send(&Call::get(path)).await?;
    match answer.status {
        200 => Ok(Powers::Manage),
        403 => Ok(Powers::Ingest),
        _ => Err(Failure::of(&answer)),
    }
}

/// Fails unless the server's `/healthz` answers 200.
pub(crate) async fn check_health(client: &Client) -> CommandResult {
    let answer = client.send(&Call::get("/healthz")).await?;
    if answer.status == 200 { Ok(()) } else { Err(Failure::of(&answer)) }
}

impl Login {
    pub(crate) async fn run(&self, connection: &Connection, local: &LocalServer) -> CommandResult {
        let none = "which server? --url, or start one here with `waxseal`";
        let found = connection.find(local)?.ok_or_else(|| Failure::Usage(none.to_owned()))?;
        let key = choose_key(connection, &found)?;
        let client = connection.client(&found.url, &key)?;
        check_health(&client).await?;
        let powers = ask_powers(&client, found.tenant.as_deref()).await?;
        let path = connection.path()?;
        let FoundServer { url, tenant, .. } = found;
        let tenant = tenant.or_else(|| powers.tenant().map(str::to_owned));
        StoredLogin { url: url.clone(), tenant: tenant.clone(), key }.write(&path)?;
        say(&format!("waxseal: kept in {}", path.display()));
        tell(connection.is_json(), &url, tenant.as_deref(), &powers, "login")
    }
}

/// Finds the key to log in with: given, typed or piped, or else the one that was found.
fn choose_key(connection: &Connection, found: &FoundServer) -> Result<String, Failure> {
    if let (Some(_), Some(key)) = (&connection.key, &found.key) {
        return Ok(key.clone());
    }
    let typed = if std::io::stdin().is_terminal() { prompt(found)? } else { read_piped()? };
    if !typed.is_empty() {
        return Ok(typed);
    }
    let none = "which key? --key, WAXSEAL_KEY, or on standard input";
    found.key.clone().ok_or_else(|| Failure::Usage(none.to_owned()))
}

fn prompt(found: &FoundServer) -> Result<String, Failure> {
    let or = match (&found.key, &found.origin) {
        (Some(_), Origin::Embedded(path)) => format!(" (Enter: the one in {})", path.display()),
        (Some(_), Origin::Login(_) | Origin::Given) => " (Enter: the one that is kept)".to_owned(),
        (None, _) => String::new(),
    };
    let mut stderr = std::io::stderr();
    let _unseen = write!(stderr, "API key for {}{or}: ", found.url).and_then(|()| stderr.flush());
    let line = console::Term::stderr().read_secure_line();
    let typed = line.map_err(|error| Failure::Failed(format!("the terminal: {error}")))?;
    Ok(typed.trim().to_owned())
}

fn read_piped() -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
    Ok(line.trim().to_owned())
}

/// Forgets the login: `logout`.
pub(crate) fn forget(connection: &Connection) -> CommandResult {
    let path = connection.path()?;
    let was = StoredLogin::remove(&path)?;
    say(&if was {
        format!(
            "waxseal: removed {}; the key itself works still: `waxseal keys revoke`",
            path.display()
        )
    } else {
        "waxseal: there was no login".to_owned()
    });
    Ok(())
}

/// Asks the server whose the key is: `whoami`.
pub(crate) async fn whoami(context: &Context) -> CommandResult {
    let powers = ask_powers(&context.client, context.tenant()).await?;
    let origin = match &context.origin {
        Origin::Given => "flags or environment".to_owned(),
        Origin::Login(path) | Origin::Embedded(path) => path.display().to_string(),
    };
    let tenant = context.tenant().or(powers.tenant());
    tell(context.json, &context.url, tenant, &powers, &origin)
}

fn tell(
    is_json: bool,
    url: &str,
    tenant: Option<&str>,
    powers: &Powers,
    from: &str,
) -> CommandResult {
    let whole = json!({"url": url, "tenant": tenant, "key": powers.word(), "from": from});
    if is_json {
        return print_json_text(&whole.to_string());
    }
    print(&fields(&[
        ("server", plain(url)),
        ("tenant", show(tenant)),
        ("key", powers.words()),
        ("from", plain(from)),
    ]))
}
