//! Deliveries: what was sent, when, what came back; replay and cancel.

use schemars::JsonSchema;
use serde::Serialize;
use waxseal_adapters::http::{self, Response};
use waxseal_domain::delivery::attempt::{Attempt, Outcome};
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::id::DeliveryId;
use waxseal_domain::limits::{OVERDUE_S, PAGE_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::cancel::cancel;
use waxseal_flows::ports::{Clock as _, DeliveryStore as _, Engine, PageRequest};
use waxseal_flows::replay::replay;

use crate::endpoints::find;
use crate::{Answer, Call, List};

/// A delivery, for instance.
pub(crate) const DELIVERY: &str = r#"{"id":"dlv_1_evt_1","event_id":"evt_1","endpoint_id":"ep_1","status":"retrying","event_received_at":"2026-11-21T12:00:00Z","attempt_count":1,"next_attempt_at":"2026-11-21T12:01:00Z","attempts":[{"number":1,"started_at":"2026-11-21T12:00:00Z","duration_ms":12,"outcome":"server_error","response_status":503,"response_excerpt":"busy","detail":null,"next_attempt_at":"2026-11-21T12:01:00Z"}]}"#;

/// Words for how a delivery is.
pub(crate) const STATUSES: [&str; 5] = ["pending", "retrying", "delivered", "failed", "cancelled"];

pub(crate) async fn one<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let key = key(&call, id)?;
    let (row, event) = call.engine.store().delivery_and_event(&key).await?;
    let event = event
        .filter(|event| event.targets.contains(&key.endpoint))
        .ok_or_else(Problem::not_found)?;
    let row = row.filter(|row| row.born == event.born);
    let delivery = row.unwrap_or_else(|| event.pending(&key.endpoint));
    Ok(shown(&call, 200, &delivery))
}

pub(crate) async fn replayed<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let delivery = replay(call.engine, &key(&call, id)?).await??;
    Ok(shown(&call, 202, &delivery))
}

pub(crate) async fn cancelled<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let delivery = cancel(call.engine, &key(&call, id)?).await??;
    Ok(shown(&call, 200, &delivery))
}

/// An endpoint's deliveries. Those that succeeded at first, and those pending without a row, are
/// not listed here but with their events.
pub(crate) async fn of_endpoint<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let endpoint = find(&call, id).await?;
    let wanted = http::query(call.request, "status");
    let page = call.page()?;
    let now = call.engine.clock().now();
    let mut items = Vec::new();
    // A status that is rare must not make a page look at everything: a bounded number of rows.
    let look = PageRequest { limit: PAGE_MAX.max(page.limit), ..page.clone() };
    let store = call.engine.store();
    let found = store.deliveries_by_endpoint(call.tenant, &endpoint.id, &look).await?;
    let mut cursor = found.cursor;
    for delivery in found.items {
        if items.len() == page.limit {
            break;
        }
        cursor = cursor.map(|_| format!("{}_{}", delivery.born.ms(), delivery.key.event));
        if wanted.as_deref().is_none_or(|status| status == delivery.status_word()) {
            items.push(DeliveryView::of(&delivery, now));
        }
        if items.len() == page.limit {
            cursor = Some(format!("{}_{}", delivery.born.ms(), delivery.key.event));
        }
    }
    Ok(http::json(200, &List { items, cursor }))
}

fn key<E: Engine>(call: &Call<'_, E>, id: &str) -> Result<DeliveryKey, Problem> {
    let id: DeliveryId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(DeliveryKey { tenant: call.tenant.clone(), event: id.event, endpoint: id.endpoint })
}

fn shown<E: Engine>(call: &Call<'_, E>, status: u16, delivery: &Delivery) -> Response {
    http::json(status, &DeliveryView::of(delivery, call.engine.clock().now()))
}

/// A delivery with its attempts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(crate) struct DeliveryView {
    id: String,
    event_id: String,
    endpoint_id: String,
    #[schemars(extend("enum" = STATUSES))]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
    #[schemars(extend("format" = "date-time"))]
    event_received_at: String,
    attempt_count: u32,
    #[schemars(extend("format" = "date-time"))]
    next_attempt_at: Option<String>,
    attempts: Vec<AttemptView>,
}

/// One POST and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
pub(crate) struct AttemptView {
    number: u32,
    #[schemars(extend("format" = "date-time"))]
    started_at: String,
    duration_ms: u64,
    #[schemars(with = "Outcome")]
    outcome: &'static str,
    response_status: Option<u16>,
    response_excerpt: Option<String>,
    detail: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    next_attempt_at: Option<String>,
    /// The body held values that JavaScript would change.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    inexact: bool,
}

impl DeliveryView {
    pub(crate) fn of(delivery: &Delivery, now: Timestamp) -> Self {
        let status = delivery.status_word();
        let tried = delivery.attempts > 0;
        let next_at = delivery.open().filter(|_| tried).map(|open| open.next_at.rfc3339());
        Self {
            id: delivery.key.id().to_string(),
            event_id: delivery.key.event.to_string(),
            endpoint_id: delivery.key.endpoint.to_string(),
            status,
            reason: delivery.reason_word(),
            overdue: status == "pending" && now >= delivery.born.plus_s(OVERDUE_S),
            event_received_at: delivery.born.rfc3339(),
            attempt_count: delivery.attempts,
            next_attempt_at: next_at,
            attempts: delivery.log.iter().map(AttemptView::of).collect(),
        }
    }
}

impl AttemptView {
    fn of(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at.rfc3339(),
            duration_ms: attempt.duration_ms,
            outcome: attempt.outcome.as_str(),
            response_status: attempt.response_status,
            response_excerpt: attempt.response_excerpt.clone(),
            detail: attempt.detail.clone(),
            next_attempt_at: attempt.next_attempt_at.map(Timestamp::rfc3339),
            inexact: attempt.inexact,
        }
    }
}
