//! `POST /v1/verify`: whether a request verifies, and if not, why. Nothing of it is kept or logged.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::verify::{Mistake, Question, Verdict};
use waxseal_domain::api_key::Right;
use waxseal_domain::json::Json;
use waxseal_domain::limits::{NAME_CHARS_MAX, TOLERANCE_S};
use waxseal_domain::notice::operator_tenant;
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_flows::ports::{Clock as _, Engine, WorkOwner};
use waxseal_flows::profiles::find_profile;
use waxseal_verify::{Key, Window};

use crate::OperationResult;
use crate::body::{self, Body};
use crate::call::GlobalCall;

/// Secrets that are tried.
const SECRETS_MAX: usize = 5;
/// Characters of a secret: each is hashed with every text that is tried.
const SECRET_CHARS_MAX: usize = 512;

/// Headers of a hook, and characters of one.
const HEADERS_MAX: usize = 100;

/// What is asked, read.
struct VerifyRequest {
    profile: String,
    secrets: Vec<String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// Seconds by which the timestamp may be off.
    tolerance_s: u64,
    /// The receiver's time, in seconds since 1970; now if it is not given.
    now_s: Option<u64>,
}

/// Describes what is asked.
pub(crate) fn describe() -> Value {
    body::describe::<Question>(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> VerifyRequest {
    let profile = body.text("profile", NAME_CHARS_MAX).value();
    let secret = body.text("secret", SECRET_CHARS_MAX).value();
    let mut secrets = read_secrets(body);
    secrets.extend(secret);
    body.require("headers");
    let now_s = body.whole("now_s", 0..=253_402_300_799).value();
    VerifyRequest {
        profile: profile.unwrap_or_else(|| STANDARD.to_owned()),
        secrets,
        headers: read_headers(body),
        body: read_content(body),
        tolerance_s: body.whole("tolerance_s", 0..=86_400).value().unwrap_or(TOLERANCE_S),
        now_s,
    }
}

fn is_secret(text: &&str) -> bool {
    (1..=SECRET_CHARS_MAX).contains(&text.chars().count())
}

fn read_secrets(body: &mut Body<'_>) -> Vec<String> {
    body.read_with(
        "secrets",
        || {
            let item = json!({"type": "string", "minLength": 1, "maxLength": SECRET_CHARS_MAX});
            json!({"type": ["array", "null"], "items": item, "maxItems": SECRETS_MAX})
        },
        |value| {
            value
                .as_array()?
                .iter()
                .map(|item| Some(item.as_str().filter(is_secret)?.to_owned()))
                .collect::<Option<Vec<String>>>()
        },
        || format!("must be an array of texts of 1 to {SECRET_CHARS_MAX} characters"),
    )
    .value()
    .unwrap_or_default()
}

fn read_headers(body: &mut Body<'_>) -> BTreeMap<String, String> {
    let headers = body
        .read_with(
            "headers",
            || {
                json!({"type": "object", "additionalProperties": {"type": "string"},
            "maxProperties": HEADERS_MAX})
            },
            |value| {
                let members = value.as_object().filter(|members| members.len() <= HEADERS_MAX)?;
                members
                    .iter()
                    .map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned())))
                    .collect::<Option<BTreeMap<String, String>>>()
            },
            || format!("must be an object of at most {HEADERS_MAX} texts"),
        )
        .value();
    body.not_null("headers");
    headers.unwrap_or_default()
}

/// The hook's body: text, or base 64.
fn read_content(body: &mut Body<'_>) -> Vec<u8> {
    let plain = body
        .read_with(
            "body",
            || json!({"type": ["string", "null"]}),
            |value| value.as_str().map(str::to_owned),
            || "must be text".to_owned(),
        )
        .value();
    let encoded = body
        .read_with(
            "body_base64",
            || json!({"type": ["string", "null"], "contentEncoding": "base64"}),
            |value| value.as_str().and_then(|text| BASE64.decode(text).ok()),
            || "is not base 64".to_owned(),
        )
        .value();
    let is_text = body.peek("body").is_some_and(|value| *value != Json::Null);
    let is_base64 = body.peek("body_base64").is_some_and(|value| *value != Json::Null);
    if is_text == is_base64 {
        body.fault("body", "must be given, or else body_base64, but not both");
    }
    plain.map(String::into_bytes).or(encoded).unwrap_or_default()
}

/// Tells whether a hook verifies, and if not, why.
pub(crate) async fn verify_hook<E: Engine>(call: GlobalCall<'_, E>) -> OperationResult {
    let GlobalCall { engine, request, principal, .. } = call;
    let mut body = Body::read(request)?;
    let question = read(&mut body);
    let profile = find_profile(engine, &question.profile).await?;
    if profile.is_none() {
        body.fault("profile", "is not known: GET /v1/profiles lists them");
    }
    if !(1..=SECRETS_MAX).contains(&question.secrets.len()) {
        body.fault("secrets", &format!("must be 1 to {SECRETS_MAX} in all"));
    }
    body.finish()?;
    let profile = profile.ok_or_else(Problem::not_found)?;
    let now_s = question.now_s.unwrap_or_else(|| engine.clock().now().seconds());
    let window = Window { now_s, tolerance_s: question.tolerance_s };
    let owner = match principal.map(|principal| principal.right) {
        Some(Right::Tenant(tenant, _)) => tenant,
        Some(Right::Operator) | None => operator_tenant(),
    };
    // Why it does not verify is looked for in many ways, however short it is.
    let (owner, bytes) = (WorkOwner::Tenant(owner), question.body.len());
    let verdict = engine.work(&owner, bytes, move || verdict(&profile, &question, window)).await?;
    Ok(http::json(200, &verdict))
}

fn verdict(profile: &Profile, question: &VerifyRequest, window: Window) -> Verdict {
    let body = question.body.as_slice();
    let header = |name: &str| {
        let found = question.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let secrets: Vec<&str> = question.secrets.iter().map(String::as_str).collect();
    let keys: Vec<Key> =
        secrets.iter().filter_map(|secret| profile.dialect.key(secret).ok()).collect();
    if let Ok(verified) = profile.dialect.verify(header, body, &keys, window) {
        let (id, timestamp) = (verified.id, verified.timestamp);
        return Verdict { valid: true, id, timestamp, mistakes: Vec::new() };
    }
    let explanation = profile.dialect.explain(header, body, &secrets, window);
    let mistakes = explanation
        .mistakes
        .iter()
        .map(|mistake| Mistake { code: mistake.code().to_owned(), detail: mistake.to_string() })
        .collect();
    Verdict { valid: explanation.valid, id: None, timestamp: None, mistakes }
}
