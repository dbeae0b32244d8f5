//! `match`: which stored events an endpoint would get, or a draft of one, with the bodies that it would.

use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};

use super::context::{Context, escape};
use super::draft::Draft;
use super::failure::Outcome;
use super::output::{array, member, time};
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
    pub(crate) async fn run(&self, context: &Context) -> Outcome {
        let mut members = self.members.members()?;
        members.extend(self.url.as_ref().map(|url| ("url".to_owned(), json!(url))));
        members.extend(self.limit.map(|limit| ("limit".to_owned(), json!(limit))));
        let path = match &self.endpoint {
            Some(id) => context.path(&format!("/endpoints/{}/match", escape(id)))?,
            None => context.path("/endpoints/match")?,
        };
        context.send_and_show(&make_call(path, members), describe).await
    }
}

/// It changes nothing, so it may be made again.
fn make_call(path: String, members: Map<String, Value>) -> Call {
    Call { repeatable: true, ..Call::post(path, Value::Object(members).to_string()) }
}

fn describe(answer: &Value) -> String {
    let mut table = Table::new(&["MATCHED", "TIME", "EVENT", "TYPE", "BYTES", "DETAIL"]);
    for item in array(answer, "items") {
        let is_matched = item.get("matched").and_then(Value::as_bool) == Some(true);
        table.row(vec![
            state(if is_matched { "yes" } else { "no" }),
            time(item, "time"),
            member(item, "event_id"),
            member(item, "type"),
            member(item, "bytes"),
            member(item, "detail"),
        ]);
    }
    let (matched, examined) = (member(answer, "matched"), member(answer, "examined"));
    format!("{}\n\n{matched} of {examined} events match.", table.text("No events."))
}
