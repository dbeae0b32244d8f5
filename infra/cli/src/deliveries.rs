//! `deliveries`: what was sent, when, and what came back; replay and cancel.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::context::{Context, escape};
use super::failure::{Failure, Outcome};
use super::output::{array, member, text, time};
use super::page::{Page, list};
use super::table::{Table, fields, state};
use crate::client::Call;

/// What to do with deliveries.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// An endpoint's deliveries, newest first; those that succeeded at first are shown with their events.
    List {
        /// The endpoint's id.
        #[arg(long, value_name = "ENDPOINT")]
        endpoint: String,
        /// Only those of this status.
        #[arg(long, value_parser = ["pending", "retrying", "delivered", "failed", "cancelled"])]
        status: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// A delivery with its attempts.
    Get(One),
    /// Send it no more.
    Cancel(One),
}

/// Names a delivery.
#[derive(Args, Clone, Debug)]
pub(crate) struct One {
    /// The delivery's id, dlv_….
    #[arg(value_name = "DELIVERY")]
    id: String,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> Outcome {
        match self {
            Self::List { endpoint, status, page } => {
                let path = list_path(context, endpoint, status.as_deref())?;
                let titles = ["ID", "STATUS", "ATTEMPTS", "RECEIVED", "NEXT ATTEMPT", "REASON"];
                list(context, &path, page, (&titles, "No deliveries."), row).await
            }
            Self::Get(one) => {
                context.send_and_show(&Call::get(one.path(context, "")?), describe).await
            }
            Self::Cancel(one) => one.act(context, "cancel").await,
        }
    }
}

impl One {
    fn path(&self, context: &Context, rest: &str) -> Result<String, Failure> {
        context.path(&format!("/deliveries/{}{rest}", escape(&self.id)))
    }

    /// Asks the server to send the delivery again.
    pub(crate) async fn replay(&self, context: &Context) -> Outcome {
        self.act(context, "replay").await
    }

    async fn act(&self, context: &Context, action: &str) -> Outcome {
        let call = Call::post(self.path(context, &format!("/{action}"))?, String::new());
        context
            .send_and_show(&call, |delivery| {
                format!("{} is {}.", member(delivery, "id"), state(text(delivery, "status")))
            })
            .await
    }
}

fn list_path(context: &Context, endpoint: &str, status: Option<&str>) -> Result<String, Failure> {
    let query = status.map(|status| format!("?status={status}")).unwrap_or_default();
    context.path(&format!("/endpoints/{}/deliveries{query}", escape(endpoint)))
}

fn row(delivery: &Value) -> Vec<String> {
    vec![
        member(delivery, "id"),
        state(text(delivery, "status")),
        member(delivery, "attempt_count"),
        time(delivery, "event_received_at"),
        time(delivery, "next_attempt_at"),
        member(delivery, "reason"),
    ]
}

fn describe(delivery: &Value) -> String {
    let head = fields(&[
        ("id", member(delivery, "id")),
        ("status", state(text(delivery, "status"))),
        ("reason", member(delivery, "reason")),
        ("overdue", member(delivery, "overdue")),
        ("event", member(delivery, "event_id")),
        ("endpoint", member(delivery, "endpoint_id")),
        ("received", time(delivery, "event_received_at")),
        ("next attempt", time(delivery, "next_attempt_at")),
    ]);
    let mut table = Table::new(&["#", "STARTED", "TIME", "OUTCOME", "STATUS", "DETAIL"]);
    for attempt in array(delivery, "attempts") {
        table.row(vec![
            member(attempt, "number"),
            time(attempt, "started_at"),
            format!("{} ms", member(attempt, "duration_ms")),
            state(text(attempt, "outcome")),
            member(attempt, "response_status"),
            explain(attempt),
        ]);
    }
    format!("{head}\n\n{}", table.text("No attempts yet."))
}

/// Says why there was no answer, or what the answer began with.
fn explain(attempt: &Value) -> String {
    let detail = member(attempt, "detail");
    if detail.is_empty() { member(attempt, "response_excerpt") } else { detail }
}

/// Lists an endpoint's failed deliveries, with what the last attempt of each came to.
pub(crate) async fn list_failures(context: &Context, endpoint: &str, page: &Page) -> Outcome {
    let path = list_path(context, endpoint, Some("failed"))?;
    let titles = ["ID", "RECEIVED", "REASON", "ATTEMPTS", "OUTCOME", "STATUS", "DETAIL"];
    list(context, &path, page, (&titles, "No failed deliveries."), |delivery| {
        let last = array(delivery, "attempts").last().cloned().unwrap_or_default();
        vec![
            member(delivery, "id"),
            time(delivery, "event_received_at"),
            member(delivery, "reason"),
            member(delivery, "attempt_count"),
            state(text(&last, "outcome")),
            member(&last, "response_status"),
            explain(&last),
        ]
    })
    .await
}
