//! The last failures of an endpoint, as one endpoint shows them.

use waxseal_api_types::endpoint::Failure;
use waxseal_domain::delivery::Delivery;
use waxseal_domain::delivery::attempt::Outcome;
use waxseal_domain::id::EndpointId;
use waxseal_flows::ports::{DeliveryStore as _, Engine, EngineError, PageRequest};

use crate::call::TenantCall;

/// Failures that an endpoint shows.
const FAILURES_MAX: usize = 5;

/// The last failed attempt of each of an endpoint's last deliveries that did not succeed at first.
pub(super) async fn recent_failures<E: Engine>(
    call: &TenantCall<'_, E>,
    id: &EndpointId,
) -> Result<Vec<Failure>, EngineError> {
    let page = PageRequest { limit: FAILURES_MAX, cursor: None };
    let found = call.engine.store().deliveries_by_endpoint(call.tenant, id, &page).await?;
    Ok(found.items.iter().filter_map(last_failure).collect())
}

fn last_failure(delivery: &Delivery) -> Option<Failure> {
    let attempt = delivery.log.iter().rev().find(|attempt| attempt.outcome != Outcome::Accepted)?;
    Some(Failure {
        delivery_id: delivery.key.id().to_string(),
        status: delivery.into(),
        at: attempt.started_at.rfc3339(),
        outcome: attempt.outcome.into(),
        response_status: attempt.response_status,
        detail: attempt.detail.clone(),
    })
}
