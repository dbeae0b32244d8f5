//! The audit log: who changed what of the tenant's configuration.

pub(crate) use waxseal_domain::audit::EntryView;

use waxseal_adapters::http;
use waxseal_flows::ports::{ConfigStore as _, Engine};

use crate::{Answer, Call, List};

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let page = call.engine.store().audit(call.tenant, &call.page()?).await?;
    let items: Vec<EntryView> = page.items.iter().map(EntryView::from).collect();
    Ok(http::json(200, &List { items, cursor: page.cursor }))
}
