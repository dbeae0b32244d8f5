//! HTTP out: one request on one connection, over TLS where the URL says `https`; bounded in time and in
//! size. The API's client sends by it, and what `listen` forwards.
//!
//! Not the deliveries' sender: that one is kept from private addresses, and a person's own server, or the
//! port on their own machine, is often at one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An answer is at most so long.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Http {
    tls: TlsConnector,
    reach: Reach,
}

/// Which addresses are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any.
    Any,
    /// Those of this machine, whatever a name resolves to.
    Loopback,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// With scheme and host.
    pub(crate) url: &'a Uri,
    /// `host` is added.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: Bytes,
    /// For the whole exchange.
    pub(crate) timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header's value, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None in time.
    TimedOut,
    /// No connection, no TLS, or no HTTP; in words that hold no part of the URL but its host.
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

impl Http {
    /// Trusts Mozilla's authorities and these.
    pub(crate) fn new(
        reach: Reach,
        extra_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root).map_err(|error| format!("an authority of the CA file: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), reach })
    }

    /// The answer, whatever its status.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let exchange = self.connect_and_exchange(request);
        tokio::time::timeout(request.timeout, exchange).await.unwrap_or(Err(Fault::TimedOut))
    }

    async fn connect_and_exchange(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let host = request.url.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_https = request.url.scheme() == Some(&Scheme::HTTPS);
        let port = request.url.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let unreachable = |why: String| Fault::Unreachable(format!("{host}:{port}: {why}"));
        let stream = self.connect(host, port).await.map_err(unreachable)?;
        if !is_https {
            return exchange(stream, request).await.map_err(unreachable);
        }
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| unreachable(error.to_string()))?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| unreachable(format!("TLS: {error}")))?;
        exchange(stream, request).await.map_err(unreachable)
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let found = tokio::net::lookup_host((host, port)).await;
        let all: Vec<SocketAddr> = found.map_err(|error| error.to_string())?.collect();
        let may = |address: &&SocketAddr| self.reach == Reach::Any || address.ip().is_loopback();
        let addresses: Vec<SocketAddr> = all.iter().filter(may).copied().collect();
        if addresses.is_empty() && !all.is_empty() {
            return Err("it is not an address of this machine".to_owned());
        }
        let stream = TcpStream::connect(addresses.as_slice()).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let _slower = stream.set_nodelay(true);
        Ok(stream)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| said(&error))?;
    tokio::spawn(connection);
    let authority = request.url.authority().map_or("", |authority| authority.as_str());
    let target = request.url.path_and_query().map_or("/", |target| target.as_str());
    let builder = hyper::Request::builder().method(request.method).uri(target);
    let builder = builder.header("host", authority);
    let builder = request.headers.iter().fold(builder, |b, (name, value)| b.header(name, value));
    let built = builder.body(Full::new(request.body.clone())).map_err(|error| said(&error))?;
    let response = sender.send_request(built).await.map_err(|error| said(&error))?;
    let (head, body) = response.into_parts();
    let body =
        Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| said(&error))?;
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
}
