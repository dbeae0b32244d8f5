//! Sends attempts over HTTPS. Whatever the network or the receiver does is an outcome.
//!
//! One attempt is one request: no redirects, no proxy, no retries of the client's own. Every
//! address is vetted before it is connected to, and the peer's once more after.

mod resolver;

pub use resolver::{Addresses, LookUp};

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;
use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::dispatch::{Method, Request};
use waxseal_domain::endpoint::address::{AddressFault, AddressRules};
use waxseal_domain::endpoint::target::Target;
use waxseal_domain::limits::{EXCERPT_CHARS_MAX, RESPONSE_BYTES_MAX};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, EngineError, Sender};

use crate::clock::MovableClock;
use crate::tls;

/// The number of a response's headers that are kept, and the bytes that a value may have.
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 1_024;

/// The longest time for a response's body after its head. The outcome is known by then, and the
/// body is only shown.
const BODY_MAX: Duration = Duration::from_secs(2);

/// How connections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Each request has its own connection: on Lambda an idle one dies while the function is
    /// frozen.
    Fresh,
    /// A few idle connections of each endpoint are kept, for 30 s.
    Kept,
}

/// POSTs over HTTP/1.1 with `reqwest`.
#[derive(Debug)]
pub struct HttpSender {
    client: reqwest::Client,
    rules: Arc<AddressRules>,
    clock: MovableClock,
}

impl HttpSender {
    /// Builds the client. `extra_roots` are trusted beside Mozilla's: for receivers behind a
    /// company's own authority.
    pub fn new(
        rules: Arc<AddressRules>,
        connections: Connections,
        extra_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, EngineError> {
        Self::with_resolver(rules, connections, extra_roots, resolver::system())
    }

    /// Has the sender tell the time of its attempts by this clock.
    #[must_use]
    pub fn with_clock(self, clock: MovableClock) -> Self {
        Self { clock, ..self }
    }

    /// Builds the client as [`HttpSender::new`] does, with another resolver than the system's.
    pub fn with_resolver(
        rules: Arc<AddressRules>,
        connections: Connections,
        extra_roots: Vec<CertificateDer<'static>>,
        look_up: LookUp,
    ) -> Result<Self, EngineError> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::trust(extra_roots)?)
            .dns_resolver(Arc::new(resolver::VettingResolver::new(Arc::clone(&rules), look_up)))
            // A redirect would lead to an address that nobody checked, and a retry or a proxy would
            // make requests that the delivery's log does not show.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .connect_timeout(Duration::from_secs(5));
        let builder = match connections {
            Connections::Fresh => builder.pool_max_idle_per_host(0),
            Connections::Kept => {
                builder.pool_max_idle_per_host(4).pool_idle_timeout(Duration::from_secs(30))
            }
        };
        let client = builder
            .build()
            .map_err(|error| EngineError::unavailable("build HTTP client", error))?;
        Ok(Self { client, rules, clock: MovableClock::default() })
    }

    /// Makes the request and returns the answer's head; its body is still to be read.
    async fn post(&self, request: Request) -> Result<reqwest::Response, Failure> {
        let Target::Http(url) = self.rules.check(&request.url)? else {
            return Err(AddressFault::NotHttps.into());
        };
        let method = match request.method {
            Method::Post => reqwest::Method::POST,
            Method::Options => reqwest::Method::OPTIONS,
        };
        let mut post = self.client.request(method, url).body(request.body);
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        let response = post.send().await?;
        // A URL may hold an address instead of a name, which no resolver is asked for. So the peer
        // is checked again, whatever way led to it.
        if let Some(peer) = response.remote_addr() {
            self.rules.check_ip(peer.ip(), peer.port())?;
        }
        Ok(response)
    }
}

impl Sender for HttpSender {
    async fn send(&self, request: Request) -> SendResult {
        let (started_at, began) = (self.clock.now(), Instant::now());
        let timeout = Duration::from_millis(request.timeout_ms);
        let deadline = Instant::now() + timeout;
        let chars_max = request.response_chars_max;
        let result = match tokio::time::timeout_at(deadline, self.post(request)).await {
            Ok(Ok(response)) => Ok(read(response, deadline, chars_max).await),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::of_timeout(timeout)),
        };
        sent_of(started_at, ended_at(started_at, began), result)
    }
}

/// Returns when an attempt ended that began then: by the time that has passed, whatever becomes of the clock meanwhile.
pub(crate) fn ended_at(started_at: Timestamp, began: Instant) -> Timestamp {
    started_at.plus_ms(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
}

/// Makes what an attempt came to of its times and its answer.
pub(crate) fn sent_of(
    started_at: Timestamp,
    ended_at: Timestamp,
    result: Result<Response, Failure>,
) -> SendResult {
    let (outcome, detail, response) = match result {
        Ok(response) => (Outcome::of_status(response.status), None, Some(response)),
        Err(failure) => (failure.outcome, Some(failure.detail), None),
    };
    SendResult { outcome, detail, response, started_at, ended_at }
}

/// The outcome of an attempt without an answer, and why there was none.
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

impl Failure {
    /// Makes the failure of an attempt that had no answer in time.
    pub(crate) fn of_timeout(timeout: Duration) -> Self {
        let detail = format!("no answer within {} ms", timeout.as_millis());
        Self { outcome: Outcome::TimedOut, detail }
    }
}

impl From<AddressFault> for Failure {
    fn from(fault: AddressFault) -> Self {
        Self { outcome: Outcome::Blocked, detail: format!("the URL {fault}") }
    }
}

impl From<reqwest::Error> for Failure {
    /// Names all causes down to the innermost. The URL is left out, since it may hold a secret.
    fn from(error: reqwest::Error) -> Self {
        let mut detail = Vec::new();
        let is_timeout = error.is_timeout();
        let error = error.without_url();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            if let Some(fault) = error.downcast_ref::<AddressFault>() {
                return (*fault).into();
            }
            detail.push(error.to_string());
            cause = error.source();
        }
        let outcome = if is_timeout { Outcome::TimedOut } else { Outcome::Unreachable };
        detail.dedup();
        Self { outcome, detail: detail.join(": ").chars().take(EXCERPT_CHARS_MAX).collect() }
    }
}

/// Reads an answer: its status, some headers, and its body up to a cap in size and time. What the
/// receiver says in the head holds, whatever becomes of the body.
async fn read(mut response: reqwest::Response, deadline: Instant, chars_max: usize) -> Response {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .filter(|(_, value)| value.len() <= HEADER_BYTES_MAX)
        .take(HEADERS_MAX)
        .collect();
    let deadline = deadline.min(Instant::now() + BODY_MAX);
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout_at(deadline, response.chunk()).await {
        let room = RESPONSE_BYTES_MAX.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    let excerpt = String::from_utf8_lossy(&body).chars().take(chars_max).collect();
    Response { status, headers, excerpt }
}
