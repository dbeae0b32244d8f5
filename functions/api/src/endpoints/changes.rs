//! What a body says of an endpoint: all of it when it is configured, some of it in a merge patch,
//! where null takes a member back to its default.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use waxseal_api_types::pattern::PRINTABLE;
use waxseal_api_types::{EndpointChanges, NewEndpoint};
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::address::{AddressRules, URL_CHARS_MAX};
use waxseal_domain::endpoint::credentials::NewCredentials;
use waxseal_domain::endpoint::headers::OwnHeaders;
use waxseal_domain::endpoint::secret_choice::SecretChoice;
use waxseal_domain::endpoint::subscription::{CompiledFilter, Subscription, outcomes, risk_score};
use waxseal_domain::endpoint::target::{Target, TargetForm};
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState, headers};
use waxseal_domain::event::Severity;
use waxseal_domain::event::event_type::EventTypePattern;
use waxseal_domain::json::{Json, escape_pointer};
use waxseal_domain::limits::{
    ATTRIBUTE_CHARS_MAX, DELAY_S, DELAYS_MAX, EVENT_TYPE_CHARS_MAX, EVENT_TYPES_PER_ENDPOINT_MAX,
    HEADER_VALUE_CHARS_MAX, HEADERS_PER_ENDPOINT_MAX, MAX_CONCURRENCY, MAX_PER_SECOND,
    NAME_CHARS_MAX, OUTCOMES_PER_ENDPOINT_MAX, RISK_SCORE, TIMEOUT_MS, WINDOW_S,
};
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::timestamp::Timestamp;

use super::auth;
use super::sealed::Sealed;
use super::secrets::read_choice;
use crate::body::{Body, PatchValue, describe, whole};

const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// Members that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    url: Option<String>,
    name: PatchValue<String>,
    event_types: PatchValue<Vec<EventTypePattern>>,
    filter: PatchValue<CompiledFilter>,
    min_severity: PatchValue<Severity>,
    risk_score_above: PatchValue<f64>,
    outcomes: PatchValue<Vec<String>>,
    profile: PatchValue<String>,
    pub(super) auth: PatchValue<NewCredentials>,
    retry: PatchValue<RetryPolicy>,
    timeout_ms: PatchValue<u64>,
    max_per_second: PatchValue<u64>,
    max_concurrency: PatchValue<u64>,
    pub(super) headers: PatchValue<BTreeMap<String, String>>,
    enabled: Option<bool>,
    paused: Option<bool>,
    /// Only where an endpoint is configured: later, a secret is rotated.
    pub(super) secret: SecretChoice,
}

/// Describes a new endpoint.
pub(super) fn describe_draft() -> Value {
    let profile = Profile::standard();
    let rules = AddressRules::default();
    describe::<NewEndpoint>(|body| {
        let _changes = Changes::read(body, &rules, Some(&profile), true);
    })
}

/// Describes a merge patch of an endpoint.
pub(super) fn describe_patch() -> Value {
    describe::<EndpointChanges>(|body| {
        let _changes = Changes::describe(body);
    })
}

impl Changes {
    /// Describes the members of a merge patch.
    pub(super) fn describe(body: &mut Body<'_>) -> Self {
        let profile = Profile::standard();
        Self::read(body, &AddressRules::default(), Some(&profile), false)
    }

    /// The name of the profile that an endpoint has with a body's changes: null is the default's.
    pub(super) fn profile_name(body: &mut Body<'_>, before: &str) -> String {
        let given = body.peek("profile");
        let is_default = given == Some(&Json::Null);
        let usual = if is_default { STANDARD } else { before };
        given.and_then(Json::as_str).unwrap_or(usual).to_owned()
    }

    /// Reads a body; its faults are the body's. `profile` is the one that it asks for, or that the endpoint
    /// has; none where there is none of that name.
    pub(super) fn read(
        body: &mut Body<'_>,
        rules: &AddressRules,
        profile: Option<&Profile>,
        is_new: bool,
    ) -> Self {
        let timeout_ms = u64::from(*TIMEOUT_MS.start())..=u64::from(*TIMEOUT_MS.end());
        let per_second = u64::from(*MAX_PER_SECOND.start())..=u64::from(*MAX_PER_SECOND.end());
        let at_once = u64::from(*MAX_CONCURRENCY.start())..=u64::from(*MAX_CONCURRENCY.end());
        let changes = Self {
            url: read_url(body, rules, is_new),
            name: body.text("name", NAME_CHARS_MAX),
            event_types: read_event_types(body),
            filter: read_filter(body),
            min_severity: read_min_severity(body),
            risk_score_above: read_risk_score_above(body),
            outcomes: read_outcomes(body),
            profile: read_profile(body, profile),
            auth: auth::read(body, rules),
            retry: read_retry(body),
            timeout_ms: body.whole("timeout_ms", timeout_ms),
            max_per_second: body.whole("max_per_second", per_second),
            max_concurrency: body.whole("max_concurrency", at_once),
            headers: read_headers(body, profile),
            enabled: body.flag("enabled").value(),
            paused: body.flag("paused").value(),
            secret: match profile {
                Some(profile) if is_new => read_choice(body, profile),
                _ if is_new => {
                    body.pass_over("secret");
                    body.pass_over("algorithm");
                    SecretChoice::New
                }
                _ => SecretChoice::New,
            },
        };
        let takes_auth = match changes.url.as_deref().map(TargetForm::of) {
            Some(TargetForm::Arn) => false,
            Some(TargetForm::Url) | None => true,
        };
        if !takes_auth && matches!(changes.auth, PatchValue::Value(_)) {
            body.fault("auth", "is for URLs: a queue or a bus takes none");
        }
        changes
    }

    /// Names each header whose value is said to be the stored one, where `before` has none.
    pub(super) fn check_kept_headers(&self, body: &mut Body<'_>, before: Option<&Endpoint>) {
        let PatchValue::Value(headers) = &self.headers else { return };
        for (name, value) in headers {
            let is_stored = before.is_some_and(|endpoint| endpoint.has_header(name));
            if value == headers::NOT_SHOWN && !is_stored {
                let detail = "stands for a value that is stored, and none is: send the value";
                body.fault(&format!("headers/{}", escape_pointer(name)), detail);
            }
        }
    }

    /// The endpoint with these changes, and with what was sealed of them.
    pub(super) fn apply(self, endpoint: Endpoint, sealed: Sealed, now: Timestamp) -> Endpoint {
        let own_headers = sealed
            .headers
            .unwrap_or(OwnHeaders { shown: endpoint.headers, sealed: endpoint.sealed_headers });
        let subscription = endpoint.subscription;
        let wanted = self.event_types.apply_to(Some(subscription.event_types));
        let types = wanted.filter(|types| !types.is_empty());
        let profile = self.profile.apply_to(Some(endpoint.profile));
        let timeout_ms = self.timeout_ms.apply_to(endpoint.timeout_ms.map(u64::from));
        let max_per_second = self.max_per_second.apply_to(endpoint.max_per_second.map(u64::from));
        let max_concurrency =
            self.max_concurrency.apply_to(endpoint.max_concurrency.map(u64::from));
        // Every member by its name: one that a change neither sets nor keeps does not compile.
        let changed = Endpoint {
            url: self.url.unwrap_or(endpoint.url),
            name: self.name.apply_to(endpoint.name),
            subscription: Subscription {
                event_types: types.unwrap_or_else(|| vec![EventTypePattern::all()]),
                min_severity: self.min_severity.apply_to(subscription.min_severity),
                risk_score_above: self.risk_score_above.apply_to(subscription.risk_score_above),
                outcomes: self.outcomes.apply_to(Some(subscription.outcomes)).unwrap_or_default(),
                filter: self.filter.apply_to(subscription.filter),
            },
            profile: profile.unwrap_or_else(|| STANDARD.to_owned()),
            retry: self.retry.apply_to(endpoint.retry),
            timeout_ms: timeout_ms.and_then(|ms| u32::try_from(ms).ok()),
            max_per_second: max_per_second.and_then(|max| u32::try_from(max).ok()),
            max_concurrency: max_concurrency.and_then(|max| u32::try_from(max).ok()),
            auth: sealed.auth.apply_to(endpoint.auth),
            headers: own_headers.shown,
            sealed_headers: own_headers.sealed,
            paused_at: match self.paused {
                Some(is_paused) => is_paused.then(|| endpoint.paused_at.unwrap_or(now)),
                None => endpoint.paused_at,
            },
            state: match self.enabled {
                Some(true) => EndpointState::Enabled,
                Some(false) | None => endpoint.state,
            },
            // Not for a body to change.
            id: endpoint.id,
            tenant: endpoint.tenant,
            secrets: endpoint.secrets,
            request_digest: endpoint.request_digest,
            health: endpoint.health,
            version: endpoint.version,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        };
        match self.enabled {
            Some(false) => changed.disable(DisabledReason::Requested, now),
            Some(true) | None => changed,
        }
    }
}

fn read_url(body: &mut Body<'_>, rules: &AddressRules, is_new: bool) -> Option<String> {
    let given = body.text("url", URL_CHARS_MAX);
    body.about("url", || json!({"pattern": "^(https://|arn:)"}));
    body.not_null("url");
    match given {
        PatchValue::Value(url) => match rules.check(&url) {
            Ok(Target::Http(parsed)) => return Some(parsed.into()),
            Ok(Target::Queue(_) | Target::Bus(_)) => return Some(url),
            Err(fault) => body.fault("url", &fault.to_string()),
        },
        PatchValue::Null => {}
        PatchValue::Absent if is_new => body.require("url"),
        PatchValue::Absent => {}
    }
    None
}

fn event_types_schema() -> Value {
    let one = json!({"type": "string", "minLength": 1, "maxLength": EVENT_TYPE_CHARS_MAX,
        "pattern": r"^(\*|([^*.\x00-\x1f\x7f-\x9f]+\.)*([^*.\x00-\x1f\x7f-\x9f]+|\*))$"});
    json!({"type": ["array", "null"], "items": one, "minItems": 1,
        "maxItems": EVENT_TYPES_PER_ENDPOINT_MAX})
}

fn read_event_types(body: &mut Body<'_>) -> PatchValue<Vec<EventTypePattern>> {
    let Some(value) = body.member("event_types", event_types_schema) else {
        return PatchValue::Absent;
    };
    if value == Json::Null {
        return PatchValue::Null;
    }
    let items = value.as_array().unwrap_or_default();
    if !(1..=EVENT_TYPES_PER_ENDPOINT_MAX).contains(&items.len()) {
        let most = EVENT_TYPES_PER_ENDPOINT_MAX;
        body.fault("event_types", &format!("must be an array of 1 to {most} event types"));
        return PatchValue::Absent;
    }
    let mut patterns = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().ok_or_else(|| "must be text".to_owned()).and_then(str::parse) {
            Ok(pattern) => patterns.push(pattern),
            Err(detail) => body.fault(&format!("event_types/{index}"), &detail),
        }
    }
    PatchValue::Value(patterns)
}

/// The pattern is compiled from its own text, which is kept.
fn read_filter(body: &mut Body<'_>) -> PatchValue<CompiledFilter> {
    if body.peek("filter") == Some(&Json::Null) {
        body.pass_over("filter");
        return PatchValue::Null;
    }
    let text = body.raw("filter", || json!({"type": ["object", "null"], "minProperties": 1}));
    let Some(text) = text else { return PatchValue::Absent };
    match CompiledFilter::compile(text.get()) {
        Ok(filter) => PatchValue::Value(filter),
        Err(faults) => {
            body.faults(faults.into_iter().map(|fault| fault.within("/filter")).collect());
            PatchValue::Absent
        }
    }
}

fn read_min_severity(body: &mut Body<'_>) -> PatchValue<Severity> {
    let given = body.word("min_severity", &SEVERITIES);
    given.map(|word| word.parse().ok())
}

fn read_risk_score_above(body: &mut Body<'_>) -> PatchValue<f64> {
    let (least, most) = (RISK_SCORE.start(), RISK_SCORE.end());
    body.read_with(
        "risk_score_above",
        || json!({"type": ["number", "null"], "minimum": least, "maximum": most}),
        |value| value.as_f64().and_then(|score| risk_score(score).ok()),
        || format!("must be a number from {least} to {most}"),
    )
}

fn read_outcomes(body: &mut Body<'_>) -> PatchValue<Vec<String>> {
    let given = body.read_with(
        "outcomes",
        || {
            json!({"type": ["array", "null"], "minItems": 1, "maxItems": OUTCOMES_PER_ENDPOINT_MAX,
                "items": {"type": "string", "minLength": 1, "maxLength": ATTRIBUTE_CHARS_MAX,
                    "pattern": PRINTABLE}})
        },
        |value| value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        || "must be an array of texts".to_owned(),
    );
    match given {
        PatchValue::Value(values) => match outcomes(values) {
            Ok(values) => PatchValue::Value(values),
            Err(faults) => {
                body.faults(faults.into_iter().map(|fault| fault.within("/outcomes")).collect());
                PatchValue::Absent
            }
        },
        PatchValue::Absent => PatchValue::Absent,
        PatchValue::Null => PatchValue::Null,
    }
}

fn read_profile(body: &mut Body<'_>, profile: Option<&Profile>) -> PatchValue<String> {
    let given = body.text("profile", NAME_CHARS_MAX);
    if matches!(given, PatchValue::Value(_)) && profile.is_none() {
        body.fault("profile", "is not known: GET /v1/profiles lists them");
    }
    given
}

fn retry_schema() -> Value {
    json!({
        "type": ["object", "null"], "additionalProperties": false, "required": ["delays_s"],
        "properties": {
            "delays_s": {"type": "array", "maxItems": DELAYS_MAX,
                "items": {"type": "integer", "minimum": DELAY_S.start(), "maximum": DELAY_S.end()}, "description":
                "Lists the waiting times between attempts, in seconds. All together are at most 14 days."},
            "jitter": {"type": "boolean", "description":
                "Lengthens each waiting time by a random 0 to 10 percent. The default is false."},
            "window_s": {"type": "integer", "minimum": WINDOW_S.start(), "maximum": WINDOW_S.end(),
                "description": "Limits, in seconds, how long after the first attempt the last one may begin. \
                    There is no such limit by default."},
        },
    })
}

fn read_retry(body: &mut Body<'_>) -> PatchValue<RetryPolicy> {
    let Some(value) = body.member("retry", retry_schema) else { return PatchValue::Absent };
    if value == Json::Null {
        return PatchValue::Null;
    }
    let members = value.as_object().unwrap_or_default();
    let known = ["delays_s", "jitter", "window_s"];
    let find = |name: &str| members.iter().find(|(found, _)| found == name).map(|(_, value)| value);
    let delays = find("delays_s").and_then(Json::as_array);
    let Some(delays) = delays.filter(|_| members.iter().all(|(name, _)| known.contains(&&**name)))
    else {
        body.fault(
            "retry",
            "must be {\"delays_s\": [whole numbers of seconds], \"jitter\"?, \"window_s\"?}",
        );
        return PatchValue::Absent;
    };
    let jitter = find("jitter").map_or(Some(false), Json::as_bool);
    let window_s = find("window_s").map(|value| whole(value).and_then(|s| u32::try_from(s).ok()));
    let window_s = window_s.map(|window_s| window_s.filter(|s| WINDOW_S.contains(s)));
    if jitter.is_none() {
        body.fault("retry/jitter", "must be true or false");
    }
    if window_s == Some(None) {
        let (least, most) = (WINDOW_S.start(), WINDOW_S.end());
        body.fault("retry/window_s", &format!("must be {least} to {most} seconds"));
    }
    // What is no whole number is out of range too, so that its own pointer is named.
    let delays: Vec<u64> = delays.iter().map(|delay| whole(delay).unwrap_or(0)).collect();
    match RetryPolicy::of_delays(&delays, "/retry/delays_s") {
        Ok(policy) => PatchValue::Value(RetryPolicy {
            jitter: jitter.unwrap_or_default(),
            window_s: window_s.flatten(),
            ..policy
        }),
        Err(faults) => {
            body.faults(faults);
            PatchValue::Absent
        }
    }
}

fn headers_schema() -> Value {
    json!({"type": ["object", "null"], "maxProperties": HEADERS_PER_ENDPOINT_MAX,
        "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$"},
        "additionalProperties": {"type": "string", "maxLength": HEADER_VALUE_CHARS_MAX,
            "pattern": "^[ -~]*$"}})
}

fn read_headers(
    body: &mut Body<'_>,
    profile: Option<&Profile>,
) -> PatchValue<BTreeMap<String, String>> {
    let Some(value) = body.member("headers", headers_schema) else { return PatchValue::Absent };
    if value == Json::Null {
        return PatchValue::Null;
    }
    let members = value.as_object().filter(|members| members.len() <= HEADERS_PER_ENDPOINT_MAX);
    let Some(members) = members else {
        let most = HEADERS_PER_ENDPOINT_MAX;
        body.fault("headers", &format!("must be an object of at most {most} headers"));
        return PatchValue::Absent;
    };
    let mut own = BTreeMap::new();
    for (name, value) in members {
        let pointer = format!("headers/{}", escape_pointer(name));
        let lower = name.to_ascii_lowercase();
        let may_be_set = match profile {
            Some(profile) => headers::may_set(&lower, profile),
            None => headers::may_set_in_any(&lower),
        };
        if !may_be_set {
            body.fault(&pointer, "is not a header name that may be set");
            continue;
        }
        match value.as_str().filter(|text| headers::is_value(text)) {
            Some(text) => drop(own.insert(lower, text.to_owned())),
            None => body.fault(&pointer, "must be printable ASCII text"),
        }
    }
    PatchValue::Value(own)
}
