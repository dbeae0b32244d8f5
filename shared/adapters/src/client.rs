//! HTTP for a person: the calls of the command line, and what `listen` forwards to their own machine.
//!
//! Not the deliveries' sender: that one refuses private addresses, and a person's own server, or the port on
//! their own machine, is often at one. A request is made once: no redirect is followed, and no proxy is asked.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use waxseal_flows::ports::EngineError;

use crate::http::Request;
use crate::tls;

/// Bytes of an answer that are read, at most.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long an idle connection is kept. Servers close them too, many after five seconds, and a request on a
/// connection that is being closed is lost.
const IDLE_MAX: Duration = Duration::from_secs(4);
/// Why a connection is not made under [`Reach::Loopback`].
const ELSEWHERE: &str = "it is not an address of this machine";

/// Sends requests; its connections are kept for those that follow soon, and clones share them.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    reach: Reach,
}

/// The addresses that a client connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Any address may be connected to.
    Any,
    /// Addresses of this machine only, whatever a name resolves to.
    Loopback,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The body of the answer, read to its end.
    pub body: Bytes,
}

impl Answer {
    /// The value of a header; none where it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None came in time.
    TimedOut,
    /// No connection, no TLS, or no HTTP: in words that hold no part of the URL but host and port.
    Unreachable(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable(why) => f.write_str(why),
        }
    }
}

impl HttpClient {
    /// Builds a client that trusts Mozilla's authorities and the given ones.
    pub fn new(
        reach: Reach,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, EngineError> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::trust(authorities)?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .pool_idle_timeout(IDLE_MAX);
        let builder = match reach {
            Reach::Any => builder,
            Reach::Loopback => builder.dns_resolver(Arc::new(LoopbackResolver)),
        };
        let client =
            builder.build().map_err(|error| EngineError::unavailable("build client", error))?;
        Ok(Self { client, reach })
    }

    /// Makes a request, whose URL has scheme and host, and reads the answer, whatever its status. `timeout` is
    /// for all of it.
    pub async fn send(&self, request: Request, timeout: Duration) -> Result<Answer, Fault> {
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::TimedOut),
        }
    }

    /// Says why no request could ever be sent to a URL: it is none of HTTP, or its host is not within the client's
    /// reach. A name that cannot be resolved now may be later.
    pub async fn check(&self, url: &str) -> Result<(), String> {
        let url: Url = url.parse().map_err(|error| format!("it is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it begins with neither http:// nor https://".to_owned());
        }
        let is_elsewhere = match bare_host(&url).parse::<IpAddr>() {
            Ok(address) => !address.is_loopback(),
            Err(_) => look_up(bare_host(&url)).await.is_ok_and(|found| is_elsewhere(&found)),
        };
        if self.reach == Reach::Loopback && is_elsewhere {
            return Err(ELSEWHERE.to_owned());
        }
        Ok(())
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Fault> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| Fault::Unreachable(error.without_url().to_string()))?;
        let place = place(request.url());
        let unreachable = |why: String| Fault::Unreachable(format!("{place}: {why}"));
        if self.reach == Reach::Loopback && is_address_elsewhere(request.url()) {
            return Err(unreachable(ELSEWHERE.to_owned()));
        }
        let mut response =
            self.client.execute(request).await.map_err(|error| unreachable(describe(&error)))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| unreachable(describe(&error)))?
        {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let why = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
                return Err(unreachable(why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }
}

/// Whether a URL names this machine, whatever a resolver says: by an address of loopback, or as `localhost` or
/// a name under it. False for what is no URL.
pub fn is_this_machine(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = bare_host(&url);
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback();
    }
    let name = host.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Host and port, for people.
fn place(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", bare_host(url))
}

/// The host, an IPv6 address without its brackets.
fn bare_host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// Whether the host is written as an address, and one of another machine: a resolver is not asked for those.
fn is_address_elsewhere(url: &Url) -> bool {
    bare_host(url).parse::<IpAddr>().is_ok_and(|address| !address.is_loopback())
}

/// The innermost cause, which is what a person can act upon; that it was TLS is said before it.
fn describe(error: &reqwest::Error) -> String {
    let mut innermost: &(dyn Error + 'static) = error;
    while let Some(cause) = cause_of(innermost) {
        innermost = cause;
    }
    let text = innermost.to_string();
    // A connection that ended amid the handshake is told by tokio-rustls in words alone.
    let is_tls = innermost.is::<rustls::Error>() || text.starts_with("tls ");
    if is_tls { format!("TLS: {text}") } else { text }
}

/// Finds what caused an error. The `source` of an `io::Error` would skip the error that it holds.
fn cause_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => match error.get_ref() {
            Some(cause) => Some(cause),
            None => None,
        },
        None => error.source(),
    }
}

async fn look_up(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Whether a name was found, and none of its addresses is of this machine.
fn is_elsewhere(found: &[SocketAddr]) -> bool {
    !found.is_empty() && !found.iter().any(|one| one.ip().is_loopback())
}

/// Resolves names to addresses of this machine, and to no others.
struct LoopbackResolver;

impl Resolve for LoopbackResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = look_up(name.as_str()).await?;
            if is_elsewhere(&found) {
                return Err(ELSEWHERE.into());
            }
            let own: Addrs = Box::new(found.into_iter().filter(|one| one.ip().is_loopback()));
            Ok(own)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_machine_is_known_without_a_resolver() {
        let is_elsewhere = |url: &str| is_address_elsewhere(&url.parse().unwrap());
        assert!(is_elsewhere("http://192.0.2.1:3000/") && is_elsewhere("http://[2001:db8::1]/"));
        assert!(is_elsewhere("http://3221225985/"), "192.0.2.1, as a number");
        assert!(!is_elsewhere("http://127.0.0.1:3000/") && !is_elsewhere("http://[::1]/"));
        assert!(!is_elsewhere("http://localhost/") && !is_elsewhere("https://example.com/"));
    }

    #[tokio::test]
    async fn a_url_that_no_request_can_be_sent_to_is_refused_before_one_is() {
        let [own, any] =
            [Reach::Loopback, Reach::Any].map(|reach| HttpClient::new(reach, vec![]).unwrap());
        for bad in ["x", "localhost:3000", "ftp://localhost/", "http://", "http://localhost:99999/"]
        {
            assert!(own.check(bad).await.is_err() && any.check(bad).await.is_err(), "{bad}");
        }
        for good in ["http://localhost:3000/x?y", "https://127.0.0.1/", "http://[::1]:1/"] {
            assert_eq!((own.check(good).await, any.check(good).await), (Ok(()), Ok(())), "{good}");
        }
        for elsewhere in ["http://192.0.2.1/", "http://[2001:db8::1]/"] {
            assert_eq!(own.check(elsewhere).await, Err(ELSEWHERE.to_owned()), "{elsewhere}");
            assert_eq!(any.check(elsewhere).await, Ok(()), "{elsewhere}");
        }
    }

    #[test]
    fn this_machine_is_named_by_loopback_or_localhost_alone() {
        for url in
            ["http://127.0.0.1:8080", "http://127.1/", "http://[::1]/", "http://LOCALHOST.:1/"]
        {
            assert!(is_this_machine(url), "{url}");
        }
        for url in [
            "http://192.0.2.1/",
            "http://0.0.0.0/",
            "http://[::ffff:192.0.2.1]/",
            "http://example.com/",
            "http://localhost.example.com/",
            "http://notlocalhost/",
            "http://localhost@example.com/",
            "localhost",
        ] {
            assert!(!is_this_machine(url), "{url}");
        }
    }

    #[test]
    fn a_place_is_host_and_port_and_nothing_else_of_the_url() {
        let place = |url: &str| place(&url.parse().unwrap());
        assert_eq!(place("https://user:password@[::1]/a?b"), "::1:443");
        assert_eq!(place("http://example.com:8080/"), "example.com:8080");
    }
}
