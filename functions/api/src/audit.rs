//! The audit log: who changed what of the tenant's configuration.

use waxseal_adapters::http;
use waxseal_api_types::{self as api, List};
use waxseal_domain::ports::{ConfigStore as _, Engine};

use crate::{Answer, Call};

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let page = call.engine.store().audit(call.tenant, &call.page()?).await?;
    let items: Vec<_> = page.items.iter().map(api::AuditEntry::from).collect();
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}
