//! What was promised, and whether it is still there after a cut.
//!
//! | promised by | is |
//! | --- | --- |
//! | a 202 | the event is stored, and each of its deliveries is final, or has a message, or is watched |
//! | an answer to a person | what they did is done: a cancel, an expunge, a change of an endpoint |
//! | a synced write | every result that was recorded before it is recorded still: no POST is made for it again |

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use waxseal_domain::delivery::message::Message;
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::event::acceptance::Acceptance;
use waxseal_domain::id::EndpointId;
use waxseal_domain::limits::MESSAGE_UNREAD_AGE_S_MAX;
use waxseal_domain::timestamp::Timestamp;
use waxseal_tests::fixtures;

/// The one tenant of every machine.
pub const TENANT: &str = "acme";

/// What came of one delivery, as those outside have seen it.
#[derive(Debug, Default)]
struct Seen {
    posts: u32,
    taken: u32,
    /// Attempts that were recorded, and those that a synced write has followed.
    recorded: u32,
    synced: u32,
    /// POSTs that may be made again: their record was not synced when the power went, or it failed.
    excused: u32,
    /// Replays that were asked for, answered or not.
    replays: u32,
    /// From when on it is sent no more: a person was answered that it has ended.
    silent_from: Option<Timestamp>,
    body: Option<Vec<u8>>,
}

/// What those outside hold in their hands.
#[derive(Debug, Default)]
pub struct Ledger {
    acknowledged: BTreeMap<String, Vec<String>>,
    seen: BTreeMap<String, Seen>,
    /// The version of each endpoint that was answered.
    endpoints: BTreeMap<String, i64>,
    violations: Vec<String>,
}

/// Rows of the file, by the delivery's id.
struct Stored {
    events: BTreeSet<String>,
    deliveries: BTreeMap<String, Row>,
    messages: BTreeSet<String>,
    endpoints: BTreeMap<String, i64>,
}

struct Row {
    status: String,
    attempts: u32,
    is_watched: bool,
}

impl Row {
    fn is_open(&self) -> bool {
        self.status == "open"
    }
}

impl Ledger {
    /// An event was answered with 202. So it was on the medium.
    pub fn acknowledged(&mut self, acceptance: &Acceptance) {
        let deliveries = acceptance.deliveries.iter().map(|owed| owed.id.to_string());
        self.acknowledged.insert(acceptance.id.to_string(), deliveries.collect());
    }

    /// The number of events that were acknowledged.
    pub fn events(&self) -> usize {
        self.acknowledged.len()
    }

    /// The number of POSTs.
    pub fn posts(&self) -> u32 {
        self.seen.values().map(|seen| seen.posts).sum()
    }

    /// A receiver got a POST.
    pub fn posted(&mut self, delivery: &str, body: &[u8], at: Timestamp, is_taken: bool) {
        let seen = self.seen.entry(delivery.to_owned()).or_default();
        seen.posts += 1;
        seen.taken += u32::from(is_taken);
        if seen.silent_from.is_some_and(|from| at >= from) {
            self.violations.push(format!("{delivery} was sent after a person had ended it"));
        }
        if seen.body.get_or_insert_with(|| body.to_vec()) != body {
            self.violations.push(format!("{delivery} was sent with two bodies"));
        }
    }

    /// A result was answered as recorded.
    pub fn recorded(&mut self, row: &Delivery) {
        let seen = self.seen.entry(row.key.id().to_string()).or_default();
        seen.recorded = seen.recorded.max(row.attempts);
    }

    /// A write was answered that is synced, and with it all that was recorded before it.
    pub fn synced(&mut self) {
        for seen in self.seen.values_mut() {
            seen.synced = seen.recorded;
        }
    }

    /// A person asks for a replay, be it answered or not.
    pub fn replayed(&mut self, key: &DeliveryKey) {
        let seen = self.seen.entry(key.id().to_string()).or_default();
        seen.replays += 1;
    }

    /// A person was answered that the delivery has ended. A first attempt that is queued goes out unread for a
    /// minute more; after a restart nothing does.
    pub fn ended(&mut self, key: &DeliveryKey, at: Timestamp) {
        let seen = self.seen.entry(key.id().to_string()).or_default();
        seen.silent_from = Some(at.plus_s(MESSAGE_UNREAD_AGE_S_MAX));
    }

    /// A person was answered that the event of a delivery is expunged. It may be of no such delivery, or the delivery
    /// had ended before, and is never sent again either way.
    pub fn expunged(&mut self, key: &DeliveryKey, at: Timestamp) {
        if self
            .acknowledged
            .get(key.event.as_str())
            .is_some_and(|ids| ids.contains(&key.id().to_string()))
        {
            self.ended(key, at);
        }
    }

    /// A person may replay only what nobody was told to have ended.
    pub fn is_ended(&self, key: &DeliveryKey) -> bool {
        self.seen.get(&key.id().to_string()).is_some_and(|seen| seen.silent_from.is_some())
    }

    /// A person was answered that an endpoint has this version.
    pub fn configured(&mut self, endpoint: &EndpointId, version: u64) {
        let version = i64::try_from(version).expect("a few changes");
        self.endpoints.insert(endpoint.to_string(), version);
    }

    /// The power is gone: POSTs whose record no synced write has followed may be made again.
    pub fn power_went(&mut self, at: Timestamp) {
        for seen in self.seen.values_mut() {
            seen.silent_from = seen.silent_from.map(|from| from.min(at));
            seen.excused = seen.posts.saturating_sub(seen.synced).max(seen.excused);
            seen.recorded = seen.synced;
        }
    }

    /// Holds what was promised against the file, right after it was opened again: what is not there is named.
    pub fn check(&self, connection: &Connection) -> Vec<String> {
        let mut violations = self.violations.clone();
        let integrity: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap_or_else(|error| error.to_string());
        if integrity != "ok" {
            violations.push(format!("the file is damaged: {integrity}"));
            return violations;
        }
        // Without its shared memory SQLite would fall back to another kind of journal, and say nothing.
        let journal: rusqlite::Result<String> =
            connection.query_row("PRAGMA journal_mode", [], |row| row.get(0));
        if journal.as_deref() != Ok("wal") {
            violations.push(format!("the file has another journal than a log: {journal:?}"));
        }
        let stored = match Stored::read(connection) {
            Ok(stored) => stored,
            Err(error) => {
                violations.push(format!("the file cannot be read: {error}"));
                return violations;
            }
        };
        for (event, deliveries) in &self.acknowledged {
            if !stored.events.contains(event) {
                violations.push(format!("{event} was acknowledged and is gone"));
                continue;
            }
            let unwatched = deliveries.iter().filter(|id| !stored.watches(id));
            violations.extend(unwatched.map(|id| format!("{id} is owed, and nothing looks at it")));
        }
        for (id, seen) in &self.seen {
            let row = stored.deliveries.get(id);
            let attempts = row.map_or(0, |row| row.attempts);
            if attempts < seen.synced {
                violations.push(format!(
                    "{id} has {attempts} attempts, and {} were recorded before a synced write",
                    seen.synced
                ));
            }
            if seen.silent_from.is_some() && row.is_none_or(Row::is_open) {
                violations.push(format!("{id} is open, and a person was told that it ended"));
            }
        }
        for (endpoint, version) in &self.endpoints {
            let found = stored.endpoints.get(endpoint).copied().unwrap_or_default();
            if found < *version {
                violations
                    .push(format!("{endpoint} has version {found}, and {version} was answered"));
            }
        }
        violations
    }

    /// Holds it against the file at the end, when nothing is owed any more.
    pub fn check_end(&self, connection: &Connection) -> Vec<String> {
        let mut violations = self.check(connection);
        let Ok(stored) = Stored::read(connection) else { return violations };
        for id in self.acknowledged.values().flatten() {
            let row = stored.deliveries.get(id);
            let none = Seen::default();
            let seen = self.seen.get(id).unwrap_or(&none);
            match row {
                None => violations.push(format!("{id} was acknowledged and never sent")),
                Some(row) if row.is_open() => violations.push(format!("{id} never ends")),
                Some(row) if row.status == "delivered" && seen.taken == 0 => {
                    violations.push(format!("{id} is delivered, and no receiver took it"));
                }
                Some(row) if seen.posts > row.attempts + seen.excused => {
                    violations.push(format!(
                        "{id} was sent {} times, with {} attempts and {} excused",
                        seen.posts, row.attempts, seen.excused
                    ));
                }
                Some(_) if seen.taken > 1 + seen.excused + seen.replays => {
                    violations.push(format!("{id} was taken {} times", seen.taken));
                }
                Some(_) => {}
            }
        }
        violations
    }
}

impl Stored {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let tenant = fixtures::tenant(TENANT);
        let mut statement = connection.prepare("SELECT id FROM events")?;
        let events = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let sql = "SELECT event, endpoint, status, attempts, due_at IS NOT NULL FROM deliveries";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut deliveries = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (event, endpoint): (String, String) = (row.get(0)?, row.get(1)?);
            let id = fixtures::key(&tenant, &event, &endpoint).id().to_string();
            let (status, attempts, is_watched) = (row.get(2)?, row.get(3)?, row.get(4)?);
            deliveries.insert(id, Row { status, attempts, is_watched });
        }
        let mut statement = connection.prepare("SELECT body FROM messages")?;
        let mut rows = statement.query([])?;
        let mut messages = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(0)?;
            if let Ok(message) = Message::parse(&body) {
                messages.insert(message.key().id().to_string());
            }
        }
        let sql = "SELECT id, version FROM config WHERE kind = 'endpoint'";
        let mut statement = connection.prepare(sql)?;
        let endpoints = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let endpoints = endpoints.collect::<Result<_, _>>()?;
        Ok(Self { events, deliveries, messages, endpoints })
    }

    /// Whether a delivery is final, or something will look at it.
    fn watches(&self, id: &str) -> bool {
        match self.deliveries.get(id) {
            Some(row) if row.is_open() => row.is_watched,
            Some(_) => true,
            None => self.messages.contains(id),
        }
    }
}
