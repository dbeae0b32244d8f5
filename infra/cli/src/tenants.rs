//! `tenants`: whose events and endpoints are kept apart.

use clap::Subcommand;
use waxseal_api_types::{NewTenant, Tenant};

use super::context::Context;
use super::failure::CommandResult;
use super::output::{plain, time};
use super::page::{Page, list};
use crate::client::Call;

/// What to do with tenants: with the operator's key.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// All tenants, by name.
    List(Page),
    /// Make a tenant of this name.
    Create {
        /// 1 to 64 of a-z 0-9 _ -, the first a letter or digit.
        name: String,
    },
}

impl Command {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        match self {
            Self::List(page) => {
                let titles = ["NAME", "CREATED"];
                list(context, "/v1/tenants", page, &titles, "No tenants.", |tenant: &Tenant| {
                    vec![plain(&tenant.name), time(&tenant.created_at)]
                })
                .await
            }
            Self::Create { name } => {
                let call = Call::request("/v1/tenants", &NewTenant { name: name.clone() });
                context
                    .send_and_show(&call, |tenant: &Tenant| {
                        format!("Made tenant {}.", plain(&tenant.name))
                    })
                    .await
            }
        }
    }
}
