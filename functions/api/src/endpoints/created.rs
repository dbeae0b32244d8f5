//! The answer to a new endpoint, the first time and to a repeated request.

use waxseal_adapters::http::{self, Response};
use waxseal_api_types as api;
use waxseal_api_types::endpoint::{ShownSecret, TestResult};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::profile::Profile;
use waxseal_flows::ports::Engine;

use super::version::with_etag;
use crate::call::TenantCall;

/// The answer to a new endpoint.
pub(super) fn answer_created<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    profile: &Profile,
    shown: ShownSecret,
    ping: Option<TestResult>,
) -> Response {
    let active_from = endpoint.created_at.plus_s(call.engine.endpoints_settle_s());
    let view = api::CreatedEndpoint {
        endpoint: api::Endpoint::of(endpoint, profile),
        shown,
        ping,
        active_from: active_from.rfc3339(),
    };
    with_etag(http::json(201, &view), endpoint)
}
