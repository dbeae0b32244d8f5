//! Profiles: the wire contracts that endpoints choose from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use waxseal_domain::profile;

/// Describes a profile: a wire contract, which says how the deliveries of an endpoint look and are signed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Identifies the profile. Endpoints and sources choose it by this name.
    pub name: String,
    /// Names the contract for people.
    pub title: String,
    /// Describes the contract in a sentence or two.
    pub about: String,
    /// Lists the HTTP headers that a delivery carries for the contract.
    pub headers: Vec<String>,
    /// Describes which secrets the contract signs with.
    pub secret: String,
    /// Tells whether an endpoint may go without a secret, its deliveries being unsigned.
    pub secret_optional: bool,
    /// Lists the waiting times between attempts, in seconds, of an endpoint that has no `retry` of its own.
    pub delays_s: Vec<u32>,
    /// Tells whether each waiting time is lengthened by a random 0 to 10 percent.
    pub jitter: bool,
    /// Limits, in seconds, how long after the first attempt the last one may begin. It is null where there
    /// is no such limit.
    pub window_s: Option<u32>,
    /// Limits how long one attempt may take, in milliseconds, unless the endpoint says otherwise.
    pub timeout_ms: u32,
    /// Limits how many endpoints of this profile a tenant may have.
    pub endpoints_max: usize,
    /// Lists the events that the contract knows. It is empty where the contract takes any event.
    pub events: Vec<EventKind>,
    /// Tells whether the profile comes with Waxseal. The others were added to this deployment.
    pub builtin: bool,
    /// Holds the whole file that defines the profile. It is returned only for a single profile.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<RawValue>>,
}

/// Describes a kind of event that a contract knows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EventKind {
    /// Names the kind, as the member `type` of an event does.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Tells how severe such events are, where the contract says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Shows an event of this kind, without its `type`. A test event of this type looks like it.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Box<RawValue>>,
}

impl Profile {
    /// Adds the whole file to what is shown.
    #[must_use]
    pub fn with_file(self, profile: &profile::Profile) -> Self {
        Self { file: Some(profile.file.clone()), ..self }
    }
}

impl From<&profile::Profile> for Profile {
    fn from(profile: &profile::Profile) -> Self {
        let dialect = &profile.dialect;
        Self {
            name: profile.name().to_owned(),
            title: dialect.title().to_owned(),
            about: dialect.about().to_owned(),
            headers: dialect.header_names().map(str::to_owned).collect(),
            secret: profile.secret_shape(),
            secret_optional: dialect.secret_is_optional(),
            delays_s: profile.retry.delays_s.clone(),
            jitter: profile.retry.jitter,
            window_s: profile.retry.window_s,
            timeout_ms: profile.timeout_ms,
            endpoints_max: profile.endpoints_max,
            events: profile.events.iter().map(EventKind::from).collect(),
            builtin: profile::Profile::find_builtin(profile.name()).is_some(),
            file: None,
        }
    }
}

impl From<&profile::EventKind> for EventKind {
    fn from(kind: &profile::EventKind) -> Self {
        Self {
            event_type: kind.event_type.clone(),
            severity: kind.severity.clone(),
            example: kind.example.clone(),
        }
    }
}
