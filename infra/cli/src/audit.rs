//! `audit`: what was changed, when, and by whom.

use clap::Subcommand;
use waxseal_api_types::AuditEntry;

use super::context::Context;
use super::failure::CommandResult;
use super::output::{plain, time};
use super::page::{Page, list};

/// What to do with the audit.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Changes, newest first; --json has each before and after.
    List(Page),
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let Self::List(page) = self;
        let titles = ["AT", "ACTOR", "ACTION", "TARGET", "ID"];
        list(
            context,
            &context.path("/audit")?,
            page,
            &titles,
            "No changes.",
            |entry: &AuditEntry| {
                vec![
                    time(&entry.at),
                    plain(&entry.actor),
                    plain(&entry.action),
                    plain(&entry.target),
                    plain(&entry.id),
                ]
            },
        )
        .await
    }
}
