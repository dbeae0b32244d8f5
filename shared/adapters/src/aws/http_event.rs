//! HTTP as Lambda sees it: HTTP API (payload 2.0), function URL (the same), REST API (payload 1.0).
//! Told apart by `version` and `httpMethod`, which AWS always sets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use waxseal_domain::api_key::Caller;

use crate::http::{Request, Response};

/// What both payloads share, and where they differ.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpEvent {
    version: Option<String>,
    http_method: Option<String>,
    path: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    /// The host by which the API was called, as API Gateway and function URLs know it.
    domain_name: Option<String>,
    stage: Option<String>,
    http: Option<Http>,
    authorizer: Option<Authorizer>,
    identity: Option<Identity>,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    /// There only where AWS has checked an IAM signature.
    iam: Option<Signer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signer {
    user_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    /// REST API: there only where AWS has checked an IAM signature.
    user_arn: Option<String>,
}

/// The host at which a request came in, among its extensions: as AWS tells it, and not the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnHost(pub String);

impl HttpEvent {
    /// The request; an error names what cannot be read.
    pub fn into_request(self) -> Result<Request, String> {
        let (method, path) = match (&self.request_context.http, &self.http_method) {
            (Some(http), None) if self.version.as_deref() == Some("2.0") => {
                (http.method.clone(), self.raw_path.as_deref().map(|path| self.without_stage(path)))
            }
            (None, Some(method)) => (method.clone(), self.path.clone()),
            _ => return Err("neither payload 2.0 nor payload 1.0 of an HTTP event".to_owned()),
        };
        let path = path.ok_or("the HTTP event has no path")?;
        let query = self.query();
        let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut builder = http::Request::builder().method(method.as_str()).uri(uri);
        for (name, value) in self.headers.iter().flatten() {
            // Header names come in any case, and are one name in all of them.
            let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
            let value = HeaderValue::try_from(value.as_str()).map_err(|error| error.to_string())?;
            builder = builder.header(name, value);
        }
        if let Some(host) = &self.request_context.domain_name {
            builder = builder.extension(OwnHost(host.clone()));
        }
        if let Some(arn) = self.signer() {
            builder = builder.extension(Caller::Iam(arn));
        }
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded {
            BASE64.decode(body).map_err(|error| format!("the body is not base 64: {error}"))?
        } else {
            body.into_bytes()
        };
        builder.body(Bytes::from(body)).map_err(|error| error.to_string())
    }

    /// The ARN of whoever signed, where AWS has checked that.
    fn signer(&self) -> Option<String> {
        let context = &self.request_context;
        let signed = context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref());
        if let Some(signer) = signed {
            return Some(signer.user_arn.clone().unwrap_or_else(|| "iam".to_owned()));
        }
        context.identity.as_ref().and_then(|identity| identity.user_arn.clone())
    }

    /// The path without the stage's name, which an HTTP API puts before it unless it is `$default`.
    fn without_stage(&self, path: &str) -> String {
        let stage = self.request_context.stage.as_deref().unwrap_or("$default");
        let rest = path.strip_prefix(&format!("/{stage}")).filter(|rest| rest.starts_with('/'));
        rest.unwrap_or(path).to_owned()
    }

    fn query(&self) -> String {
        if let Some(query) = &self.raw_query_string {
            return query.clone();
        }
        let pairs = self.query_string_parameters.iter().flatten();
        pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

/// An answer, in the one form that all three take.
pub fn response(response: &Response) -> Value {
    let headers: BTreeMap<&str, &str> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    json!({
        "statusCode": response.status().as_u16(),
        "headers": headers,
        "body": String::from_utf8_lossy(response.body()),
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(event: Value) -> Request {
        serde_json::from_value::<HttpEvent>(event).unwrap().into_request().unwrap()
    }

    #[test]
    fn reads_payload_2_with_a_base64_body_and_an_iam_caller() {
        let request = request(json!({
            "version": "2.0", "rawPath": "/prod/v1/x", "rawQueryString": "a=b",
            "headers": {"Content-TYPE": "application/json"}, "body": "e30=", "isBase64Encoded": true,
            "requestContext": {"stage": "prod", "http": {"method": "POST"},
                "domainName": "abc.execute-api.example", "authorizer": {"iam": {"userArn": "x"}}},
        }));
        let host = request.extensions().get::<OwnHost>().map(|host| host.0.as_str());
        assert_eq!(host, Some("abc.execute-api.example"));
        assert_eq!(request.uri(), "/v1/x?a=b");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.body(), "{}");
        assert_eq!(request.extensions().get::<Caller>(), Some(&Caller::Iam("x".to_owned())));
    }

    #[test]
    fn reads_payload_1() {
        let request = request(json!({
            "resource": "/{proxy+}", "httpMethod": "GET", "path": "/v1/x", "headers": null,
            "queryStringParameters": {"limit": "5"}, "body": null, "isBase64Encoded": false,
            "requestContext": {"stage": "prod", "identity": {"userArn": null}},
        }));
        assert_eq!(
            (request.method().as_str(), request.uri().to_string().as_str()),
            ("GET", "/v1/x?limit=5")
        );
        assert!(request.extensions().get::<Caller>().is_none());
    }

    #[test]
    fn a_stage_is_taken_off_only_as_a_whole_segment() {
        let request = request(json!({
            "version": "2.0", "rawPath": "/v1x/y", "headers": {},
            "requestContext": {"stage": "v1", "http": {"method": "GET"}},
        }));
        assert_eq!(request.uri(), "/v1x/y");
    }
}
