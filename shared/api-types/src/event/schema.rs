//! The JSON Schemas of events. They are written by hand: an event has members of any name beside its own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use waxseal_domain::event::Severity;
use waxseal_domain::limits::{
    ATTRIBUTE_CHARS_MAX, ATTRIBUTES_MAX, EVENT_TYPE_CHARS_MAX, EVENTS_PER_REQUEST_MAX,
    SOURCE_CHARS_MAX, SUMMARY_CHARS_MAX,
};

use super::{DeliveryBrief, Event};
use crate::pattern::{BASE64, EVENT_TYPE, PRINTABLE};

/// Matches names that are attributes' and no other member's.
const ATTRIBUTE: &str = "^(?!(specversion|id|source|type|time|tenant|data|severity|summary|riskscore|\
                         traceparent|expunged|deliveries)$)[a-z0-9]{1,64}$";
/// Counts the members of an event that are no attributes: `specversion`, `id`, `source`, `type`, `time`,
/// `tenant` and its data.
const OWN_MEMBERS: usize = 7;

/// Describes what may be sent: an event, or an array of them.
pub fn new_events() -> Value {
    let mut event = new_event();
    if let Value::Object(members) = &mut event {
        members.insert("title".to_owned(), json!("NewEvent"));
        members.insert("description".to_owned(), json!("Holds an event as its sender writes it."));
    }
    let many =
        json!({"type": "array", "items": event, "minItems": 1, "maxItems": EVENTS_PER_REQUEST_MAX});
    json!({"anyOf": [event, many], "description": "Holds an event, or an array of several."})
}

/// Describes an event as a sender sends it.
pub fn new_event() -> Value {
    json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "specversion": {"type": "string", "const": "1.0",
                "description": "Names the version of CloudEvents that the event is written in."},
            "id": text(1, SOURCE_CHARS_MAX, "Identifies the event within its `source`. Two events with \
                the same `source` and `id` are the same event. One is made if it is left out."),
            "source": text(1, SOURCE_CHARS_MAX, "Identifies, as a URI reference, the system in which \
                the event happened. It is `/tenants/` and the tenant if left out."),
            "type": {"type": "string", "minLength": 1, "maxLength": EVENT_TYPE_CHARS_MAX,
                "pattern": EVENT_TYPE, "description": "Names the kind of event, such as \
                `dlp.violation`. Endpoints choose events by it. Types that begin with `waxseal.` are \
                reserved."},
            "time": {"type": "string", "format": "date-time", "description": "Tells when the event \
                happened. It is the time of receipt if left out."},
            "severity": {"type": "string", "enum": Severity::ALL, "description": "Tells how severe the \
                event is. Endpoints can choose events by it, and critical events overtake all others."},
            "summary": text(0, SUMMARY_CHARS_MAX, "Describes the event for people in one line."),
            "riskscore": {"anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^(0(\.[0-9]+)?|1(\.0+)?)$"},
            ], "description": "Rates the risk of the event from 0 to 1. Endpoints can choose events by it."},
            "traceparent": {
                "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                "description": "Identifies the trace that the event belongs to (W3C Trace Context). \
                    Receivers get it as a header.",
            },
            "tenant": {"type": "string", "description": "Names the tenant. If it is given, it must be the \
                tenant of the path."},
            "data": {"description": "Holds what happened: any JSON value."},
            "data_base64": {"type": "string", "contentEncoding": "base64", "pattern": BASE64,
                "description": "Holds binary data in base 64, in place of `data`."},
        },
        "propertyNames": {"pattern": "^([a-z0-9]{1,64}|data_base64)$"},
        // A member of its own for attributes: the index of a generated type then fits `data` too.
        "patternProperties": {ATTRIBUTE: {
            "type": ["string", "number", "boolean", "null"], "maxLength": ATTRIBUTE_CHARS_MAX,
            "pattern": PRINTABLE, "description": "Holds an attribute of the sender's own (a CloudEvents \
                extension). Endpoints can filter by it.",
        }},
        "additionalProperties": true,
        "maxProperties": ATTRIBUTES_MAX + OWN_MEMBERS,
        "not": {"required": ["data", "data_base64"]},
    })
}

fn text(chars_min: usize, chars_max: usize, about: &str) -> Value {
    json!({"type": "string", "minLength": chars_min, "maxLength": chars_max, "pattern": PRINTABLE,
        "description": about})
}

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut event = new_event();
        let schema = generator.subschema_for::<Vec<DeliveryBrief>>();
        let mut deliveries = Value::from(schema);
        if let Value::Object(members) = &mut deliveries {
            let about = "Lists the deliveries of the event, one for each endpoint that wanted it. It is \
                         left out of lists of events.";
            members.insert("description".to_owned(), json!(about));
        }
        let more = json!({
            "specversion": {"type": "string", "const": "1.0",
                "description": "Names the version of CloudEvents, where the sender did."},
            "id": {"description": "Identifies the event."},
            "riskscore": {"type": "number", "minimum": 0, "maximum": 1,
                "description": "Rates the risk of the event from 0 to 1."},
            "tenant": {"type": "string", "description": "Names the tenant that the event belongs to."},
            "received_at": {"type": "string", "format": "date-time",
                "description": "Tells when the event was accepted."},
            "expunged": {"type": "boolean", "description": "Is true where the payload was removed. It is \
                left out otherwise."},
            "sender_id": {"type": "string", "description": "Repeats the sender's `id` where the event got \
                another one. It is left out otherwise."},
            "deliveries": deliveries,
        });
        if let Some(Value::Object(members)) = event.get_mut("properties")
            && let Value::Object(more) = more
        {
            for (name, described) in more {
                match (members.get_mut(&name), described) {
                    // Of `id` only the description is another.
                    (Some(Value::Object(found)), Value::Object(described)) if name == "id" => {
                        found.extend(described);
                    }
                    (_, described) => drop(members.insert(name, described)),
                }
            }
        }
        let mut schema = Schema::try_from(event).unwrap_or_default();
        // What was taken is shown with more beside it.
        schema.remove("maxProperties");
        schema.remove("not");
        let names = "^([a-z0-9]{1,64}|data_base64|sender_id|received_at)$";
        schema.insert("propertyNames".to_owned(), json!({"pattern": names}));
        schema.insert("required".to_owned(), json!(["id", "type", "source", "time", "tenant"]));
        let about = "Shows an event as it was accepted, and what became of it.";
        schema.insert("description".to_owned(), json!(about));
        schema
    }
}
