//! An endpoint: a URL of a tenant that wants events.

pub mod address;
pub mod credentials;
pub mod handshake;
pub mod headers;
pub mod idempotency;
pub mod room;
pub mod secret_choice;
pub mod subscription;
pub mod target;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::delivery::retry::RetryPolicy;
use crate::endpoint::credentials::Credentials;
use crate::endpoint::headers::{NOT_SHOWN, may_be_secret, show};
use crate::endpoint::subscription::{CompiledFilter, Subscription};
use crate::id::{EndpointId, TenantName};
use crate::secret::SealedSecret;
use crate::timestamp::Timestamp;

/// An endpoint, as stored. Changed only if its `version` is still the one that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// The endpoint's id, `ep_…`.
    pub id: EndpointId,
    /// The tenant whose endpoint it is.
    pub tenant: TenantName,
    /// Where events are POSTed.
    pub url: String,
    /// A name that people gave the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which events it wants.
    pub subscription: Subscription,
    /// The wire contract's name.
    pub profile: String,
    /// Its secrets, the one in use first; none where its profile lets a delivery go unsigned.
    pub secrets: Vec<SealedSecret>,
    /// Its own retry policy; the profile's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Its own time-out of an attempt in milliseconds; the profile's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// Attempts a second, at most; no bound where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
    /// Attempts under way at once, at most; no bound where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// How its receiver is authenticated to, beside the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Credentials>,
    /// SHA-256 of the request that configured it, where that had an `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// The endpoint's own headers, which are sent with every attempt, by names in lower case. An endpoint that
    /// was stored before [`Self::sealed_headers`] were has all of them here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Those of its own headers whose values may be secrets, each value as the key vault has sealed it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed_headers: BTreeMap<String, String>,
    /// Whether the endpoint gets events, and if not, why and since when.
    pub state: EndpointState,
    /// When the endpoint was paused; none where it is not. What it wants is held meanwhile and not
    /// sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// What the last test event came to.
    pub health: Health,
    /// The number of the endpoint's last change. A write over another version than the one read is
    /// refused.
    pub version: u64,
    /// When it was configured.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether an endpoint gets events.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EndpointState {
    /// The endpoint gets the events that it wants.
    Enabled,
    /// The endpoint gets nothing.
    Disabled {
        /// The reason, which decides what the API tells people to do.
        reason: DisabledReason,
        /// When the endpoint was disabled.
        at: Timestamp,
    },
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// A person did it.
    Requested,
    /// The receiver answered 410: it wants no more.
    Gone,
    /// The endpoint's circuit breaker was open for days.
    Failing,
    /// The endpoint was paused for longer than what waits for it is kept.
    Paused,
}

/// What the last test event to an endpoint came to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// No test event was accepted yet.
    Unverified,
    /// The receiver accepted the last test event.
    Verified,
}

impl Endpoint {
    /// Returns about how many bytes it takes up in memory, its filter compiled.
    pub fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        let filter = self.subscription.filter.as_ref().map_or(0, CompiledFilter::bytes);
        2 * size_of::<Self>() + self.url.len() + headers.sum::<usize>() + filter
    }

    /// Makes a new endpoint that wants every event and takes all else from its profile.
    pub fn new(id: EndpointId, tenant: TenantName, profile: String, now: Timestamp) -> Self {
        Self {
            id,
            tenant,
            url: String::new(),
            name: None,
            subscription: Subscription::default(),
            profile,
            secrets: Vec::new(),
            retry: None,
            timeout_ms: None,
            max_per_second: None,
            max_concurrency: None,
            auth: None,
            request_digest: None,
            headers: BTreeMap::new(),
            sealed_headers: BTreeMap::new(),
            state: EndpointState::Enabled,
            paused_at: None,
            health: Health::Unverified,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Returns the endpoint under its next version, changed at `now`.
    #[must_use]
    pub fn next_version(self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self }
    }

    /// Returns the endpoint's own headers as they are shown.
    pub fn shown_headers(&self) -> BTreeMap<String, String> {
        let plain =
            self.headers.iter().map(|(name, value)| (name.clone(), show(name, value).to_owned()));
        let sealed = self.sealed_headers.keys().map(|name| (name.clone(), NOT_SHOWN.to_owned()));
        plain.chain(sealed).collect()
    }

    /// Takes out the headers whose values may be secrets and are stored as they are, for them to be sealed.
    pub fn take_secret_headers(&mut self) -> BTreeMap<String, String> {
        let all = std::mem::take(&mut self.headers);
        let (secret, plain) = all.into_iter().partition(|(name, value)| may_be_secret(name, value));
        self.headers = plain;
        secret
    }

    /// Whether it has an own header of this name, in lower case.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name) || self.sealed_headers.contains_key(name)
    }

    /// Whether the endpoint gets events, be it at once or after a pause.
    pub fn is_enabled(&self) -> bool {
        self.state == EndpointState::Enabled
    }

    /// Whether what the endpoint wants is held until it is resumed.
    pub fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// Returns the secrets that sign at `now`, the one in use first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
        self.secrets.iter().filter(move |secret| secret.is_live(now))
    }

    /// Returns the endpoint with a new secret in use. The one before signs until `until` as well,
    /// and any older one no more.
    #[must_use]
    pub fn rotate_secret(mut self, new: SealedSecret, until: Timestamp) -> Self {
        let now = new.created_at;
        let live = self.secrets.into_iter().find(|secret| secret.is_live(now));
        let before = live.filter(|_| now < until);
        self.secrets = std::iter::once(new)
            .chain(before.map(|secret| SealedSecret { until: Some(until), ..secret }))
            .collect();
        self
    }

    /// Returns the endpoint disabled at `at`; unchanged if it is disabled already.
    #[must_use]
    pub fn disable(self, reason: DisabledReason, at: Timestamp) -> Self {
        let state = match self.state {
            EndpointState::Enabled => EndpointState::Disabled { reason, at },
            disabled @ EndpointState::Disabled { .. } => disabled,
        };
        Self { state, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What endpoints had from the first version on. A member that came later has a default: every endpoint
    /// that is stored must stay readable. It is not stored until it is set, as in the endpoints from before it.
    #[test]
    fn an_endpoint_that_was_stored_with_the_first_members_alone_is_read() {
        let stored = r#"{
            "id": "ep_1", "tenant": "acme", "url": "https://example.com/", "subscription":
            {"event_types": ["*"]}, "profile": "standard", "secrets": [], "state": {"state": "enabled"},
            "health": "unverified", "version": 1, "created_at": 1, "updated_at": 1
        }"#;
        let endpoint: Endpoint = serde_json::from_str(stored).unwrap();
        assert_eq!(endpoint.id.to_string(), "ep_1");
        let now = Timestamp::from_ms(1);
        let new = Endpoint::new(
            endpoint.id.clone(),
            endpoint.tenant.clone(),
            endpoint.profile.clone(),
            now,
        );
        let new = Endpoint { url: endpoint.url.clone(), ..new };
        let text = |endpoint| serde_json::to_value(endpoint).unwrap();
        assert_eq!(text(endpoint), text(new.clone()), "a default is what a new endpoint has");
        for (name, value) in text(new).as_object().unwrap() {
            assert!(!value.is_null(), "`{name}` lacks its `skip_serializing_if`");
        }
    }

    fn endpoint() -> Endpoint {
        let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
        Endpoint::new(id, tenant, "standard".to_owned(), at_s(1))
    }

    fn at_s(seconds: u64) -> Timestamp {
        Timestamp::from_ms(seconds * 1_000)
    }

    fn secret(name: &str, created_at: Timestamp) -> SealedSecret {
        SealedSecret { sealed: name.to_owned(), created_at, until: None, public_key: None }
    }

    #[test]
    fn each_change_is_a_version_of_its_own_and_says_when() {
        let changed = Endpoint { version: 7, ..endpoint() }.next_version(at_s(9));
        assert_eq!((changed.version, changed.updated_at), (8, at_s(9)));
        assert_eq!(changed.created_at, at_s(1));
    }

    #[test]
    fn an_endpoint_is_paused_from_when_it_says_so() {
        assert!(!endpoint().is_paused());
        assert!(Endpoint { paused_at: Some(at_s(2)), ..endpoint() }.is_paused());
    }

    #[test]
    fn an_endpoint_is_disabled_once_and_keeps_the_first_reason() {
        assert!(endpoint().is_enabled());
        let gone = endpoint().disable(DisabledReason::Gone, at_s(3));
        assert!(!gone.is_enabled());
        let again = gone.clone().disable(DisabledReason::Failing, at_s(4));
        assert_eq!(again.state, gone.state);
    }

    fn signing(endpoint: &Endpoint, now: Timestamp) -> Vec<&str> {
        endpoint.live_secrets(now).map(|secret| secret.sealed.as_str()).collect()
    }

    #[test]
    fn the_secret_before_signs_until_its_overlap_ends_and_an_older_one_no_more() {
        let first = endpoint().rotate_secret(secret("first", at_s(10)), at_s(10));
        let second = first.rotate_secret(secret("second", at_s(20)), at_s(30));
        assert_eq!(signing(&second, at_s(29)), ["second", "first"]);
        assert_eq!(signing(&second, at_s(30)), ["second"]);
        let third = second.rotate_secret(secret("third", at_s(25)), at_s(40));
        assert_eq!(signing(&third, at_s(26)), ["third", "second"]);
    }

    #[test]
    fn a_rotation_without_an_overlap_leaves_the_new_secret_alone() {
        let first = endpoint().rotate_secret(secret("first", at_s(10)), at_s(10));
        let second = first.rotate_secret(secret("second", at_s(20)), at_s(20));
        assert_eq!(second.secrets, [secret("second", at_s(20))]);
    }
}
