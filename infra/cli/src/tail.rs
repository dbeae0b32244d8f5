//! `events tail`: events as they come, a line each.

use std::time::Duration;

use clap::Args;
use waxseal_adapters::clock::SystemClock;
use waxseal_api_types::event::{EventMembers, Severity};
use waxseal_flows::ports::Clock as _;

use super::context::Context;
use super::failure::CommandResult;
use super::feed::{Feed, ListedEvent};
use super::output::{plain, say, show, time_if_any};
use super::since::{FORMS, Since};
use super::stop::until_stopped;

/// What to print, and how long.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Tail {
    /// The time from which events are wanted.
    #[arg(long, value_name = "TIME",
          help = format!("From when; only events that come from now on if not said. It is {FORMS}"))]
    since: Option<Since>,
    /// End after so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// End after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout_s: Option<u64>,
    /// Milliseconds from one look for new events to the next.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    every_ms: u64,
}

const EXAMPLES: &str = "Examples:
  waxseal events tail
  waxseal events tail --since 10m --limit 1 --timeout-s 60
  waxseal events tail --json | jq 'select(.severity == \"critical\")'

With --json each event is a line. Ctrl-C and --timeout-s end it with 0.";

impl Tail {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let ended = async {
            tokio::select! {
                done = self.follow(context) => done,
                () = after(self.timeout_s) => Ok(()),
            }
        };
        until_stopped(ended).await
    }

    async fn follow(&self, context: &Context) -> CommandResult {
        let since = self.since.map(|since| since.before(SystemClock.now()));
        let mut feed = Feed::open(context, since, Duration::from_millis(self.every_ms)).await?;
        say("waxseal: waiting for events; Ctrl-C ends it");
        let mut left = self.limit.unwrap_or(usize::MAX);
        while left > 0 {
            let listed = feed.next().await?;
            for one in listed.iter().take(left) {
                context.print(&line(context, one))?;
            }
            left = left.saturating_sub(listed.len());
        }
        Ok(())
    }
}

fn line(context: &Context, listed: &ListedEvent) -> String {
    if context.json {
        return listed.raw.get().to_owned();
    }
    let Ok(event) = serde_json::from_str::<EventMembers>(listed.raw.get()) else {
        return "an event that cannot be read: is the server a newer one?".to_owned();
    };
    let (at, summary) = (time_if_any(event.received_at.as_ref()), show(event.summary.as_ref()));
    let (id, kind) = (plain(&event.id), plain(&event.event_type));
    let severity = event.severity.map(Severity::as_str).unwrap_or_default();
    format!("{at}  {severity:<8}  {kind:<28}  {id}  {summary}").trim_end().to_owned()
}

/// Never, where no time is said.
async fn after(seconds: Option<u64>) {
    match seconds {
        Some(seconds) => SystemClock.sleep_until(SystemClock.now().plus_s(seconds)).await,
        None => std::future::pending().await,
    }
}
