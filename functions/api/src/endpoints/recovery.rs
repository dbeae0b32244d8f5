//! `POST …/recover`: an endpoint's failed or missing deliveries, sent again or only counted.

use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::id::EndpointId;
use waxseal_domain::ports::{Clock as _, Engine};
use waxseal_domain::problem::Problem;
use waxseal_domain::recover::{Ask, Which, recover};
use waxseal_domain::timestamp::Timestamp;

use super::find;
use crate::body::Body;
use crate::{Answer, Call};

/// Seconds that one call takes, at most: a function has 15.
const CALL_S: u64 = 8;
/// Characters of a cursor.
const CURSOR_CHARS_MAX: usize = 256;

#[derive(Serialize)]
struct RecoveryView {
    /// How many were queued, or would be.
    deliveries: u32,
    dry_run: bool,
    /// Given where there is more: the same call with it goes on.
    cursor: Option<String>,
}

pub(super) async fn recovered<E: Engine>(call: Call<'_, E>, id: &EndpointId) -> Answer {
    let now = call.engine.clock().now();
    let ask = read(&mut Body::read(call.request)?, now)?;
    let endpoint = find(&call, id).await?;
    if !endpoint.is_enabled() {
        return Err(Problem::conflict("the endpoint is disabled: enable it first").into());
    }
    let done = recover(call.engine, &endpoint, &ask, now.plus_s(CALL_S)).await?;
    let view =
        RecoveryView { deliveries: done.deliveries, dry_run: ask.dry_run, cursor: done.cursor };
    Ok(http::json(if ask.dry_run { 200 } else { 202 }, &view))
}

fn read(body: &mut Body<'_>, now: Timestamp) -> Result<Ask, Problem> {
    body.require("since");
    let since = time(body, "since");
    let until = time(body, "until").unwrap_or(now).min(now);
    let which = match body.text("which", 16).value().as_deref() {
        None | Some("failed") => Which::Failed,
        Some("missing") => Which::Missing,
        Some("all") => Which::All,
        Some(_) => {
            body.fault("which", "must be failed, missing or all");
            Which::Failed
        }
    };
    let dry_run = body.flag("dry_run").value().unwrap_or(false);
    let cursor = body.text("cursor", CURSOR_CHARS_MAX).value();
    if since.is_some_and(|since| since > until) {
        body.fault("since", "must not be after until, nor in the future");
    }
    body.end()?;
    Ok(Ask { since: since.unwrap_or(now), until, which, dry_run, cursor })
}

fn time(body: &mut Body<'_>, name: &'static str) -> Option<Timestamp> {
    let text = body.text(name, 64).value()?;
    let at = Timestamp::parse_rfc3339(&text);
    if at.is_none() {
        body.fault(name, "must be a time as in RFC 3339");
    }
    at
}
