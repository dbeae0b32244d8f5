//! An endpoint's version as HTTP has it: `ETag`, and `If-Match`, so that nobody overwrites what another
//! has just changed.

use http::HeaderValue;
use waxseal_adapters::http::{Request, Response, header};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::problem::Problem;

/// The answer with the endpoint's version.
pub(super) fn with_etag(mut response: Response, endpoint: &Endpoint) -> Response {
    if let Ok(value) = HeaderValue::try_from(etag(endpoint)) {
        response.headers_mut().insert("etag", value);
    }
    response
}

fn etag(endpoint: &Endpoint) -> String {
    format!("\"{}\"", endpoint.version)
}

/// Which versions a request is for.
pub(super) struct IfMatch<'a>(Option<&'a str>);

impl<'a> IfMatch<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        Self(header(request, "if-match"))
    }

    /// 412 where it is for another version.
    pub(super) fn allows(&self, endpoint: &Endpoint) -> Result<(), Problem> {
        let own = etag(endpoint);
        let is_it = |wanted: &str| matches!(wanted.trim(), "*") || wanted.trim() == own;
        match self.0 {
            Some(wanted) if !wanted.split(',').any(is_it) => Err(Problem::changed()),
            _ => Ok(()),
        }
    }
}
