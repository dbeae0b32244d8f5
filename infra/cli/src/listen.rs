//! `listen`: forwards a tenant's events to a port of this machine, as the server would send them.
//!
//! It reads the feed of stored events, chooses by the same subscription, and renders and signs by the same rules as
//! the server, with a secret of its own. Nothing is made or changed at the server, nothing is stored on this
//! machine, and no tunnel leads to it.

mod sender;
mod session;

use std::time::Duration;

use clap::Args;
use serde_json::json;
use waxseal_adapters::clock::SystemClock;
use waxseal_domain::delivery::attempt::SendResult;
use waxseal_domain::event::Event;
use waxseal_flows::ports::Clock as _;

use self::session::Session;
use super::context::{Context, filled};
use super::draft::parse_header;
use super::failure::CommandResult;
use super::feed::Feed;
use super::filter::EventChoice;
use super::output::{plain, print, say};
use super::since::{FORMS, Since};
use super::stop::until_stopped;
use super::table::state;

/// What to forward, where to, and how.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Listen {
    /// Where to: a URL of this machine.
    #[arg(long, value_name = "URL", value_parser = read_url)]
    forward_to: http::Uri,
    /// As this endpoint would get them: its event types, filter, profile and headers; not its `auth`, nor
    /// headers whose values no answer shows.
    #[arg(long, value_name = "ENDPOINT",
          conflicts_with_all = ["event_types", "filter", "min_severity", "risk_score_above", "outcome", "profile", "header"])]
    endpoint: Option<String>,
    /// The secret to sign with; a new one is made and printed if not said.
    #[arg(long, env = "WAXSEAL_LISTEN_SECRET", hide_env_values = true, value_parser = filled("WAXSEAL_LISTEN_SECRET"))]
    secret: Option<String>,
    /// The time from which events are wanted.
    #[arg(long, value_name = "TIME",
          help = format!("From when; only events that come from now on if not said. It is {FORMS}"))]
    since: Option<Since>,
    /// Forward to other machines too.
    #[arg(long)]
    allow_any: bool,
    /// Milliseconds from one look for new events to the next.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    every_ms: u64,
    #[command(flatten)]
    wanted: EventChoice,
    /// The wire contract; standard if not said.
    #[arg(long, help_heading = "How it is sent")]
    profile: Option<String>,
    /// A header of every delivery. Repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_header, help_heading = "How it is sent")]
    header: Vec<(String, String)>,
}

const EXAMPLES: &str = "Examples:
  waxseal listen --forward-to http://localhost:3000/hooks
  waxseal listen --forward-to http://localhost:3000/hooks --endpoint ep_3v9 --since 1h
  waxseal listen --forward-to http://localhost:3000/hooks --event-types 'dlp.*' --profile github

Each event is sent once: what fails is printed, and not tried again. Ctrl-C ends it with 0.";

fn read_url(text: &str) -> Result<http::Uri, String> {
    let url = text.parse::<http::Uri>().ok();
    let is_whole = |url: &http::Uri| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.host().is_some_and(|host| !host.is_empty())
    };
    url.filter(is_whole).ok_or("must be a URL, as http://localhost:3000/hooks".to_owned())
}

impl Listen {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        until_stopped(self.follow(context)).await
    }

    async fn follow(&self, context: &Context) -> CommandResult {
        let session = Session::open(self, context).await?;
        let since = self.since.map(|since| since.before(SystemClock.now()));
        let mut feed = Feed::open(context, since, Duration::from_millis(self.every_ms)).await?;
        self.greet(context, &session)?;
        loop {
            for listed in feed.next().await? {
                let Some(event) = session.read_wanted(&listed.raw)? else { continue };
                let (id, sent) = session.forward(&event).await?;
                context.print(&line(context, &event, &id, &sent))?;
            }
        }
    }

    fn greet(&self, context: &Context, session: &Session) -> CommandResult {
        let (secret, profile) = (session.secret.as_str(), session.profile_name());
        if context.json {
            let to = self.forward_to.to_string();
            let head = json!({"secret": secret, "standard_secret": session.standard_secret,
                "public_key": session.public_key, "profile": profile, "forward_to": to});
            context.print(&head.to_string())?;
        } else {
            print(&format!("Secret of this session: {secret}"))?;
            if let Some(standard) = &session.standard_secret {
                print(&format!("Of Standard Webhooks' headers: {standard}"))?;
            }
            if let Some(public) = &session.public_key {
                print(&format!("Public key: {public}"))?;
            }
        }
        say(&format!("waxseal: forwarding to {} as {profile}; Ctrl-C ends it", self.forward_to));
        Ok(())
    }
}

/// What is printed of an attempt.
fn line(context: &Context, event: &Event, id: &str, sent: &SendResult) -> String {
    let status = sent.response.as_ref().map(|response| response.status);
    let ms = sent.ended_at.since_ms(sent.started_at);
    if context.json {
        let whole = json!({"time": sent.ended_at.rfc3339(), "type": event.event_type, "event_id": event.id,
            "delivery_id": id, "outcome": sent.outcome, "status": status, "duration_ms": ms, "detail": sent.detail});
        return whole.to_string();
    }
    let ended_at = sent.ended_at.rfc3339();
    let time_of_day = ended_at.get(11..19).unwrap_or_default();
    let status_text = status.map_or_else(|| "---".to_owned(), |status| status.to_string());
    let detail = plain(sent.detail.as_deref().unwrap_or_default());
    let (kind, outcome) = (plain(&event.event_type), state(sent.outcome.as_str()));
    format!(
        "{time_of_day}  {status_text}  {ms:>5} ms  {kind:<28}  {}  {outcome}  {detail}",
        event.id
    )
    .trim_end()
    .to_owned()
}
