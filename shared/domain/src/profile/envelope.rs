//! The body of a profile: which members it has, in which order, and what is in each.

use serde::Deserialize;

use crate::event::event_type::EventTypePattern;
use crate::json::Fault;

/// Least bound of a body: what a shortened one needs at most, but for its texts.
const BYTES_MIN: usize = 512;
/// Members of a body, those within others included.
const MEMBERS_MAX: usize = 100;

/// What a delivery's body is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// `content-type`, where the payload does not decide it.
    #[serde(default = "json")]
    pub content_type: String,
    /// How the body's JSON is written.
    #[serde(default, rename = "json")]
    pub form: JsonForm,
    /// Whether the body is the payload itself, or an object of members.
    #[serde(default)]
    pub body: BodyForm,
    /// The members, in order.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Other attributes go into headers of their own names after this.
    #[serde(default)]
    pub extension_headers: Option<String>,
    /// Bytes of a body, at most.
    #[serde(default)]
    pub bytes_max: Option<usize>,
    /// The member that becomes a link to the event where the body would be longer.
    #[serde(default)]
    pub shorten: Option<String>,
}

/// How JSON is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonForm {
    /// Compact; numbers and texts as they came.
    #[default]
    AsIs,
    /// The body is written as `JSON.stringify(JSON.parse(body))` writes it, so that a receiver that
    /// does so gets the same bytes.
    Ecmascript,
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// An object of members.
    #[default]
    Members,
    /// The payload's bytes as they came, of the type that the event says.
    Data,
}

/// A member of a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The member's name; none for `attributes` and `extensions`, whose members bring their own.
    #[serde(default)]
    pub name: Option<String>,
    /// What the member holds, as a value that is known by name. One of `value`, `attribute`, `text`
    /// and `members` says what is in a member.
    #[serde(default)]
    pub value: Option<Value>,
    /// An attribute of the event by its name; null where the event has none.
    #[serde(default)]
    pub attribute: Option<String>,
    /// A fixed text, the same in every body.
    #[serde(default)]
    pub text: Option<String>,
    /// The members of an object.
    #[serde(default)]
    pub members: Option<Vec<Member>>,
    /// Only for events of these types.
    #[serde(default)]
    pub when: Option<EventTypePattern>,
    /// Only for events of other types.
    #[serde(default)]
    pub unless: Option<EventTypePattern>,
}

/// What is in a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The delivery's id: the same at every attempt and replay.
    Id,
    /// The id of the event.
    EventId,
    /// The event's id as its sender knows it.
    SenderId,
    /// The type of the event, as `dlp.pii_blocked`.
    Type,
    /// The URI reference that says where the event happened.
    Source,
    /// The name of the tenant whose event it is.
    Tenant,
    /// The event's time, RFC 3339 in UTC.
    Time,
    /// The event's time, in seconds since 1970.
    TimeS,
    /// The payload, unchanged; `<name>_base64` where it is not JSON.
    Data,
    /// The payload's content type.
    DataContentType,
    /// One line for people: the summary, or type and severity.
    Line,
    /// One line for people, as [`Value::Line`], escaped for Slack's own markup.
    SlackLine,
    /// The number of the attempt within its round, from 1.
    Attempt,
    /// The number of attempts that the round may have.
    MaxAttempts,
    /// When the round's first attempt began.
    FirstAttemptAt,
    /// What the attempt before came to; null at the first.
    RetryReason,
    /// The event's id, source and every other attribute, each under its own name.
    Attributes,
    /// Every attribute that has no other place, each under its own name.
    Extensions,
}

fn json() -> String {
    "application/json".to_owned()
}

impl Envelope {
    /// Names what does not fit together.
    pub(super) fn check(&self, pointer: &str, faults: &mut Vec<Fault>) {
        let mut fault = |member: &str, detail: &str| {
            faults.push(Fault::new(&format!("{pointer}/{member}"), detail));
        };
        let is_printable = self.content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if self.content_type.is_empty() || !is_printable {
            fault("content_type", "must be printable ASCII");
        }
        let prefix = self.extension_headers.as_deref().unwrap_or("ce-");
        let is_name = prefix.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
        // Without one a sender's attribute could be any header of the request.
        if !is_name || !(2..=64).contains(&prefix.len()) || !prefix.ends_with('-') {
            fault("extension_headers", "must be lower-case letters and end with a hyphen");
        }
        if (self.body == BodyForm::Members) == self.members.is_empty() {
            fault("members", "must be there, unless the body is data");
        }
        if self.bytes_max.is_some_and(|max| max < BYTES_MIN) {
            fault("bytes_max", &format!("must be at least {BYTES_MIN}"));
        }
        let names_the_payload = self.members.iter().any(|member| {
            member.value == Some(Value::Data) && member.name.as_deref() == self.shorten.as_deref()
        });
        if self.shorten.is_some() != self.bytes_max.is_some()
            || (self.shorten.is_some() && !names_the_payload)
        {
            fault("shorten", "must name the member that holds the payload, with bytes_max");
        }
        if count(&self.members) > MEMBERS_MAX {
            fault("members", &format!("must be at most {MEMBERS_MAX}"));
            return;
        }
        check_members(&self.members, &format!("{pointer}/members"), faults);
    }
}

fn count(members: &[Member]) -> usize {
    members.iter().map(|member| 1 + member.members.as_deref().map_or(0, count)).sum()
}

fn check_members(members: &[Member], pointer: &str, faults: &mut Vec<Fault>) {
    for (at, member) in members.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        let contents = [
            member.value.is_some(),
            member.attribute.is_some(),
            member.text.is_some(),
            member.members.is_some(),
        ];
        if contents.iter().filter(|there| **there).count() != 1 {
            let detail = "has one of value, attribute, text and members";
            faults.push(Fault::new(&pointer, detail));
        }
        let spreads = matches!(member.value, Some(Value::Attributes | Value::Extensions));
        if spreads == member.name.is_some() {
            let detail = "has a name, unless it is attributes or extensions";
            faults.push(Fault::new(&pointer, detail));
        }
        if let Some(members) = &member.members {
            check_members(members, &format!("{pointer}/members"), faults);
        }
    }
}

#[cfg(test)]
mod tests;
