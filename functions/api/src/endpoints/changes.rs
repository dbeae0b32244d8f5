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
    EVENT_TYPES_PER_ENDPOINT_MAX, HEADER_VALUE_CHARS_MAX, HEADERS_PER_ENDPOINT_MAX, NAME_CHARS_MAX,
    REQUEST_BYTES_MAX, TIMEOUT_MS,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::retry::RetryPolicy;
use waxseal_domain::subscription::CompiledFilter;
use waxseal_domain::timestamp::Timestamp;

use crate::body::{Body, whole};

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

/// Members that were given. Outer none: not given; inner none: null.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    url: Option<String>,
    name: Option<Option<String>>,
    event_types: Option<Vec<EventTypePattern>>,
    filter: Option<Option<CompiledFilter>>,
    profile: Option<String>,
    retry: Option<Option<RetryPolicy>>,
    timeout_ms: Option<Option<u32>>,
    headers: Option<BTreeMap<String, String>>,
    enabled: Option<bool>,
    /// Only where an endpoint is configured: later, a secret is rotated.
    pub(super) secret: Option<String>,
}

impl Changes {
    /// Reads a body; 422 names every fault.
    pub(super) fn read(
        request: &Request,
        rules: &AddressRules,
        tenant: &TenantName,
        is_new: bool,
    ) -> Result<Self, Problem> {
        let mut body = Body::read(request)?;
        let mut changes = Self::default();
        changes.url = read_url(&mut body, rules, tenant, is_new);
        changes.name = body.text("name", NAME_CHARS_MAX);
        changes.event_types = read_event_types(&mut body);
        changes.filter = read_filter(&mut body, request)?;
        changes.profile = read_profile(&mut body);
        changes.retry = read_retry(&mut body);
        let timeout = u64::from(*TIMEOUT_MS.start())..=u64::from(*TIMEOUT_MS.end());
        let timeout = body.whole("timeout_ms", timeout);
        changes.timeout_ms = timeout.map(|ms| ms.and_then(|ms| u32::try_from(ms).ok()));
        changes.headers = read_headers(&mut body);
        changes.enabled = body.flag("enabled");
        if let Some(value) = body.member("max_per_second")
            && value != Json::Null
        {
            body.fault("max_per_second", "is not available in this version: leave it out");
        }
        if is_new {
            changes.secret = read_secret(&mut body);
        }
        body.finish()?;
        Ok(changes)
    }

    /// The endpoint with these changes.
    pub(super) fn apply(self, mut endpoint: Endpoint, now: Timestamp) -> Endpoint {
        let all = || vec![EventTypePattern::all()];
        endpoint.url = self.url.unwrap_or(endpoint.url);
        endpoint.name = self.name.unwrap_or(endpoint.name);
        let types = self.event_types.unwrap_or(endpoint.subscription.event_types);
        endpoint.subscription.event_types = if types.is_empty() { all() } else { types };
        endpoint.subscription.filter = self.filter.unwrap_or(endpoint.subscription.filter);
        endpoint.profile = self.profile.unwrap_or(endpoint.profile);
        endpoint.retry = self.retry.unwrap_or(endpoint.retry);
        endpoint.timeout_ms = self.timeout_ms.unwrap_or(endpoint.timeout_ms);
        endpoint.headers = self.headers.unwrap_or(endpoint.headers);
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
        Some(Some(url)) => match rules.check_url(tenant.as_str(), &url) {
            Ok(parsed) => return Some(parsed.into()),
            Err(fault) => body.fault("url", &fault.to_string()),
        },
        Some(None) => body.fault("url", "must not be null"),
        None if is_new => body.require("url"),
        None => {}
    }
    None
}

fn read_event_types(body: &mut Body<'_>) -> Option<Vec<EventTypePattern>> {
    let items = match body.member("event_types")? {
        Json::Null => return Some(Vec::new()),
        Json::Array(items) if (1..=EVENT_TYPES_PER_ENDPOINT_MAX).contains(&items.len()) => items,
        _ => {
            let most = EVENT_TYPES_PER_ENDPOINT_MAX;
            body.fault("event_types", &format!("must be an array of 1 to {most} event types"));
            return None;
        }
    };
    let mut patterns = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().ok_or_else(|| "must be text".to_owned()).and_then(str::parse) {
            Ok(pattern) => patterns.push(pattern),
            Err(detail) => body.fault(&format!("event_types/{index}"), &detail),
        }
    }
    Some(patterns)
}

/// The pattern is compiled from its own text, which is kept.
fn read_filter(
    body: &mut Body<'_>,
    request: &Request,
) -> Result<Option<Option<CompiledFilter>>, Problem> {
    #[derive(Deserialize)]
    struct Text<'a> {
        #[serde(borrow, default)]
        filter: Option<&'a RawValue>,
    }
    match body.member("filter") {
        None => return Ok(None),
        Some(Json::Null) => return Ok(Some(None)),
        Some(_) => {}
    }
    let text: Text<'_> = serde_json::from_str(http::text(request, REQUEST_BYTES_MAX)?)
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    match CompiledFilter::compile(text.filter.map_or("null", RawValue::get)) {
        Ok(filter) => Ok(Some(Some(filter))),
        Err(faults) => {
            body.faults(faults.into_iter().map(|fault| fault.within("/filter")).collect());
            Ok(None)
        }
    }
}

fn read_profile(body: &mut Body<'_>) -> Option<String> {
    match body.text("profile", NAME_CHARS_MAX)? {
        None => Some(STANDARD.name.to_owned()),
        Some(name) if Profile::named(&name).is_some() => Some(name),
        Some(_) => {
            body.fault("profile", "is not known: GET /v1/profiles lists them");
            None
        }
    }
}

fn read_retry(body: &mut Body<'_>) -> Option<Option<RetryPolicy>> {
    const SHAPE: &str = "must be {\"delays_s\": [whole numbers of seconds]}";
    let members = match body.member("retry")? {
        Json::Null => return Some(None),
        Json::Object(members) => members,
        _ => {
            body.fault("retry", SHAPE);
            return None;
        }
    };
    let [(name, Json::Array(delays))] = members.as_slice() else {
        body.fault("retry", SHAPE);
        return None;
    };
    if name != "delays_s" {
        body.fault("retry", SHAPE);
        return None;
    }
    // What is no whole number is out of range too, so that its own pointer is named.
    let delays: Vec<u64> = delays.iter().map(|delay| whole(delay).unwrap_or(0)).collect();
    match RetryPolicy::own(&delays, "/retry/delays_s") {
        Ok(policy) => Some(Some(policy)),
        Err(faults) => {
            body.faults(faults);
            None
        }
    }
}

fn read_headers(body: &mut Body<'_>) -> Option<BTreeMap<String, String>> {
    let members = match body.member("headers")? {
        Json::Null => return Some(BTreeMap::new()),
        Json::Object(members) if members.len() <= HEADERS_PER_ENDPOINT_MAX => members,
        _ => {
            let most = HEADERS_PER_ENDPOINT_MAX;
            body.fault("headers", &format!("must be an object of at most {most} headers"));
            return None;
        }
    };
    let mut headers = BTreeMap::new();
    for (name, value) in &members {
        let pointer = format!("headers/{}", escape_pointer(name));
        let lower = name.to_ascii_lowercase();
        let is_ours = RESERVED.contains(&lower.as_str()) || lower.starts_with("webhook-");
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
    Some(headers)
}

fn read_secret(body: &mut Body<'_>) -> Option<String> {
    let form = STANDARD.secret;
    match body.text("secret", 256)? {
        Some(text) if form.key(&text).is_some() => Some(text),
        Some(_) => {
            body.fault("secret", form.shape());
            None
        }
        None => {
            body.fault("secret", "must not be null: this profile signs every delivery");
            None
        }
    }
}
