//! A dry run: what an endpoint, or one that does not exist yet, would have got of the last stored events.
//! Nothing is sent, and nothing is saved.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::endpoint::{MatchChanges, MatchResult, MatchedEvent};
use waxseal_domain::delivery::Round;
use waxseal_domain::delivery::dispatch::{Outgoing, preview};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::subscription::Candidate;
use waxseal_domain::id::{DeliveryId, EndpointId};
use waxseal_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::public_url::PublicUrl;
use waxseal_flows::ports::{Clock as _, Engine, EventRow, EventStore as _, PageRequest};
use waxseal_flows::profiles::find_profile;

use super::changes::Changes;
use super::sealed::Sealed;
use super::stored::find;
use crate::body::{self, Body};
use crate::call::TenantCall;
use crate::{OperationResult, Refusal};

/// Bytes of rendered bodies that an answer holds: a function's answer has 6 MB in all.
const BODIES_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Pages of events that are looked at for one answer.
const PAGES_MAX: usize = 20;

/// Describes the changes of a match.
pub(super) fn describe() -> Value {
    body::describe::<MatchChanges>(|body| {
        read_limit(body);
        let _changes = Changes::describe(body);
    })
}

fn read_limit(body: &mut Body<'_>) -> usize {
    let most = u64::try_from(PAGE_MAX).unwrap_or(u64::MAX);
    let limit = body.whole("limit", 1..=most).value();
    body.about("limit", || json!({"default": PAGE_DEFAULT}));
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_DEFAULT)
}

/// Matches an endpoint that is there, with changes; without an id, one that does not exist.
pub(super) async fn match_events<E: Engine>(
    call: TenantCall<'_, E>,
    id: Option<&str>,
) -> OperationResult {
    let now = call.engine.clock().now();
    let before = if let Some(id) = id {
        Endpoint::clone(&*find(&call, id).await?)
    } else {
        let id: EndpointId = "ep_draft".parse().map_err(|_| Problem::not_found())?;
        Endpoint::new(id, call.tenant.clone(), STANDARD.to_owned(), now)
    };
    let mut body = Body::read(call.request)?;
    let limit = read_limit(&mut body);
    let name = Changes::profile_name(&mut body, &before.profile);
    let found = find_profile(call.engine, &name).await?;
    let rules = call.engine.address_rules();
    let changes = Changes::read(&mut body, rules, found.as_deref(), false);
    changes.check_kept_headers(&mut body, Some(&before));
    body.finish()?;
    let profile = found.ok_or_else(Problem::not_found)?;
    // No header is in a body, and nothing is sealed that is not kept.
    let candidate = changes.apply(before, Sealed::default(), now);
    Ok(http::json(200, &run(&call, &candidate, &profile, limit).await?))
}

async fn run<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    profile: &Profile,
    limit: usize,
) -> Result<MatchResult, Refusal> {
    let mut view = MatchResult { examined: 0, matched: 0, items: Vec::new() };
    let mut room = BODIES_BYTES_MAX;
    for row in read_last_events(call, limit).await? {
        let mut item = match_event(call, endpoint, profile, &row);
        view.examined += 1;
        view.matched += usize::from(item.matched);
        let length = item.body.as_ref().map_or(0, String::len);
        match room.checked_sub(length) {
            Some(left) => room = left,
            None => item.body = None,
        }
        view.items.push(item);
    }
    Ok(view)
}

/// The tenant's last events, newest first; those of ours that nobody asked for by name are none.
async fn read_last_events<E: Engine>(
    call: &TenantCall<'_, E>,
    limit: usize,
) -> Result<Vec<EventRow>, Refusal> {
    let now = call.engine.clock().now();
    let mut found = Vec::new();
    let mut page = PageRequest { limit, cursor: None };
    for _ in 0..PAGES_MAX {
        let part = call.engine.store().events_by_time(call.tenant, &page, now).await?;
        found.extend(part.items.into_iter().filter(|row| !row.event.expunged));
        page.cursor = part.cursor;
        if found.len() >= limit || page.cursor.is_none() {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn match_event<E: Engine>(
    call: &TenantCall<'_, E>,
    endpoint: &Endpoint,
    profile: &Profile,
    row: &EventRow,
) -> MatchedEvent {
    let event = &row.event;
    let wants = endpoint.subscription.wants(&Candidate::new(event));
    let matched = wants.as_ref().is_ok_and(|wants| *wants);
    let mut item = MatchedEvent {
        event_id: event.id.to_string(),
        event_type: event.event_type.clone(),
        time: event.time.clone(),
        received_at: row.event_accepted_at.rfc3339(),
        matched,
        bytes: None,
        content_type: None,
        body: None,
        detail: wants.err().map(|fault| fault.detail),
    };
    if matched {
        let id = DeliveryId { endpoint: endpoint.id.clone(), event: event.id.clone() }.to_string();
        let round = Round::single(call.engine.clock().now());
        let outgoing = Outgoing { endpoint, profile, event, id: &id, round };
        let public_url = call.engine.public_url().map(PublicUrl::as_str);
        match preview(outgoing, public_url, call.engine.clock().now()) {
            Ok(rendered) => {
                item.bytes = Some(rendered.body.len());
                item.content_type = Some(rendered.content_type);
                match String::from_utf8(rendered.body) {
                    Ok(body) => item.body = Some(body),
                    Err(_) => item.detail = Some("the body is no text".to_owned()),
                }
            }
            Err(detail) => item.detail = Some(detail),
        }
    }
    item
}
