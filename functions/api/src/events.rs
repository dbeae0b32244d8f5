//! Events: what was accepted, and what became of it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use waxseal_adapters::http::{self, Request};
use waxseal_domain::delivery::Delivery;
use waxseal_domain::event::Severity;
use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::{
    ATTRIBUTE_CHARS_MAX, ATTRIBUTES_MAX, EVENT_TYPE_CHARS_MAX, EVENTS_PER_REQUEST_MAX, OVERDUE_S,
    SOURCE_CHARS_MAX, SUMMARY_CHARS_MAX,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::expunge::expunge;
use waxseal_flows::link::is_good;
use waxseal_flows::ports::{Clock as _, Engine, EventRow, EventStore as _};

use crate::body::{EVENT_TYPE, PRINTABLE};
use crate::deliveries::STATUSES;
use crate::{Answer, Call, List, Refusal};

/// A delivery in its event's list.
#[derive(Serialize, JsonSchema)]
struct DeliveryBrief {
    id: String,
    endpoint_id: String,
    #[schemars(extend("enum" = STATUSES))]
    status: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
    attempts: u32,
    #[schemars(extend("format" = "date-time"))]
    next_attempt_at: Option<String>,
}

/// An event, for instance.
pub(crate) const EXAMPLE: &str = r#"{"type":"dlp.violation","severity":"high","summary":"Personal data in a prompt","data":{"user":"anna"}}"#;

/// The same, as it is shown.
pub(crate) const SHOWN: &str = r#"{"type":"dlp.violation","time":"2026-11-21T12:00:00Z","tenant":"acme","id":"evt_1","source":"/tenants/acme","severity":"high","summary":"Personal data in a prompt","data":{"user":"anna"},"received_at":"2026-11-21T12:00:00Z","deliveries":[{"id":"dlv_1_evt_1","endpoint_id":"ep_1","status":"delivered","attempts":1,"next_attempt_at":null}]}"#;

/// Base 64 with its padding, as a pattern.
const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";
/// Names that are attributes' and no other member's, as a pattern.
const ATTRIBUTE: &str = "^(?!(specversion|id|source|type|time|tenant|data|severity|summary|riskscore|\
                         traceparent|expunged|deliveries)$)[a-z0-9]{1,64}$";
/// Members of an event that are no attributes: `specversion`, `id`, `source`, `type`, `time`, `tenant`
/// and its data.
const OWN_MEMBERS: usize = 7;

/// An event with what is said of it: its text, so that the payload's bytes stay as they came.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct EventView(Box<RawValue>);

impl JsonSchema for EventView {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = sent_event();
        let deliveries = generator.subschema_for::<Vec<DeliveryBrief>>();
        let more = json!({
            "specversion": {"type": "string", "const": "1.0"},
            "riskscore": {"type": "number", "minimum": 0, "maximum": 1},
            "tenant": {"type": "string"},
            "received_at": {"type": "string", "format": "date-time"},
            "expunged": {"type": "boolean"},
            "sender_id": {"type": "string"},
            "deliveries": deliveries,
        });
        if let Some(Value::Object(members)) = schema.get_mut("properties")
            && let Value::Object(more) = more
        {
            members.extend(more);
        }
        let mut schema = Schema::try_from(schema).unwrap_or_default();
        // What was taken is shown with more beside it.
        schema.remove("maxProperties");
        schema.remove("not");
        let names = "^([a-z0-9]{1,64}|data_base64|sender_id|received_at)$";
        schema.insert("propertyNames".to_owned(), json!({"pattern": names}));
        let always = ["id", "type", "source", "time", "tenant"];
        schema.insert("required".to_owned(), json!(always));
        schema
    }
}

/// What may be sent: an event, or an array of them.
pub(crate) fn sent() -> Value {
    let mut event = sent_event();
    if let Value::Object(members) = &mut event {
        members.insert("title".to_owned(), json!("NewEvent"));
    }
    let many =
        json!({"type": "array", "items": event, "minItems": 1, "maxItems": EVENTS_PER_REQUEST_MAX});
    json!({"anyOf": [event, many]})
}

/// An event as a sender sends it.
fn sent_event() -> Value {
    let text = |min: usize, max: usize| json!({"type": "string", "minLength": min, "maxLength": max, "pattern": PRINTABLE});
    json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "id": text(1, SOURCE_CHARS_MAX),
            "source": text(1, SOURCE_CHARS_MAX),
            "type": {"type": "string", "minLength": 1, "maxLength": EVENT_TYPE_CHARS_MAX,
                "pattern": EVENT_TYPE},
            "time": {"type": "string", "format": "date-time"},
            "severity": {"type": "string", "enum": Severity::ALL},
            "summary": text(0, SUMMARY_CHARS_MAX),
            "riskscore": {"anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^(0(\.[0-9]+)?|1(\.0+)?)$"},
            ]},
            "traceparent": {
                "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            },
            "tenant": {"type": "string", "description": "The path's, where it is said"},
            "data": {},
            "data_base64": {"type": "string", "contentEncoding": "base64", "pattern": BASE64},
        },
        "propertyNames": {"pattern": "^([a-z0-9]{1,64}|data_base64)$"},
        // A member of its own for attributes: the index of a generated type then fits `data` too.
        "patternProperties": {ATTRIBUTE: {
            "type": ["string", "number", "boolean", "null"], "maxLength": ATTRIBUTE_CHARS_MAX,
            "pattern": PRINTABLE,
        }},
        "additionalProperties": true,
        "maxProperties": ATTRIBUTES_MAX + OWN_MEMBERS,
        "not": {"required": ["data", "data_base64"]},
    })
}

pub(crate) async fn expunged<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    if expunge(call.engine, call.tenant, &id).await? {
        Ok(http::no_content())
    } else {
        Err(Problem::not_found().into())
    }
}

/// `GET …/events/{id}/content?expires=&signature=`: what a link in a shortened body leads to. The link is
/// the key.
pub(crate) async fn content<E: Engine>(
    engine: &E,
    request: &Request,
    tenant: &str,
    id: &str,
) -> Answer {
    let tenant: TenantName = tenant.parse().map_err(|_| Problem::bad_link())?;
    let id: EventId = id.parse().map_err(|_| Problem::bad_link())?;
    let expires = http::query(request, "expires").and_then(|text| text.parse().ok());
    let signature = http::query(request, "signature");
    let (expires, signature) = expires.zip(signature).ok_or_else(Problem::bad_link)?;
    if !is_good(engine, &tenant, &id, expires, &signature).await? {
        return Err(Problem::bad_link().into());
    }
    let row = engine.store().event(&tenant, &id).await?.ok_or_else(Problem::not_found)?;
    if row.event.expunged {
        return Err(Problem::gone("the event's payload was expunged").into());
    }
    Ok(http::json(200, &raw(row.event.view())?))
}

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let now = call.engine.clock().now();
    let page = call.engine.store().events_by_time(call.tenant, &call.page()?, now).await?;
    let items: Result<Vec<EventView>, Refusal> =
        page.items.iter().map(|row| merged(row, None, now).map(EventView)).collect();
    Ok(http::json(200, &List { items: items?, cursor: page.cursor }))
}

pub(crate) async fn one<E: Engine>(call: Call<'_, E>, id: &str) -> Answer {
    let id: EventId = id.parse().map_err(|_| Problem::not_found())?;
    let found = call.engine.store().event_with_deliveries(call.tenant, &id).await?;
    let now = call.engine.clock().now();
    let (row, rows) =
        found.filter(|(row, _)| row.expires_at() > now).ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &merged(&row, Some(&rows), now)?))
}

/// The event's own members, then `received_at` and, where asked for, `deliveries`: written behind
/// the event's text before its last brace, so that the payload's bytes stay as they came.
fn merged(
    row: &EventRow,
    rows: Option<&[Delivery]>,
    now: Timestamp,
) -> Result<Box<RawValue>, Refusal> {
    let mut text = row.event.view();
    text.pop();
    text.push_str(",\"received_at\":");
    text.push_str(&raw_of(&row.born.rfc3339())?);
    if let Some(rows) = rows {
        text.push_str(",\"deliveries\":");
        text.push_str(&raw_of(&briefs(row, rows, now))?);
    }
    text.push('}');
    raw(text)
}

fn briefs(row: &EventRow, rows: &[Delivery], now: Timestamp) -> Vec<DeliveryBrief> {
    let brief = |target| {
        let key = row.delivery_key(target);
        let found = rows.iter().find(|found| found.key == key && found.born == row.born);
        let pending = row.pending(target);
        let delivery = found.unwrap_or(&pending);
        let status = delivery.status_word();
        DeliveryBrief {
            id: delivery.key.id().to_string(),
            endpoint_id: delivery.key.endpoint.to_string(),
            status,
            overdue: status == "pending" && now >= row.born.plus_s(OVERDUE_S),
            attempts: delivery.attempts,
            next_attempt_at: found.and_then(Delivery::open).map(|open| open.next_at.rfc3339()),
        }
    };
    row.targets.iter().map(brief).collect()
}

fn raw(text: String) -> Result<Box<RawValue>, Refusal> {
    RawValue::from_string(text).map_err(|error| Refusal::Ours(unwritable(error)))
}

fn raw_of<T: Serialize>(value: &T) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::Ours(unwritable(error)))
}

fn unwritable(error: serde_json::Error) -> waxseal_flows::ports::EngineError {
    waxseal_flows::ports::EngineError::unreadable("write answer", error)
}
