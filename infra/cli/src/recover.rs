//! `recover`: what failed or went missing since a time, sent again or only counted. The server does a
//! part at a time; the cursor is followed to the end.

use clap::{Args, ValueEnum};
use serde_json::json;
use waxseal_adapters::clock::SystemClock;
use waxseal_api_types::endpoint::{NewRecovery, Recovery, RecoveryScope};
use waxseal_flows::ports::Clock as _;

use super::context::{Context, read};
use super::endpoints::EndpointName;
use super::failure::CommandResult;
use super::output::print;
use super::progress;
use super::since::{FORMS, Since};
use crate::client::Call;

/// Which deliveries are to be sent again, and of which time.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Recover {
    #[command(flatten)]
    named: EndpointName,
    /// The time from which deliveries are sent again.
    #[arg(long, value_name = "TIME", help = format!("From when: {FORMS}"))]
    since: Since,
    /// Until when; now if not said.
    #[arg(long, value_name = "TIME")]
    until: Option<Since>,
    /// Which: those that failed, those that never were, or both.
    #[arg(long, value_enum, default_value_t)]
    which: Which,
    /// Count the deliveries, and send none of them again.
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "Examples:
  waxseal recover ep_3v9 --since 2h --dry-run
  waxseal recover ep_3v9 --since 2026-11-21T10:00:00Z --which all

With --json, one object for the whole: {\"deliveries\", \"dry_run\", \"cursor\": null}.

Exit codes: 0 done; 1 refused; 2 usage; 3 not authorised; 4 not found; 5 the server or the network failed.";

/// Which deliveries of an endpoint are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// Deliveries that ended as failed.
    #[default]
    Failed,
    /// Those of events that came before the endpoint wanted them.
    Missing,
    /// Deliveries of either kind.
    All,
}

impl Which {
    fn of_api(self) -> RecoveryScope {
        match self {
            Self::Failed => RecoveryScope::Failed,
            Self::Missing => RecoveryScope::Missing,
            Self::All => RecoveryScope::All,
        }
    }
}

impl Recover {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        // Said once: each part must be of the same stretch of time.
        let now = SystemClock.now();
        let until = self.until.unwrap_or(Since::At(now)).before(now).rfc3339();
        let mut request = NewRecovery {
            since: self.since.before(now).rfc3339(),
            until: Some(until),
            which: Some(self.which.of_api()),
            dry_run: Some(self.dry_run),
            cursor: None,
        };
        let path = self.named.path(context, "/recover")?;
        let (mut sum, counter) = (0, progress::counter("deliveries"));
        loop {
            let call = Call { repeatable: self.dry_run, ..Call::request(path.clone(), &request) };
            let part: Recovery = read(&context.send(&call).await?)?;
            sum += u64::from(part.deliveries);
            counter.set_position(sum);
            request.cursor = part.cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        counter.finish_and_clear();
        self.tell(context, sum)
    }

    fn tell(&self, context: &Context, sum: u64) -> CommandResult {
        if context.json {
            let whole = json!({"deliveries": sum, "dry_run": self.dry_run, "cursor": null});
            return context.print(&whole.to_string());
        }
        let deliveries = if sum == 1 { "delivery" } else { "deliveries" };
        print(&if self.dry_run {
            format!("{sum} {deliveries} would be sent again.")
        } else {
            format!("{sum} {deliveries} queued again.")
        })
    }
}
