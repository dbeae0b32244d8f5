//! Problem documents (RFC 9457): what is wrong with a request, every fault named.

use crate::api_key::Scope;
use crate::event::hops::{HOPS_HEADER, Hops, NoHops};
use crate::json::Fault;
use crate::limits::{HOPS_MAX, WORK_RETRY_S};

/// Why a request is not done, in the words of the API: it answers this as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A URN that names the kind of problem.
    pub kind: String,
    /// A title, the same for every problem of this kind.
    pub title: String,
    /// The HTTP status that the problem is answered with.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// Each fault of a body that does not fit.
    pub errors: Vec<Fault>,
    /// A header that goes with it: its name, in lower case, and its value.
    pub header: Option<Box<(&'static str, String)>>,
}

impl From<NoHops> for Problem {
    fn from(fault: NoHops) -> Self {
        Self::bad_request(fault.to_string())
    }
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
            "The API key is missing or not valid",
            "send a valid API key as `Authorization: Bearer <api key>`",
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
            "The API key does not allow this",
            format!("the API key lacks the scope `{scope}`"),
        )
    }

    /// 403: only the operator's key may do this.
    pub fn operators() -> Self {
        let detail = "only the operator's key allows this";
        Self::new(403, "forbidden", "The API key does not allow this", detail)
    }

    /// 403: a link that is not ours, or no longer good.
    pub fn bad_link() -> Self {
        let detail = "the signature of the link does not verify, or the link has expired";
        Self::new(403, "bad-link", "The link is not valid", detail)
    }

    /// 410: it was here, and was removed.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(410, "gone", "The content was removed", detail)
    }

    /// 404: unknown here, or another's: the same for both.
    pub fn not_found() -> Self {
        let detail = "nothing of that name exists for this API key";
        Self::new(404, "not-found", "Not found", detail)
    }

    /// 405: the path is there, the method is not.
    pub fn method_not_allowed(allowed: &[&str]) -> Self {
        let methods = allowed.join(", ");
        let detail = format!("this path allows {methods}");
        let problem = Self::new(405, "method-not-allowed", "The method is not allowed", detail);
        Self { header: Some(Box::new(("allow", methods))), ..problem }
    }

    /// 409: what is there already stands in the way.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "The request conflicts with the current state", detail)
    }

    /// 412: it was changed since it was read.
    pub fn changed() -> Self {
        let detail = "read the endpoint again, and send the ETag of that answer";
        Self::new(412, "changed", "The endpoint was changed since it was read", detail)
    }

    /// 413: over a limit.
    pub fn too_large(what: &str, bytes_max: usize) -> Self {
        let detail = format!("{what} can have at most {bytes_max} bytes");
        Self::new(413, "too-large", "The request is too large", detail)
    }

    /// 415: a body of a content type that is not read here.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(415, "unsupported-media-type", "The content type is not supported", detail)
    }

    /// 422: the body was read, and does not fit.
    pub fn unprocessable(errors: Vec<Fault>) -> Self {
        let detail = match errors.len() {
            1 => "1 fault was found".to_owned(),
            count => format!("{count} faults were found"),
        };
        Self { errors, ..Self::new(422, "unprocessable", "The body is not valid", detail) }
    }

    /// 429: a key, its tenant or a source, as `what` says, that calls too often.
    pub fn too_many(what: &str, max_per_second: u32, retry_after_s: u64) -> Self {
        let detail = format!("the {what} allows {max_per_second} requests per second");
        let problem = Self::new(429, "too-many-requests", "Too many requests", detail);
        Self { header: Some(Box::new(("retry-after", retry_after_s.to_string()))), ..problem }
    }

    /// 429: a caller whose requests ask for more work than it gets turns for.
    pub fn too_much_work() -> Self {
        let detail = "earlier requests of yours are still being worked at; nothing was acknowledged; repeat the \
                      request, and send fewer at a time";
        let problem = Self::new(429, "too-much-work", "Too much work at a time", detail);
        Self { header: Some(Box::new(("retry-after", WORK_RETRY_S.to_string()))), ..problem }
    }

    /// 503: others' work has left no room in time.
    pub fn no_turn() -> Self {
        let detail =
            "the request's turn did not come in time; nothing was acknowledged; repeat the request";
        let problem = Self::new(503, "busy", "The server is busy", detail);
        Self { header: Some(Box::new(("retry-after", WORK_RETRY_S.to_string()))), ..problem }
    }

    /// 508: a chain of deliveries that leads back to Waxseal again and again ends here. The answer's header tells
    /// whoever made the delivery that another attempt would end in the same way.
    pub fn looped(hops: Hops) -> Self {
        let detail = format!(
            "{hops} deliveries of Waxseal lie behind the event, and {HOPS_MAX} are the most: an endpoint leads back \
             to where its events come from"
        );
        let problem = Self::new(508, "looped", "The event goes in a circle", detail);
        Self { header: Some(Box::new((HOPS_HEADER, hops.to_string()))), ..problem }
    }

    /// 503: more is under way than there is room for; the sender may try again in a moment.
    pub fn busy() -> Self {
        let detail =
            "too much is under way; nothing was acknowledged; repeat the request in a moment";
        let problem = Self::new(503, "busy", "The server is busy", detail);
        Self { header: Some(Box::new(("retry-after", "1".to_owned()))), ..problem }
    }

    /// 503: our own failure; the sender may try again.
    pub fn unavailable() -> Self {
        let detail = "nothing was acknowledged; repeat the request";
        Self::new(503, "unavailable", "The server failed", detail)
    }

    /// 503: these parts do not work, without which nothing is served.
    pub fn unhealthy(parts: &[String]) -> Self {
        let detail = format!("does not work: {}", parts.join(", "));
        Self::new(503, "unhealthy", "The server is not well", detail)
    }

    /// 503: our own failure, with the step that failed.
    pub fn failed_at(step: &str) -> Self {
        let detail = format!("{step} failed; nothing was acknowledged; repeat the request");
        Self { detail, ..Self::unavailable() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_carries_the_header_that_its_status_asks_for() {
        let header = |problem: Problem| problem.header.map(|header| *header);
        let not_allowed = Problem::method_not_allowed(&["GET", "PUT"]);
        assert_eq!(header(not_allowed), Some(("allow", "GET, PUT".to_owned())));
        let too_many = Problem::too_many("API key", 5, 7);
        assert_eq!(header(too_many), Some(("retry-after", "7".to_owned())));
    }

    #[test]
    fn our_own_failure_names_the_step_that_failed() {
        let problem = Problem::failed_at("reading the catalogue");
        assert!(problem.detail.starts_with("reading the catalogue failed;"), "{}", problem.detail);
    }
}
