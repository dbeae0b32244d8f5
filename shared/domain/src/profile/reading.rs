//! How a verified hook becomes an event: where its id, type, time and payload are.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::event::hops::Hops;
use crate::event::{Form, Submission};
use crate::json::{Fault, raw_at};
use crate::timestamp::{Timestamp, in_utc};

/// Texts that say where something is; the first that is wholly there counts.
type Places = Vec<Place>;

/// Where a hook's parts are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Where a hook holds what tells it from others: one that comes again with the same is a
    /// duplicate.
    id: Places,
    /// Where a hook says the type of its event.
    #[serde(rename = "type")]
    event_type: Places,
    /// When it happened: RFC 3339, or seconds since 1970. When it came, where it is none.
    #[serde(default)]
    time: Places,
    /// The payload: JSON pointers, the whole body being the empty one. The whole body, where none is
    /// there.
    #[serde(default)]
    data: Vec<String>,
    /// A hook that is a question, not an event.
    #[serde(default)]
    challenge: Option<Challenge>,
    /// Attributes of the event; one that is not there, or no text and no number, is left out.
    #[serde(default)]
    attributes: BTreeMap<String, Place>,
}

/// A hook that only asks whether its receiver is there: where `at` holds `is`, the answer is what `answer`
/// holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {
    at: Place,
    is: String,
    answer: Place,
}

/// Text with `{/pointer}` into the body, `{header:name}`, `{id}` (the id that was verified) and
/// `{sha256}` (of the body).
#[derive(Clone, Debug)]
struct Place(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Pointer(String),
    Header(String),
    Id,
    Sha256,
}

/// A hook that was verified.
pub struct Hook<'a> {
    /// The id that its signature covers or its header carries.
    pub id: Option<&'a str>,
    /// Looks a header up by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The body, byte for byte as it was signed.
    pub body: &'a [u8],
}

impl<'a> Hook<'a> {
    /// The body, where it is JSON.
    fn json(&self) -> Option<&'a RawValue> {
        std::str::from_utf8(self.body).ok().and_then(|text| serde_json::from_str(text).ok())
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) =
                after.split_once('}').ok_or_else(|| D::Error::custom("{ without }"))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match (name, name.strip_prefix("header:")) {
                ("id", _) => Piece::Id,
                ("sha256", _) => Piece::Sha256,
                (_, Some(header)) => Piece::Header(header.to_ascii_lowercase()),
                _ if name.starts_with('/') => Piece::Pointer(name.to_owned()),
                _ => return Err(D::Error::custom(format!("{{{name}}} is not known"))),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl Reading {
    /// Names what is missing.
    pub(super) fn check(&self, pointer: &str, faults: &mut Vec<Fault>) {
        for (name, places) in [("id", &self.id), ("type", &self.event_type)] {
            if places.is_empty() {
                faults.push(Fault::new(&format!("{pointer}/{name}"), "must name a place"));
            }
        }
        for (at, data) in self.data.iter().enumerate() {
            if !data.is_empty() && !data.starts_with('/') {
                let pointer = format!("{pointer}/data/{at}");
                faults.push(Fault::new(&pointer, "must be a JSON pointer"));
            }
        }
    }

    /// What a verified hook wants as its answer, where it is a question and no event.
    pub fn challenge(&self, hook: &Hook<'_>) -> Option<String> {
        let challenge = self.challenge.as_ref()?;
        let json = hook.json();
        let asks = challenge.at.text(hook, json)? == challenge.is;
        challenge.answer.text(hook, json).filter(|_| asks)
    }

    /// The event that a hook is, with this source. The fault says what the hook has not.
    pub fn submission(&self, source: &str, hook: &Hook<'_>) -> Result<Submission, Fault> {
        let json = hook.json();
        let find = |places: &Places| places.iter().find_map(|place| place.text(hook, json));
        let mut event = serde_json::Map::new();
        event.insert("id".to_owned(), find(&self.id).ok_or_else(|| lacks("id"))?.into());
        event.insert("source".to_owned(), source.into());
        event
            .insert("type".to_owned(), find(&self.event_type).ok_or_else(|| lacks("type"))?.into());
        if let Some(time) = find(&self.time).and_then(|text| time(&text)) {
            event.insert("time".to_owned(), time.into());
        }
        for (name, place) in &self.attributes {
            if let Some(value) = place.scalar(hook, json) {
                event.insert(name.clone(), value);
            }
        }
        let data = self.data.iter().find_map(|pointer| raw_at(json?, pointer));
        let (name, data) = match data.or(json) {
            Some(data) => ("data", data.get().to_owned()),
            None => ("data_base64", format!("\"{}\"", BASE64.encode(hook.body))),
        };
        // The payload is put in as text, so that its bytes are kept.
        let mut envelope = serde_json::Value::Object(event).to_string();
        envelope.truncate(envelope.len() - 1);
        let text = format!("{envelope},\"{name}\":{data}}}");
        Ok(Submission { text, form: Form::Own, fallback_id: None, hops: Hops::default() })
    }
}

impl Place {
    fn text(&self, hook: &Hook<'_>, json: Option<&RawValue>) -> Option<String> {
        let texts: Option<Vec<String>> =
            self.0.iter().map(|piece| piece.text(hook, json)).collect();
        texts.map(|texts| texts.concat()).filter(|text| !text.is_empty())
    }

    /// A single pointer's number or flag as such, anything else as text.
    fn scalar(&self, hook: &Hook<'_>, json: Option<&RawValue>) -> Option<serde_json::Value> {
        if let [Piece::Pointer(pointer)] = self.0.as_slice() {
            let value: serde_json::Value =
                serde_json::from_str(raw_at(json?, pointer)?.get()).ok()?;
            let is_scalar = value.is_string() || value.is_number() || value.is_boolean();
            return Some(value).filter(|_| is_scalar);
        }
        self.text(hook, json).map(Into::into)
    }
}

impl Piece {
    fn text(&self, hook: &Hook<'_>, json: Option<&RawValue>) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Header(name) => (hook.header)(name).map(str::to_owned),
            Self::Id => hook.id.map(str::to_owned),
            Self::Sha256 => Some(hex::encode(Sha256::digest(hook.body))),
            Self::Pointer(pointer) => {
                let raw = raw_at(json?, pointer)?.get();
                let is_number = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                // A number as it is written, a text without its quotes.
                if is_number { Some(raw.to_owned()) } else { serde_json::from_str(raw).ok() }
            }
        }
    }
}

/// RFC 3339 in UTC, of that or of seconds since 1970.
fn time(text: &str) -> Option<String> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds < 253_402_300_800);
    seconds.map(|seconds| Timestamp::from_ms(seconds * 1_000).rfc3339()).or_else(|| in_utc(text))
}

fn lacks(name: &str) -> Fault {
    Fault::new("", &format!("it has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn event(
        profile: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<serde_json::Value, Fault> {
        let profile = Profile::find_builtin(profile).unwrap();
        let header = |name: &str| headers.iter().find(|(found, _)| *found == name).map(|(_, v)| *v);
        let hook = Hook { id: Some("dlv_1"), header: &header, body: body.as_bytes() };
        let submission = profile.reading.submission("/hooks/x", &hook)?;
        Ok(serde_json::from_str(&submission.text).unwrap())
    }

    #[test]
    fn each_part_is_read_where_the_profile_says() {
        let body = r#"{"event":"decision.blocked","timestamp":"2026-01-01T00:00:00Z","decision":{"riskScore":0.9,"outcome":"BLOCK","auditId":null}}"#;
        let omega = event("omegaengine", &[], body).unwrap();
        assert_eq!(omega["type"], "decision.blocked");
        assert_eq!((&omega["riskscore"], &omega["outcome"]), (&0.9.into(), &"BLOCK".into()));
        assert_eq!(omega.get("auditid"), None);
        assert_eq!(omega["data"]["riskScore"], 0.9);
        let github = event("github", &[("x-github-event", "push")], r#"{"ref":"main"}"#).unwrap();
        assert_eq!((&github["id"], &github["type"]), (&"dlv_1".into(), &"push".into()));
        assert_eq!(github["data"]["ref"], "main");
        let stripe = r#"{"id":"evt_1","type":"a.b","created":1700000000,"data":{"object":{}}}"#;
        assert_eq!(event("stripe", &[], stripe).unwrap()["time"], "2023-11-14T22:13:20Z");
        let standard = event("standard", &[], r#"{"type":"a","data":{"n": 1.0}}"#).unwrap();
        assert_eq!(standard["data"]["n"], 1.0);
    }

    #[test]
    fn what_is_missing_is_said_and_what_is_no_json_is_kept() {
        assert!(event("aisg", &[], r#"{"event":"a"}"#).unwrap_err().detail.contains("no id"));
        assert!(event("standard", &[], "{}").unwrap_err().detail.contains("no type"));
        let headers = [("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "a.b")];
        let binary = event("cloudevents-binary", &headers, "plain").unwrap();
        assert_eq!(binary["data_base64"], BASE64.encode("plain"));
        assert_eq!(binary["id"], "/s 1");
    }

    fn reading(members: &str) -> Result<Reading, serde_json::Error> {
        serde_json::from_str(&format!(r#"{{"id":["{{id}}"],"type":["x"]{members}}}"#))
    }

    #[test]
    fn a_place_that_is_not_known_is_refused() {
        for place in ["{/a}", "{header:x-a}", "{id}", "{sha256}", "a {/b} c"] {
            assert!(reading(&format!(r#","time":["{place}"]"#)).is_ok(), "{place}");
        }
        for place in ["{a}", "{}", "{/a", "{body}"] {
            assert!(reading(&format!(r#","time":["{place}"]"#)).is_err(), "{place}");
        }
    }

    #[test]
    fn a_hook_must_have_places_for_its_id_and_its_type_and_pointers_to_its_payload() {
        let faults = |reading: &str| {
            let mut faults = Vec::new();
            serde_json::from_str::<Reading>(reading).unwrap().check("/receive", &mut faults);
            faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert_eq!(faults(r#"{"id":[],"type":[]}"#), ["/receive/id", "/receive/type"]);
        let data = r#"{"id":["{id}"],"type":["x"],"data":["/a","a",""]}"#;
        assert_eq!(faults(data), ["/receive/data/1"]);
    }

    #[test]
    fn a_hook_that_asks_for_it_is_answered_with_its_challenge_and_no_other_is() {
        let asks =
            r#","challenge":{"at":"{/type}","is":"url_verification","answer":"{/challenge}"}"#;
        let answer = |members: &str, body: &str| {
            let hook = Hook { id: None, header: &|_| None, body: body.as_bytes() };
            reading(members).unwrap().challenge(&hook)
        };
        let question = r#"{"type":"url_verification","challenge":"c1"}"#;
        assert_eq!(answer(asks, question).as_deref(), Some("c1"));
        assert_eq!(answer(asks, r#"{"type":"event","challenge":"c1"}"#), None);
        assert_eq!(answer("", question), None);
    }

    #[test]
    fn a_time_is_of_the_years_that_can_be_written() {
        assert_eq!(time("253402300799").as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!(time("253402300800"), None);
        assert_eq!(time("2026-01-01T01:00:00+01:00").as_deref(), Some("2026-01-01T00:00:00Z"));
    }
}
