//! An endpoint as the API shows it: never its secrets, but once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use waxseal_domain::delivery::Delivery;
use waxseal_domain::delivery::attempt::{Attempt, Outcome};
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState, Health};
use waxseal_domain::event::Severity;
use waxseal_domain::event::event_type::EventTypePattern;
use waxseal_domain::flow_control::gate::{Gate, Mode};
use waxseal_domain::id::EndpointId;
use waxseal_domain::profile::Profile;
use waxseal_domain::secret::SealedSecret;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{DeliveryStore as _, Engine, EngineError, PageRequest};

use super::auth::AuthView;
use super::secrets::Shown;
use super::test_event::TestResult;
use crate::Call;
use crate::deliveries::STATUSES;

/// Failures that an endpoint shows.
const FAILURES_MAX: usize = 5;

/// An endpoint.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Endpoint")]
pub(crate) struct EndpointView<'a> {
    id: &'a str,
    tenant: &'a str,
    url: &'a str,
    name: Option<&'a str>,
    #[schemars(with = "Vec<String>")]
    event_types: &'a [EventTypePattern],
    /// An EventBridge event pattern over the whole event.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    filter: Option<Box<RawValue>>,
    /// Events this grave or graver.
    min_severity: Option<Severity>,
    /// Events whose `riskscore` is above this.
    risk_score_above: Option<f64>,
    /// Events whose `outcome` is one of these; any where the list is empty.
    outcomes: &'a [String],
    profile: &'a str,
    /// Whether its deliveries are signed.
    signed: bool,
    /// The secrets that sign now, the one in use first; never the secrets themselves.
    secrets: Vec<SecretView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<&'a str>,
    retry: Retry,
    timeout_ms: u32,
    /// Attempts a second, at most; what is over it waits.
    max_per_second: Option<u32>,
    /// Attempts under way at once, at most; what is over it waits.
    max_concurrency: Option<u32>,
    headers: &'a BTreeMap<String, String>,
    /// How its receiver is authenticated to, beside the signature.
    auth: Option<AuthView>,
    enabled: bool,
    /// Whether what it wants is kept for it, and not sent.
    paused: bool,
    #[schemars(extend("format" = "date-time"))]
    paused_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    health: Health,
    /// Of one endpoint only. `open`: it fails, and gets probes alone; `pacing`: what was held is sent at a
    /// bounded rate.
    #[schemars(extend("enum" = ["closed", "open", "pacing"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<&'static str>,
    /// Of one endpoint only: its last attempts that failed, newest event first.
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_failures: Option<Vec<FailureView>>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// A secret that signs.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LiveSecret")]
struct SecretView {
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// Set once another has taken its place.
    #[schemars(extend("format" = "date-time"))]
    signs_until: Option<String>,
}

/// An attempt that failed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
pub(crate) struct FailureView {
    delivery_id: String,
    /// How the delivery is now.
    #[schemars(extend("enum" = STATUSES))]
    status: &'static str,
    #[schemars(extend("format" = "date-time"))]
    at: String,
    outcome: Outcome,
    response_status: Option<u16>,
    detail: Option<String>,
}

/// Seconds from one attempt to the next.
#[derive(Serialize, JsonSchema)]
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

    /// With its last failures.
    pub(super) fn with_failures(self, failures: Vec<FailureView>) -> Self {
        Self { recent_failures: Some(failures), ..self }
    }

    pub(super) fn of(endpoint: &'a Endpoint, profile: &Profile) -> Self {
        let secret = |secret: &SealedSecret| SecretView {
            created_at: secret.created_at.rfc3339(),
            signs_until: secret.until.map(Timestamp::rfc3339),
        };
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
            min_severity: endpoint.subscription.min_severity,
            risk_score_above: endpoint.subscription.risk_score_above,
            outcomes: &endpoint.subscription.outcomes,
            profile: &endpoint.profile,
            signed: !endpoint.secrets.is_empty(),
            secrets: endpoint.secrets.iter().map(secret).collect(),
            public_key: endpoint.secrets.first().and_then(|secret| secret.public_key.as_deref()),
            retry: Retry::of(profile.retry_policy(endpoint)),
            timeout_ms: profile.timeout_of(endpoint),
            max_per_second: endpoint.max_per_second,
            max_concurrency: endpoint.max_concurrency,
            headers: &endpoint.headers,
            auth: endpoint.auth.as_ref().map(AuthView::from),
            enabled: endpoint.is_enabled(),
            paused: endpoint.is_paused(),
            paused_at: endpoint.paused_at.map(Timestamp::rfc3339),
            disabled_reason,
            health: endpoint.health,
            breaker: None,
            recent_failures: None,
            created_at: endpoint.created_at.rfc3339(),
            updated_at: endpoint.updated_at.rfc3339(),
        }
    }
}

/// The last failed attempt of each of an endpoint's last deliveries that did not succeed at first.
pub(super) async fn recent_failures<E: Engine>(
    call: &Call<'_, E>,
    id: &EndpointId,
) -> Result<Vec<FailureView>, EngineError> {
    let page = PageRequest { limit: FAILURES_MAX, cursor: None };
    let found = call.engine.store().deliveries_by_endpoint(call.tenant, id, &page).await?;
    Ok(found.items.iter().filter_map(failure).collect())
}

fn failure(delivery: &Delivery) -> Option<FailureView> {
    let failed = |attempt: &&Attempt| attempt.outcome != Outcome::Accepted;
    let attempt = delivery.log.iter().rev().find(failed)?;
    Some(FailureView {
        delivery_id: delivery.key.id().to_string(),
        status: delivery.status_word(),
        at: attempt.started_at.rfc3339(),
        outcome: attempt.outcome,
        response_status: attempt.response_status,
        detail: attempt.detail.clone(),
    })
}

/// An endpoint just configured.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedEndpoint")]
pub(crate) struct Created<'a> {
    #[serde(flatten)]
    endpoint: EndpointView<'a>,
    #[serde(flatten)]
    shown: Shown,
    /// What the test event came to; null where none was sent.
    ping: Option<TestResult>,
    /// From when events are sure to reach it.
    #[schemars(extend("format" = "date-time"))]
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
