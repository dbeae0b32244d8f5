//! Test events: sent at once, through the same dispatch as any delivery, and answered with all that
//! came back. Nothing is stored but the endpoint's health.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::endpoint::{Handshake, NewTest, TestResponse, TestResult};
use waxseal_api_types::pattern::EVENT_TYPE;
use waxseal_domain::delivery::Round;
use waxseal_domain::delivery::attempt::{Outcome, SendResult};
use waxseal_domain::delivery::dispatch::Outgoing;
use waxseal_domain::endpoint::{Endpoint, Health};
use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Event, Form, Submission};
use waxseal_domain::id::DeliveryId;
use waxseal_domain::limits::EVENT_TYPE_CHARS_MAX;
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::handshake::shake;
use waxseal_flows::ports::{
    Clock as _, ConfigStore as _, Engine, EngineError, FailureKind, MaxAge,
};
use waxseal_flows::profiles::profile_of;
use waxseal_flows::send::{Dispatch, send};

use super::stored::find;
use crate::body::{self, Body};
use crate::call::TenantCall;
use crate::{OperationResult, Refusal};

/// What a test asks for.
struct TestRequest {
    event_type: String,
    data: Option<Box<RawValue>>,
}

/// Describes the body of a test event as a JSON Schema.
pub(super) fn describe() -> Value {
    body::describe::<NewTest>(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> TestRequest {
    let event_type = body.text("type", EVENT_TYPE_CHARS_MAX).value();
    body.about("type", || json!({"pattern": EVENT_TYPE}));
    let data = body.raw("data", || json!({}));
    TestRequest { event_type: event_type.unwrap_or_else(|| "webhook.test".to_owned()), data }
}

/// Sends a test event that a caller asked for.
pub(super) async fn test<E: Engine>(call: TenantCall<'_, E>, id: &str) -> OperationResult {
    let mut body = Body::read(call.request)?;
    let TestRequest { event_type, data } = read(&mut body);
    body.finish()?;
    let endpoint = find(&call, id).await?;
    let rest = match data {
        Some(data) => of_data(data.get()),
        None => example(&call, &endpoint, &event_type).await?,
    };
    Ok(http::json(200, &post(&call, &endpoint, &event_type, &rest).await?))
}

/// What stands beside the type of an event that nobody gave: the catalogue's example, or the profile's.
async fn example<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    event_type: &str,
) -> Result<String, Refusal> {
    let catalogue = call.engine.store().event_types(call.tenant, MaxAge::NOW).await?;
    let listed = catalogue.iter().find(|found| found.name == event_type);
    if let Some(data) = listed.and_then(|found| found.example.as_ref()) {
        return Ok(of_data(data.get()));
    }
    let profile = profile_of(call.engine, endpoint).await?;
    let example = profile.example(event_type).map(|example| example.get().to_owned());
    Ok(example.unwrap_or_else(|| of_data(r#"{"test":true}"#)))
}

/// The ping that follows an endpoint's configuration.
pub(super) async fn ping<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
) -> Result<TestResult, Refusal> {
    let profile = profile_of(call.engine, endpoint).await?;
    let shaken = match shake(call.engine, endpoint, &profile).await {
        // The ping that follows lacks the same, and says so.
        Err(error) if error.kind() == FailureKind::Shortage => None,
        shaken => shaken?,
    };
    let ping = post(call, endpoint, "webhook.ping", &of_data(r#"{"ping":true}"#)).await?;
    let handshake = shaken.map(|answer| Handshake {
        allowed: answer.allowed,
        detail: answer.detail,
        allowed_rate: answer.allowed_rate,
    });
    Ok(TestResult { handshake, ..ping })
}

fn of_data(data: &str) -> String {
    format!("{{\"data\":{data}}}")
}

/// `rest` is an object: the event without its type and source.
async fn post<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    event_type: &str,
    rest: &str,
) -> Result<TestResult, Refusal> {
    let engine = call.engine;
    let now = engine.clock().now();
    let event_type = Value::from(event_type);
    let rest = rest.trim_start().trim_start_matches('{');
    let text = format!(r#"{{"type":{event_type},"source":"/waxseal/test",{rest}"#);
    let submission =
        Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
    let accepted = Event::accept(call.tenant, &submission, now, engine.entropy());
    let event = accepted.map_err(Problem::unprocessable)?.event;
    let id = DeliveryId { endpoint: endpoint.id.clone(), event: event.id.clone() }.to_string();
    let profile = profile_of(engine, endpoint).await?;
    let deadline = now.plus_ms(u64::from(profile.timeout_of(endpoint)));
    let (profile, event, round) = (&*profile, &event, Round::single(now));
    let outgoing = Outgoing { endpoint, profile, event, id: &id, round };
    let (sent, headers) = match send(engine, outgoing, deadline).await {
        Ok(Dispatch { sent, headers, .. }) => (sent, headers),
        Err(error) => (unsent(error, now, engine.clock().now())?, BTreeMap::new()),
    };
    if sent.outcome == Outcome::Accepted && endpoint.health != Health::Verified {
        verify_target(call, endpoint).await?;
    }
    Ok(result_of(id, sent, headers))
}

/// Tells our own shortage as what came of a test: it does not come again by itself, as a delivery does, and whoever
/// tests wants to know why nothing was sent.
fn unsent(
    error: EngineError,
    started_at: Timestamp,
    ended_at: Timestamp,
) -> Result<SendResult, EngineError> {
    if error.kind() != FailureKind::Shortage {
        return Err(error);
    }
    let detail = Some(format!("{error}; the receiver was not asked"));
    Ok(SendResult { outcome: Outcome::Unsendable, detail, response: None, started_at, ended_at })
}

/// Remembers that a test event was accepted: no change of what is configured, and in no log. Where the
/// endpoint was changed meanwhile, the next test remembers it.
async fn verify_target<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
) -> Result<(), Refusal> {
    let now = call.engine.clock().now();
    let before = find(call, endpoint.id.as_str()).await?;
    let after = Endpoint { health: Health::Verified, ..Endpoint::clone(&before) }.next_version(now);
    call.engine.store().note_health(&after).await?;
    Ok(())
}

fn result_of(
    delivery_id: String,
    sent: SendResult,
    request_headers: BTreeMap<String, String>,
) -> TestResult {
    let response = sent.response.map(|response| TestResponse {
        status: response.status,
        headers: response.headers.into_iter().collect(),
        body: response.excerpt,
    });
    TestResult {
        delivery_id,
        outcome: sent.outcome.into(),
        detail: sent.detail,
        duration_ms: sent.ended_at.since_ms(sent.started_at),
        response,
        request_headers,
        handshake: None,
    }
}
