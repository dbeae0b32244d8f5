//! The demo's client: one request, one connection, JSON in and out, over plain HTTP on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A request takes at most so long.
const TIMEOUT: Duration = Duration::from_secs(20);
/// An answer is at most so long.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Talks to one server with one key.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) api_key: String,
}

impl Client {
    /// The answer's status and JSON (null where there is none).
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let exchange = self.exchange(method, path, body);
        match tokio::time::timeout(TIMEOUT, exchange).await {
            Ok(result) => result,
            Err(_) => Err(format!("{method} {path}: no answer")),
        }
    }

    /// The same, where anything but 2xx is an error.
    pub(crate) async fn expect(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        match self.call(method, path, body).await? {
            (200..=299, answer) => Ok(answer),
            (401, _) => Err("the server at that address does not know our API key".to_owned()),
            (status, answer) => Err(format!("{method} {path}: {status} {answer}")),
        }
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let said = |error: &dyn std::fmt::Display| format!("{method} {path}: {error}");
        let stream = TcpStream::connect(self.address).await.map_err(|e| said(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| said(&e))?;
        tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {}", self.api_key))
            .header("content-type", "application/json")
            .body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))
            .map_err(|e| said(&e))?;
        let response = sender.send_request(request).await.map_err(|e| said(&e))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|e| said(&e))?.to_bytes();
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}
