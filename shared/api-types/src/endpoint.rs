//! Endpoints: where deliveries go, and under which rules.

mod auth;
mod examples;
mod matching;
mod recovery;
mod secret;
mod test_event;

pub use self::auth::EndpointAuth;
pub use self::matching::{MatchChanges, MatchResult, MatchedEvent};
pub use self::recovery::{NewRecovery, Recovery, RecoveryScope};
pub use self::secret::{LiveSecret, Rotation, Secret, ShownSecret};
pub use self::test_event::{Handshake, NewTest, TestResponse, TestResult};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::subscription::Subscription;
use waxseal_domain::endpoint::{self, EndpointState};
use waxseal_domain::flow_control::gate::{Gate, Mode};
use waxseal_domain::limits::PAUSE_S_MAX;
use waxseal_domain::profile::Profile;
use waxseal_domain::timestamp::Timestamp;

use crate::delivery::{DeliveryStatus, Outcome};
use crate::event::Severity;
use crate::word::words;

words! {
    /// Tells why an endpoint is disabled.
    pub enum DisabledReason {
        /// A caller of the API disabled the endpoint.
        Requested = "requested",
        /// The receiver answered with status 410.
        Gone = "gone",
        /// The circuit breaker of the endpoint was open for five days.
        Failing = "failing",
        /// The endpoint was paused for longer than its deliveries are kept.
        Paused = "paused",
    }
}

impl From<endpoint::DisabledReason> for DisabledReason {
    fn from(reason: endpoint::DisabledReason) -> Self {
        match reason {
            endpoint::DisabledReason::Requested => Self::Requested,
            endpoint::DisabledReason::Gone => Self::Gone,
            endpoint::DisabledReason::Failing => Self::Failing,
            endpoint::DisabledReason::Paused => Self::Paused,
        }
    }
}

words! {
    /// Tells whether the receiver of an endpoint was ever seen to work.
    pub enum Health {
        /// No test event was accepted yet.
        Unverified = "unverified",
        /// A test event was accepted.
        Verified = "verified",
    }
}

impl From<endpoint::Health> for Health {
    fn from(health: endpoint::Health) -> Self {
        match health {
            endpoint::Health::Unverified => Self::Unverified,
            endpoint::Health::Verified => Self::Verified,
        }
    }
}

words! {
    /// Tells what the circuit breaker of an endpoint does.
    pub enum Breaker {
        /// Deliveries are sent as they come.
        Closed = "closed",
        /// The receiver fails. Deliveries are held, and only probes are sent.
        Open = "open",
        /// Deliveries that were held are sent at a limited rate.
        Pacing = "pacing",
    }
}

impl From<Option<&Gate>> for Breaker {
    fn from(gate: Option<&Gate>) -> Self {
        match gate.map(|gate| gate.mode) {
            Some(Mode::Open) => Self::Open,
            Some(Mode::Pacing) => Self::Pacing,
            Some(Mode::Closing) | None => Self::Closed,
        }
    }
}

/// Describes an endpoint: where deliveries of the tenant go, which events it wants, and how they are sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Identifies the endpoint, as `ep_…`.
    pub id: String,
    /// Names the tenant that the endpoint belongs to.
    pub tenant: String,
    /// Tells where deliveries go: a URL, or the ARN of an SQS queue or an EventBridge bus.
    pub url: String,
    /// Names the endpoint for people.
    pub name: Option<String>,
    /// Lists the event types that the endpoint wants. `dlp.*` stands for every type that begins with
    /// `dlp.`, and `*` for every type but those that begin with `waxseal.`.
    #[schemars(with = "Vec<String>")]
    pub event_types: Vec<String>,
    /// Selects events by an EventBridge event pattern over the whole event. It is null where there is no
    /// filter.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub filter: Option<Box<RawValue>>,
    /// Selects events of this severity or a higher one. An event without a severity counts as `info`.
    pub min_severity: Option<Severity>,
    /// Selects events whose `riskscore` is higher than this.
    pub risk_score_above: Option<f64>,
    /// Selects events whose `outcome` is one of these. If the list is empty, the outcome does not matter.
    pub outcomes: Vec<String>,
    /// Names the profile: the wire contract that deliveries follow.
    pub profile: String,
    /// Tells whether deliveries are signed.
    pub signed: bool,
    /// Lists the secrets that sign now, the newest first. The secrets themselves are never returned here.
    pub secrets: Vec<LiveSecret>,
    /// Holds the public key that verifies deliveries, as `whpk_…`. It is left out where deliveries are not
    /// signed with ed25519.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Tells when failed attempts are repeated: by the endpoint's own policy, or else by its profile's.
    pub retry: Retry,
    /// Limits how long one attempt may take, in milliseconds.
    pub timeout_ms: u32,
    /// Limits how many attempts begin per second. Deliveries beyond it wait.
    pub max_per_second: Option<u32>,
    /// Limits how many attempts are under way at the same time. Deliveries beyond it wait.
    pub max_concurrency: Option<u32>,
    /// Holds headers that are sent with every attempt, beside those of the profile. A value that may be a secret
    /// reads `(not shown)`: every value but an empty one, and those of `accept` and a few others that never
    /// hold one.
    pub headers: BTreeMap<String, String>,
    /// Tells how requests authenticate to the receiver, beside their signature. Secrets are left out.
    pub auth: Option<EndpointAuth>,
    /// Tells whether the endpoint gets events.
    pub enabled: bool,
    /// Tells whether the endpoint is paused: its deliveries are kept, and sent once it is resumed.
    pub paused: bool,
    /// Tells when the endpoint was paused.
    #[schemars(extend("format" = "date-time"))]
    pub paused_at: Option<String>,
    /// Tells why the endpoint is disabled. It is left out where the endpoint is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<DisabledReason>,
    /// Tells whether the receiver ever accepted a test event.
    pub health: Health,
    /// Tells what the circuit breaker does: `closed` sends deliveries as they come; `open` holds them while
    /// the receiver fails, and sends only probes; `pacing` sends what was held at a limited rate. It is
    /// returned only for a single endpoint.
    #[schemars(with = "Option<String>", extend("enum" = Breaker::WORDS))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
    /// Lists the last attempts that failed, at most five, the newest event first. It is returned only for a
    /// single endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent_failures: Option<Vec<Failure>>,
    /// Tells when the endpoint was created.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
    /// Tells when the endpoint was last changed.
    #[schemars(extend("format" = "date-time"))]
    pub updated_at: String,
}

/// Describes an attempt that failed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Identifies the delivery that was attempted.
    pub delivery_id: String,
    /// Tells where that delivery stands now.
    #[schemars(with = "String", extend("enum" = DeliveryStatus::WORDS))]
    pub status: DeliveryStatus,
    /// Tells when the attempt began.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Tells what the attempt came to.
    pub outcome: Outcome,
    /// Holds the HTTP status code of the receiver's response. It is null where there was no response.
    pub response_status: Option<u16>,
    /// Explains why there was no response. It is null where there was one.
    pub detail: Option<String>,
}

/// Tells when failed attempts are repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// Lists the waiting times between attempts, in seconds. There is one attempt more than there are
    /// waiting times.
    pub delays_s: Vec<u32>,
    /// Tells whether each waiting time is lengthened by a random 0 to 10 percent.
    pub jitter: bool,
    /// Limits, in seconds, how long after the first attempt the last one may begin. It is left out where
    /// there is no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
}

impl From<RetryPolicy> for Retry {
    fn from(policy: RetryPolicy) -> Self {
        let RetryPolicy { delays_s, jitter, window_s } = policy;
        Self { delays_s, jitter, window_s }
    }
}

impl Endpoint {
    /// Shows an endpoint: what it does not say itself is its profile's.
    pub fn of(endpoint: &endpoint::Endpoint, profile: &Profile) -> Self {
        // Every member by its name: one that is stored and neither shown nor left out on purpose
        // does not compile.
        let endpoint::Endpoint {
            id,
            tenant,
            url,
            name,
            subscription:
                Subscription { event_types, min_severity, risk_score_above, outcomes, filter },
            profile: profile_name,
            secrets,
            retry: _,
            timeout_ms: _,
            max_per_second,
            max_concurrency,
            auth,
            request_digest: _,
            headers: _,
            sealed_headers: _,
            state,
            paused_at,
            health,
            version: _,
            created_at,
            updated_at,
        } = endpoint;
        let disabled_reason = match state {
            EndpointState::Enabled => None,
            EndpointState::Disabled { reason, .. } => Some(DisabledReason::from(*reason)),
        };
        Self {
            id: id.to_string(),
            tenant: tenant.to_string(),
            url: url.clone(),
            name: name.clone(),
            event_types: event_types.iter().map(ToString::to_string).collect(),
            filter: filter.as_ref().map(|filter| filter.json().to_owned()),
            min_severity: min_severity.map(Severity::from),
            risk_score_above: *risk_score_above,
            outcomes: outcomes.clone(),
            profile: profile_name.clone(),
            signed: !secrets.is_empty(),
            secrets: secrets.iter().map(LiveSecret::from).collect(),
            public_key: secrets.first().and_then(|secret| secret.public_key.clone()),
            retry: profile.retry_policy(endpoint).into(),
            timeout_ms: profile.timeout_of(endpoint),
            max_per_second: *max_per_second,
            max_concurrency: *max_concurrency,
            headers: endpoint.shown_headers(),
            auth: auth.as_ref().map(EndpointAuth::from),
            enabled: endpoint.is_enabled(),
            paused: endpoint.is_paused(),
            paused_at: paused_at.map(Timestamp::rfc3339),
            disabled_reason,
            health: (*health).into(),
            breaker: None,
            recent_failures: None,
            created_at: created_at.rfc3339(),
            updated_at: updated_at.rfc3339(),
        }
    }
}

/// Describes an endpoint that was just created.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CreatedEndpoint {
    /// Describes the endpoint itself.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// Shows the secret of the new endpoint, this once.
    #[serde(flatten)]
    pub shown: ShownSecret,
    /// Tells what the test event came to that was sent at once. It is null where none was sent.
    pub ping: Option<TestResult>,
    /// Tells from when on events are sure to reach the endpoint.
    #[schemars(extend("format" = "date-time"))]
    pub active_from: String,
}

impl<'de> Deserialize<'de> for CreatedEndpoint {
    /// Reads the text part by part: what serde flattens cannot hold the raw text of a filter.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            ping: Option<TestResult>,
            active_from: String,
        }
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let endpoint = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let shown = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let rest: Rest = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self { endpoint, shown, ping: rest.ping, active_from: rest.active_from })
    }
}

/// Asks for an endpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewEndpoint {
    /// Holds all that can be changed later as well; `url` is required.
    #[serde(flatten)]
    pub changes: EndpointChanges,
    /// Sets the secret that signs deliveries, in the form that the profile describes. If it is left out, one
    /// is made. Null leaves deliveries unsigned, where the profile allows that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Option<String>>,
    /// Names the algorithm of a secret that is made. The default is the usual one of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
}

/// Changes an endpoint: members that are left out stay as they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct EndpointChanges {
    /// Tells where deliveries go: an `https` URL, or the ARN of an SQS queue
    /// (`arn:aws:sqs:<region>:<account>:<name>`) or of an EventBridge bus
    /// (`arn:aws:events:<region>:<account>:event-bus/<name>`) that the deployment allows. A queue gets the
    /// body as the message and the headers as message attributes; if there are more than ten headers, the
    /// last attribute, `headers`, holds the rest as a JSON object. A bus gets an event whose `detail` is the
    /// body, whose `detail-type` is the type of the event, whose `source` is `waxseal:` and the source of the
    /// event, and whose `resources` hold the delivery's id. A bus takes no headers, so deliveries to it are
    /// not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Names the endpoint for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lists the event types that the endpoint wants: an exact type, `dlp.*` for every type that begins with
    /// `dlp.`, or `*` for every type but those that begin with `waxseal.`. The default is `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<String>>,
    /// Selects events by an EventBridge event pattern over the whole event. There is no filter by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Map<String, Value>>,
    /// Selects events of this severity or a higher one. An event without a severity counts as `info`. The
    /// severity does not matter by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_severity: Option<Severity>,
    /// Selects events whose `riskscore` is higher than this. An event without a risk score is not selected.
    /// The risk score does not matter by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_score_above: Option<f64>,
    /// Selects events whose `outcome` is one of these. The outcome does not matter by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Vec<String>>,
    /// Names the profile: the wire contract that deliveries follow. `listProfiles` shows which there are. The
    /// default is `standard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Tells how requests authenticate to the receiver: by the header `Authorization`, beside their signature.
    /// Its secret is never returned. Deliveries to a queue or a bus need none and take none.
    // As it is written, so that the server names what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Value>,
    /// Tells when failed attempts are repeated. The default is the policy of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<NewRetry>,
    /// Limits how long one attempt may take, in milliseconds. The default is the limit of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// Limits how many attempts begin per second. Deliveries beyond it wait. There is no limit by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
    /// Limits how many attempts are under way at the same time. Deliveries beyond it wait. There is no limit
    /// by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// Holds headers that are sent with every attempt. Headers of the connection, of the profile and of
    /// Waxseal itself cannot be set, and neither can `Authorization`, which `auth` sets. Values are stored
    /// sealed, and most are shown as `(not shown)`. Sent back, that keeps the value which is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Tells whether the endpoint gets events. The default is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Pauses the endpoint: while it is true, deliveries are kept, and once it is false again, they are sent.
    /// After 7 days with deliveries waiting, the endpoint is disabled. The default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

const _: () = assert!(PAUSE_S_MAX == 7 * 24 * 3_600, "`paused` says so");

/// Sets a retry policy of the endpoint's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewRetry {
    /// Lists the waiting times between attempts, in seconds.
    pub delays_s: Vec<u32>,
    /// Lengthens each waiting time by a random 0 to 10 percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<bool>,
    /// Limits, in seconds, how long after the first attempt the last one may begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
}
