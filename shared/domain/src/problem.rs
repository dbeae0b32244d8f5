//! Problem documents (RFC 9457): what is wrong with a request, every fault named.

use crate::api_key::Scope;
use crate::json::Fault;

/// Why a request is not done, in the words of the API: it answers this as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A URN that names the kind of problem.
    pub kind: String,
    /// The same for every problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// Each fault of a body that does not fit.
    pub errors: Vec<Fault>,
    /// A header that goes with it: its name, in lower case, and its value.
    pub header: Option<Box<(&'static str, String)>>,
}

impl Problem {
    fn new(status: u16, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:waxseal:problem:{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
        }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "The request cannot be read", detail)
    }

    /// 401: no key, or one that is not known.
    pub fn unauthorized() -> Self {
        Self::new(
            401,
            "unauthorized",
            "No valid API key",
            "send a known key as `Authorization: Bearer <api key>`",
        )
    }

    /// 401: a hook whose signature does not hold.
    pub fn unverified(detail: impl Into<String>) -> Self {
        Self::new(401, "unverified", "The signature does not verify", detail)
    }

    /// 403: the key lacks the scope.
    pub fn forbidden(scope: Scope) -> Self {
        let scope = match scope {
            Scope::Ingest => "ingest",
            Scope::Manage => "manage",
        };
        Self::new(
            403,
            "forbidden",
            "The API key may not do this",
            format!("it lacks the scope `{scope}`"),
        )
    }

    /// 403: only the operator's key may do this.
    pub fn operators() -> Self {
        Self::new(403, "forbidden", "The API key may not do this", "it takes the operator's key")
    }

    /// 403: a link that is not ours, or no longer good.
    pub fn bad_link() -> Self {
        Self::new(403, "bad-link", "The link is not good", "it is not ours, or it has expired")
    }

    /// 410: it was here, and was removed.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", "Removed", detail)
    }

    /// 404: unknown here, or another's: the same for both.
    pub fn not_found() -> Self {
        Self::new(404, "not-found", "Not found", "there is nothing of that name for this API key")
    }

    /// 405: the path is there, the method is not.
    pub fn method_not_allowed(allowed: &[&str]) -> Self {
        let methods = allowed.join(", ");
        let detail = format!("this path takes {methods}");
        let problem = Self::new(405, "method-not-allowed", "Method not allowed", detail);
        Self { header: Some(Box::new(("allow", methods))), ..problem }
    }

    /// 409: what is there already stands in the way.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "In conflict with what is there", detail)
    }

    /// 412: it was changed since it was read.
    pub fn changed() -> Self {
        let detail = "it was changed since it was read: read it again, and its ETag with it";
        Self::new(412, "changed", "Changed since it was read", detail)
    }

    /// 413: over a limit.
    pub fn too_large(what: &str, bytes_max: usize) -> Self {
        Self::new(413, "too-large", "Too large", format!("{what} is at most {bytes_max} bytes"))
    }

    /// 415: a body of a content type that is not read here.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(415, "unsupported-media-type", "Content type not supported", detail)
    }

    /// 422: the body was read, and does not fit.
    pub fn unprocessable(errors: Vec<Fault>) -> Self {
        let detail = match errors.len() {
            1 => "1 member does not fit".to_owned(),
            count => format!("{count} members do not fit"),
        };
        Self { errors, ..Self::new(422, "unprocessable", "The body does not fit", detail) }
    }

    /// 429: a key that calls too often.
    pub fn too_many(max_per_second: u32, retry_after_s: u64) -> Self {
        let detail = format!("this key may make {max_per_second} requests a second");
        let problem = Self::new(429, "too-many-requests", "Too many requests", detail);
        Self { header: Some(Box::new(("retry-after", retry_after_s.to_string()))), ..problem }
    }

    /// 503: our own failure; the sender may try again.
    pub fn unavailable() -> Self {
        Self::new(503, "unavailable", "Not available now", "nothing was acknowledged; try again")
    }

    /// The same, and which step it was.
    pub fn failed_at(step: &str) -> Self {
        let detail = format!("{step} failed: nothing was acknowledged; try again");
        Self { detail, ..Self::unavailable() }
    }
}
