//! What an instance reads and writes, but for gates and configuration. The conditions are the
//! domain's own (`Guard::allows`), which the contract suite compares with every engine's.
//!
//! What nothing on the path of an event calls is not implemented, and says so (`Instance::lacks`).

use std::time::Duration;

use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::dispatch::Request;
use waxseal_domain::delivery::message::{Message, Receipt};
use waxseal_domain::delivery::{
    Delivery, DeliveryKey, Guard, OpenState, Status, WriteResult, lease_until,
};
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::event::catalogue::Schema;
use waxseal_domain::id::{DeliveryId, EndpointId, EventId, TenantName, Ticket};
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{
    ENDPOINT_COPY_FIRST_ATTEMPT_S, EVENT_RETENTION_S, FUNCTION_TIMEOUT_S,
};
use waxseal_domain::public_url::PublicUrl;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{
    AcceptResult, Check, Claim, Clock, DeliveryStore, Due, Engine, EngineError, EventRow,
    EventStore, Page, PageRequest, Queue, SchemaChecker, SchemaOwner, Sender,
};

use super::broken::BrokenGuard;
use super::instance::Instance;
use super::plan::{POISON, Receiver};
use super::world::{Post, nap};

type StoreResult<T> = Result<T, EngineError>;

impl EventStore for Instance {
    async fn accept(&self, row: &EventRow) -> StoreResult<AcceptResult> {
        let overwrites = self.world.is_broken(BrokenGuard::Dedupe);
        let now = self.least().map_or(row.event_accepted_at, |at| at.min(row.event_accepted_at));
        self.call("accept event", true, |state, _| {
            let place = (row.event.tenant.clone(), row.event.id.clone());
            let before = state.events.get(&place);
            let live = |before: &&EventRow| {
                let accepted_at = self.reckon(before.event_accepted_at);
                accepted_at.plus_s(EVENT_RETENTION_S) > now
            };
            if let Some(before) = before.filter(live).filter(|_| !overwrites) {
                return AcceptResult::Exists(Box::new(before.clone()));
            }
            state.events.insert(place, row.clone());
            AcceptResult::Created
        })
        .await
    }

    async fn event(&self, tenant: &TenantName, id: &EventId) -> StoreResult<Option<EventRow>> {
        self.call("read event", true, |state, _| state.event(tenant, id)).await
    }

    async fn event_with_deliveries(
        &self,
        tenant: &TenantName,
        id: &EventId,
    ) -> StoreResult<Option<(EventRow, Vec<Delivery>)>> {
        let is_blind = self.world.is_broken(BrokenGuard::ResendOnDuplicate);
        self.call("read event and deliveries", true, |state, _| {
            let mut event = state.event(tenant, id)?;
            event.sent |= is_blind;
            let rows = state.rows.values().filter_map(|stored| stored.delivery.clone());
            let is_of_event = |row: &Delivery| row.key.tenant == *tenant && row.key.event == *id;
            Some((event, rows.filter(is_of_event).collect()))
        })
        .await
    }

    async fn put_expunged(&self, row: &EventRow) -> StoreResult<()> {
        self.call("expunge event", true, |state, _| {
            if let Some(stored) = state.same_event(row) {
                stored.event = row.event.clone();
            }
        })
        .await
    }

    async fn mark_sent(&self, row: &EventRow) -> StoreResult<()> {
        self.call("mark event sent", true, |state, _| {
            if let Some(stored) = state.same_event(row) {
                stored.sent = true;
            }
        })
        .await
    }

    async fn events_by_time(
        &self,
        _: &TenantName,
        _: &PageRequest,
        _: Timestamp,
    ) -> StoreResult<Page<EventRow>> {
        self.lacks("events_by_time")
    }
}

impl DeliveryStore for Instance {
    async fn delivery(&self, key: &DeliveryKey) -> StoreResult<Option<Delivery>> {
        let row = self.call("read delivery", true, |state, _| state.row(key)).await?;
        Ok(row.map(|row| self.row_as_seen(row)))
    }

    async fn delivery_and_event(
        &self,
        key: &DeliveryKey,
    ) -> StoreResult<(Option<Delivery>, Option<EventRow>)> {
        let read = self.call("read delivery and event", true, |state, _| {
            (state.row(key), state.event(&key.tenant, &key.event))
        });
        read.await.map(|(row, event)| (row.map(|row| self.row_as_seen(row)), event))
    }

    async fn record_attempt(&self, guard: Guard, row: &Delivery) -> StoreResult<WriteResult> {
        let lag_ms = self.world.plan.index_lag_ms_max;
        let jumps = self.jumps_at_receive(&row.key).unwrap_or_else(|| self.world.jumps().0);
        let planned = row;
        let written = self.call("record attempt", true, |state, now| {
            let before = state.row(&planned.key);
            let Some(row) = &self.plan_anew(planned, before.as_ref(), jumps) else {
                return WriteResult::Refused(before.map(Box::new));
            };
            let is_first = matches!(guard, Guard::FirstAttempt { .. });
            let allowed = if is_first && self.world.is_broken(BrokenGuard::AttemptsZero) {
                before
                    .as_ref()
                    .is_none_or(|before| before.event_accepted_at < row.event_accepted_at)
            } else if matches!(row.status, Status::Cancelled(_))
                && self.world.is_broken(BrokenGuard::CancelUnderSeen)
            {
                before.as_ref().is_none_or(|before| before.open().is_some())
            } else {
                guard.allows(before.as_ref())
            };
            let is_held = row.open().is_some_and(|open| open.held);
            if is_held && self.world.is_broken(BrokenGuard::HoldWritesARow) {
                return WriteResult::Done;
            }
            if !allowed {
                return WriteResult::Refused(before.map(Box::new));
            }
            state.write(row.clone(), now, self.index_entry(row), lag_ms);
            WriteResult::Done
        });
        let written = written.await?;
        self.world.say(|| {
            format!("record {} {guard:?}: {}", row.key.id(), describe_write(&written, row))
        });
        if matches!(written, WriteResult::Refused(_))
            && self.world.is_broken(BrokenGuard::JudgeOnRefusal)
        {
            let turns = self.turns.lock().unwrap();
            let ours = turns.iter().filter(|turn| turn.delivery == row.key.id().to_string());
            let tickets = ours.map(|turn| turn.ticket.to_string());
            self.acknowledged.lock().unwrap().extend(tickets);
        }
        Ok(written)
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<Due>> {
        if shard != 0 {
            return Ok(Vec::new());
        }
        self.call("read due index", true, |state, true_now| {
            let mut due = state.visible_due(true_now, |due, held| !held && due.due_at <= now);
            due.truncate(limit);
            due
        })
        .await
    }

    async fn claim(&self, due: &Due, claim: &Claim) -> StoreResult<Option<Timestamp>> {
        let lag_ms = self.world.plan.index_lag_ms_max;
        let flat = self.world.is_broken(BrokenGuard::DoublingLease)
            || self.world.is_broken(BrokenGuard::PrivilegeAndDoubling);
        let flat_at = lease_until(self.clock_now(), due.next_at, 0);
        let due_at = if flat { flat_at } else { claim.due_at };
        self.call("claim due delivery", true, |state, now| {
            let mut row = state.row(&due.key)?;
            let event_accepted_at = row.event_accepted_at;
            let open = row.open()?.clone();
            if open.due_at != due.due_at {
                // The SDK's own repetition is known by its ticket.
                let is_own = open.holder.as_ref() == Some(&claim.ticket) && open.due_at == due_at;
                return is_own.then_some(event_accepted_at);
            }
            let (holder, claims) = (Some(claim.ticket.clone()), open.claims + 1);
            let taken_at = claim.taken_at.or(open.taken_at);
            let held = false;
            row.status = Status::Open(OpenState { holder, due_at, claims, taken_at, held, ..open });
            let shown = if self.world.is_broken(BrokenGuard::Lease) { None } else { due_of(&row) };
            state.write(row, now, shown, lag_ms);
            Some(event_accepted_at)
        })
        .await
    }

    async fn deliveries_by_endpoint(
        &self,
        _: &TenantName,
        _: &EndpointId,
        _: &PageRequest,
    ) -> StoreResult<Page<Delivery>> {
        self.lacks("deliveries_by_endpoint")
    }
}

impl Instance {
    /// How many jumps of the clock had been followed when this instance received a message of the delivery; none where it
    /// has none.
    fn jumps_at_receive(&self, key: &DeliveryKey) -> Option<u64> {
        let (turns, id) = (self.turns.lock().unwrap(), key.id().to_string());
        turns.iter().filter(|turn| turn.delivery == id).map(|turn| turn.jumps).min()
    }

    /// What is written in the place of a row that was made when so many jumps had been followed, as the embedded engine
    /// does it; none where the message is to be judged anew.
    fn plan_anew(&self, row: &Delivery, before: Option<&Delivery>, jumps: u64) -> Option<Delivery> {
        let row = row.clone();
        let (followed, Some(jump)) = self.world.jumps() else { return Some(row) };
        if followed == jumps {
            return Some(row);
        }
        if self.jumps_at_receive(&row.key).is_none() {
            return Some(row.reopened_for(self.clock_now()));
        }
        let own = before.filter(|before| before.event_accepted_at == row.event_accepted_at);
        let recorded = own.map_or(0, |before| before.attempts);
        row.plan_anew(recorded, jump, self.clock_now()).map(|(row, _)| row)
    }

    /// A row as this instance sees it: where nobody but the holder may ever drive, others see one
    /// whose time never comes.
    fn row_as_seen(&self, mut row: Delivery) -> Delivery {
        if !self.world.is_broken(BrokenGuard::PrivilegeAndDoubling) {
            return row;
        }
        let turns = self.turns.lock().unwrap();
        let id = row.key.id().to_string();
        if let Status::Open(open) = &mut row.status
            && turns.iter().any(|turn| turn.delivery == id)
            && !turns.iter().any(|turn| Some(&turn.ticket) == open.holder.as_ref())
        {
            open.next_at = Timestamp::from_ms(u64::MAX / 2);
        }
        row
    }

    /// What the index shows of a row.
    fn index_entry(&self, row: &Delivery) -> Option<Due> {
        let open = row.open()?;
        let is_watch = open.holder.is_some();
        let is_replay = is_watch && open.claims == 1;
        let unwatched = self.world.is_broken(BrokenGuard::Watch)
            || self.world.is_broken(BrokenGuard::JudgeOnRefusal);
        let hidden = (unwatched && is_watch)
            || (self.world.is_broken(BrokenGuard::ReplayUnderTheIndex) && is_replay);
        if hidden { None } else { due_of(row) }
    }
}

fn due_of(row: &Delivery) -> Option<Due> {
    let open = row.open()?;
    let (due_at, next_at, claims) = (open.due_at, open.next_at, open.claims);
    Some(Due { key: row.key.clone(), due_at, next_at, claims, priority: row.priority })
}

fn describe_write(written: &WriteResult, row: &Delivery) -> String {
    match written {
        WriteResult::Done => format!("{} after {} attempts", row.status_word(), row.attempts),
        WriteResult::Refused(before) => {
            let before = before.as_ref();
            format!("refused over {:?}", before.map(|row| (row.status_word(), row.attempts)))
        }
    }
}

impl Queue for Instance {
    async fn enqueue(&self, messages: &[Message]) -> Vec<usize> {
        let keeps_ticket = self.world.is_broken(BrokenGuard::NewTicketOnUnknownAnswer);
        let sent = self.call("enqueue", false, |state, now| {
            for message in messages {
                let mut message = message.clone();
                if keeps_ticket && message.payload.is_some() {
                    // As the SDK would repeat it: the very same message.
                    message.ticket = "first".parse().unwrap();
                    message.check = false;
                }
                state.send(&message, now);
            }
        });
        let sent = sent.await;
        self.world.changed.notify_one();
        if sent.is_ok() { Vec::new() } else { (0..messages.len()).collect() }
    }

    async fn wait(&self, receipt: &Receipt, wait: Duration) -> StoreResult<()> {
        let waited = self.call("delay message", true, |state, now| {
            let found =
                state.queue.iter_mut().find(|one| one.receipt.as_ref() == Some(&receipt.handle));
            if let Some(queued) = found {
                queued.visible_at = now.plus_s(wait.as_secs());
            }
        });
        let waited = waited.await;
        self.world.changed.notify_one();
        waited
    }

    /// Nothing that the simulation sends is rejected, so a body that is may not pass unseen.
    async fn reject(&self, body: &str, reason: &str) -> StoreResult<()> {
        self.call("put aside", true, |state, _| {
            state.violations.push(format!("rejected as {reason}: {body}"));
        })
        .await
    }
}

impl SchemaChecker for Instance {
    async fn compile(&self, _: &SchemaOwner, _: &Schema) -> Result<(), Fault> {
        self.lacks("compile")
    }

    async fn faults(&self, _: &SchemaOwner, _: &Schema, _: serde_json::Value) -> Vec<Fault> {
        self.lacks("faults")
    }
}

impl Clock for Instance {
    fn now(&self) -> Timestamp {
        self.clock_now()
    }

    fn reckon(&self, at: Timestamp) -> Timestamp {
        if self.world.is_broken(BrokenGuard::ReckonedAge) { at } else { self.world.reckon(at) }
    }

    async fn sleep_until(&self, at: Timestamp) {
        nap(at.since_ms(self.clock_now())).await;
    }
}

impl Sender for Instance {
    async fn send(&self, request: Request) -> SendResult {
        self.alive().await;
        let (started_at, began) = (self.clock_now(), self.world.now());
        let id = ["webhook-id", "svix-id"].iter().find_map(|name| request.headers.get(*name));
        let id: DeliveryId = id.expect("every profile has one of them").parse().unwrap();
        self.check_post(&id);
        let (event, endpoint) = (position(id.event.as_str()), position(id.endpoint.as_str()));
        if self.world.plan.poison == Some((event, endpoint)) {
            std::panic::panic_any(POISON);
        }
        let receiver = self.world.plan.endpoints[endpoint].receiver;
        let (status, takes_ms, retry_after_s) = self.answer(receiver, &id);
        let accepted = status == Some(200);
        self.world.say(|| format!("POST {id} answers {status:?} after {takes_ms} ms"));
        let at = self.world.now();
        self.world.state().posts.push(Post { delivery: id.to_string(), at, accepted });
        let timed_out = takes_ms > request.timeout_ms;
        self.begin_post(endpoint);
        nap(takes_ms.min(request.timeout_ms)).await;
        *self.world.state().under_way.entry(endpoint).or_default() -= 1;
        self.alive().await;
        let headers = retry_after_s.map(|s| ("retry-after".to_owned(), s.to_string()));
        let response = status.filter(|_| !timed_out).map(|status| Response {
            status,
            headers: headers.into_iter().collect(),
            excerpt: String::new(),
        });
        let outcome = match &response {
            Some(response) => Outcome::of_status(response.status),
            None if timed_out => Outcome::TimedOut,
            None => Outcome::Unreachable,
        };
        let ended_at = started_at.plus_ms(self.world.now().since_ms(began));
        SendResult { outcome, detail: None, response, started_at, ended_at }
    }
}

impl Instance {
    /// A receiver's status, if it answers at all, after so many milliseconds, and its `Retry-After`.
    fn answer(&self, receiver: Receiver, id: &DeliveryId) -> (Option<u16>, u64, Option<u64>) {
        let now_s = self.world.seconds();
        let state = &mut *self.world.state();
        let takes_ms = state.rng.within(1, 300);
        match receiver {
            Receiver::DeadUntil(until_s) if now_s < until_s => (Some(503), takes_ms, None),
            Receiver::Flapping(times) if state.rng.one_in(times) => (Some(500), takes_ms, None),
            Receiver::Throttling(retry_after_s, until_s) if now_s < until_s => {
                (Some(429), takes_ms, Some(retry_after_s))
            }
            Receiver::GoneFrom(from_s) if now_s >= from_s => (Some(410), takes_ms, None),
            Receiver::Failing(status, retry_after_s, times) => {
                let id = id.to_string();
                let before = state.posts.iter().filter(|post| post.delivery == id).count();
                let (status, asked) =
                    if before < times { (status, retry_after_s) } else { (200, None) };
                (Some(status), 0, asked)
            }
            Receiver::Slow(ms) => (Some(200), ms, None),
            Receiver::Broken(times) if state.rng.one_in(times) => (None, 60_000, None),
            Receiver::Broken(times) if state.rng.one_in(times) => (None, takes_ms, None),
            _ => (Some(200), takes_ms, None),
        }
    }

    /// No more POSTs under way than the endpoint takes, and none while it is paused.
    fn begin_post(&self, endpoint: usize) {
        let most = self.world.plan.endpoints[endpoint].max_concurrency.unwrap_or(u32::MAX);
        let now = self.world.now();
        let state = &mut *self.world.state();
        let id: EndpointId = format!("ep_{endpoint}").parse().unwrap();
        let paused_at = state.endpoints.get(&id).and_then(|found| found.paused_at);
        // A copy may be as old as that, and then there is the invocation.
        if paused_at
            .is_some_and(|at| now > at.plus_s(ENDPOINT_COPY_FIRST_ATTEMPT_S + FUNCTION_TIMEOUT_S))
        {
            state.violations.push(format!("a POST to {id}, which is paused"));
        }
        let under_way = state.under_way.entry(endpoint).or_default();
        *under_way += 1;
        if *under_way > most {
            let what = format!("{under_way} POSTs under way to ep_{endpoint}, which takes {most}");
            state.violations.push(what);
        }
    }

    /// No POST after the final record, and none before its time, by a receive that began after the
    /// row was written: what may go unread is the protocol's known window.
    fn check_post(&self, id: &DeliveryId) {
        let delivery = id.to_string();
        let turns = self.turns.lock().unwrap();
        let mine: Vec<_> = turns.iter().filter(|turn| turn.delivery == delivery).collect();
        let state = &mut *self.world.state();
        let Some(row) = state.rows.get(&delivery) else { return };
        let read_it =
            |turn: &&&super::instance::Turn| !turn.is_unread && turn.received_at > row.changed_at;
        if mine.is_empty() || mine.iter().filter(read_it).count() < mine.len() {
            return;
        }
        if row.final_at.is_some() {
            state.violations.push(format!("{delivery} is sent after its final record"));
            return;
        }
        let Some(open) = row.delivery.as_ref().and_then(Delivery::open) else { return };
        let tolerated_ms = 1_000 + self.world.plan.skew_ms_max;
        let now = self.world.planned_now();
        if now.plus_ms(tolerated_ms) < open.next_at {
            let early_ms = open.next_at.since_ms(now);
            state.violations.push(format!("{delivery} is sent {early_ms} ms before its time"));
        }
    }
}

/// The number at the end of an id of the plan's.
pub(super) fn position(id: &str) -> usize {
    id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

impl Engine for Instance {
    type Store = Self;
    type Queue = Self;
    type KeyVault = Self;
    type Sender = Self;
    type Clock = Self;
    type SchemaChecker = Self;

    fn store(&self) -> &Self {
        self
    }
    fn queue(&self) -> &Self {
        self
    }
    fn key_vault(&self) -> &Self {
        self
    }
    fn sender(&self) -> &Self {
        self
    }
    fn clock(&self) -> &Self {
        self
    }
    fn schema_checker(&self) -> &Self {
        self
    }
    fn address_rules(&self) -> &AddressRules {
        &self.address_rules
    }
    fn entropy(&self) -> u128 {
        self.world.random(|rng| (u128::from(rng.next()) << 64) | u128::from(rng.next()))
    }
    fn memory(&self) -> &Memory {
        &self.memory
    }

    async fn checks(&self) -> Vec<Check> {
        self.lacks("checks")
    }
    fn public_url(&self) -> Option<&PublicUrl> {
        None
    }
    fn endpoints_settle_s(&self) -> u64 {
        0
    }
    fn ticket(&self) -> Ticket {
        if self.world.is_broken(BrokenGuard::TicketAsHolder) {
            return "same".parse().unwrap();
        }
        Ticket::from_entropy(self.entropy())
    }
    async fn operator_key_hash(&self) -> StoreResult<String> {
        self.lacks("operator_key_hash")
    }
}
