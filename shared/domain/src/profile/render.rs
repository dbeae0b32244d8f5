//! The body and the variables of an attempt, from its event and its profile's envelope.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;
use thiserror::Error;
use waxseal_verify::json::stringify;

use super::Profile;
use super::envelope::{BodyForm, JsonForm, Member, Value};
use crate::delivery::Round;
use crate::delivery::attempt::Outcome;
use crate::event::Event;
use crate::json::compact;
use crate::timestamp::Timestamp;

/// The attribute that says what a payload is.
const CONTENT_TYPE: &str = "datacontenttype";

/// What an attempt is rendered from.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The event that the body tells.
    pub event: &'a Event,
    /// The id under which the receiver sees the delivery.
    pub id: &'a str,
    /// Which attempt it is.
    pub round: Round,
    /// Where the stored event is, for a body that is too long.
    pub link: Option<&'a str>,
}

/// A body, and what it is.
#[derive(Debug)]
pub struct RenderedBody {
    /// The bytes that are signed and sent.
    pub body: Vec<u8>,
    /// The value of the header `content-type`.
    pub content_type: String,
    /// Whether the envelope's form could be kept: false where JavaScript would change a value.
    pub exact: bool,
    /// The attributes that go into headers: names in lower case, and texts.
    pub extension_headers: Vec<(String, String)>,
}

/// The event's payload cannot be read back: it is not sent as an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the event's data_base64 is not base 64")]
pub struct UnreadablePayload;

impl RenderedBody {
    /// Whether the body is longer than the profile allows.
    pub fn is_too_long(&self, profile: &Profile) -> bool {
        profile.envelope.bytes_max.is_some_and(|max| self.body.len() > max)
    }
}

/// The body of an attempt. With a link, the member that the envelope shortens is that link.
pub fn render(
    profile: &Profile,
    rendering: Rendering<'_>,
) -> Result<RenderedBody, UnreadablePayload> {
    let envelope = &profile.envelope;
    let event = rendering.event;
    let prefix = envelope.extension_headers.as_deref();
    let prefixed = prefix.map(|prefix| extension_headers(event, prefix));
    let extension_headers = prefixed.unwrap_or_default();
    let (body, content_type) = match envelope.body {
        BodyForm::Data => payload(event)?,
        BodyForm::Members => (members(profile, rendering), envelope.content_type.clone()),
    };
    let canonical = match (envelope.form, std::str::from_utf8(&body)) {
        (JsonForm::Ecmascript, Ok(text)) => stringify(text),
        _ => None,
    };
    let (body, exact) = match canonical {
        Some(written) => (written.text.into_bytes(), written.exact),
        None => (body, true),
    };
    Ok(RenderedBody { body, content_type, exact, extension_headers })
}

/// The value of a variable of a profile's headers; percent-encoded, as `CloudEvents` has it, where it
/// is not printable ASCII.
pub fn variable(name: &str, rendering: Rendering<'_>) -> Option<String> {
    let event = rendering.event;
    let text = match name {
        "type" => Cow::Borrowed(event.event_type.as_str()),
        "event_id" => Cow::Borrowed(event.sender_id()),
        "source" => Cow::Borrowed(event.source.as_str()),
        "time" => Cow::Borrowed(event.time.as_str()),
        "tenant" => Cow::Borrowed(event.tenant.as_str()),
        "attempt" => Cow::Owned(rendering.round.attempt.to_string()),
        _ => Cow::Borrowed(event.attribute(name)?),
    };
    Some(encode(&text))
}

/// Percent-encoding of space, `"`, `%` and all that is not printable ASCII.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'"' | b'%' | 0..=b' ' | 0x7f.. => {
                encoded.push('%');
                encoded.extend(
                    [byte >> 4, byte & 15]
                        .into_iter()
                        .filter_map(|half| char::from_digit(half.into(), 16))
                        .map(|digit| digit.to_ascii_uppercase()),
                );
            }
            _ => encoded.push(char::from(byte)),
        }
        encoded
    })
}

/// Attributes with no other place, each in a header of its own.
fn extension_headers(event: &Event, prefix: &str) -> Vec<(String, String)> {
    let others = event.attributes.iter().filter(|(name, _)| *name != CONTENT_TYPE);
    others
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), encode);
            (format!("{prefix}{name}"), text)
        })
        .collect()
}

/// The payload's own bytes, and what they are.
fn payload(event: &Event) -> Result<(Vec<u8>, String), UnreadablePayload> {
    let said = event.attribute(CONTENT_TYPE).filter(|said| !said.is_empty() && said.is_ascii());
    let or = |usual: &str| said.unwrap_or(usual).to_owned();
    Ok(match (&event.data_base64, &event.data) {
        (Some(base64), _) => {
            let bytes = BASE64.decode(base64).map_err(|_| UnreadablePayload)?;
            (bytes, or("application/octet-stream"))
        }
        (None, Some(data)) => (data.get().as_bytes().to_vec(), or("application/json")),
        (None, None) => (Vec::new(), or("application/json")),
    })
}

fn members(profile: &Profile, rendering: Rendering<'_>) -> Vec<u8> {
    let shorten = profile.envelope.shorten.as_deref().filter(|_| rendering.link.is_some());
    let body = Body { members: &profile.envelope.members, rendering, shorten };
    serde_json::to_vec(&body).expect("strings and JSON values always serialise")
}

#[derive(Clone, Copy)]
struct Body<'a> {
    members: &'a [Member],
    rendering: Rendering<'a>,
    /// The member that becomes a link.
    shorten: Option<&'a str>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for member in self.members.iter().filter(|member| self.has(member)) {
            self.write(member, &mut map)?;
        }
        map.end()
    }
}

impl Body<'_> {
    fn has(&self, member: &Member) -> bool {
        let event_type = &self.rendering.event.event_type;
        member.when.as_ref().is_none_or(|when| when.matches(event_type))
            && member.unless.as_ref().is_none_or(|unless| !unless.matches(event_type))
    }

    fn write<M: SerializeMap>(&self, member: &Member, map: &mut M) -> Result<(), M::Error> {
        let event = self.rendering.event;
        let name = member.name.as_deref().unwrap_or_default();
        if let Some(members) = &member.members {
            return map.serialize_entry(name, &Body { members, ..*self });
        }
        if let Some(text) = &member.text {
            return map.serialize_entry(name, text);
        }
        if let Some(attribute) = &member.attribute {
            return map.serialize_entry(name, &event.attributes.get(attribute));
        }
        match member.value {
            None => Ok(()),
            Some(Value::Data) if self.shorten == Some(name) => self.write_link(name, map),
            Some(Value::Data) => write_payload(event, name, map),
            Some(Value::Attributes) => event.serialize_attributes(map),
            Some(Value::Extensions) => write_extensions(event, map),
            Some(value) => map.serialize_entry(name, &self.scalar(value)),
        }
    }

    fn scalar(&self, value: Value) -> serde_json::Value {
        let Rendering { event, id, round, .. } = self.rendering;
        match value {
            Value::Id => id.into(),
            Value::EventId => event.id.as_str().into(),
            Value::SenderId => event.sender_id().into(),
            Value::Type => event.event_type.as_str().into(),
            Value::Source => event.source.as_str().into(),
            Value::Tenant => event.tenant.as_str().into(),
            Value::Time => event.time.as_str().into(),
            Value::TimeS => Timestamp::parse_rfc3339(&event.time).map(Timestamp::seconds).into(),
            Value::DataContentType => {
                event.attribute(CONTENT_TYPE).unwrap_or("application/json").into()
            }
            Value::Line => line(event).into(),
            Value::SlackLine => slack(&line(event)).into(),
            Value::Attempt => round.attempt.into(),
            Value::MaxAttempts => round.attempts_max.into(),
            Value::FirstAttemptAt => round.began_at.rfc3339().into(),
            Value::RetryReason => round.reason.map(Outcome::as_str).into(),
            Value::Data | Value::Attributes | Value::Extensions => serde_json::Value::Null,
        }
    }

    /// Writes what stands in place of the payload: how long it is, and the link to it.
    fn write_link<M: SerializeMap>(&self, name: &str, map: &mut M) -> Result<(), M::Error> {
        let event = self.rendering.event;
        let size = event.data.as_ref().map_or(0, |data| compact(data.get()).len());
        let size = event.data_base64.as_ref().map_or(size, String::len);
        let url = self.rendering.link.unwrap_or_default();
        map.serialize_entry(name, &json!({"truncated": true, "size_bytes": size, "url": url}))
    }
}

/// The payload under a name: without insignificant white space, or in base 64.
fn write_payload<M: SerializeMap>(event: &Event, name: &str, map: &mut M) -> Result<(), M::Error> {
    if let Some(base64) = &event.data_base64 {
        return map.serialize_entry(&format!("{name}_base64"), base64);
    }
    let text = event.data.as_deref().map_or_else(|| "null".to_owned(), |raw| compact(raw.get()));
    let raw = RawValue::from_string(text).map_err(M::Error::custom)?;
    map.serialize_entry(name, &raw)
}

fn write_extensions<M: SerializeMap>(event: &Event, map: &mut M) -> Result<(), M::Error> {
    let others = event.attributes.iter().filter(|(name, _)| *name != CONTENT_TYPE);
    for (name, value) in others {
        map.serialize_entry(name, value)?;
    }
    Ok(())
}

/// Whether a character turns the direction of what follows it.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Whether a character may break a line.
fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// One line: the summary, or what the type and the severity say. What would break a line, or turn its
/// direction, is a space.
fn line(event: &Event) -> String {
    let whole = event.attribute("summary").unwrap_or_default();
    let summary: String =
        whole.chars().map(|c| if turns(c) || breaks(c) { ' ' } else { c }).collect();
    match (summary.trim(), event.attribute("severity")) {
        ("", Some(severity)) => format!("{} ({severity})", event.event_type),
        ("", None) => event.event_type.clone(),
        (summary, _) => summary.to_owned(),
    }
}

/// Slack reads `<…>` as markup: a link, or a call to everybody.
fn slack(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
