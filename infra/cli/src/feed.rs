//! The feed of a tenant's events: each once, oldest first, as they come. `tail` and `listen` read it.
//!
//! The API lists newest first, so a look goes back page by page until what is known. Instances' clocks
//! differ, and an event may be listed a moment after one that came later: a look goes back a little
//! further than it must, and what was seen is remembered so long.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use waxseal_adapters::clock::SystemClock;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;

use super::context::Context;
use super::failure::Failure;
use super::output::say;
use super::page::{read_items, with_query};
use crate::client::Call;

/// How much further back than it must a look goes, in seconds.
const OVERLAP_S: u64 = 30;
/// Pages of one look: 20,000 events.
const PAGES_MAX: usize = 100;
/// Looks that may fail one after another before the feed ends.
const FAILURES_MAX: u32 = 30;

/// An event as it was listed.
#[derive(Clone, Debug)]
pub(crate) struct ListedEvent {
    pub(crate) raw: Box<RawValue>,
    id: String,
    received_at: Timestamp,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    received_at: String,
}

/// Reads events as they come.
pub(crate) struct Feed<'a> {
    context: &'a Context,
    path: String,
    every: Duration,
    /// Nothing before this is wanted.
    start: Timestamp,
    newest: Timestamp,
    seen: HashMap<String, Timestamp>,
    failures: u32,
}

impl<'a> Feed<'a> {
    /// Of events from a time on, or of those that come from now on.
    pub(crate) async fn open(
        context: &'a Context,
        since: Option<Timestamp>,
        every: Duration,
    ) -> Result<Self, Failure> {
        let path = context.path("/events")?;
        let start = since.unwrap_or_default();
        let seen = HashMap::new();
        let mut feed = Self { context, path, every, start, newest: start, seen, failures: 0 };
        if since.is_none() {
            // By the server's own times: our clock has no say.
            let (listed, _) = feed.page(None).await?;
            feed.start = listed.iter().map(|one| one.received_at).max().unwrap_or_default();
            feed.remember(&listed);
        }
        Ok(feed)
    }

    /// Waits for events; never none.
    pub(crate) async fn next(&mut self) -> Result<Vec<ListedEvent>, Failure> {
        loop {
            let found = match self.look().await {
                Ok(found) => found,
                Err(failure) => self.bear(failure)?,
            };
            if !found.is_empty() {
                return Ok(found);
            }
            let wait_ms = u64::try_from(self.every.as_millis()).unwrap_or(u64::MAX);
            SystemClock.sleep_until(SystemClock.now().plus_ms(wait_ms)).await;
        }
    }

    /// A server that is away for a moment does not end a feed.
    fn bear(&mut self, failure: Failure) -> Result<Vec<ListedEvent>, Failure> {
        self.failures += 1;
        let Failure::Unavailable(text) = &failure else { return Err(failure) };
        if self.failures > FAILURES_MAX {
            return Err(failure);
        }
        if self.failures == 1 {
            say(&format!("waxseal: {text}; trying again"));
        }
        Ok(Vec::new())
    }

    /// What is new, oldest first.
    async fn look(&mut self) -> Result<Vec<ListedEvent>, Failure> {
        let floor = self.newest.minus_s(OVERLAP_S).max(self.start);
        let (mut fresh, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let (listed, next) = self.page(cursor).await?;
            let is_done = listed.iter().any(|one| one.received_at < floor) || next.is_none();
            fresh.extend(
                listed
                    .into_iter()
                    .filter(|one| one.received_at >= floor && !self.seen.contains_key(&one.id)),
            );
            if is_done {
                self.failures = 0;
                self.remember(&fresh);
                fresh.reverse();
                return Ok(fresh);
            }
            cursor = next;
        }
        Err(Failure::Failed("too many events at once to follow: say a later --since".to_owned()))
    }

    async fn page(
        &self,
        cursor: Option<String>,
    ) -> Result<(Vec<ListedEvent>, Option<String>), Failure> {
        let path = with_query(&self.path, Some(200), cursor.as_deref());
        let items = read_items(&self.context.send(&Call::get(path)).await?)?;
        let listed = items.items.into_iter().map(ListedEvent::read).collect::<Result<_, _>>()?;
        Ok((listed, items.cursor))
    }

    fn remember(&mut self, listed: &[ListedEvent]) {
        self.newest = listed.iter().map(|one| one.received_at).fold(self.newest, Timestamp::max);
        self.seen.extend(listed.iter().map(|one| (one.id.clone(), one.received_at)));
        let floor = self.newest.minus_s(OVERLAP_S).max(self.start);
        self.seen.retain(|_, received_at| *received_at >= floor);
    }
}

fn not_ours() -> Failure {
    Failure::Unavailable("an event of the list is none of ours".to_owned())
}

impl ListedEvent {
    fn read(raw: Box<RawValue>) -> Result<Self, Failure> {
        let head: Head = serde_json::from_str(raw.get()).map_err(|_| not_ours())?;
        let received_at = Timestamp::parse_rfc3339(&head.received_at).ok_or_else(not_ours)?;
        Ok(Self { raw, id: head.id, received_at })
    }
}
