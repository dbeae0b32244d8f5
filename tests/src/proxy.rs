//! A proxy before the emulator, which counts the calls that go through it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// Calls by operation, as in `PutItem` or `SendMessageBatch`; a table's also by its name's end, as in
/// `Query config`.
pub type Calls = BTreeMap<String, u64>;

/// A running proxy; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    behind: SocketAddr,
    calls: Arc<Mutex<Calls>>,
}

impl Proxy {
    /// Before the server at this address.
    pub async fn start(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self { address, behind, calls: Arc::default() };
        let serving = proxy.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let proxy = serving.clone();
                let answer = service_fn(move |request| {
                    let proxy = proxy.clone();
                    async move { Ok::<_, Infallible>(proxy.forward(request).await) }
                });
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
            }
        });
        proxy
    }

    /// The calls since this was asked last.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    async fn forward(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let target = head.headers.get("x-amz-target").map_or("?", |one| one.to_str().unwrap());
        let operation = target.rsplit_once('.').map_or(target, |(_, operation)| operation);
        let text = String::from_utf8_lossy(&body);
        let table = ["-config\"", "-state\""].into_iter().find(|table| text.contains(*table));
        let table = table.map(|table| table.trim_matches(['-', '"']));
        let name = table.map_or(operation.to_owned(), |table| format!("{operation} {table}"));
        *self.calls.lock().unwrap().entry(name).or_default() += 1;
        let stream = TcpStream::connect(self.behind).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await.unwrap();
        let (head, body) = answer.into_parts();
        Response::from_parts(head, Full::new(body.collect().await.unwrap().to_bytes()))
    }
}
