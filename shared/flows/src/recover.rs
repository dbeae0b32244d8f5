//! Recovers an endpoint: sends all of its deliveries again that failed, or went missing, since a
//! time.
//!
//! One call looks at a bounded number of deliveries and answers with a cursor where there is more.
//! What it queues is spread at ten a second. A delivery that was sent again is open, and no longer
//! failed or missing, so repeating a call after a crash sends nothing twice.

use waxseal_domain::delivery::{DeliveryKey, Status};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::limits::{MISSING_AFTER_S, PAGE_MAX, RECOVERED_MAX, RECOVERED_PER_SECOND};
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{Clock, DeliveryStore, Engine, EngineError, EventStore, PageRequest};
use crate::refusal::Refusal;
use crate::replay::replay_after;

/// Which of an endpoint's deliveries are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoverScope {
    /// Only the deliveries whose status is `failed`.
    Failed,
    /// Only the deliveries of which nothing was recorded, although their event was accepted over a
    /// minute ago.
    Missing,
    /// The failed deliveries first, then the missing ones.
    All,
}

/// What one call of [`recover`] is asked to send again.
#[derive(Clone, Debug)]
pub struct RecoverRequest {
    /// The earliest acceptance of an event whose delivery is looked at.
    pub since: Timestamp,
    /// The latest acceptance of an event whose delivery is looked at.
    pub until: Timestamp,
    /// Whether failed deliveries are looked at, missing ones, or both.
    pub scope: RecoverScope,
    /// Whether the deliveries are only counted and not sent.
    pub dry_run: bool,
    /// The cursor that an earlier call answered with; none begins at the newest.
    pub cursor: Option<String>,
}

/// What one call of [`recover`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoverResult {
    /// The number of deliveries that were queued, or in a dry run would have been.
    pub deliveries: u32,
    /// Where the next call must go on; none where everything was looked at.
    pub cursor: Option<String>,
}

/// Sends deliveries again until `deadline`, or until [`RECOVERED_MAX`] of them are queued, and then
/// answers with a cursor.
pub async fn recover<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    request: &RecoverRequest,
    deadline: Timestamp,
) -> Result<RecoverResult, EngineError> {
    let mut found = RecoverResult::default();
    let mut place = Some(PageStart::read(request));
    while let Some(at) = place {
        let is_enough = found.deliveries >= RECOVERED_MAX || engine.clock().now() >= deadline;
        if is_enough {
            found.cursor = Some(at.write_cursor());
            break;
        }
        let (keys, next) = match at.phase {
            Phase::Failed => find_failed(engine, endpoint, request, at).await?,
            Phase::Missing => find_missing(engine, endpoint, request, at).await?,
        };
        for key in keys {
            found.deliveries += u32::from(send(engine, request, &key, found.deliveries).await?);
        }
        place = next;
    }
    Ok(found)
}

/// Sends one delivery again and says whether it counts. One that is changed at the same time, or is
/// no longer wanted, does not count and is no error.
async fn send<E: Engine>(
    engine: &E,
    request: &RecoverRequest,
    key: &DeliveryKey,
    number: u32,
) -> Result<bool, EngineError> {
    if request.dry_run {
        return Ok(true);
    }
    match replay_after(engine, key, number / RECOVERED_PER_SECOND).await {
        Ok(_) => Ok(true),
        Err(Refusal::Problem(_)) => Ok(false),
        Err(Refusal::Ours(error)) => Err(error),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Failed,
    Missing,
}

/// Where the next page begins: in which list, and at which cursor of it.
#[derive(Clone, Debug)]
struct PageStart {
    phase: Phase,
    cursor: Option<String>,
}

/// Says whether the text can be a cursor of [`recover`].
pub fn is_cursor(text: &str) -> bool {
    let in_list = text.strip_prefix("f.").or_else(|| text.strip_prefix("m."));
    in_list.is_some_and(|cursor| cursor.is_empty() || PageRequest::is_event_cursor(cursor))
}

impl PageStart {
    fn read(request: &RecoverRequest) -> Self {
        let first =
            if request.scope == RecoverScope::Missing { Phase::Missing } else { Phase::Failed };
        let Some(text) = &request.cursor else { return Self { phase: first, cursor: None } };
        let (phase, cursor) = text.split_once('.').unwrap_or(("", text));
        let phase = if phase == "m" { Phase::Missing } else { first };
        Self { phase, cursor: Some(cursor.to_owned()).filter(|text| !text.is_empty()) }
    }

    fn write_cursor(&self) -> String {
        let phase = match self.phase {
            Phase::Failed => "f",
            Phase::Missing => "m",
        };
        format!("{phase}.{}", self.cursor.as_deref().unwrap_or_default())
    }

    fn page(self) -> PageRequest {
        PageRequest { limit: PAGE_MAX, cursor: self.cursor }
    }

    /// Returns where to go on after a page: at its cursor, at the beginning of the next list, or
    /// nowhere.
    fn after(
        phase: Phase,
        cursor: Option<String>,
        is_over: bool,
        request: &RecoverRequest,
    ) -> Option<Self> {
        match (phase, cursor.filter(|_| !is_over)) {
            (phase, Some(cursor)) => Some(Self { phase, cursor: Some(cursor) }),
            (Phase::Failed, None) if request.scope == RecoverScope::All => {
                Some(Self { phase: Phase::Missing, cursor: None })
            }
            (Phase::Failed | Phase::Missing, None) => None,
        }
    }
}

type Page = (Vec<DeliveryKey>, Option<PageStart>);

async fn find_failed<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    request: &RecoverRequest,
    at: PageStart,
) -> Result<Page, EngineError> {
    let store = engine.store();
    let page = store.deliveries_by_endpoint(&endpoint.tenant, &endpoint.id, &at.page()).await?;
    let is_over = page.items.last().is_some_and(|row| row.event_accepted_at < request.since);
    let found = page.items.into_iter();
    let rows = found
        .filter(|row| {
            request.covers(row.event_accepted_at) && matches!(row.status, Status::Failed(_))
        })
        .map(|row| row.key);
    Ok((rows.collect(), PageStart::after(Phase::Failed, page.cursor, is_over, request)))
}

async fn find_missing<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    request: &RecoverRequest,
    at: PageStart,
) -> Result<Page, EngineError> {
    let (store, now) = (engine.store(), engine.clock().now());
    let page = store.events_by_time(&endpoint.tenant, &at.page(), now).await?;
    let is_over = page.items.last().is_some_and(|row| row.event_accepted_at < request.since);
    let mut keys = Vec::new();
    for event in page.items {
        let is_owed =
            event.targets.contains(&endpoint.id) && request.covers(event.event_accepted_at);
        // A first attempt that is accepted is recorded some moments after its event: a younger
        // delivery without a row is probably under way and not missing.
        // One that was accepted later than now was accepted by a clock that was ahead, and its age is not known.
        let accepted_at = event.event_accepted_at;
        let is_young = accepted_at <= now && now < accepted_at.plus_s(MISSING_AFTER_S);
        if !is_owed || is_young {
            continue;
        }
        let key = event.delivery_key(&endpoint.id);
        let row = store.delivery(&key).await?;
        if row.is_none_or(|row| row.event_accepted_at != event.event_accepted_at) {
            keys.push(key);
        }
    }
    Ok((keys, PageStart::after(Phase::Missing, page.cursor, is_over, request)))
}

impl RecoverRequest {
    fn covers(&self, event_accepted_at: Timestamp) -> bool {
        (self.since..=self.until).contains(&event_accepted_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_told_from_what_is_none() {
        let at = |phase, cursor| PageStart { phase, cursor };
        for place in [at(Phase::Failed, None), at(Phase::Missing, Some("17_evt_1".to_owned()))] {
            assert!(is_cursor(&place.write_cursor()), "{place:?}");
        }
        for other in ["", "17_evt_1", "x.17_evt_1", "f.nonsense", "m.x_evt_1"] {
            assert!(!is_cursor(other), "{other}");
        }
    }
}
