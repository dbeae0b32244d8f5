//! `test`: one signed test event, sent now; whatever came of it is shown.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::body;
use super::context::{Context, value};
use super::endpoints::Named;
use super::failure::{Failure, Outcome};
use super::output::{member, plain, text};
use super::table::{fields, state};
use crate::client::Call;

/// A test event.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Test {
    #[command(flatten)]
    named: Named,
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

#[derive(Serialize)]
struct Body {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

impl Test {
    pub(crate) async fn run(&self, context: &Context) -> Outcome {
        let data = self.data.as_ref().map(|data| body::raw("--data", data)).transpose()?;
        let body = Body { event_type: self.event_type.clone(), data };
        let body =
            serde_json::to_string(&body).map_err(|error| Failure::Usage(error.to_string()))?;
        let path = self.named.path(context, "/test")?;
        let answer = context.send(&Call::post(path, body)).await?;
        context.show(&answer, describe)?;
        if text(&value(&answer)?, "outcome") == "accepted" { Ok(()) } else { Err(Failure::Said) }
    }
}

/// What a test event came to, for people.
pub(crate) fn describe(result: &Value) -> String {
    let response = result.get("response").filter(|response| response.is_object());
    let handshake = result.get("handshake").map(|handshake| member(handshake, "allowed"));
    let mut shown = fields(&[
        ("outcome", state(text(result, "outcome"))),
        ("detail", member(result, "detail")),
        ("status", response.map(|response| member(response, "status")).unwrap_or_default()),
        ("time", format!("{} ms", member(result, "duration_ms"))),
        ("delivery", member(result, "delivery_id")),
        ("handshake allowed", handshake.unwrap_or_default()),
    ]);
    shown.push_str(&block("Request headers", result.get("request_headers")));
    if let Some(response) = response {
        shown.push_str(&block("Response headers", response.get("headers")));
        let lines: Vec<String> = text(response, "body").lines().map(plain).collect();
        if !lines.is_empty() {
            shown.extend(["\nResponse body\n  ", &lines.join("\n  ")]);
        }
    }
    shown
}

/// Headers under a title; nothing where there are none.
fn block(title: &str, headers: Option<&Value>) -> String {
    let headers = headers.and_then(Value::as_object).filter(|headers| !headers.is_empty());
    let Some(headers) = headers else { return String::new() };
    let line = |(name, value): (&String, &Value)| {
        format!("\n  {}: {}", plain(name), plain(value.as_str().unwrap_or_default()))
    };
    let lines: String = headers.iter().map(line).collect();
    format!("\n{title}{lines}")
}
