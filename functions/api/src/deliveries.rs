//! Deliveries: what was sent, when, what came back; replay and cancel.

use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::attempt::Attempt;
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::id::DeliveryId;
use waxseal_domain::limits::OVERDUE_S;
use waxseal_domain::ports::{Clock as _, DeliveryStore as _, Engine};
use waxseal_domain::problem::Problem;
use waxseal_domain::reissue::{cancel, replay};
use waxseal_domain::timestamp::Timestamp;

use crate::{Answer, Call};

/// `GET …/deliveries/{id}`, `POST …/replay`, `POST …/cancel`.
pub(crate) async fn answer<E: Engine>(call: Call<'_, E>, method: &str, path: &[&str]) -> Answer {
    let [id, action @ ..] = path else { return Err(Problem::not_found().into()) };
    let id: DeliveryId = id.parse().map_err(|_| Problem::not_found())?;
    let key = DeliveryKey { tenant: call.tenant.clone(), event: id.event, endpoint: id.endpoint };
    let delivery = match (method, action) {
        ("GET", []) => return one(call, &key).await,
        ("POST", ["replay"]) => replay(call.engine, &key).await??,
        ("POST", ["cancel"]) => cancel(call.engine, &key).await??,
        (_, [] | ["replay" | "cancel"]) => return Err(Problem::method_not_allowed().into()),
        _ => return Err(Problem::not_found().into()),
    };
    let status = if action == ["replay"] { 202 } else { 200 };
    Ok(http::json(status, &DeliveryView::of(&delivery, call.engine.clock().now())))
}

async fn one<E: Engine>(call: Call<'_, E>, key: &DeliveryKey) -> Answer {
    let (row, event) = call.engine.store().delivery_and_event(key).await?;
    let event = event
        .filter(|event| event.targets.contains(&key.endpoint))
        .ok_or_else(Problem::not_found)?;
    let row = row.filter(|row| row.born == event.born);
    let delivery = row.unwrap_or_else(|| event.pending(&key.endpoint));
    Ok(http::json(200, &DeliveryView::of(&delivery, call.engine.clock().now())))
}

/// A delivery with its attempts.
#[derive(Serialize)]
pub(crate) struct DeliveryView {
    id: String,
    event_id: String,
    endpoint_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
    event_received_at: String,
    attempt_count: u32,
    next_attempt_at: Option<String>,
    attempts: Vec<AttemptView>,
}

#[derive(Serialize)]
struct AttemptView {
    number: u32,
    started_at: String,
    duration_ms: u64,
    outcome: &'static str,
    response_status: Option<u16>,
    response_excerpt: Option<String>,
    detail: Option<String>,
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
