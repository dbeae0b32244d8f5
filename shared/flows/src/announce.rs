//! Announces what Waxseal has done or noticed: a notice is accepted as an event of each tenant that
//! has an endpoint which asks for it.

use waxseal_domain::delivery::Delivery;
use waxseal_domain::event::Event;
use waxseal_domain::limits::ENDPOINT_COPY_INGEST_S;
use waxseal_domain::notice::Notice;

use crate::accept::accept_own;
use crate::ports::{ConfigStore, Engine, EngineError, MaxAge};
use crate::refusal::Refusal;

/// Announces that a delivery has failed, and does nothing for any other. The event's id is derived
/// from what happened, so announcing it again is a duplicate and sends nothing twice.
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

/// Sends a notice to the endpoints that ask for it. Where no endpoint does, nothing is written.
pub async fn announce<E: Engine>(engine: &E, notice: &Notice) -> Result<(), EngineError> {
    for tenant in notice.audience() {
        let endpoints =
            engine.store().endpoints(&tenant, MaxAge::seconds(ENDPOINT_COPY_INGEST_S)).await?;
        if !endpoints.is_some_and(|all| all.iter().any(|one| notice.is_wanted_by(one))) {
            continue;
        }
        let submission =
            notice.submission().map_err(|error| EngineError::unreadable("write notice", error))?;
        let results = match accept_own(engine, &tenant, submission).await {
            Ok(results) => results,
            Err(refusal) => vec![Err(refusal)],
        };
        for result in results {
            match result {
                Ok(_) => {}
                Err(Refusal::Ours(error)) => return Err(error),
                Err(Refusal::Busy(busy)) => return Err(busy.into()),
                // The tenant is gone by now, or the notice says more than an event may: nobody can be told.
                Err(Refusal::Problem(problem)) => {
                    tracing::error!(%tenant, detail = problem.detail, "a notice was refused");
                }
            }
        }
    }
    Ok(())
}
