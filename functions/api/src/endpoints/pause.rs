//! A paused endpoint: what it wants is kept for it, until it is resumed.

use waxseal_domain::endpoint::Endpoint;
use waxseal_flows::ports::{Clock as _, Engine, EngineError, GateStore as _, MaxAge};

/// Has what was kept for a resumed endpoint be released by the next sweep. Should that fail, the gate's
/// own review comes within a minute.
pub(super) async fn release<E: Engine>(engine: &E, before: &Endpoint, after: &Endpoint) {
    if !before.is_paused() || after.is_paused() {
        return;
    }
    if let Err(error) = hasten(engine, after).await {
        tracing::warn!(%error, endpoint = %after.id, "what was kept is released a minute later");
    }
}

async fn hasten<E: Engine>(engine: &E, endpoint: &Endpoint) -> Result<(), EngineError> {
    let (store, now) = (engine.store(), engine.clock().now());
    if let Some(gate) = store.gate(&endpoint.tenant, &endpoint.id, MaxAge::NOW).await? {
        store.put_gate(&gate.turn(gate.mode, now, now), Some(&gate)).await?;
    }
    Ok(())
}
