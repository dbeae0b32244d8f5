//! An endpoint as the API shows it: never its secrets, but once.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState, Health};
use waxseal_domain::event_type::EventTypePattern;
use waxseal_domain::gate::{Gate, Mode};
use waxseal_domain::profile::Profile;
use waxseal_domain::retry::RetryPolicy;
use waxseal_domain::timestamp::Timestamp;

use super::secrets::Shown;
use super::test_event::TestResult;

#[derive(Serialize)]
pub(super) struct EndpointView<'a> {
    id: &'a str,
    tenant: &'a str,
    url: &'a str,
    name: Option<&'a str>,
    event_types: &'a [EventTypePattern],
    filter: Option<Box<RawValue>>,
    profile: &'a str,
    signed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<&'a str>,
    retry: Retry,
    timeout_ms: u32,
    max_per_second: Option<u32>,
    headers: &'a BTreeMap<String, String>,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    health: Health,
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<&'static str>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct Retry {
    delays_s: Vec<u32>,
    jitter: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_s: Option<u32>,
}

impl Retry {
    fn of(policy: RetryPolicy) -> Self {
        let RetryPolicy { delays_s, jitter, window_s } = policy;
        Self { delays_s, jitter, window_s }
    }
}

impl<'a> EndpointView<'a> {
    /// With what its gate does: `open` lets probes through only, `pacing` a bounded rate.
    pub(super) fn with_gate(self, gate: Option<&Gate>) -> Self {
        let breaker = match gate.map(|gate| gate.mode) {
            Some(Mode::Open) => "open",
            Some(Mode::Pacing) => "pacing",
            Some(Mode::Closing) | None => "closed",
        };
        Self { breaker: Some(breaker), ..self }
    }

    pub(super) fn of(endpoint: &'a Endpoint, profile: &Profile) -> Self {
        let filter = endpoint.subscription.filter.as_ref();
        let disabled_reason = match &endpoint.state {
            EndpointState::Enabled => None,
            EndpointState::Disabled { reason, .. } => Some(*reason),
        };
        Self {
            id: endpoint.id.as_str(),
            tenant: endpoint.tenant.as_str(),
            url: &endpoint.url,
            name: endpoint.name.as_deref(),
            event_types: &endpoint.subscription.event_types,
            filter: filter.and_then(|filter| RawValue::from_string(filter.text().to_owned()).ok()),
            profile: &endpoint.profile,
            signed: !endpoint.secrets.is_empty(),
            public_key: endpoint.secrets.first().and_then(|secret| secret.public_key.as_deref()),
            retry: Retry::of(profile.retry_policy(endpoint)),
            timeout_ms: profile.timeout_of(endpoint),
            max_per_second: endpoint.max_per_second,
            headers: &endpoint.headers,
            enabled: endpoint.is_enabled(),
            disabled_reason,
            health: endpoint.health,
            breaker: None,
            created_at: endpoint.created_at.rfc3339(),
            updated_at: endpoint.updated_at.rfc3339(),
        }
    }
}

/// An endpoint just configured.
#[derive(Serialize)]
pub(super) struct Created<'a> {
    #[serde(flatten)]
    endpoint: EndpointView<'a>,
    #[serde(flatten)]
    shown: Shown,
    ping: Option<TestResult>,
    active_from: String,
}

impl<'a> Created<'a> {
    pub(super) fn of(
        endpoint: EndpointView<'a>,
        shown: Shown,
        ping: Option<TestResult>,
        active_from: Timestamp,
    ) -> Self {
        Self { endpoint, shown, ping, active_from: active_from.rfc3339() }
    }
}
