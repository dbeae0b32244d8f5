//! The SDK's HTTP client: `reqwest`, which the sender links anyway.
//!
//! The SDK's own would read the system's certificates and parse each of them at the first call: its
//! `TrustStore` takes PEM only, and Mozilla's roots are compiled in as parsed trust anchors. This
//! one costs microseconds of a cold start, and is one more TLS stack not linked.
//!
//! Not the sender's client: that one vets addresses and keeps no connections.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use reqwest::redirect::Policy;
use waxseal_flows::ports::EngineError;

use crate::tls;

/// Within which a connection must be made; an SDK's own default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// Within which an answer must be whole: ours are small, and a function has 15 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: AWS closes them after 20 s and more.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Makes the SDK's HTTP calls to AWS.
#[derive(Clone, Debug)]
pub(super) struct ReqwestClient(reqwest::Client);

impl ReqwestClient {
    pub(super) fn new() -> Result<Self, EngineError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::trust(Vec::new())?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|error| EngineError::unavailable("build AWS client", error))?;
        Ok(Self(client))
    }
}

impl ReqwestClient {
    /// One request that no client of the SDK makes; its status and body.
    pub(super) async fn exchange(
        &self,
        request: http::Request<Bytes>,
        step: &'static str,
    ) -> Result<(u16, Bytes), EngineError> {
        let failed = |error: reqwest::Error| EngineError::unavailable(step, error);
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let response = self.0.execute(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        response.bytes().await.map(|body| (status, body)).map_err(failed)
    }
}

impl HttpClient for ReqwestClient {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for ReqwestClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { call(&client, request).await })
    }
}

async fn call(
    client: &reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes = body.bytes().ok_or_else(|| ConnectorError::user("a body that streams".into()))?;
    let request = http::Request::from_parts(parts, Bytes::copy_from_slice(bytes));
    let request =
        reqwest::Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
    let mut response = client.execute(request).await.map_err(failure)?;
    let mut answer = http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        std::mem::swap(headers, response.headers_mut());
    }
    let bytes = response.bytes().await.map_err(failure)?;
    let answer = answer
        .body(SdkBody::from(bytes))
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The SDK retries what failed by time or by connection.
fn failure(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
