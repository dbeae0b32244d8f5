//! `audit-deliveries`: the history of every delivery of a tenant, held against what is promised.
//!
//! What is promised, and how a history is held against it, is `waxseal_domain::history`. Here it is read: events
//! page by page, each with its deliveries, and the attempts of those that were not taken at first. Beside the server
//! two files may be asked: what senders were answered, and what receivers have written down.

mod files;
mod findings;

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use serde::Deserialize;
use waxseal_adapters::clock::SystemClock;
use waxseal_api_types::event::{DeliveryBrief, EventMembers};
use waxseal_api_types::{AuditEntry, Delivery, DeliveryStatus};
use waxseal_domain::history::{Circumstances, DeliveryHistory, Replays, Silence, Violation};
use waxseal_domain::limits::{CLOCK_AHEAD_MS_MAX, EVENT_RETENTION_S};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::Clock as _;

use self::files::{Acknowledged, ReceiverLog};
use self::findings::Findings;
use super::context::{Context, escape, read};
use super::failure::{CommandResult, Failure};
use super::page::{read_items, with_query};
use super::progress;
use super::since::{FORMS, Since};
use crate::client::Call;

/// Events of a page: each comes with its payload, and a page is in memory whole.
const EVENTS_OF_PAGE: u16 = 50;
/// Entries of the audit log of a page.
const ENTRIES_OF_PAGE: u16 = 200;

/// Which deliveries, and what is known of them beside.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AuditDeliveries {
    /// The time from which events are looked at; all that are stored if not said.
    #[arg(long, value_name = "TIME", help = format!("Events from when: {FORMS}"))]
    since: Option<Since>,
    /// Until when; now if not said.
    #[arg(long, value_name = "TIME")]
    until: Option<Since>,
    /// What senders were answered with 202: JSON lines, each with the event's id.
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
    /// What all receivers of the tenant have written down: JSON lines of id, time and digest.
    #[arg(long, value_name = "FILE")]
    receiver_log: Option<PathBuf>,
    /// Nobody has replayed or recovered anything: an attempt out of its turn is a broken promise.
    #[arg(long)]
    no_replays: bool,
    /// By how many milliseconds the clocks of machines may differ.
    #[arg(long, value_name = "MS", default_value_t = CLOCK_AHEAD_MS_MAX)]
    clocks_differ_ms: u64,
}

const EXAMPLES: &str = "What is looked for: what was acknowledged and is not there (lost); a status that the log \
does not bear out (unfounded); an attempt before its time (early) or after the last one (beyond_policy); attempts \
that are miscounted or overlap (miscounted); an id with two bodies (two_bodies); what was sent 75 s and more after its \
endpoint was disabled or deleted (after_end); what receivers got and nobody accepted (unknown); and what is \
delivered and no receiver wrote down (untaken).

The server keeps no record of replays. Unless --no-replays says that there were none, an attempt before its time or \
after the last one is taken for one.

A line of --acknowledged:
  {\"id\": \"evt_…\"}
A line of --receiver-log, for each POST; `type` may be left out, and pings of type webhook.ping are passed over, \
since no server keeps them:
  {\"id\": \"dlv_…\", \"time\": \"2026-11-21T10:00:00Z\", \"digest\": \"sha256 of the body\", \"type\": \"dlp.x\"}
Where a profile writes the number of the attempt into the body, leave it out of the digest.

With --json, one object: {\"events\", \"deliveries\": {\"delivered\", \"failed\", \"cancelled\", \"open\"}, \
\"violations\": [{\"kind\", \"id\", \"found\"}], \"more\"}.

Examples:
  waxseal audit-deliveries --since 24h
  waxseal audit-deliveries --receiver-log posts.jsonl --acknowledged sent.jsonl --json

Exit codes: 0 no promise is broken; 1 one is; 2 usage; 3 not authorised; 4 not found; 5 the server or the network \
failed.";

impl AuditDeliveries {
    pub(crate) async fn run(&self, context: &Context) -> CommandResult {
        let now = SystemClock.now();
        let replays = if self.no_replays { Replays::None } else { Replays::Possible };
        let clocks_differ_ms = self.clocks_differ_ms;
        let counter = progress::counter("events");
        let mut audit = Audit {
            context,
            circumstances: Circumstances { clocks_differ_ms, replays },
            silences: HashMap::new(),
            acknowledged: Acknowledged::read(self.acknowledged.as_deref())?,
            posts: self.receiver_log.as_deref().map(ReceiverLog::read).transpose()?,
            findings: Findings::new(context.json),
            counter,
        };
        audit.read_silences().await?;
        let since = self.since.map(|since| since.before(now));
        let until = self.until.map(|until| until.before(now));
        audit.walk(since, until).await?;
        audit.ask_for_the_rest(now).await?;
        audit.counter.finish_and_clear();
        audit.findings.tell()
    }
}

/// An audit under way.
struct Audit<'a> {
    context: &'a Context,
    circumstances: Circumstances,
    /// When nothing was to be sent to an endpoint, by its id.
    silences: HashMap<String, Vec<Silence>>,
    /// What was not met yet.
    acknowledged: Acknowledged,
    posts: Option<ReceiverLog>,
    findings: Findings,
    counter: ProgressBar,
}

/// What is read of an event in a list.
#[derive(Deserialize)]
struct Head {
    id: String,
    received_at: String,
}

/// What an entry of the audit log says of whether an endpoint is sent to.
enum Switch {
    On,
    /// With what was done.
    Off(&'static str),
}

impl Switch {
    fn of(entry: &AuditEntry) -> Option<Self> {
        #[derive(Deserialize)]
        struct After {
            enabled: Option<bool>,
        }
        match entry.action.as_str() {
            "endpoint.enabled" => return Some(Self::On),
            "endpoint.disabled" => return Some(Self::Off("its endpoint was disabled")),
            "endpoint.deleted" => return Some(Self::Off("its endpoint was deleted")),
            // An update shows the members that differ, and this may be one of them.
            "endpoint.updated" => {}
            _ => return None,
        }
        let after = entry.after.as_ref()?;
        let is_enabled = serde_json::from_str::<After>(after.get()).ok()?.enabled?;
        Some(if is_enabled { Self::On } else { Self::Off("its endpoint was disabled") })
    }
}

impl Audit<'_> {
    /// Reads from the audit log when endpoints were disabled, deleted and enabled. It comes newest first.
    async fn read_silences(&mut self) -> Result<(), Failure> {
        let path = self.context.path("/audit")?;
        let mut enabled_at: HashMap<String, Timestamp> = HashMap::new();
        let mut cursor = None;
        loop {
            let page = with_query(&path, Some(ENTRIES_OF_PAGE), cursor.as_deref());
            let items = read_items(&self.context.send(&Call::get(page)).await?)?;
            for item in &items.items {
                let entry: AuditEntry = serde_json::from_str(item.get()).map_err(unreadable)?;
                let at = time(&entry.at)?;
                let because = match Switch::of(&entry) {
                    None => continue,
                    Some(Switch::On) => {
                        enabled_at.insert(entry.target, at);
                        continue;
                    }
                    Some(Switch::Off(because)) => because,
                };
                let (until, because) = (enabled_at.remove(&entry.target), because.to_owned());
                let silence = Silence { from: at, until, because };
                self.silences.entry(entry.target).or_default().push(silence);
            }
            cursor = items.cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Looks at the events of a stretch of time, newest first.
    async fn walk(
        &mut self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let path = self.context.path("/events")?;
        let mut cursor = None;
        loop {
            let page = with_query(&path, Some(EVENTS_OF_PAGE), cursor.as_deref());
            let items = read_items(&self.context.send(&Call::get(page)).await?)?;
            let mut heads = Vec::new();
            for item in &items.items {
                let head: Head = serde_json::from_str(item.get()).map_err(unreadable)?;
                heads.push(head);
            }
            cursor = items.cursor;
            // The payloads of the page are not needed any more.
            drop(items.items);
            for head in heads {
                let received_at = time(&head.received_at)?;
                if since.is_some_and(|since| received_at < since) {
                    return Ok(());
                }
                if until.is_none_or(|until| received_at < until) {
                    self.visit(&head.id).await?;
                }
            }
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Looks at one event; false where there is none.
    async fn visit(&mut self, id: &str) -> Result<bool, Failure> {
        let path = self.context.path(&format!("/events/{}", escape(id)))?;
        let Some(answer) = self.find(path).await? else { return Ok(false) };
        let event: EventMembers = read(&answer)?;
        let accepted_at = time(event.received_at.as_deref().unwrap_or_default())?;
        self.acknowledged.met(id);
        self.findings.events += 1;
        self.counter.inc(1);
        for brief in event.deliveries.iter().flatten() {
            self.findings.count(brief.status);
            let history = self.history(brief, accepted_at).await?;
            self.check(history, &brief.endpoint_id);
        }
        Ok(true)
    }

    /// What is known of a delivery. One that was taken at first is told whole by its event, unless it matters when
    /// that was.
    async fn history(
        &self,
        brief: &DeliveryBrief,
        accepted_at: Timestamp,
    ) -> Result<DeliveryHistory, Failure> {
        let is_plain = match brief.status {
            DeliveryStatus::Delivered => brief.attempts == 1,
            DeliveryStatus::Pending => true,
            DeliveryStatus::Retrying | DeliveryStatus::Failed | DeliveryStatus::Cancelled => false,
        };
        let matters_when = self.posts.is_some() || self.silences.contains_key(&brief.endpoint_id);
        if !is_plain || matters_when {
            let path = self.context.path(&format!("/deliveries/{}", escape(&brief.id)))?;
            if let Some(answer) = self.find(path).await? {
                return of_delivery(&read(&answer)?);
            }
        }
        Ok(DeliveryHistory {
            id: brief.id.clone(),
            accepted_at,
            standing: brief.status.standing(),
            attempt_count: brief.attempts,
            attempts: None,
            silences: Vec::new(),
            posts: None,
        })
    }

    /// Holds a history, with what the files and the audit log say of it, against what is promised.
    fn check(&mut self, history: DeliveryHistory, endpoint: &str) {
        let silences = self.silences.get(endpoint).cloned().unwrap_or_default();
        let posts = self.posts.as_mut().and_then(|log| log.take(&history));
        let history = DeliveryHistory { silences, posts, ..history };
        self.findings.extend(history.check(self.circumstances));
    }

    /// Asks for what the files name and the walk has not met: it is of another time, or it is not there.
    async fn ask_for_the_rest(&mut self, now: Timestamp) -> Result<(), Failure> {
        for id in self.acknowledged.rest() {
            if !self.visit(&id).await? {
                self.findings.extend([Violation::lost(&id)]);
            }
        }
        let rest = self.posts.as_ref().map(ReceiverLog::rest).unwrap_or_default();
        let oldest = now.minus_s(EVENT_RETENTION_S);
        for (id, _) in rest.into_iter().filter(|(_, at)| *at >= oldest) {
            let path = self.context.path(&format!("/deliveries/{}", escape(&id)))?;
            match self.find(path).await? {
                Some(answer) => {
                    let delivery: Delivery = read(&answer)?;
                    self.check(of_delivery(&delivery)?, &delivery.endpoint_id);
                }
                None => self.findings.extend([Violation::unknown(&id)]),
            }
        }
        Ok(())
    }

    /// Gets what is at a path; none where nothing is.
    async fn find(
        &self,
        path: String,
    ) -> Result<Option<waxseal_adapters::client::Answer>, Failure> {
        match self.context.send(&Call::get(path)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::NotFound(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

fn of_delivery(delivery: &Delivery) -> Result<DeliveryHistory, Failure> {
    delivery.history().ok_or_else(|| {
        Failure::Unavailable(format!("{}: a time of it cannot be read", delivery.id))
    })
}

fn time(text: &str) -> Result<Timestamp, Failure> {
    let no_time =
        || Failure::Unavailable(format!("{text:?} is no time: is the server a newer one?"));
    Timestamp::parse_rfc3339(text).ok_or_else(no_time)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unreadable(error: serde_json::Error) -> Failure {
    Failure::Unavailable(format!("an entry of the list cannot be read: {error}"))
}
