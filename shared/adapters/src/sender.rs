//! Sends attempts over HTTPS. Whatever the network or the receiver does is an outcome; what we ourselves lack to
//! try is an error, of which no receiver is accused.
//!
//! One attempt is one request: no redirects, no proxy, no retries of the client's own. Every
//! address is vetted before it is connected to, and the peer's once more after.

mod name_server;
mod resolver;

pub use resolver::{Addresses, LookUp};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

use self::name_server::NameServer;
use crate::clock::MovableClock;
use crate::shortage::shortage_of;
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
    client: Mutex<reqwest::Client>,
    making: Making,
    rules: Arc<AddressRules>,
    name_server: Arc<NameServer>,
    clock: MovableClock,
}

/// How the client is made, at first and again once handles are short.
#[derive(Debug)]
struct Making {
    tls: rustls::ClientConfig,
    connections: Connections,
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
        let name_server = Arc::new(NameServer::new(look_up));
        let making = Making { tls: tls::trust(extra_roots)?, connections };
        let client = Mutex::new(making.client(&rules, &name_server)?);
        Ok(Self { client, making, rules, name_server, clock: MovableClock::default() })
    }

    fn client(&self) -> MutexGuard<'_, reqwest::Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back the handles of idle connections, which are kept by endpoint and for all of them together
    /// without a bound: the client that keeps them is replaced, and ends with its last request.
    fn close_idle(&self) {
        if self.making.connections == Connections::Fresh {
            return;
        }
        match self.making.client(&self.rules, &self.name_server) {
            Ok(client) => *self.client() = client,
            Err(error) => tracing::error!(%error, "idle connections are kept"),
        }
    }

    /// Refuses a name that leads to a port of our own, before anything is sent. The resolver that vets every name is
    /// not told the port, so that here the name is looked up once more: only for the ports that we listen at.
    async fn check_way_back(&self, url: &reqwest::Url) -> Result<(), Failure> {
        let port = url.port_or_known_default().unwrap_or(0);
        let Some(name) = url.domain() else { return Ok(()) };
        if !self.rules.own.listens_at(port) {
            return Ok(());
        }
        // A name that is not found is told where it is looked up to be connected to.
        for found in self.name_server.find(name).await.unwrap_or_default() {
            self.rules.check_ip(found.ip(), port)?;
        }
        Ok(())
    }

    /// Makes the request and returns the answer's head; its body is still to be read.
    async fn post(&self, request: Request) -> Result<reqwest::Response, Unsent> {
        let Target::Http(url) = self.rules.check(&request.url)? else {
            return Err(AddressFault::NotHttps.into());
        };
        self.check_way_back(&url).await?;
        let method = match request.method {
            Method::Post => reqwest::Method::POST,
            Method::Options => reqwest::Method::OPTIONS,
        };
        let client = self.client().clone();
        let mut post = client.request(method, url).body(request.body);
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

impl Making {
    fn client(
        &self,
        rules: &Arc<AddressRules>,
        name_server: &Arc<NameServer>,
    ) -> Result<reqwest::Client, EngineError> {
        let resolver = resolver::VettingResolver::new(Arc::clone(rules), Arc::clone(name_server));
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Arc::new(resolver))
            // A redirect would lead to an address that nobody checked, and a retry or a proxy would
            // make requests that the delivery's log does not show.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .connect_timeout(Duration::from_secs(5));
        let builder = match self.connections {
            Connections::Fresh => builder.pool_max_idle_per_host(0),
            Connections::Kept => {
                builder.pool_max_idle_per_host(4).pool_idle_timeout(Duration::from_secs(30))
            }
        };
        builder.build().map_err(|error| EngineError::unavailable("build HTTP client", error))
    }
}

impl Sender for HttpSender {
    async fn send(&self, request: Request) -> Result<SendResult, EngineError> {
        let started_at = self.clock.now();
        let timeout = Duration::from_millis(request.timeout_ms);
        let deadline = Instant::now() + timeout;
        let chars_max = request.response_chars_max;
        let host = host_of(&request.url);
        // Pinned, so that a look-up that has no answer is still under way when the time is over.
        let mut posting = std::pin::pin!(self.post(request));
        let result = match tokio::time::timeout_at(deadline, posting.as_mut()).await {
            Ok(Ok(response)) => Ok(read(response, deadline, chars_max).await),
            Ok(Err(Unsent::Failure(failure))) => Err(failure),
            Ok(Err(Unsent::Short(short_of))) => {
                self.close_idle();
                return Err(short(short_of));
            }
            Err(_) => Err(Failure::of_timeout(timeout)),
        };
        // A receiver is accused of no name that our own name server did not look up.
        if result.is_err() && host.is_some_and(|host| self.name_server.is_silent_for(&host)) {
            return Err(short("a name server that answers"));
        }
        Ok(sent_of(started_at, self.clock.now(), result))
    }
}

/// The host of a URL, where it is a name.
fn host_of(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    url.domain().map(str::to_owned)
}

/// Makes the failure of an attempt that we lacked something for.
pub(crate) fn short(short_of: &'static str) -> EngineError {
    EngineError::short("send", format!("short of {short_of}"))
}

/// Why there was no answer.
pub(crate) enum Unsent {
    /// Whatever the receiver or the network did.
    Failure(Failure),
    /// We lacked this.
    Short(&'static str),
}

impl From<Failure> for Unsent {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<AddressFault> for Unsent {
    fn from(fault: AddressFault) -> Self {
        Self::Failure(fault.into())
    }
}

impl From<reqwest::Error> for Unsent {
    fn from(error: reqwest::Error) -> Self {
        match shortage_of(&error) {
            Some(short_of) => Self::Short(short_of),
            None => Self::Failure(error.into()),
        }
    }
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
