//! What a body says of an endpoint: all of it when it is configured, some of it in a merge patch,
//! where null takes a member back to its default.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::address::{AddressRules, URL_CHARS_MAX};
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState};
use waxseal_domain::event_type::EventTypePattern;
use waxseal_domain::id::TenantName;
use waxseal_domain::json::{Json, escape_pointer};
use waxseal_domain::limits::{
    EVENT_TYPES_PER_ENDPOINT_MAX, HEADER_VALUE_CHARS_MAX, HEADERS_PER_ENDPOINT_MAX, MAX_PER_SECOND,
    NAME_CHARS_MAX, REQUEST_BYTES_MAX, TIMEOUT_MS, WINDOW_S,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::retry::RetryPolicy;
use waxseal_domain::subscription::CompiledFilter;
use waxseal_domain::target::Target;
use waxseal_domain::timestamp::Timestamp;

use super::secrets::Wanted;
use crate::body::{Body, Given, whole};

/// Headers that are ours, or the connection's.
const RESERVED: [&str; 11] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "traceparent",
    "expect",
];

/// Members that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    url: Option<String>,
    name: Given<String>,
    event_types: Given<Vec<EventTypePattern>>,
    filter: Given<CompiledFilter>,
    profile: Given<String>,
    retry: Given<RetryPolicy>,
    timeout_ms: Given<u64>,
    max_per_second: Given<u64>,
    headers: Given<BTreeMap<String, String>>,
    enabled: Option<bool>,
    /// Only where an endpoint is configured: later, a secret is rotated.
    pub(super) secret: Wanted,
}

impl Changes {
    /// The name of the profile that an endpoint has with a body's changes: null is the default's.
    pub(super) fn profile_name(request: &Request, before: &str) -> Result<String, Problem> {
        let given = Body::read(request)?.text("profile", NAME_CHARS_MAX);
        Ok(given.over(Some(before.to_owned())).unwrap_or_else(|| STANDARD.to_owned()))
    }

    /// Reads a body; 422 names every fault. `profile` is the one that it asks for, or that the endpoint
    /// has; none where there is none of that name.
    pub(super) fn read(
        request: &Request,
        rules: &AddressRules,
        tenant: &TenantName,
        profile: Option<&Profile>,
        is_new: bool,
    ) -> Result<Self, Problem> {
        let mut body = Body::read(request)?;
        let timeout_ms = u64::from(*TIMEOUT_MS.start())..=u64::from(*TIMEOUT_MS.end());
        let per_second = u64::from(*MAX_PER_SECOND.start())..=u64::from(*MAX_PER_SECOND.end());
        let changes = Self {
            url: read_url(&mut body, rules, tenant, is_new),
            name: body.text("name", NAME_CHARS_MAX),
            event_types: read_event_types(&mut body),
            filter: read_filter(&mut body, request)?,
            profile: read_profile(&mut body, profile),
            retry: read_retry(&mut body),
            timeout_ms: body.whole("timeout_ms", timeout_ms),
            max_per_second: body.whole("max_per_second", per_second),
            headers: read_headers(&mut body, profile),
            enabled: body.flag("enabled").value(),
            secret: match profile {
                Some(profile) if is_new => Wanted::read(&mut body, profile),
                _ if is_new => {
                    let _unread = (body.member("secret"), body.member("algorithm"));
                    Wanted::New
                }
                _ => Wanted::New,
            },
        };
        body.finish()?;
        Ok(changes)
    }

    /// The endpoint with these changes.
    pub(super) fn apply(self, mut endpoint: Endpoint, now: Timestamp) -> Endpoint {
        let subscription = &mut endpoint.subscription;
        let types = self.event_types.over(Some(std::mem::take(&mut subscription.event_types)));
        let types = types.filter(|types| !types.is_empty());
        subscription.event_types = types.unwrap_or_else(|| vec![EventTypePattern::all()]);
        subscription.filter = self.filter.over(subscription.filter.take());
        endpoint.url = self.url.unwrap_or(endpoint.url);
        endpoint.name = self.name.over(endpoint.name);
        let profile = self.profile.over(Some(endpoint.profile));
        endpoint.profile = profile.unwrap_or_else(|| STANDARD.to_owned());
        endpoint.retry = self.retry.over(endpoint.retry);
        let timeout_ms = self.timeout_ms.over(endpoint.timeout_ms.map(u64::from));
        endpoint.timeout_ms = timeout_ms.and_then(|ms| u32::try_from(ms).ok());
        let max_per_second = self.max_per_second.over(endpoint.max_per_second.map(u64::from));
        endpoint.max_per_second = max_per_second.and_then(|max| u32::try_from(max).ok());
        endpoint.headers = self.headers.over(Some(endpoint.headers)).unwrap_or_default();
        match self.enabled {
            Some(true) => Endpoint { state: EndpointState::Enabled, ..endpoint },
            Some(false) => endpoint.disabled(DisabledReason::Requested, now),
            None => endpoint,
        }
    }
}

fn read_url(
    body: &mut Body<'_>,
    rules: &AddressRules,
    tenant: &TenantName,
    is_new: bool,
) -> Option<String> {
    match body.text("url", URL_CHARS_MAX) {
        Given::Value(url) => match rules.check(tenant.as_str(), &url) {
            Ok(Target::Http(parsed)) => return Some(parsed.into()),
            Ok(Target::Queue(_) | Target::Bus(_)) => return Some(url),
            Err(fault) => body.fault("url", &fault.to_string()),
        },
        Given::Null => body.fault("url", "must not be null"),
        Given::Absent if is_new => body.require("url"),
        Given::Absent => {}
    }
    None
}

fn read_event_types(body: &mut Body<'_>) -> Given<Vec<EventTypePattern>> {
    let Some(value) = body.member("event_types") else { return Given::Absent };
    if value == Json::Null {
        return Given::Null;
    }
    let items = value.as_array().unwrap_or_default();
    if !(1..=EVENT_TYPES_PER_ENDPOINT_MAX).contains(&items.len()) {
        let most = EVENT_TYPES_PER_ENDPOINT_MAX;
        body.fault("event_types", &format!("must be an array of 1 to {most} event types"));
        return Given::Absent;
    }
    let mut patterns = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().ok_or_else(|| "must be text".to_owned()).and_then(str::parse) {
            Ok(pattern) => patterns.push(pattern),
            Err(detail) => body.fault(&format!("event_types/{index}"), &detail),
        }
    }
    Given::Value(patterns)
}

/// The pattern is compiled from its own text, which is kept.
fn read_filter(body: &mut Body<'_>, request: &Request) -> Result<Given<CompiledFilter>, Problem> {
    #[derive(Deserialize)]
    struct Text<'a> {
        #[serde(borrow, default)]
        filter: Option<&'a RawValue>,
    }
    match body.member("filter") {
        None => return Ok(Given::Absent),
        Some(Json::Null) => return Ok(Given::Null),
        Some(_) => {}
    }
    let text: Text<'_> = serde_json::from_str(http::text(request, REQUEST_BYTES_MAX)?)
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    match CompiledFilter::compile(text.filter.map_or("null", RawValue::get)) {
        Ok(filter) => Ok(Given::Value(filter)),
        Err(faults) => {
            body.faults(faults.into_iter().map(|fault| fault.within("/filter")).collect());
            Ok(Given::Absent)
        }
    }
}

fn read_profile(body: &mut Body<'_>, profile: Option<&Profile>) -> Given<String> {
    let given = body.text("profile", NAME_CHARS_MAX);
    if matches!(given, Given::Value(_)) && profile.is_none() {
        body.fault("profile", "is not known: GET /v1/profiles lists them");
    }
    given
}

fn read_retry(body: &mut Body<'_>) -> Given<RetryPolicy> {
    let Some(value) = body.member("retry") else { return Given::Absent };
    if value == Json::Null {
        return Given::Null;
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
        return Given::Absent;
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
    match RetryPolicy::own(&delays, "/retry/delays_s") {
        Ok(policy) => Given::Value(RetryPolicy {
            jitter: jitter.unwrap_or_default(),
            window_s: window_s.flatten(),
            ..policy
        }),
        Err(faults) => {
            body.faults(faults);
            Given::Absent
        }
    }
}

fn read_headers(body: &mut Body<'_>, profile: Option<&Profile>) -> Given<BTreeMap<String, String>> {
    let Some(value) = body.member("headers") else { return Given::Absent };
    if value == Json::Null {
        return Given::Null;
    }
    let members = value.as_object().filter(|members| members.len() <= HEADERS_PER_ENDPOINT_MAX);
    let Some(members) = members else {
        let most = HEADERS_PER_ENDPOINT_MAX;
        body.fault("headers", &format!("must be an object of at most {most} headers"));
        return Given::Absent;
    };
    let mut headers = BTreeMap::new();
    for (name, value) in members {
        let pointer = format!("headers/{}", escape_pointer(name));
        let lower = name.to_ascii_lowercase();
        let is_profiles = profile.is_some_and(|profile| {
            let prefix = profile.envelope.extension_headers.as_deref();
            profile.dialect.header_names().any(|name| name == lower)
                || prefix.is_some_and(|prefix| lower.starts_with(prefix))
        });
        let is_ours = RESERVED.contains(&lower.as_str()) || lower.starts_with("webhook-");
        let is_ours = is_ours || is_profiles;
        if is_ours || ::http::HeaderName::try_from(lower.as_str()).is_err() {
            body.fault(&pointer, "is not a header name that may be set");
            continue;
        }
        let fits = |text: &&str| {
            text.len() <= HEADER_VALUE_CHARS_MAX
                && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        match value.as_str().filter(fits) {
            Some(text) => drop(headers.insert(lower, text.to_owned())),
            None => body.fault(&pointer, "must be printable ASCII text"),
        }
    }
    Given::Value(headers)
}
