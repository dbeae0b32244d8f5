//! `POST …/recover`: an endpoint's failed or missing deliveries, sent again or only counted.

use serde_json::Value;
use waxseal_adapters::http;
use waxseal_api_types::endpoint::{NewRecovery, Recovery, RecoveryScope};
use waxseal_domain::limits::FUNCTION_TIMEOUT_S;
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, Engine};
use waxseal_flows::recover::{RecoverRequest, RecoverScope, is_cursor, recover};

use super::stored::find;
use crate::OperationResult;
use crate::body::{self, Body};
use crate::call::TenantCall;

/// Seconds that one call takes, at most: well within what a function has, so that its answer is
/// sent.
const CALL_S: u64 = 8;
const _: () = assert!(CALL_S < FUNCTION_TIMEOUT_S);
/// Characters of a cursor.
const CURSOR_CHARS_MAX: usize = 256;

/// Describes what is to be recovered.
pub(super) fn describe() -> Value {
    body::describe::<NewRecovery>(|body| drop(read(body, Timestamp::from_ms(0))))
}

/// Sends deliveries again, or counts them.
pub(super) async fn recover_deliveries<E: Engine>(
    call: TenantCall<'_, E>,
    id: &str,
) -> OperationResult {
    let now = call.engine.clock().now();
    let mut body = Body::read(call.request)?;
    let request = read(&mut body, now);
    body.finish()?;
    let endpoint = find(&call, id).await?;
    if !endpoint.is_enabled() {
        return Err(Problem::conflict("the endpoint is disabled: enable it first").into());
    }
    let done = recover(call.engine, &endpoint, &request, now.plus_s(CALL_S)).await?;
    let recovery =
        Recovery { deliveries: done.deliveries, dry_run: request.dry_run, cursor: done.cursor };
    Ok(http::json(if request.dry_run { 200 } else { 202 }, &recovery))
}

fn read(body: &mut Body<'_>, now: Timestamp) -> RecoverRequest {
    let since = body.time("since").value();
    body.not_null("since");
    body.require("since");
    let until = body.time("until").value().unwrap_or(now).min(now);
    let scope = match body.word("which", RecoveryScope::WORDS).value() {
        Some("missing") => RecoverScope::Missing,
        Some("all") => RecoverScope::All,
        _ => RecoverScope::Failed,
    };
    let dry_run = body.flag("dry_run").value().unwrap_or(false);
    let cursor = body.text("cursor", CURSOR_CHARS_MAX).value();
    if cursor.as_deref().is_some_and(|cursor| !is_cursor(cursor)) {
        body.fault("cursor", "must be one that an earlier call was answered with");
    }
    if since.is_some_and(|since| since > until) {
        body.fault("since", "must not be after until, nor in the future");
    }
    RecoverRequest { since: since.unwrap_or(now), until, scope, dry_run, cursor }
}
