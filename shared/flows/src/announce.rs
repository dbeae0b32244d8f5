//! Tells a notice: it is accepted as an event of each tenant that has an endpoint which asks for it.

use waxseal_domain::limits::ENDPOINT_COPY_INGEST_S;
use waxseal_domain::notice::Notice;

use crate::accept::accept_own;
use crate::ports::{ConfigStore, Engine, EngineError};
use crate::refusal::Refusal;

/// Tells a notice to whoever asks for it. Where nobody does, nothing is written.
pub async fn announce<E: Engine>(engine: &E, notice: &Notice) -> Result<(), EngineError> {
    for tenant in notice.audience() {
        let endpoints = engine.store().endpoints(&tenant, ENDPOINT_COPY_INGEST_S).await?;
        if !endpoints.is_some_and(|all| all.iter().any(|one| notice.is_wanted_by(one))) {
            continue;
        }
        let submission =
            notice.submission().map_err(|error| EngineError::new("write notice", error))?;
        for result in accept_own(engine, &tenant, submission).await.unwrap_or_default() {
            if let Err(Refusal::Ours(error)) = result {
                return Err(error);
            }
        }
    }
    Ok(())
}
