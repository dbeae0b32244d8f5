//! Disables an endpoint without a person's wish, because it answered 410, or has been failing or
//! paused for days.

use waxseal_domain::audit::Entry;
use waxseal_domain::endpoint::{DisabledReason, Endpoint};
use waxseal_domain::notice::Notice;

use crate::announce::announce;
use crate::ports::{Change, Clock, ConfigStore, Engine, EngineError};

/// Disables an endpoint and announces it, unless the endpoint was changed since this copy of it was
/// read: a late 410 of an old URL must not disable the endpoint whose URL was corrected.
pub async fn disable<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    reason: DisabledReason,
) -> Result<(), EngineError> {
    let now = engine.clock().now();
    let disabled = endpoint.clone().disable(reason, now).next_version(now);
    let entry = Entry::of_disable(engine.stamp(), &disabled, reason);
    let done = engine.store().change(Change::PutEndpoint(&disabled), &entry).await?;
    let (tenant, id) = (&endpoint.tenant, &endpoint.id);
    if reason == DisabledReason::Gone {
        tracing::warn!(%tenant, endpoint = %id, done, "410: disabled");
    } else {
        tracing::error!(%tenant, endpoint = %id, done, ?reason, "failing or paused for days: disabled");
    }
    if done {
        announce(engine, &Notice::of_disable(&disabled, reason)).await?;
        announce(engine, &Notice::of_entry(&entry)).await?;
    }
    Ok(())
}
