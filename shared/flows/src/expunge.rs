//! Expunges an event: its payload is removed and its record stays. What was not yet sent is not
//! sent any more.

use waxseal_domain::delivery::{CancelledReason, End};
use waxseal_domain::id::{EventId, TenantName};

use crate::cancel::rewrite;
use crate::ports::{Engine, EngineError, EventStore};

/// Removes an event's payload and summary, cancels its deliveries that are still owed, and strips
/// the receivers' answers from the logs of all. False if there is no such event.
///
/// A first attempt that is queued may still go out within a minute of its event.
pub async fn expunge<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    id: &EventId,
) -> Result<bool, EngineError> {
    let Some((mut event, rows)) = engine.store().event_with_deliveries(tenant, id).await? else {
        return Ok(false);
    };
    event.event = event.event.remove_payload();
    // The payload goes first. If a crash follows, the deliveries that are left find nothing to
    // send, and a second call cancels them. In the other order a delivery that is replayed
    // meanwhile would still find the payload.
    engine.store().put_expunged(&event).await?;
    for target in &event.targets {
        let key = event.delivery_key(target);
        let stored = rows.iter().find(|row| row.key == key).cloned();
        rewrite(engine, &event.pending(target), stored, |row| {
            let ended = match row.open() {
                Some(_) => row.end(End::Cancelled(CancelledReason::Expunged)),
                None => row,
            };
            Some(ended.without_answers())
        })
        .await?;
    }
    Ok(true)
}
