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
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::EngineError;

use crate::clock::MovableClock;
use crate::tls;

/// Within which a connection must be made; an SDK's own default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// Within which an answer must be whole: ours are small, and a function has 15 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: AWS closes them after 20 s and more.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Makes the SDK's HTTP calls to AWS.
#[derive(Clone, Debug)]
pub(super) struct ReqwestClient {
    client: reqwest::Client,
    clock: MovableClock,
}

impl ReqwestClient {
    /// Makes the client. Each answer tells the clock what time it is.
    pub(super) fn new(clock: MovableClock) -> Result<Self, EngineError> {
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
        Ok(Self { client, clock })
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
        let response = self.client.execute(request).await.map_err(failed)?;
        tell(&self.clock, response.headers());
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
        let client = self.clone();
        HttpConnectorFuture::new(async move { call(&client, request).await })
    }
}

async fn call(
    ReqwestClient { client, clock }: &ReqwestClient,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes = body.bytes().ok_or_else(|| ConnectorError::user("a body that streams".into()))?;
    let request = http::Request::from_parts(parts, Bytes::copy_from_slice(bytes));
    let request =
        reqwest::Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
    let mut response = client.execute(request).await.map_err(failure)?;
    tell(clock, response.headers());
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

/// Tells the clock the date of an answer, which is not our machine's. Also of a refusal: a clock that is wrong by
/// minutes makes every call one, since it dates the signatures.
fn tell(clock: &MovableClock, headers: &http::HeaderMap) {
    let date = headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
    let ahead_ms = date.and_then(Timestamp::parse_http_date).and_then(|at| clock.tell(at));
    if let Some(ahead_ms) = ahead_ms {
        tracing::warn!(ahead_ms, "this machine's clock is not AWS's: we go by AWS's");
    }
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
