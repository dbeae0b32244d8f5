//! A client of the API, as simple as can be.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Talks to one server with one key.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address of the server that is asked.
    pub address: SocketAddr,
    /// The API key that every request carries; none where it is empty.
    pub key: String,
    /// Its name, where that is not its address.
    pub host: Option<String>,
}

impl Client {
    /// A request; the answer's status and JSON.
    pub async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_call(method, path, body).await.expect("an answer")
    }

    /// The same without a key.
    pub async fn call_without_key(&self, method: &str, path: &str) -> (u16, Value) {
        Self { key: String::new(), ..self.clone() }.call(method, path, "").await
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
        Session::of(self).with(method, path, headers, body).await
    }

    /// A request with a JSON body and these headers; the whole answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let headers = [&[("content-type", "application/json")], headers].concat();
        let reply = Session::of(self).send(method, path, &headers, body.to_owned()).await;
        reply.expect("an answer")
    }
}

/// An HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: http::HeaderMap,
    /// Its JSON; null where it is none.
    pub json: Value,
}

impl Reply {
    /// A header's value; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// This, where it is of that status.
    #[expect(clippy::return_self_not_must_use, reason = "the status alone is often what is asked")]
    pub fn of(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.json);
        self
    }

    /// The pointers of a problem's faults.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

/// A client's connection, kept between requests and made anew where it has ended.
#[derive(Debug)]
pub struct Session {
    client: Client,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Session {
    /// Of a client; it connects with the first request.
    pub fn of(client: &Client) -> Self {
        Self { client: client.clone(), connection: None }
    }

    /// A request with a JSON body; none where there is no answer.
    pub async fn try_call(&mut self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        self.with(method, path, &[("content-type", "application/json")], body.to_owned()).await
    }

    async fn with(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Option<(u16, Value)> {
        self.send(method, path, headers, body).await.map(|reply| (reply.status, reply.json))
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Option<Reply> {
        let request = self.request(method, path, headers, body.into());
        let mut connection = self.connect().await?;
        let response = connection.send_request(request).await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.ok()?.to_bytes();
        self.connection = Some(connection);
        Some(Reply { status, headers, json: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    /// The kept connection, or another; whoever gets an answer on it keeps it again.
    async fn connect(&mut self) -> Option<SendRequest<Full<Bytes>>> {
        if let Some(mut kept) = self.connection.take()
            && kept.ready().await.is_ok()
        {
            return Some(kept);
        }
        let stream = TcpStream::connect(self.client.address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(sender)
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> hyper::Request<Full<Bytes>> {
        let client = &self.client;
        let host = client.host.clone().unwrap_or_else(|| client.address.to_string());
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", host);
        if !client.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", client.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).unwrap()
    }
}
