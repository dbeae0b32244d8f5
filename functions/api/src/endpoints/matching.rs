//! A dry run: what an endpoint, or one that does not exist yet, would have got of the last stored events.
//! Nothing is sent, and nothing is saved.

use std::sync::Arc;

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::endpoint::{MatchChanges, MatchResult, MatchedEvent};
use waxseal_domain::delivery::Round;
use waxseal_domain::delivery::dispatch::{Outgoing, preview};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::subscription::Candidate;
use waxseal_domain::event::Event;
use waxseal_domain::id::{DeliveryId, EndpointId};
use waxseal_domain::limits::{
    EVENT_BYTES_MAX, MATCH_STEPS_MAX, PAGE_DEFAULT, PAGE_MAX, READ_BYTES_IN_PLACE,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Clock as _, Engine, EventRow, EventStore as _, PageRequest, WorkOwner};
use waxseal_flows::profiles::find_profile;

use super::changes::Changes;
use super::sealed::Sealed;
use super::stored::find;
use crate::body::{self, Body};
use crate::call::TenantCall;
use crate::{OperationResult, Refusal};

/// Bytes of rendered bodies that an answer holds: a function's answer has 6 MB in all.
const BODIES_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes of events that are read for one answer, but for the last of them.
const EVENTS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Pages of events that are looked at for one answer.
const PAGES_MAX: usize = 50;
/// Events of a page that may be long: together [`PAGE_BYTES`] at the most.
const FEW_EVENTS: usize = 4;
/// Bytes of a page of events.
const PAGE_BYTES: usize = FEW_EVENTS * EVENT_BYTES_MAX;

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
    let endpoint = changes.apply(before, Sealed::default(), now);
    let public_url = call.engine.public_url().map(|url| url.as_str().to_owned());
    let dry_run = DryRun { endpoint, profile, public_url, now };
    Ok(http::json(200, &run(&call, dry_run, limit).await?))
}

/// What the events are matched with, and how they would be sent.
struct DryRun {
    endpoint: Endpoint,
    profile: Arc<Profile>,
    public_url: Option<String>,
    now: Timestamp,
}

/// What one answer may still cost.
struct Room {
    /// Bytes of rendered bodies.
    bodies: usize,
    /// Bytes of events that are read.
    events: usize,
    /// Steps of matching.
    steps: u64,
}

/// Goes through the tenant's last events, newest first, until so many were looked at or there is no more room. Those of
/// ours that nobody asked for by name are none.
async fn run<E: Engine>(
    call: &TenantCall<'_, E>,
    dry_run: DryRun,
    limit: usize,
) -> Result<MatchResult, Refusal> {
    let mut items = Vec::new();
    let mut room =
        Room { bodies: BODIES_BYTES_MAX, events: EVENTS_BYTES_MAX, steps: MATCH_STEPS_MAX };
    let (owner, dry_run) = (WorkOwner::Tenant(call.tenant.clone()), Arc::new(dry_run));
    let mut page = PageRequest { limit: FEW_EVENTS.min(limit), cursor: None };
    for _ in 0..PAGES_MAX {
        // In line before anything is read: what is read takes up memory until its turn.
        call.engine.work(&owner, PAGE_BYTES, || ()).await?;
        let part = call.engine.store().events_by_time(call.tenant, &page, dry_run.now).await?;
        let mut rows = part.items;
        rows.retain(|row| !row.event.expunged);
        let bytes = rows.iter().map(payload_bytes).sum();
        let dry_run = Arc::clone(&dry_run);
        let work = move || {
            let found: Vec<_> =
                rows.iter().map_while(|row| dry_run.match_event(row, &mut room)).collect();
            (found, room)
        };
        let (found, left) = call.engine.work(&owner, bytes, work).await?;
        items.extend(found);
        room = left;
        if items.len() >= limit || part.cursor.is_none() || room.is_used_up() {
            break;
        }
        // Few at a time where they are long: what is read waits in memory for its turn.
        let next = if bytes <= READ_BYTES_IN_PLACE { PAGE_DEFAULT } else { FEW_EVENTS };
        page = PageRequest { limit: next.min(limit - items.len()), cursor: part.cursor };
    }
    let matched = items.iter().filter(|item| item.matched).count();
    Ok(MatchResult { examined: items.len(), matched, items })
}

impl Room {
    fn is_used_up(&self) -> bool {
        self.events == 0 || self.steps == 0
    }
}

fn payload_bytes(row: &EventRow) -> usize {
    let json = row.event.data.as_ref().map_or(0, |data| data.get().len());
    json + row.event.data_base64.as_ref().map_or(0, String::len)
}

impl DryRun {
    /// Says what would become of one event; none where there is no room left to say it.
    fn match_event(&self, row: &EventRow, room: &mut Room) -> Option<MatchedEvent> {
        if room.is_used_up() {
            return None;
        }
        let event = &row.event;
        let candidate = Candidate::new(event, MATCH_STEPS_MAX);
        let wants = self.endpoint.subscription.wants(&candidate);
        room.steps = room.steps.saturating_sub(candidate.steps());
        room.events = room.events.saturating_sub(payload_bytes(row));
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
            detail: wants.err().map(|undecided| undecided.to_string()),
        };
        if matched {
            self.show_body(event, &mut item, room);
        }
        Some(item)
    }

    /// Writes the body as it would be sent, if there is room for it.
    fn show_body(&self, event: &Event, item: &mut MatchedEvent, room: &mut Room) {
        let Self { endpoint, profile, public_url, now } = self;
        let id = DeliveryId { endpoint: endpoint.id.clone(), event: event.id.clone() }.to_string();
        let outgoing = Outgoing { endpoint, profile, event, id: &id, round: Round::single(*now) };
        let rendered = match preview(outgoing, public_url.as_deref(), *now) {
            Ok(rendered) => rendered,
            Err(detail) => {
                item.detail = Some(detail);
                return;
            }
        };
        item.bytes = Some(rendered.body.len());
        item.content_type = Some(rendered.content_type);
        match String::from_utf8(rendered.body) {
            Ok(body) => {
                if let Some(left) = room.bodies.checked_sub(body.len()) {
                    room.bodies = left;
                    item.body = Some(body);
                }
            }
            Err(_) => item.detail = Some("the body is no text".to_owned()),
        }
    }
}
