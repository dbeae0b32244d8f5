//! `match`: which stored events an endpoint would get, or a draft of one, with the bodies that it would.

use clap::{ArgGroup, Args};
use waxseal_api_types::EndpointChanges;
use waxseal_api_types::endpoint::{MatchChanges, MatchResult};

use super::context::{Context, escape};
use super::draft::Draft;
use super::failure::CommandResult;
use super::output::{plain, show, time};
use super::table::{Table, state};
use crate::client::Call;

/// The endpoint, or the draft of one, that is matched, and with how many events.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(group(ArgGroup::new("which").required(true).args(["endpoint", "draft"])))]
pub(crate) struct Match {
    /// The endpoint's id; the flags below say what to change of it, for this answer alone.
    #[arg(value_name = "ENDPOINT")]
    endpoint: Option<String>,
    /// A draft, by the flags below: nothing is made.
    #[arg(long = "draft", id = "draft")]
    is_draft: bool,
    /// Where its events would go.
    #[arg(id = "endpoint_url", long = "endpoint-url", value_name = "URL")]
    url: Option<String>,
    /// How many of the newest events to look at.
    #[arg(long, value_name = "N")]
    limit: Option<u16>,
    #[command(flatten)]
    members: Draft,
}

const EXAMPLES: &str = "Examples:
  waxseal match ep_3v9
  waxseal match ep_3v9 --min-severity critical
  waxseal match --draft --event-types 'dlp.*' --min-severity high --profile github --limit 50 --json";

impl Match {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let changes = EndpointChanges { url: self.url.clone(), ..self.members.changes()? };
        let request = MatchChanges { limit: self.limit, changes };
        let path = match &self.endpoint {
            Some(id) => context.path(&format!("/endpoints/{}/match", escape(id)))?,
            None => context.path("/endpoints/match")?,
        };
        // It changes nothing, so it may be made again.
        let call = Call { repeatable: true, ..Call::request(path, &request) };
        context.send_and_show(&call, describe).await
    }
}

fn describe(answer: &MatchResult) -> String {
    let mut table = Table::new(&["MATCHED", "TIME", "EVENT", "TYPE", "BYTES", "DETAIL"]);
    for item in &answer.items {
        table.row(vec![
            state(if item.matched { "yes" } else { "no" }),
            time(&item.time),
            plain(&item.event_id),
            plain(&item.event_type),
            show(item.bytes),
            show(item.detail.as_ref()),
        ]);
    }
    let MatchResult { matched, examined, .. } = answer;
    format!("{}\n\n{matched} of {examined} events match.", table.text("No events."))
}
