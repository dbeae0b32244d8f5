//! A tenant's events, newest first.
//!
//! The index holds each day of a tenant in [`TIME_SHARDS`] parts. A page reads the parts of a day
//! from its cursor on, merges them, and goes on with the day before; it looks at three days at
//! most, so it may be empty and yet have a cursor. The index may lag: an event just accepted may
//! be missing.

use std::collections::HashMap;

use waxseal_domain::id::{EventId, TenantName};
use waxseal_domain::limits::{CLOCK_AHEAD_MS_MAX, EVENT_RETENTION_S, TIME_SHARDS};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{EngineError, EventRow, Page, PageRequest};

use super::delivery_item::event_pk;
use super::events::{day_shard, event_key, event_of};
use super::item::{number, parse, read_ms, read_text, text, unreadable};
use super::{DynamoStore, failure_at};

/// Days that one page looks at.
const DAYS_MAX: usize = 3;
/// Entries asked for beside the page's: those that share the cursor's millisecond.
const TIES: usize = 100;
/// Queries of one part of a day, for one page.
const QUERIES_MAX: usize = 8;
const DAY_MS: u64 = 86_400_000;

/// A place in the list: newer places are greater. Events of one millisecond go by their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EventPosition {
    event_accepted_at: u64,
    id: String,
}

/// What a part of a day was found to hold before a place.
struct DayPart {
    places: Vec<EventPosition>,
    /// At this millisecond and before, there may be more.
    unread_from: Option<u64>,
}

impl DynamoStore {
    pub(super) async fn list_events_by_time(
        &self,
        tenant: &TenantName,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<EventRow>, EngineError> {
        let oldest = now.minus_s(EVENT_RETENTION_S).ms();
        let limit = page.limit.max(1);
        let mut before = EventPosition::start(page, now);
        let mut places: Vec<EventPosition> = Vec::new();
        for _ in 0..DAYS_MAX {
            let Some(day) = before.day_before() else { break };
            let wanted = limit - places.len();
            let (found, unread_from) = self.day(tenant, day, &before, wanted).await?;
            let full = found.len() == wanted;
            places.extend(found);
            before = match (full, unread_from) {
                (true, _) => places.last().cloned().unwrap_or(before),
                // Only where thousands share a millisecond: on with the one before it.
                (false, Some(event_accepted_at)) => {
                    EventPosition { event_accepted_at, id: String::new() }
                }
                (false, None) => EventPosition { event_accepted_at: day, id: String::new() },
            };
            if full || unread_from.is_some() || before.event_accepted_at <= oldest {
                break;
            }
        }
        places.retain(|place| place.event_accepted_at >= oldest);
        let (items, seen) = self.events_at(tenant, &places).await?;
        if seen < places.len()
            && let Some(last) = seen.checked_sub(1).and_then(|last| places.get(last))
        {
            before = last.clone();
        }
        let cursor = (before.event_accepted_at > oldest)
            .then(|| format!("{}_{}", before.event_accepted_at, before.id));
        Ok(Page { items, cursor })
    }

    /// The newest of a day before a place, and where the unread begins if they are not enough.
    async fn day(
        &self,
        tenant: &TenantName,
        day: u64,
        before: &EventPosition,
        wanted: usize,
    ) -> Result<(Vec<EventPosition>, Option<u64>), EngineError> {
        let mut parts = Vec::new();
        for shard in 0..TIME_SHARDS {
            let part = day_shard(tenant, &Timestamp::from_ms(day).day(), shard);
            parts.push(self.part(&part, before, wanted).await?);
        }
        Ok(merge(parts, wanted))
    }

    async fn part(
        &self,
        part: &str,
        before: &EventPosition,
        wanted: usize,
    ) -> Result<DayPart, EngineError> {
        let mut places = Vec::new();
        let (mut start, mut last) = (None, before.event_accepted_at);
        for _ in 0..QUERIES_MAX {
            let query = self
                .dynamodb()
                .query()
                .table_name(self.state_table()?)
                .index_name("by_time")
                .key_condition_expression("day_shard = :part AND received_at <= :before")
                .expression_attribute_values(":part", text(part))
                .expression_attribute_values(":before", number(before.event_accepted_at))
                .scan_index_forward(false)
                .limit(i32::try_from(wanted.saturating_add(TIES)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(failure_at("list events"))?;
            for item in answer.items() {
                let after_hash =
                    read_text(item, "pk")?.rsplit_once('#').map(|(_, id)| id.to_owned());
                let id = after_hash.ok_or_else(|| unreadable("pk", "is no event's"))?;
                let place =
                    EventPosition { event_accepted_at: read_ms(item, "received_at")?.ms(), id };
                last = place.event_accepted_at;
                if place < *before {
                    places.push(place);
                }
            }
            start = answer.last_evaluated_key;
            let whole = places.iter().filter(|place| place.event_accepted_at > last).count();
            if start.is_none() || whole >= wanted {
                break;
            }
        }
        Ok(DayPart { places, unread_from: start.map(|_| last) })
    }

    /// The events at those places, in their order, as many as fit a page; and of how many places they are. One that
    /// was removed meanwhile is left out.
    async fn events_at(
        &self,
        tenant: &TenantName,
        places: &[EventPosition],
    ) -> Result<(Vec<EventRow>, usize), EngineError> {
        let keys = places
            .iter()
            .map(|place| Ok(event_key(tenant, &parse::<EventId>("pk", &place.id)?)))
            .collect::<Result<Vec<_>, EngineError>>()?;
        let mut found = HashMap::new();
        let (items, seen) = self.get_page("list events", &keys).await?;
        for item in items {
            let row = event_of(&item)?;
            found.insert(event_pk(&row.event.tenant, &row.event.id), row);
        }
        let rows = places
            .iter()
            .filter_map(|place| {
                let row = found.remove(&format!("E#{tenant}#{}", place.id));
                row.filter(|row| row.event_accepted_at.ms() == place.event_accepted_at)
            })
            .collect();
        Ok((rows, seen))
    }
}

/// The newest places of all parts, none of which could come after one that is still unread.
fn merge(parts: Vec<DayPart>, wanted: usize) -> (Vec<EventPosition>, Option<u64>) {
    let unread_from = parts.iter().filter_map(|part| part.unread_from).max();
    let mut places: Vec<EventPosition> = parts.into_iter().flat_map(|part| part.places).collect();
    places.retain(|place| unread_from.is_none_or(|unread| place.event_accepted_at > unread));
    places.sort_unstable_by(|one, other| other.cmp(one));
    places.truncate(wanted);
    (places, unread_from)
}

impl EventPosition {
    /// Where a page begins: strictly before its cursor; else now, or what clocks may differ by.
    fn start(page: &PageRequest, now: Timestamp) -> Self {
        let newest = || Self {
            event_accepted_at: now.ms().saturating_add(CLOCK_AHEAD_MS_MAX),
            id: String::new(),
        };
        let parts = page.cursor.as_deref().and_then(|cursor| cursor.split_once('_'));
        let place = parts.and_then(|(event_accepted_at, id)| {
            Some((event_accepted_at.parse().ok()?, id.to_owned()))
        });
        place
            .map_or_else(newest, |(event_accepted_at, id)| Self { event_accepted_at, id })
            .min(newest())
    }

    /// The first millisecond of the day that holds what comes next in the list.
    fn day_before(&self) -> Option<u64> {
        let next = if self.id.is_empty() {
            self.event_accepted_at.checked_sub(1)?
        } else {
            self.event_accepted_at
        };
        Some(next - next % DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(event_accepted_at: u64, id: &str) -> EventPosition {
        EventPosition { event_accepted_at, id: id.to_owned() }
    }

    #[test]
    fn merges_newest_first_and_never_past_what_is_unread() {
        let one = DayPart {
            places: vec![place(9, "a"), place(7, "b"), place(6, "c")],
            unread_from: Some(6),
        };
        let two = DayPart { places: vec![place(9, "z"), place(5, "d")], unread_from: None };
        let (places, unread_from) = merge(vec![one, two], 10);
        assert_eq!(places, [place(9, "z"), place(9, "a"), place(7, "b")]);
        assert_eq!(unread_from, Some(6));
    }

    #[test]
    fn begins_before_the_cursor_or_now() {
        let now = Timestamp::from_ms(3 * DAY_MS);
        let at = |cursor: Option<&str>| {
            EventPosition::start(&PageRequest { limit: 1, cursor: cursor.map(str::to_owned) }, now)
        };
        assert_eq!(at(Some("5_a_b")), place(5, "a_b"));
        assert_eq!(at(Some("nonsense")), at(None));
        assert_eq!(at(Some("18446744073709551615_x")), at(None), "a bounded number of days");
        assert_eq!(place(2 * DAY_MS, "").day_before(), Some(DAY_MS));
        assert_eq!(place(2 * DAY_MS, "a").day_before(), Some(2 * DAY_MS));
        assert_eq!(place(0, "").day_before(), None);
    }
}
