//! A profile: one wire contract, as data. A further system is a further file, and no further code.
//!
//! The file's part about signatures is read by `waxseal-verify`, whose files these are; the rest here:
//! the body's envelope, the catalogue of events, the retry policy, and how a hook is read.

mod envelope;
mod own;
mod reading;
mod render;

pub use envelope::{Envelope, JsonForm, Member, Value};
pub use reading::{Hook, Reading};
pub use render::{RenderedBody, Rendering, UnreadablePayload, render, variable};

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use waxseal_verify::FILES;

use crate::delivery::retry::RetryPolicy;
use crate::endpoint::Endpoint;
use crate::json::{Fault, Json};
use crate::limits::{ENDPOINTS_PER_TENANT_MAX, TIMEOUT_MS, WINDOW_S};

/// The part of a profile that signs, verifies and explains.
pub use waxseal_verify::Profile as Dialect;

/// The name of the profile that an endpoint has if it names none.
pub const STANDARD: &str = "standard";

/// A wire contract: signature, headers and secret (its dialect), envelope, events, retry policy,
/// time-out, limits, and how its hooks are read.
#[derive(Debug)]
pub struct Profile {
    /// How it signs and verifies.
    pub dialect: Arc<Dialect>,
    /// The shape of the body: its members, or the payload itself.
    pub envelope: Envelope,
    /// The events that the system has, with their severities and an example of each.
    pub events: Vec<EventKind>,
    /// The retry policy of its endpoints that have none of their own.
    pub retry: RetryPolicy,
    /// Time-out of an attempt in milliseconds, where the endpoint says none.
    pub timeout_ms: u32,
    /// Whether receivers are asked before they are sent to.
    pub handshake: bool,
    /// Endpoints that a tenant may have.
    pub endpoints_max: usize,
    /// How a hook becomes an event.
    pub reading: Reading,
    /// The file, as it stands.
    pub file: Box<RawValue>,
}

/// A kind of event in a profile's catalogue.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventKind {
    /// The event type, as receivers of this contract know it.
    #[serde(rename = "type")]
    pub event_type: String,
    /// How grave it is, where the system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// An event of it, without `type`: what a test event of that type is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Box<RawValue>>,
}

/// Members of a file that are the dialect's.
const DIALECT: [&str; 9] =
    ["name", "title", "about", "secret", "signed", "signatures", "join", "body_member", "headers"];
/// Members of a file that are read here.
const OWN: [&str; 7] =
    ["envelope", "events", "retry", "timeout_ms", "handshake", "endpoints_max", "receive"];

#[derive(Deserialize)]
struct File {
    envelope: Envelope,
    #[serde(default)]
    events: Vec<EventKind>,
    retry: RetryPolicy,
    #[serde(default)]
    timeout_ms: Option<u32>,
    #[serde(default)]
    handshake: bool,
    #[serde(default)]
    endpoints_max: Option<usize>,
    receive: Reading,
}

static BUILTIN: LazyLock<Vec<Arc<Profile>>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(_, text)| {
            Arc::new(Profile::parse(text).expect("a test reads every file that is compiled in"))
        })
        .collect()
});

impl Profile {
    /// Reads a profile's file, and names every fault: of both parts, and of members that are nobody's.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let whole = |detail: &str| vec![Fault::new("", detail)];
        let json = Json::parse(text).map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        let dialect = Dialect::parse(text).map_err(|fault| {
            faults.extend(fault.faults.iter().map(|detail| Fault::new("", detail)));
        });
        let members = json.as_object().unwrap_or_default();
        let unknown = members
            .iter()
            .filter(|(name, _)| !DIALECT.contains(&&**name) && !OWN.contains(&&**name))
            .map(|(name, _)| Fault::new(&format!("/{name}"), "is not a member of a profile"));
        faults.extend(unknown);
        let file = serde_json::from_str::<File>(text).map_err(|error| error.to_string());
        match &file {
            Ok(file) => file.check(&mut faults),
            Err(detail) if !faults.iter().any(|fault| &fault.detail == detail) => {
                faults.push(Fault::new("", detail));
            }
            Err(_) => {}
        }
        let (Ok(dialect), Ok(file), true) = (dialect, file, faults.is_empty()) else {
            return Err(faults);
        };
        let raw = RawValue::from_string(text.trim().to_owned());
        Ok(Self {
            dialect: Arc::new(dialect),
            envelope: file.envelope,
            events: file.events,
            retry: file.retry,
            timeout_ms: file.timeout_ms.unwrap_or(*TIMEOUT_MS.end()),
            handshake: file.handshake,
            endpoints_max: file.endpoints_max.unwrap_or(ENDPOINTS_PER_TENANT_MAX),
            reading: file.receive,
            file: raw.map_err(|error| whole(&error.to_string()))?,
        })
    }

    /// The profiles that are compiled in, `standard` first.
    pub fn builtins() -> &'static [Arc<Self>] {
        &BUILTIN
    }

    /// The compiled-in profile of that name.
    pub fn find_builtin(name: &str) -> Option<Arc<Self>> {
        BUILTIN.iter().find(|profile| profile.name() == name).cloned()
    }

    /// Returns the profile [`STANDARD`], which is compiled in.
    pub fn standard() -> Arc<Self> {
        Self::find_builtin(STANDARD).expect("it is compiled in")
    }

    /// The name by which an endpoint or a source chooses it.
    pub fn name(&self) -> &str {
        self.dialect.name()
    }

    /// The retry policy of an endpoint.
    pub fn retry_policy(&self, endpoint: &Endpoint) -> RetryPolicy {
        endpoint.retry.clone().unwrap_or_else(|| self.retry.clone())
    }

    /// The time-out of an attempt to an endpoint, in milliseconds.
    pub fn timeout_of(&self, endpoint: &Endpoint) -> u32 {
        endpoint.timeout_ms.unwrap_or(self.timeout_ms)
    }

    /// What its secrets look like, for people.
    pub fn secret_shape(&self) -> String {
        self.dialect.key("").map_or_else(|fault| fault.to_string(), |_| String::new())
    }

    /// The example of an event type, without its `type`.
    pub fn example(&self, event_type: &str) -> Option<&RawValue> {
        let kind = self.events.iter().find(|kind| kind.event_type == event_type)?;
        kind.example.as_deref()
    }
}

impl File {
    fn check(&self, faults: &mut Vec<Fault>) {
        self.envelope.check("/envelope", faults);
        self.receive.check("/receive", faults);
        let delays: Vec<u64> = self.retry.delays_s.iter().map(|&s| u64::from(s)).collect();
        if let Err(found) = RetryPolicy::of_delays(&delays, "/retry/delays_s") {
            faults.extend(found);
        }
        if self.retry.window_s.is_some_and(|window_s| !WINDOW_S.contains(&window_s)) {
            faults.push(Fault::new("/retry/window_s", "is out of its range"));
        }
        if self.timeout_ms.is_some_and(|timeout_ms| !TIMEOUT_MS.contains(&timeout_ms)) {
            faults.push(Fault::new("/timeout_ms", "must be 1000 to 10000"));
        }
        if self.endpoints_max.is_some_and(|max| !(1..=ENDPOINTS_PER_TENANT_MAX).contains(&max)) {
            let detail = format!("must be 1 to {ENDPOINTS_PER_TENANT_MAX}");
            faults.push(Fault::new("/endpoints_max", &detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_is_compiled_in_is_valid() {
        for (name, text) in FILES {
            let profile =
                Profile::parse(text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
            assert_eq!(profile.name(), *name);
            for kind in &profile.events {
                assert!(profile.example(&kind.event_type).is_some(), "{name} {}", kind.event_type);
            }
        }
        assert_eq!(Profile::builtins()[0].name(), STANDARD);
    }

    #[test]
    fn a_file_with_faults_is_refused_and_each_is_named() {
        let (_, text) = FILES.iter().find(|(name, _)| *name == "aisg").unwrap();
        let bad = text
            .replace("\"timeout_ms\": 10000", "\"timeout_ms\": 1, \"colour\": \"red\"")
            .replace("[1, 1]", "[0]")
            .replace("\"slack_line\"", "\"type\", \"text\": \"both\"");
        let faults = Profile::parse(&bad).unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let expected = ["/colour", "/envelope/members/3", "/retry/delays_s/0", "/timeout_ms"];
        assert_eq!(pointers, expected, "{faults:?}");
    }

    #[test]
    fn what_both_readers_of_a_file_find_is_named_once() {
        let details = |text: &str| -> Vec<String> {
            let faults = Profile::parse(text).unwrap_err();
            faults.into_iter().map(|fault| fault.detail).collect()
        };
        let missing = details("{}");
        assert!(missing.iter().any(|detail| detail.contains("`envelope`")), "{missing:?}");
        let both = details(r#"{"name": "x", "retry": 1e999}"#);
        let out_of_range = both.iter().filter(|detail| detail.contains("number out of range"));
        assert_eq!(out_of_range.count(), 1, "{both:?}");
    }

    #[test]
    fn an_endpoint_has_its_own_time_out_or_its_profiles() {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        let now = crate::timestamp::Timestamp::from_ms(0);
        let endpoint = Endpoint::new(id, tenant, STANDARD.to_owned(), now);
        let profile = Profile::standard();
        assert_eq!(profile.timeout_of(&endpoint), profile.timeout_ms);
        let own = Endpoint { timeout_ms: Some(1_234), ..endpoint };
        assert_eq!(profile.timeout_of(&own), 1_234);
    }

    #[test]
    fn people_are_told_what_a_secret_looks_like() {
        let shape = Profile::standard().secret_shape();
        assert!(shape.contains("whsec_"), "{shape}");
    }

    #[test]
    fn an_example_is_that_of_its_type() {
        let profile = Profile::builtins().iter().find(|one| one.events.len() > 1).unwrap();
        for kind in &profile.events {
            let example = profile.example(&kind.event_type).map(RawValue::get);
            assert_eq!(example, kind.example.as_deref().map(RawValue::get), "{}", kind.event_type);
        }
        assert!(profile.example("no.such.type").is_none());
    }
}
