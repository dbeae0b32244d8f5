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
        let Some(wanted) = self.0 else { return Ok(()) };
        let own = etag(endpoint);
        let mut versions = wanted.split(',').map(str::trim);
        if versions.any(|version| version == "*" || version == own) {
            Ok(())
        } else {
            Err(Problem::changed())
        }
    }
}
