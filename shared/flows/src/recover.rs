//! Recovery: all of an endpoint's deliveries that failed, or went missing, since a time, sent again.
//!
//! One call looks at a bounded number and answers with a cursor where there is more. What it queues
//! is spread at ten a second. A second equal call finds what is not yet final no more, so repeating
//! one after a crash sends nothing twice.

use waxseal_domain::delivery::{Delivery, DeliveryKey, Status};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::limits::{FRESH_S, PACED_PER_SECOND, PAGE_MAX, RECOVERED_MAX};
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{Clock, DeliveryStore, Engine, EngineError, EventStore, PageRequest};
use crate::replay::replay_after;

/// Which deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that were given up.
    Failed,
    /// Those of which nothing was ever recorded, a minute after their event and later.
    Missing,
    /// Both.
    All,
}

/// What is to be recovered.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Of events accepted from then on.
    pub since: Timestamp,
    /// Of events accepted up to then.
    pub until: Timestamp,
    /// Which of them.
    pub which: Which,
    /// Whether they are only counted.
    pub dry_run: bool,
    /// Where an earlier call has stopped.
    pub cursor: Option<String>,
}

/// What a call did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Deliveries queued, or that would be.
    pub deliveries: u32,
    /// Where to go on; none where all was looked at.
    pub cursor: Option<String>,
}

/// Looks at deliveries until `deadline`, or until as many as one call may queue are found.
pub async fn recover<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    ask: &Ask,
    deadline: Timestamp,
) -> Result<Recovered, EngineError> {
    let mut found = Recovered::default();
    let mut place = Some(Place::read(ask));
    while let Some(at) = place {
        let is_enough = found.deliveries >= RECOVERED_MAX || engine.clock().now() >= deadline;
        if is_enough {
            found.cursor = Some(at.written());
            break;
        }
        let (keys, next) = match at.phase {
            Phase::Failed => failed(engine, endpoint, ask, at).await?,
            Phase::Missing => missing(engine, endpoint, ask, at).await?,
        };
        for key in keys {
            found.deliveries += u32::from(send(engine, ask, &key, found.deliveries).await?);
        }
        place = next;
    }
    Ok(found)
}

/// Whether it counts: a delivery that changes in these moments, or is wanted no more, does not.
async fn send<E: Engine>(
    engine: &E,
    ask: &Ask,
    key: &DeliveryKey,
    number: u32,
) -> Result<bool, EngineError> {
    if ask.dry_run {
        return Ok(true);
    }
    Ok(replay_after(engine, key, number / PACED_PER_SECOND).await?.is_ok())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Failed,
    Missing,
}

/// Where the next page begins.
#[derive(Clone, Debug)]
struct Place {
    phase: Phase,
    cursor: Option<String>,
}

impl Place {
    fn read(ask: &Ask) -> Self {
        let first = if ask.which == Which::Missing { Phase::Missing } else { Phase::Failed };
        let Some(text) = &ask.cursor else { return Self { phase: first, cursor: None } };
        let (phase, cursor) = text.split_once('.').unwrap_or(("", text));
        let phase = if phase == "m" { Phase::Missing } else { first };
        Self { phase, cursor: Some(cursor.to_owned()).filter(|text| !text.is_empty()) }
    }

    fn written(&self) -> String {
        let phase = match self.phase {
            Phase::Failed => "f",
            Phase::Missing => "m",
        };
        format!("{phase}.{}", self.cursor.as_deref().unwrap_or_default())
    }

    fn page(self) -> PageRequest {
        PageRequest { limit: PAGE_MAX, cursor: self.cursor }
    }

    /// After a page: the next one, the next phase, or the end.
    fn after(phase: Phase, cursor: Option<String>, is_over: bool, ask: &Ask) -> Option<Self> {
        match (phase, cursor.filter(|_| !is_over)) {
            (phase, Some(cursor)) => Some(Self { phase, cursor: Some(cursor) }),
            (Phase::Failed, None) if ask.which == Which::All => {
                Some(Self { phase: Phase::Missing, cursor: None })
            }
            (Phase::Failed | Phase::Missing, None) => None,
        }
    }
}

type Page = (Vec<DeliveryKey>, Option<Place>);

async fn failed<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    ask: &Ask,
    at: Place,
) -> Result<Page, EngineError> {
    let store = engine.store();
    let page = store.deliveries_by_endpoint(&endpoint.tenant, &endpoint.id, &at.page()).await?;
    let is_over = page.items.last().is_some_and(|row| row.born < ask.since);
    let is_failed = |row: &Delivery| matches!(row.status, Status::Failed(_));
    let rows = page.items.into_iter();
    let rows = rows.filter(|row| ask.covers(row.born) && is_failed(row)).map(|row| row.key);
    Ok((rows.collect(), Place::after(Phase::Failed, page.cursor, is_over, ask)))
}

async fn missing<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    ask: &Ask,
    at: Place,
) -> Result<Page, EngineError> {
    let (store, now) = (engine.store(), engine.clock().now());
    let page = store.events_by_time(&endpoint.tenant, &at.page(), now).await?;
    let is_over = page.items.last().is_some_and(|row| row.born < ask.since);
    let mut keys = Vec::new();
    for event in page.items {
        let is_owed = event.targets.contains(&endpoint.id) && ask.covers(event.born);
        if !is_owed || now < event.born.plus_s(FRESH_S) {
            continue;
        }
        let key = event.delivery_key(&endpoint.id);
        let row = store.delivery(&key).await?;
        if row.is_none_or(|row| row.born != event.born) {
            keys.push(key);
        }
    }
    Ok((keys, Place::after(Phase::Missing, page.cursor, is_over, ask)))
}

impl Ask {
    fn covers(&self, born: Timestamp) -> bool {
        (self.since..=self.until).contains(&born)
    }
}
