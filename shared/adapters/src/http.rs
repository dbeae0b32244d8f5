//! HTTP requests and answers, as the functions see them: whatever brought them has been taken off.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use waxseal_domain::api_key::Caller;
use waxseal_domain::event::hops::{HOPS_HEADER, Hops, NoHops};
use waxseal_domain::id::{SourceName, TenantName};
use waxseal_domain::problem::Problem;

/// A request, its body whole. A `Caller` among its extensions has been authenticated, by AWS or by the server, which
/// does so before it reads the body.
pub type Request = http::Request<Bytes>;
/// An answer of the API, its body whole.
pub type Response = http::Response<Bytes>;

/// Makes an answer in JSON.
pub fn json<T: Serialize>(status: u16, body: &T) -> Response {
    answer(status, "application/json", body)
}

/// Makes an answer of JSON that is written already.
pub fn json_text(status: u16, text: Bytes) -> Response {
    answer_text(status, "application/json", text)
}

/// Makes an answer that is an HTML page. Its policy lets the page load nothing from elsewhere.
pub fn page(html: &'static str) -> Response {
    let mut response = response(Bytes::from_static(html.as_bytes()));
    let headers = response.headers_mut();
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// Makes an answer: every answer is made here. No browser may take its body for what its type does not say.
fn response(body: Bytes) -> Response {
    let mut response = Response::new(body);
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Makes the answer that is a problem document.
pub fn problem(problem: &Problem) -> Response {
    let mut response = answer(
        problem.status,
        "application/problem+json",
        &waxseal_api_types::Problem::from(problem),
    );
    let headers = response.headers_mut();
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some((name, value)) = problem.header.as_deref()
        && let Ok(value) = HeaderValue::try_from(value)
    {
        headers.insert(*name, value);
    }
    response
}

/// An answer without a body.
pub fn no_content() -> Response {
    let mut response = response(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The answer to `OPTIONS`: the validation handshake of the `CloudEvents` HTTP webhook specification. Keys
/// and signatures decide who may send, so every origin that asks is allowed. 404 for what is no name.
pub fn allow(request: &Request) -> Response {
    let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    let methods = match path.as_slice() {
        ["hooks", source] if source.parse::<SourceName>().is_ok() => "OPTIONS, POST",
        ["hooks", tenant, source]
            if tenant.parse::<TenantName>().is_ok() && source.parse::<SourceName>().is_ok() =>
        {
            "OPTIONS, POST"
        }
        ["v1", "tenants", tenant, "events"] if tenant.parse::<TenantName>().is_ok() => {
            "GET, OPTIONS, POST"
        }
        _ => return problem(&Problem::not_found()),
    };
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert("allow", HeaderValue::from_static(methods));
    if let Some(origin) = request.headers().get("webhook-request-origin") {
        headers.insert("webhook-allowed-origin", origin.clone());
        headers.insert("webhook-allowed-rate", HeaderValue::from_static("*"));
    }
    response
}

/// Who calls: as AWS or the server has authenticated, or by the `Authorization` header. The body may not have come.
pub fn caller<B>(request: &http::Request<B>) -> Caller {
    let authenticated = request.extensions().get::<Caller>().cloned();
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    authenticated.unwrap_or_else(|| Caller::from_authorization(authorization))
}

/// How many of Waxseal's deliveries lie behind a request, as its headers say.
pub fn hops(headers: &http::HeaderMap) -> Result<Hops, NoHops> {
    // What is no text is no number either.
    let texts = headers.get_all(HOPS_HEADER).iter().map(|value| value.to_str().unwrap_or_default());
    Hops::most(texts)
}

/// A header's value, where it is text.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// A parameter of the query; one without `=` is empty. What is no UTF-8 becomes replacement characters.
pub fn query<'a>(request: &'a Request, name: &str) -> Option<Cow<'a, str>> {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| percent_decode_str(value).decode_utf8_lossy())
}

/// The body as text: 413 over the bound, 400 where it is not UTF-8.
pub fn text(request: &Request, bytes_max: usize) -> Result<&str, Problem> {
    if request.body().len() > bytes_max {
        return Err(Problem::too_large("a request", bytes_max));
    }
    std::str::from_utf8(request.body()).map_err(|_| Problem::bad_request("the body is not UTF-8"))
}

fn answer<T: Serialize>(status: u16, content_type: &'static str, body: &T) -> Response {
    let bytes = serde_json::to_vec(body).expect("answers are strings, numbers and raw JSON");
    answer_text(status, content_type, Bytes::from(bytes))
}

fn answer_text(status: u16, content_type: &'static str, text: Bytes) -> Response {
    let mut response = response(text);
    *response.status_mut() =
        // A status that is none must not be taken for success.
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_may_be_taken_for_another_type() {
        let mut options = Request::default();
        *options.uri_mut() = "/hooks/github".parse().unwrap();
        for answer in [
            json(200, &[1]),
            page("<p>"),
            problem(&Problem::not_found()),
            no_content(),
            allow(&options),
            allow(&Request::default()),
        ] {
            let said = answer.headers().get("x-content-type-options");
            assert_eq!(said.unwrap(), "nosniff", "{answer:?}");
        }
    }
}
