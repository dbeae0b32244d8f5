//! `test`: one signed test event, sent now; whatever came of it is shown.

use std::collections::BTreeMap;

use clap::Args;
use waxseal_api_types as api;
use waxseal_api_types::endpoint::{NewTest, TestResult};

use super::body;
use super::context::{Context, read};
use super::endpoints::EndpointName;
use super::failure::{CommandResult, Failure};
use super::output::{plain, show};
use super::table::{fields, state};
use crate::client::Call;

/// The test event that is to be sent, and the endpoint that gets it.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Test {
    #[command(flatten)]
    named: EndpointName,
    /// Its type; of the profile's catalogue it comes with that example's data.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Its data: JSON, @file or -.
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
}

const EXAMPLES: &str = "Examples:
  waxseal test ep_3v9 --type dlp.pii_blocked --data '{\"entity_types\": [\"IBAN\"]}'
  waxseal test ep_3v9 --json | jq .response.status

Exit codes: 0 accepted; 1 not accepted; 2 usage; 3 not authorised; 4 not found; 5 the server or the network failed.";

impl Test {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let data = self.data.as_ref().map(|data| body::raw("--data", data)).transpose()?;
        let request = NewTest { event_type: self.event_type.clone(), data };
        let call = Call::request(self.named.path(context, "/test")?, &request);
        let answer = context.send(&call).await?;
        context.show(&answer, describe)?;
        let result: TestResult = read(&answer)?;
        if result.outcome == api::Outcome::Accepted { Ok(()) } else { Err(Failure::Said) }
    }
}

/// What a test event came to, for people.
pub(crate) fn describe(result: &TestResult) -> String {
    let response = result.response.as_ref();
    let mut text = fields(&[
        ("outcome", state(result.outcome.as_str())),
        ("detail", show(result.detail.as_ref())),
        ("status", show(response.map(|response| response.status))),
        ("time", format!("{} ms", result.duration_ms)),
        ("delivery", plain(&result.delivery_id)),
        ("handshake allowed", show(result.handshake.as_ref().map(|answer| answer.allowed))),
    ]);
    text.push_str(&block("Request headers", &result.request_headers));
    if let Some(response) = response {
        text.push_str(&block("Response headers", &response.headers));
        let lines: Vec<String> = response.body.lines().map(plain).collect();
        if !lines.is_empty() {
            text.extend(["\nResponse body\n  ", &lines.join("\n  ")]);
        }
    }
    text
}

/// Headers under a title; nothing where there are none.
fn block(title: &str, headers: &BTreeMap<String, String>) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{title}");
    for (name, value) in headers {
        text.extend(["\n  ", &plain(name), ": ", &plain(value)]);
    }
    text
}
