//! How a session sends: over the command line's own client. The deliveries' sender keeps away from private
//! addresses; this one is for them.

use std::time::Duration;

use bytes::Bytes;
use waxseal_adapters::client::{Answer, Fault, HttpClient};
use waxseal_adapters::clock::SystemClock;
use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::dispatch::{Method, Request};
use waxseal_flows::ports::Clock as _;

/// Sends to where its client may connect.
pub(super) struct LocalSender(HttpClient);

impl LocalSender {
    pub(super) fn new(client: HttpClient) -> Self {
        Self(client)
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Fault> {
        let method = match request.method {
            Method::Post => http::Method::POST,
            Method::Options => http::Method::OPTIONS,
        };
        let mut local = http::Request::builder().method(method).uri(request.url);
        for (name, value) in &request.headers {
            local = local.header(name, value);
        }
        let local = local
            .body(Bytes::from(request.body))
            .map_err(|error| Fault::Unreachable(error.to_string()))?;
        self.0.send(local, Duration::from_millis(request.timeout_ms)).await
    }
}

impl LocalSender {
    /// Makes a request to this machine. Whatever it lacks is told as the outcome: the person who reads it runs both.
    pub(super) async fn send(&self, request: Request) -> SendResult {
        let started_at = SystemClock.now();
        let chars_max = request.response_chars_max;
        let exchanged = self.exchange(request).await;
        let ended_at = SystemClock.now();
        let (outcome, detail, response) = match exchanged {
            Ok(answer) => {
                (Outcome::of_status(answer.status), None, Some(excerpt(&answer, chars_max)))
            }
            Err(fault @ Fault::TimedOut) => (Outcome::TimedOut, Some(fault.to_string()), None),
            Err(fault @ Fault::Unreachable(_)) => {
                (Outcome::Unreachable, Some(fault.to_string()), None)
            }
        };
        SendResult { outcome, detail, response, started_at, ended_at }
    }
}

/// What is kept of an answer: its headers that are text, and the beginning of its body.
fn excerpt(answer: &Answer, chars_max: usize) -> Response {
    let headers = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let excerpt = String::from_utf8_lossy(&answer.body).chars().take(chars_max).collect();
    Response { status: answer.status, headers, excerpt }
}
