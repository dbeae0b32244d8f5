//! Which alarms ring. One call of CloudWatch's JSON protocol, signed by `aws-sigv4`, which the SDK links
//! anyway: CloudWatch's own client would bring a second HTTP stack for compressing metrics.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use waxseal_flows::ports::{Clock as _, EngineError};

use super::http_client::ReqwestClient;
use crate::clock::MovableClock;
use crate::environment::Environment;

const STEP: &str = "look at alarms";
/// Alarms that are looked at: CloudWatch gives no more at a time.
const ALARMS_MAX: u32 = 100;
const TARGET: &str = "GraniteServiceVersion20100801.DescribeAlarms";

/// Asks CloudWatch for the deployment's alarms.
#[derive(Debug)]
pub(super) struct CloudWatch {
    credentials: Credentials,
    region: String,
    url: String,
    clock: MovableClock,
}

/// An alarm of the deployment, as CloudWatch tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Alarm {
    alarm_name: String,
    state_value: String,
}

impl Alarm {
    /// Returns the alarm's name.
    pub(super) fn name(&self) -> &str {
        &self.alarm_name
    }

    /// Whether it says that something is wrong.
    pub(super) fn is_ringing(&self) -> bool {
        self.state_value == "ALARM"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmsAnswer {
    metric_alarms: Vec<Alarm>,
}

impl CloudWatch {
    /// Makes a client with a function's settings. It calls nothing yet.
    pub(super) fn new(environment: &Environment, clock: MovableClock) -> Self {
        let [id, secret, token] = environment.credentials.clone();
        let token = Some(token).filter(|token| !token.is_empty());
        let region = environment.region.clone();
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Self {
            credentials: Credentials::new(id, secret, token, None, "environment"),
            url: environment
                .endpoint_url
                .clone()
                .unwrap_or_else(|| format!("https://monitoring.{region}.{suffix}")),
            region,
            clock,
        }
    }

    /// The alarms whose names begin so.
    pub(super) async fn alarms(&self, prefix: &str) -> Result<Vec<Alarm>, EngineError> {
        let body = json!({"AlarmNamePrefix": prefix, "MaxRecords": ALARMS_MAX}).to_string();
        let request = self.sign(body)?;
        // Made when it is asked for: seldom, and no function's start should pay for it.
        let client = ReqwestClient::new(self.clock.clone())?;
        let (status, answer) = client.exchange(request, STEP).await?;
        if status != 200 {
            return Err(EngineError::unavailable(STEP, format!("CloudWatch answered {status}")));
        }
        let answer: AlarmsAnswer = serde_json::from_slice(&answer)
            .map_err(|error| EngineError::unreadable(STEP, error))?;
        Ok(answer.metric_alarms)
    }

    fn sign(&self, body: String) -> Result<http::Request<Bytes>, EngineError> {
        let failed =
            |error: Box<dyn std::error::Error + Send + Sync>| EngineError::denied(STEP, error);
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("monitoring")
            .time(UNIX_EPOCH + Duration::from_millis(self.clock.now().ms()))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(error.into()))?;
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", TARGET)];
        let content = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", &self.url, headers.into_iter(), content)
            .map_err(|error| failed(error.into()))?;
        let signed = sign(signable, &parameters.into()).map_err(|error| failed(error.into()))?;
        let mut request = http::Request::builder().method("POST").uri(&self.url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Bytes::from(body)).map_err(|error| failed(error.into()))?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}
