//! `deliveries`: what was sent, when, and what came back; replay and cancel.

use clap::{Args, Subcommand};
use waxseal_api_types::{Attempt, Delivery, DeliveryStatus};

use super::context::{Context, escape};
use super::failure::{CommandResult, Failure};
use super::output::{plain, show, time, time_if_any};
use super::page::{Page, list};
use super::table::{Table, fields, state};
use crate::client::Call;

/// What to do with deliveries.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// An endpoint's deliveries, newest first; those that succeeded at first are shown with their events.
    List {
        /// The id of the endpoint, ep_….
        #[arg(long, value_name = "ENDPOINT")]
        endpoint: String,
        /// Only those of this status.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(DeliveryStatus::WORDS))]
        status: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// A delivery with its attempts.
    Get(One),
    /// Send it no more.
    Cancel(One),
}

/// Names the delivery that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct One {
    /// The delivery's id, dlv_….
    #[arg(value_name = "DELIVERY")]
    id: String,
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        match self {
            Self::List { endpoint, status, page } => {
                let path = list_path(context, endpoint, status.as_deref())?;
                let titles = ["ID", "STATUS", "ATTEMPTS", "RECEIVED", "NEXT ATTEMPT", "REASON"];
                list(context, &path, page, &titles, "No deliveries.", row).await
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
    pub(crate) async fn replay(&self, context: &Context) -> CommandResult {
        self.act(context, "replay").await
    }

    async fn act(&self, context: &Context, action: &str) -> CommandResult {
        let call = Call::post(self.path(context, &format!("/{action}"))?, String::new());
        context
            .send_and_show(&call, |delivery: &Delivery| {
                format!("{} is {}.", plain(&delivery.id), state(delivery.status.as_str()))
            })
            .await
    }
}

fn list_path(context: &Context, endpoint: &str, status: Option<&str>) -> Result<String, Failure> {
    let query = status.map(|status| format!("?status={status}")).unwrap_or_default();
    context.path(&format!("/endpoints/{}/deliveries{query}", escape(endpoint)))
}

fn row(delivery: &Delivery) -> Vec<String> {
    vec![
        plain(&delivery.id),
        state(delivery.status.as_str()),
        delivery.attempt_count.to_string(),
        time(&delivery.event_received_at),
        time_if_any(delivery.next_attempt_at.as_ref()),
        show(delivery.reason.as_ref()),
    ]
}

fn describe(delivery: &Delivery) -> String {
    let head = fields(&[
        ("id", plain(&delivery.id)),
        ("status", state(delivery.status.as_str())),
        ("reason", show(delivery.reason.as_ref())),
        ("overdue", show(delivery.overdue.then_some(true))),
        ("event", plain(&delivery.event_id)),
        ("endpoint", plain(&delivery.endpoint_id)),
        ("received", time(&delivery.event_received_at)),
        ("next attempt", time_if_any(delivery.next_attempt_at.as_ref())),
    ]);
    let mut table = Table::new(&["#", "STARTED", "TIME", "OUTCOME", "STATUS", "DETAIL"]);
    for attempt in &delivery.attempts {
        table.row(vec![
            attempt.number.to_string(),
            time(&attempt.started_at),
            format!("{} ms", attempt.duration_ms),
            state(attempt.outcome.as_str()),
            show(attempt.response_status),
            explain(attempt),
        ]);
    }
    format!("{head}\n\n{}", table.text("No attempts yet."))
}

/// Says why there was no answer, or what the answer began with.
fn explain(attempt: &Attempt) -> String {
    show(attempt.detail.as_ref().or(attempt.response_excerpt.as_ref()))
}

/// Lists an endpoint's failed deliveries, with what the last attempt of each came to.
pub(crate) async fn list_failures(context: &Context, endpoint: &str, page: &Page) -> CommandResult {
    let path = list_path(context, endpoint, Some(DeliveryStatus::Failed.as_str()))?;
    let titles = ["ID", "RECEIVED", "REASON", "ATTEMPTS", "OUTCOME", "STATUS", "DETAIL"];
    list(context, &path, page, &titles, "No failed deliveries.", |delivery: &Delivery| {
        let last = delivery.attempts.last();
        vec![
            plain(&delivery.id),
            time(&delivery.event_received_at),
            show(delivery.reason.as_ref()),
            delivery.attempt_count.to_string(),
            last.map(|last| state(last.outcome.as_str())).unwrap_or_default(),
            show(last.and_then(|last| last.response_status)),
            last.map(explain).unwrap_or_default(),
        ]
    })
    .await
}
