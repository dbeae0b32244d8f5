//! A proxy before the emulator: it counts the calls that go through it, and has some go wrong.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::faults::{Fate, Faults, refusal};

/// Calls by operation, as in `PutItem` or `SendMessageBatch`; a table's also by its name's end, as in
/// `Query config`; one that went wrong also by how, as in `Cut PutItem`.
pub type Calls = BTreeMap<String, u64>;

type ProxyResult = Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>>;

/// A running proxy. It has a thread of its own, since more than the test that started it may go by it.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The address at which the proxy listens.
    pub address: SocketAddr,
    behind: SocketAddr,
    calls: Arc<Mutex<Calls>>,
    faults: Arc<Mutex<Option<Faults>>>,
}

impl Proxy {
    /// Before the server at this address.
    pub fn start(behind: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self { address, behind, calls: Arc::default(), faults: Arc::default() };
        let serving = proxy.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serving.serve(listener));
        });
        proxy
    }

    async fn serve(self, listener: std::net::TcpListener) {
        let listener = TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let proxy = self.clone();
            let answer = service_fn(move |request| {
                let proxy = proxy.clone();
                async move { proxy.answer(request).await }
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
        }
    }

    /// The calls since this was asked last.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// From now on calls go wrong like this, or with none all work again.
    pub fn disturb(&self, faults: Option<Faults>) {
        *self.faults.lock().unwrap() = faults;
    }

    /// An error cuts the connection.
    async fn answer(&self, request: Request<Incoming>) -> ProxyResult {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let target = head.headers.get("x-amz-target").map_or("?", |one| one.to_str().unwrap());
        let fate = self.faults.lock().unwrap().as_mut().map(|faults| faults.next(target));
        let fate = fate.unwrap_or(Fate::Works);
        self.count(target, &body, fate);
        match fate {
            Fate::Works => self.forward(Request::from_parts(head, Full::new(body))).await,
            Fate::Fails | Fate::Throttled => Ok(refusal(fate, target)),
            Fate::Cut => {
                self.forward(Request::from_parts(head, Full::new(body))).await?;
                Err("cut".into())
            }
        }
    }

    fn count(&self, target: &str, body: &[u8], fate: Fate) {
        let operation = target.rsplit_once('.').map_or(target, |(_, operation)| operation);
        let text = String::from_utf8_lossy(body);
        let table = ["-config\"", "-state\""].into_iter().find(|table| text.contains(*table));
        let table = table.map(|table| table.trim_matches(['-', '"']));
        let mut name = table.map_or(operation.to_owned(), |table| format!("{operation} {table}"));
        if fate != Fate::Works {
            name = format!("{fate:?} {name}");
        }
        *self.calls.lock().unwrap().entry(name).or_default() += 1;
    }

    async fn forward(&self, request: Request<Full<Bytes>>) -> ProxyResult {
        let stream = TcpStream::connect(self.behind).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, Full::new(body.collect().await?.to_bytes())))
    }
}
