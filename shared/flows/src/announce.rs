//! Tells a notice: it is accepted as an event of each tenant that has an endpoint which asks for it.

use waxseal_domain::delivery::Delivery;
use waxseal_domain::event::Event;
use waxseal_domain::limits::ENDPOINT_COPY_INGEST_S;
use waxseal_domain::notice::Notice;

use crate::accept::accept_own;
use crate::ports::{ConfigStore, Engine, EngineError};
use crate::refusal::Refusal;

/// Tells that a delivery has failed, where it has. Telling it again is telling it once.
pub async fn announce_failure<E: Engine>(
    engine: &E,
    delivery: &Delivery,
    event: &Event,
) -> Result<(), EngineError> {
    match Notice::of_delivery(delivery, event) {
        Some(notice) => announce(engine, &notice).await,
        None => Ok(()),
    }
}

/// Tells a notice to whoever asks for it. Where nobody does, nothing is written.
pub async fn announce<E: Engine>(engine: &E, notice: &Notice) -> Result<(), EngineError> {
    for tenant in notice.audience() {
        let endpoints = engine.store().endpoints(&tenant, ENDPOINT_COPY_INGEST_S).await?;
        if !endpoints.is_some_and(|all| all.iter().any(|one| notice.is_wanted_by(one))) {
            continue;
        }
        let submission =
            notice.submission().map_err(|error| EngineError::unreadable("write notice", error))?;
        for result in accept_own(engine, &tenant, submission).await.unwrap_or_default() {
            if let Err(Refusal::Ours(error)) = result {
                return Err(error);
            }
        }
    }
    Ok(())
}
