//! Test events: sent at once, through the same dispatch as any delivery, and answered with all that
//! came back. Nothing is stored but the endpoint's health.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use waxseal_adapters::http;
use waxseal_domain::attempt::{Outcome, Sent};
use waxseal_domain::dispatch::{Dispatched, Outgoing, dispatch};
use waxseal_domain::endpoint::{Endpoint, Health};
use waxseal_domain::event::{Event, Form, Submission};
use waxseal_domain::handshake::{Handshake, shake};
use waxseal_domain::id::{DeliveryId, EndpointId};
use waxseal_domain::limits::EVENT_BYTES_MAX;
use waxseal_domain::ports::{Clock as _, Engine};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, Round};

use super::{find, write};
use crate::{Answer, Call, Refusal};

/// What a test event came to.
#[derive(Serialize)]
pub(super) struct TestResult {
    delivery_id: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    duration_ms: u64,
    response: Option<ResponseView>,
    request_headers: BTreeMap<String, String>,
    /// What the receiver said before, where its profile asks it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<Handshake>,
}

#[derive(Serialize)]
struct ResponseView {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestBody<'a> {
    #[serde(rename = "type", default)]
    event_type: Option<String>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// `POST …/test`.
pub(super) async fn send<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    let text = http::text(call.request, EVENT_BYTES_MAX)?;
    let text = if text.trim().is_empty() { "{}" } else { text };
    let body: TestBody<'_> = serde_json::from_str(text)
        .map_err(|error| Problem::bad_request(format!("the body takes type and data: {error}")))?;
    let event_type = body.event_type.unwrap_or_else(|| "webhook.test".to_owned());
    let endpoint = find(&call, id).await?;
    let profile = Profile::of(call.engine, &endpoint).await?;
    let rest = match (body.data, profile.example(&event_type)) {
        (None, Some(example)) => example.get().to_owned(),
        (data, _) => of_data(data.map_or(r#"{"test":true}"#, RawValue::get)),
    };
    Ok(http::json(200, &post(&call, &endpoint, &event_type, &rest).await?))
}

/// The ping that follows an endpoint's configuration.
pub(super) async fn ping<E: Engine>(
    call: &Call<'_, E>,
    endpoint: &Endpoint,
) -> Result<TestResult, Refusal> {
    let profile = Profile::of(call.engine, endpoint).await?;
    let handshake = shake(call.engine, endpoint, &profile).await;
    let ping = post(call, endpoint, "webhook.ping", &of_data(r#"{"ping":true}"#)).await?;
    Ok(TestResult { handshake, ..ping })
}

fn of_data(data: &str) -> String {
    format!("{{\"data\":{data}}}")
}

/// `rest` is an object: the event without its type and source.
async fn post<E: Engine>(
    call: &Call<'_, E>,
    endpoint: &Endpoint,
    event_type: &str,
    rest: &str,
) -> Result<TestResult, Refusal> {
    let engine = call.engine;
    let now = engine.clock().now();
    let event_type = serde_json::to_string(event_type).unwrap_or_default();
    let rest = rest.trim_start().trim_start_matches('{');
    let text = format!(r#"{{"type":{event_type},"source":"/waxseal/test",{rest}"#);
    let submission = Submission { text, form: Form::Plain, fallback_id: None };
    let accepted = Event::accept(call.tenant, &submission, now, engine.entropy());
    let event = accepted.map_err(Problem::unprocessable)?.event;
    let id = DeliveryId { endpoint: endpoint.id.clone(), event: event.id.clone() }.to_string();
    let profile = Profile::of(engine, endpoint).await?;
    let deadline = now.plus_ms(u64::from(profile.timeout_of(endpoint)));
    let (profile, event, round) = (&*profile, &event, Round::single(now));
    let outgoing = Outgoing { endpoint, profile, event, id: &id, round };
    let Dispatched { sent, headers, .. } = dispatch(engine, outgoing, deadline).await?;
    if sent.outcome == Outcome::Accepted && endpoint.health != Health::Verified {
        let verified = |found: Endpoint, _| Endpoint { health: Health::Verified, ..found };
        write(call, &endpoint.id, verified).await?;
    }
    Ok(TestResult::of(id, sent, headers))
}

impl TestResult {
    fn of(delivery_id: String, sent: Sent, request_headers: BTreeMap<String, String>) -> Self {
        let response = sent.response.map(|response| ResponseView {
            status: response.status,
            headers: response.headers.into_iter().collect(),
            body: response.excerpt,
        });
        Self {
            delivery_id,
            outcome: sent.outcome,
            detail: sent.detail,
            duration_ms: sent.ended_at.since_ms(sent.started_at),
            response,
            request_headers,
            handshake: None,
        }
    }
}
