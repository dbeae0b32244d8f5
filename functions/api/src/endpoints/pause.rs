//! A paused endpoint: what it wants is kept for it, until it is resumed.

use serde_json::json;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::limits::PAUSE_S_MAX;
use waxseal_flows::ports::{Clock as _, Engine, EngineError, GateStore as _, MaxAge};

use crate::body::Body;

const DAY_S: u64 = 24 * 3_600;

/// The member `paused`.
pub(super) fn read(body: &mut Body<'_>) -> Option<bool> {
    let given = body.flag("paused").value();
    body.about("paused", || {
        let text = format!(
            "While it is true what the endpoint wants is kept for it, and not sent; false sends it. \
             After {} days with something waiting the endpoint is disabled",
            PAUSE_S_MAX / DAY_S
        );
        json!({ "description": text })
    });
    given
}

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
        store.put_gate(&gate.turned(gate.mode, now, now), Some(&gate)).await?;
    }
    Ok(())
}
