//! `endpoints`: where events go. A secret is printed once, when it is made.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use waxseal_api_types::endpoint::{EndpointAuth, Rotation, ShownSecret};
use waxseal_api_types::{self as api, CreatedEndpoint, Endpoint, EndpointChanges, NewEndpoint};

use super::confirm::{Confirm, confirm};
use super::context::{Context, escape, filled};
use super::deliveries::list_failures;
use super::draft::{Draft, Secret};
use super::failure::{CommandResult, Failure};
use super::output::{join, plain, print, show, time};
use super::page::{Page, list};
use super::table::{fields, state};
use super::test_event::{self, Test};
use crate::client::Call;

/// What to do with endpoints.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// All endpoints of the tenant, newest first.
    List(Page),
    /// An endpoint, its breaker included.
    Get(EndpointName),
    /// Make an endpoint, ping it, and print its secret: this once.
    #[command(after_long_help = CREATE_EXAMPLES)]
    Create(Box<Create>),
    /// Change an endpoint: only what is said.
    Update(Box<Update>),
    /// Delete an endpoint; what it is still owed is never sent.
    Delete {
        #[command(flatten)]
        named: EndpointName,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Send to it again.
    Enable(EndpointName),
    /// Send nothing to it.
    Disable(EndpointName),
    /// Keep what it wants, and send nothing, until it is resumed.
    Pause(EndpointName),
    /// Send what was kept, at a bounded rate, and what comes.
    Resume(EndpointName),
    /// Send a test event and show what came back.
    Test(Test),
    /// Make a new secret; the one before signs too, until the overlap ends.
    RotateSecret {
        #[command(flatten)]
        named: EndpointName,
        #[command(flatten)]
        secret: Secret,
        /// Seconds for which both sign: 120 to 2592000, a day if not said.
        #[arg(long, value_name = "SECONDS")]
        overlap_s: Option<u32>,
    },
    /// Its failed deliveries, and why.
    Failures {
        #[command(flatten)]
        named: EndpointName,
        #[command(flatten)]
        page: Page,
    },
}

const CREATE_EXAMPLES: &str = "Examples:
  waxseal endpoints create --url https://example.com/hooks --event-types 'dlp.*' --min-severity high
  waxseal endpoints create --url https://example.com/hooks --profile github --header x-team=security
  waxseal endpoints create --url https://example.com/hooks --filter '{\"data\": {\"region\": [\"eu\"]}}'
  waxseal endpoints create --url https://example.com/hooks --filter @pattern.json --json | jq -r .secret

Here --url is the endpoint's: the server's is --server.

Exit codes: 0 done; 1 refused; 2 usage; 3 not authorised; 4 not found; 5 the server or the network failed.";

/// Names the endpoint that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct EndpointName {
    /// The endpoint's id, ep_….
    #[arg(value_name = "ENDPOINT")]
    pub(crate) id: String,
}

/// What a new endpoint is to be, and how it is made.
#[derive(Args, Clone, Debug)]
pub(crate) struct Create {
    /// Where events go: https, or the ARN of a queue or bus.
    #[arg(id = "endpoint_url", long = "url", value_name = "URL")]
    url: String,
    /// Create the endpoint disabled, so that it gets nothing until it is enabled.
    #[arg(long)]
    disabled: bool,
    /// Send no test event to the new endpoint.
    #[arg(long)]
    no_ping: bool,
    /// Makes a repetition of this command find what the first has made.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    draft: Draft,
    #[command(flatten)]
    secret: Secret,
    /// Leave its deliveries unsigned, where the profile allows it.
    #[arg(long, conflicts_with_all = ["secret_file", "algorithm"], help_heading = "Secret")]
    unsigned: bool,
    #[command(flatten)]
    server: Server,
}

/// What of an endpoint is to change.
#[derive(Args, Clone, Debug)]
pub(crate) struct Update {
    #[command(flatten)]
    named: EndpointName,
    /// Where events go: https, or the ARN of a queue or bus.
    #[arg(id = "endpoint_url", long = "url", value_name = "URL")]
    url: Option<String>,
    /// Take members back to their defaults: filter, headers, max_per_second, … Between commas.
    #[arg(long, value_name = "MEMBERS", value_delimiter = ',')]
    unset: Vec<String>,
    #[command(flatten)]
    draft: Draft,
    #[command(flatten)]
    server: Server,
}

/// Stands in place of the connection's `--url`, which is the endpoint's here: of the same id, so that
/// its value is the connection's.
#[derive(Args, Clone, Debug)]
pub(crate) struct Server {
    /// The URL of the server that is asked.
    #[arg(
        id = "server",
        long = "server",
        value_name = "URL",
        env = "WAXSEAL_URL",
        value_parser = filled("WAXSEAL_URL"),
        help_heading = "Server and output"
    )]
    _url: Option<String>,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        match self {
            Self::List(page) => list_all(context, page).await,
            Self::Get(named) => {
                context.send_and_show(&Call::get(named.path(context, "")?), describe).await
            }
            Self::Create(create) => create.run(context).await,
            Self::Update(update) => update.run(context).await,
            Self::Delete { named, confirm: given } => {
                confirm(*given, &format!("Delete endpoint {}?", named.id))?;
                delete(context, named).await
            }
            Self::Enable(named) => switch(context, named, "enable").await,
            Self::Disable(named) => switch(context, named, "disable").await,
            Self::Pause(named) => patch(context, named, pause_members(true)).await,
            Self::Resume(named) => patch(context, named, pause_members(false)).await,
            Self::Test(test) => test.run(context).await,
            Self::RotateSecret { named, secret, overlap_s } => {
                rotate(context, named, secret, *overlap_s).await
            }
            Self::Failures { named, page } => list_failures(context, &named.id, page).await,
        }
    }
}

impl EndpointName {
    /// Makes a path under the endpoint's; `rest` is not escaped.
    pub(crate) fn path(&self, context: &Context, rest: &str) -> Result<String, Failure> {
        context.path(&format!("/endpoints/{}{rest}", escape(&self.id)))
    }
}

async fn list_all(context: &Context, page: &Page) -> CommandResult {
    let titles = ["ID", "STATE", "HEALTH", "PROFILE", "EVENT TYPES", "NAME", "URL"];
    list(context, &context.path("/endpoints")?, page, &titles, "No endpoints.", row).await
}

fn row(endpoint: &Endpoint) -> Vec<String> {
    vec![
        plain(&endpoint.id),
        state(state_word(endpoint)),
        state(endpoint.health.as_str()),
        plain(&endpoint.profile),
        join(&endpoint.event_types),
        show(endpoint.name.as_ref()),
        plain(&endpoint.url),
    ]
}

fn state_word(endpoint: &Endpoint) -> &'static str {
    match (endpoint.enabled, endpoint.paused) {
        (false, _) => "disabled",
        (true, true) => "paused",
        (true, false) => "enabled",
    }
}

/// Lays an endpoint out for people.
fn describe(endpoint: &Endpoint) -> String {
    // Every member by its name: one that is answered and neither shown nor left out on purpose does not
    // compile.
    let Endpoint {
        id,
        tenant: _,
        url,
        name,
        event_types,
        filter,
        min_severity,
        risk_score_above,
        outcomes,
        profile,
        signed,
        secrets: _,
        public_key,
        retry,
        timeout_ms,
        max_per_second,
        max_concurrency,
        headers,
        auth,
        enabled: _,
        paused: _,
        paused_at: _,
        disabled_reason,
        health,
        breaker,
        recent_failures: _,
        created_at,
        updated_at,
    } = endpoint;
    let delays: Vec<String> = retry.delays_s.iter().map(|seconds| format!("{seconds} s")).collect();
    let header_text =
        if headers.is_empty() { String::new() } else { plain(&json!(headers).to_string()) };
    fields(&[
        ("id", plain(id)),
        ("name", show(name.as_ref())),
        ("url", plain(url)),
        ("state", state(state_word(endpoint))),
        ("disabled because", show(*disabled_reason)),
        ("health", state(health.as_str())),
        ("breaker", breaker.map(|breaker| state(breaker.as_str())).unwrap_or_default()),
        ("event types", join(event_types)),
        ("filter", show(filter.as_ref().map(|filter| filter.get()))),
        ("severity from", show(*min_severity)),
        ("risk score above", show(*risk_score_above)),
        ("outcomes", join(outcomes)),
        ("profile", plain(profile)),
        ("signed", signed.to_string()),
        ("public key", show(public_key.as_ref())),
        ("headers", header_text),
        ("authenticates by", show(auth.as_ref().map(EndpointAuth::kind))),
        ("retries after", delays.join(", ")),
        ("time-out", format!("{timeout_ms} ms")),
        ("at most a second", show(*max_per_second)),
        ("at most at once", show(*max_concurrency)),
        ("created", time(created_at)),
        ("updated", time(updated_at)),
    ])
}

impl Create {
    async fn run(&self, context: &Context) -> CommandResult {
        let changes = EndpointChanges {
            url: Some(self.url.clone()),
            enabled: self.disabled.then_some(false),
            ..self.draft.changes()?
        };
        let secret = if self.unsigned { Some(None) } else { self.secret.read()?.map(Some) };
        let request = NewEndpoint { changes, secret, algorithm: self.secret.algorithm() };
        let query = if self.no_ping { "?ping=false" } else { "" };
        let path = context.path(&format!("/endpoints{query}"))?;
        let key = self.idempotency_key.iter();
        let call = Call {
            headers: key.map(|key| ("idempotency-key".to_owned(), key.clone())).collect(),
            repeatable: self.idempotency_key.is_some(),
            ..Call::request(path, &request)
        };
        context.send_and_show(&call, describe_created).await
    }
}

fn describe_created(created: &CreatedEndpoint) -> String {
    let ping = match &created.ping {
        Some(ping) => format!("\n\nPing:\n{}", test_event::describe(ping)),
        None => String::new(),
    };
    let endpoint = describe(&created.endpoint);
    format!(
        "{endpoint}\n\n{}{ping}",
        describe_secret(&created.shown, created.endpoint.public_key.as_ref())
    )
}

/// Says the secret, and that it is shown this once.
fn describe_secret(shown_secret: &ShownSecret, public_key: Option<&String>) -> String {
    let Some(secret) = &shown_secret.secret else {
        return "Its deliveries are not signed.".to_owned();
    };
    let others = fields(&[
        ("of Standard Webhooks' headers", show(shown_secret.standard_secret.as_ref())),
        ("public key", show(public_key)),
    ]);
    let other_lines = if others.is_empty() { others } else { format!("\n{others}") };
    format!("Secret, shown this once: keep it now.\n  {}{other_lines}", plain(secret))
}

impl Update {
    async fn run(&self, context: &Context) -> CommandResult {
        let mut members =
            members_of(&EndpointChanges { url: self.url.clone(), ..self.draft.changes()? });
        // Null takes a member back to its default: which members can be, the server says.
        for name in &self.unset {
            let twice = members.insert(name.clone(), Value::Null).is_some();
            if twice {
                return Err(Failure::Usage(format!("--unset {name}, and a value for it")));
            }
        }
        if members.is_empty() {
            return Err(Failure::Usage("nothing to change was said".to_owned()));
        }
        patch(context, &self.named, members).await
    }
}

fn members_of(changes: &EndpointChanges) -> Map<String, Value> {
    json!(changes).as_object().cloned().unwrap_or_default()
}

fn pause_members(is_paused: bool) -> Map<String, Value> {
    members_of(&EndpointChanges { paused: Some(is_paused), ..EndpointChanges::default() })
}

async fn patch(
    context: &Context,
    named: &EndpointName,
    members: Map<String, Value>,
) -> CommandResult {
    let call = Call {
        method: "PATCH",
        repeatable: true,
        ..Call::post(named.path(context, "")?, Value::Object(members).to_string())
    };
    context.send_and_show(&call, describe).await
}

async fn delete(context: &Context, named: &EndpointName) -> CommandResult {
    let call = Call { method: "DELETE", ..Call::get(named.path(context, "")?) };
    context.send(&call).await?;
    if context.json { Ok(()) } else { print(&format!("Deleted {}.", named.id)) }
}

async fn switch(context: &Context, named: &EndpointName, action: &str) -> CommandResult {
    let path = named.path(context, &format!("/{action}"))?;
    let call = Call { repeatable: true, ..Call::post(path, String::new()) };
    context
        .send_and_show(&call, |endpoint: &Endpoint| {
            format!("{} is {}.", plain(&endpoint.id), state_word(endpoint))
        })
        .await
}

async fn rotate(
    context: &Context,
    named: &EndpointName,
    secret: &Secret,
    overlap_s: Option<u32>,
) -> CommandResult {
    let request = Rotation {
        secret: secret.read()?,
        algorithm: secret.algorithm(),
        overlap_s: overlap_s.map(u64::from),
    };
    let call = Call::request(named.path(context, "/rotate-secret")?, &request);
    context
        .send_and_show(&call, |rotated: &api::endpoint::Secret| {
            let until = time(&rotated.overlap_until);
            format!(
                "{}\nThe one before signs too until {until}.",
                describe_secret(&rotated.shown, rotated.public_key.as_ref())
            )
        })
        .await
}
