//! The API's client: one server, one key, JSON in and out.

use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use rustls::pki_types::CertificateDer;
use serde::Serialize;
use serde_json::Value;
use waxseal_adapters::client::{Answer, Fault, HttpClient, Reach};
use waxseal_adapters::clock::SystemClock;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;

/// A request takes at most so long: `recover` itself takes eight seconds, a test event up to fifteen.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A request that was turned away for now is made so often, at most.
const TRIES_MAX: u32 = 4;
/// The longest wait between two tries, in seconds, whatever `Retry-After` says.
const WAIT_S_MAX: u64 = 30;

/// Talks to one server with one key, over connections that are kept from call to call.
#[derive(Clone)]
pub struct Client {
    http: HttpClient,
    /// Without a slash at its end.
    base: String,
    api_key: String,
}

/// A call of the API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// The path of the URL, with its query.
    pub(crate) path: String,
    /// The body in JSON; empty where the call has none.
    pub(crate) body: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Whether making it twice is the same as making it once.
    pub(crate) repeatable: bool,
}

impl Call {
    /// Makes a call that reads and changes nothing.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), repeatable: true, ..Self::default() }
    }

    /// Makes a call that does something, and is not repeated.
    pub(crate) fn post(path: impl Into<String>, body: String) -> Self {
        Self { method: "POST", path: path.into(), body, ..Self::default() }
    }

    /// Does something that a request of the API's types describes, once.
    pub(crate) fn request<T: Serialize>(path: impl Into<String>, request: &T) -> Self {
        let body = serde_json::to_string(request);
        Self::post(path, body.expect("requests are strings, numbers and raw JSON"))
    }
}

impl Client {
    /// Prepares to talk to the server at a URL, `http` or `https`, with or without a path. `authorities` are
    /// trusted beside Mozilla's; an empty key is not sent.
    pub fn new(
        url: &str,
        api_key: &str,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, String> {
        Self::within(Reach::Any, url, api_key, authorities)
    }

    /// Prepares to talk to the server at a URL, if it is within reach.
    pub(crate) fn within(
        reach: Reach,
        url: &str,
        api_key: &str,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, String> {
        let base = url.trim_end_matches('/').to_owned();
        let parsed: Uri = base.parse().map_err(|error| format!("the server's URL: {error}"))?;
        let is_web = matches!(parsed.scheme_str(), Some("http" | "https"));
        if !is_web || parsed.host().is_none() || parsed.query().is_some() {
            return Err("the server's URL must be http:// or https:// and a host".to_owned());
        }
        // Said here: an error at each request would name the header, and might show it.
        if api_key.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("the API key holds what no key holds: is it another text?".to_owned());
        }
        let http = HttpClient::new(reach, authorities).map_err(|error| error.to_string())?;
        Ok(Self { http, base, api_key: api_key.to_owned() })
    }

    /// Makes a call and returns the answer, whatever it says. 429, and 503 to what is repeatable, is tried again a
    /// few times first.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Fault> {
        let mut tries = 1;
        loop {
            let answer = self.try_once(call).await?;
            let is_for_now = answer.status == 429 || (answer.status == 503 && call.repeatable);
            if !is_for_now || tries == TRIES_MAX {
                return Ok(answer);
            }
            let now = SystemClock.now();
            let wait_s = retry_after_s(&answer, now).unwrap_or(1 << (tries - 1)).min(WAIT_S_MAX);
            SystemClock.sleep_until(now.plus_s(wait_s)).await;
            tries += 1;
        }
    }

    /// Makes a call once and returns the answer's status and JSON; null where it has none.
    pub async fn call(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let call = Call { method, path: path.to_owned(), body, ..Call::default() };
        let answer =
            self.try_once(&call).await.map_err(|fault| format!("{method} {path}: {fault}"))?;
        read_json(&answer.body)
            .map(|json| (answer.status, json))
            .map_err(|error| format!("{method} {path}: {} without JSON: {error}", answer.status))
    }

    /// Makes a call once and returns the JSON of a 2xx answer; any other answer is an error.
    pub async fn expect(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        match self.call(method, path, body).await? {
            (200..=299, answer) => Ok(answer),
            (401, _) => Err("the server at that address does not know our API key".to_owned()),
            (status, answer) => Err(format!("{method} {path}: {status} {answer}")),
        }
    }

    async fn try_once(&self, call: &Call) -> Result<Answer, Fault> {
        let mut request = http::Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.base, call.path))
            .header("content-type", "application/json");
        if !self.api_key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.api_key));
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Bytes::from(call.body.clone()))
            .map_err(|error| Fault::Unreachable(format!("{}: {error}", call.path)))?;
        self.http.send(request, TIMEOUT).await
    }
}

/// Reads an answer's JSON; null where it has no body.
fn read_json(body: &[u8]) -> serde_json::Result<Value> {
    if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) }
}

/// Reads how many seconds the server asks to wait: a number of them, or a date.
fn retry_after_s(answer: &Answer, now: Timestamp) -> Option<u64> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    Timestamp::parse_http_date(text).map(|at| at.wait_s(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_json_is_not_as_if_it_had_none() {
        assert_eq!(read_json(b"").unwrap(), Value::Null);
        assert_eq!(read_json(b"{}").unwrap(), serde_json::json!({}));
        assert!(read_json(b"<html>").is_err());
    }
}
