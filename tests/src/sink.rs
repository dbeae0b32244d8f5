//! A sink: an HTTP server on loopback that keeps what it is sent and answers as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::eventually::eventually;

/// A request that came, and when.
#[derive(Clone, Debug)]
pub struct CapturedRequest {
    /// `POST`, or what else it was.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// The headers of the request.
    pub headers: http::HeaderMap,
    /// The body of the request.
    pub body: Bytes,
    /// When it had come whole.
    pub at: Instant,
}

impl CapturedRequest {
    /// Returns the value of a header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// What a sink answers.
#[derive(Clone, Debug)]
pub enum SinkAnswer {
    /// This status, these headers, this body.
    Status(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// Nothing for so long, then 200.
    Silence(Duration),
}

impl SinkAnswer {
    /// A status without anything else.
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), "")
    }
}

/// A running sink; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The address at which the sink listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// Decides each answer, and keeps of the requests what it wants.
type Rule = Box<dyn FnMut(&CapturedRequest) -> SinkAnswer + Send>;

#[derive(Default)]
struct State {
    captured: Vec<CapturedRequest>,
    /// Answers to come, then 200.
    script: VecDeque<SinkAnswer>,
    rule: Option<Rule>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("captured", &self.captured.len()).finish_non_exhaustive()
    }
}

impl State {
    fn take(&mut self, captured: CapturedRequest) -> SinkAnswer {
        if let Some(rule) = &mut self.rule {
            return rule(&captured);
        }
        self.captured.push(captured);
        self.script.pop_front().unwrap_or(SinkAnswer::status(200))
    }
}

impl Sink {
    /// Starts a sink over plain HTTP.
    pub async fn start(script: Vec<SinkAnswer>) -> Self {
        Self::listen(State { script: script.into(), ..State::default() }, None).await
    }

    /// Over plain HTTP, answering by a rule; it keeps nothing itself, however long it runs.
    pub async fn start_with_rule(
        rule: impl FnMut(&CapturedRequest) -> SinkAnswer + Send + 'static,
    ) -> Self {
        Self::listen(State { rule: Some(Box::new(rule)), ..State::default() }, None).await
    }

    /// Starts a sink over TLS.
    pub async fn start_tls(script: Vec<SinkAnswer>, tls: rustls::ServerConfig) -> Self {
        let state = State { script: script.into(), ..State::default() };
        Self::listen(state, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    /// The URL of a path here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What has come so far.
    pub fn requests(&self) -> Vec<CapturedRequest> {
        self.state.lock().unwrap().captured.clone()
    }

    /// Answers that come next.
    pub fn script(&self, answers: Vec<SinkAnswer>) {
        self.state.lock().unwrap().script = answers.into();
    }

    /// Waits until so many requests have come, at most half a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<CapturedRequest> {
        eventually(Duration::from_secs(30), async || {
            let captured = self.requests();
            let came = captured.len();
            if came >= count { Ok(captured) } else { Err(format!("{came} of {count} came")) }
        })
        .await
    }

    async fn listen(state: State, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = Self { address, state: Arc::new(Mutex::new(state)) };
        let serving = sink.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (sink, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => sink.serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                sink.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        sink
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let answer = service_fn(move |request| {
            let sink = self.clone();
            async move { sink.answer(request).await }
        });
        let serving = hyper::server::conn::http1::Builder::new();
        let _ended = serving.serve_connection(TokioIo::new(stream), answer).await;
    }

    async fn answer(
        &self,
        request: hyper::Request<hyper::body::Incoming>,
    ) -> hyper::Result<hyper::Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let path = head.uri.path_and_query().unwrap().to_string();
        let (method, headers, at) = (head.method.to_string(), head.headers, Instant::now());
        let captured = CapturedRequest { method, path, headers, body, at };
        let answer = self.state.lock().unwrap().take(captured);
        Ok(match answer {
            SinkAnswer::Status(status, headers, body) => {
                let response = headers
                    .iter()
                    .fold(hyper::Response::builder().status(status), |r, (k, v)| r.header(*k, *v));
                response.body(Full::from(body)).unwrap()
            }
            SinkAnswer::Silence(time) => {
                crate::fixtures::nap(u64::try_from(time.as_millis()).unwrap()).await;
                hyper::Response::new(Full::default())
            }
        })
    }
}

/// The most that were under way at once, where each was answered so long after it had come.
pub fn under_way_most(captured: &[CapturedRequest], takes: Duration) -> usize {
    let at = |one: &CapturedRequest| {
        captured.iter().filter(|other| other.at <= one.at && one.at < other.at + takes).count()
    };
    captured.iter().map(at).max().unwrap_or_default()
}
