//! A client of the API, as simple as can be.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Talks to one server with one key.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where it is.
    pub address: SocketAddr,
    /// The API key.
    pub key: String,
    /// Its name, where that is not its address.
    pub host: Option<String>,
}

impl Client {
    /// A request; the answer's status and JSON.
    pub async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_call(method, path, body).await.expect("an answer")
    }

    /// The same; none where there is no answer.
    pub async fn try_call(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        self.with(method, path, &[("content-type", "application/json")], body.to_owned()).await
    }

    /// A request with these headers.
    pub async fn with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Option<(u16, Value)> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let host = self.host.clone().unwrap_or_else(|| self.address.to_string());
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", host);
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            sender.send_request(request.body(Full::new(body.into())).unwrap()).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}
