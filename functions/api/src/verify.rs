//! `POST /v1/verify`: whether a request verifies, and if not, why. Nothing of it is kept or logged.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use waxseal_adapters::http::{self, Request};
use waxseal_domain::api_key::authenticate;
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{REQUEST_BYTES_MAX, TOLERANCE_S};
use waxseal_domain::ports::{Clock as _, Engine};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_verify::{Key, Window};

use crate::Answer;

/// Secrets that are tried.
const SECRETS_MAX: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default = "standard")]
    profile: String,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    secrets: Vec<String>,
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
    /// Seconds by which the timestamp may be off.
    #[serde(default)]
    tolerance_s: Option<u64>,
    /// The receiver's time, in seconds since 1970; now if it is not given.
    #[serde(default)]
    now_s: Option<u64>,
}

fn standard() -> String {
    STANDARD.to_owned()
}

/// What is said of a request.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    mistakes: Vec<MistakeView>,
}

#[derive(Serialize)]
struct MistakeView {
    code: &'static str,
    detail: String,
}

pub(crate) async fn answer<E: Engine>(engine: &E, request: &Request) -> Answer {
    authenticate(engine, &http::caller(request)).await??;
    // What serde says of a body may quote it: the place is enough.
    let mut question: Question = serde_json::from_str(http::text(request, REQUEST_BYTES_MAX)?)
        .map_err(|error| Problem::bad_request(shape(&error)))?;
    let profile = Profile::find(engine, &question.profile).await?;
    let mut faults = Vec::new();
    if profile.is_none() {
        faults.push(Fault::new("/profile", "is not known: GET /v1/profiles lists them"));
    }
    question.secrets.extend(question.secret.take());
    if !(1..=SECRETS_MAX).contains(&question.secrets.len()) {
        faults.push(Fault::new("/secrets", &format!("must be 1 to {SECRETS_MAX} in all")));
    }
    let decoded = question.body_base64.as_ref().map(|text| BASE64.decode(text));
    let body = match (question.body.take(), decoded) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(Ok(bytes))) => bytes,
        (None, Some(Err(_))) => {
            faults.push(Fault::new("/body_base64", "is not base 64"));
            Vec::new()
        }
        (Some(_), Some(_)) | (None, None) => {
            faults.push(Fault::new("/body", "give one of body and body_base64"));
            Vec::new()
        }
    };
    let Some(profile) = profile.filter(|_| faults.is_empty()) else {
        return Err(Problem::unprocessable(faults).into());
    };
    let now_s = question.now_s.unwrap_or_else(|| engine.clock().now().seconds());
    let window = Window { now_s, tolerance_s: question.tolerance_s.unwrap_or(TOLERANCE_S) };
    Ok(http::json(200, &verdict(&profile, &question, &body, window)))
}

fn verdict(profile: &Profile, question: &Question, body: &[u8], window: Window) -> Verdict {
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
    let view = |mistake: &waxseal_verify::Mistake| MistakeView {
        code: mistake.code(),
        detail: mistake.to_string(),
    };
    let mistakes = explanation.mistakes.iter().map(view).collect();
    Verdict { valid: explanation.valid, id: None, timestamp: None, mistakes }
}

fn shape(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!(
        "the body is {{profile?, secret or secrets, headers, body or body_base64, tolerance_s?, \
         now_s?}}: line {line}, column {column} is not"
    )
}
