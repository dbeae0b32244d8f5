//! Rows, messages, POSTs and the true time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use waxseal_domain::audit::Entry;
use waxseal_domain::clock::{Jump, Jumps, Timeline};
use waxseal_domain::delivery::message::{Kind, Message};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, DeliveryKey};
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::concurrency::Slots;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::id::{EndpointId, EventId, TenantName};
use waxseal_domain::limits::{MESSAGE_RECEIVES_MAX, MESSAGE_VISIBILITY_S};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Due, EventRow, TenantVersion};

use super::broken::BrokenGuard;
use super::instance::Instance;
use super::plan::{Clocks, Plan};
use crate::rng::Rng;

/// When the play begins.
const BEGIN: Timestamp = Timestamp::from_ms(1_790_000_000_000);
/// What tells the chance of clocks from that of all else.
const CLOCKS: u64 = 0x0c10_c4c1_0c4c;

/// Where what belongs to one endpoint is kept.
pub(super) type Place = (TenantName, EndpointId);

/// Everything that outlasts an instance.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) broken: Option<BrokenGuard>,
    pub(super) tenant: TenantName,
    pub(super) changed: Notify,
    began: Instant,
    state: Mutex<State>,
    /// The clock of the one process, where all run in one: by how much it is set wrong, and what it goes by.
    process: Mutex<ProcessClock>,
}

/// The clock of one process.
#[derive(Debug)]
struct ProcessClock {
    set_ms: i64,
    timeline: Timeline,
    followed: u64,
}

/// Everything in a world that changes while it is played.
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) faults_left: u32,
    pub(super) faults: u32,
    pub(super) copies: u32,
    pub(super) events: BTreeMap<(TenantName, EventId), EventRow>,
    pub(super) tenants: BTreeMap<TenantName, TenantVersion>,
    pub(super) endpoints: BTreeMap<EndpointId, Endpoint>,
    /// By id, which says nothing of the tenant: no two tenants here may have a delivery of the same
    /// id.
    pub(super) rows: BTreeMap<String, StoredRow>,
    pub(super) gates: BTreeMap<Place, Gate>,
    /// Used, by endpoint and window.
    pub(super) tokens: BTreeMap<(String, u64), u32>,
    pub(super) slots: BTreeMap<Place, Slots>,
    /// POSTs that are not answered yet, by endpoint.
    pub(super) under_way: BTreeMap<usize, u32>,
    /// When each endpoint was probed.
    pub(super) probes: BTreeMap<EndpointId, Vec<Timestamp>>,
    pub(super) queue: Vec<QueuedMessage>,
    pub(super) dead: Vec<QueuedMessage>,
    pub(super) posts: Vec<Post>,
    /// Messages sent, by delivery.
    pub(super) sends: BTreeMap<String, u32>,
    pub(super) acknowledged: BTreeMap<EventId, Vec<EndpointId>>,
    /// Requests of each event beyond the first.
    pub(super) duplicates: BTreeMap<EventId, u32>,
    /// What people did, by delivery; by endpoint counts for each of its deliveries.
    pub(super) actions: u32,
    /// Entries of the audit log, oldest first.
    pub(super) audit: Vec<Entry>,
    pub(super) buried: BTreeSet<String>,
    pub(super) violations: Vec<String>,
    pub(super) instances: Vec<Arc<Instance>>,
    pub(super) busy: u32,
    next_id: u64,
    trace: Option<Vec<String>>,
}

/// A delivery's row, and what the index shows of it, from when on.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredRow {
    pub(super) delivery: Option<Delivery>,
    pub(super) changed_at: Timestamp,
    pub(super) final_at: Option<Timestamp>,
    pub(super) holds: u32,
    pub(super) shown: Vec<(Timestamp, Option<Due>, bool)>,
}

/// A message in the queue.
#[derive(Clone, Debug)]
pub(super) struct QueuedMessage {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) visible_at: Timestamp,
    pub(super) receives: u32,
    pub(super) receipt: Option<String>,
    /// When it was sent, or was to be visible first.
    pub(super) sent_at: Timestamp,
}

/// A POST that a receiver got.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) delivery: String,
    pub(super) at: Timestamp,
    pub(super) accepted: bool,
}

impl World {
    /// A world with all that follows from a seed, chance and plan.
    pub(super) fn new(seed: u64, broken: Option<BrokenGuard>, trace: bool) -> Self {
        let mut rng = Rng::new(seed);
        let clocks = Clocks::new(&mut Rng::new(seed ^ CLOCKS));
        let plan = Plan { clocks, ..Plan::new(&mut rng) };
        Self::of_plan(plan, rng, broken, trace)
    }

    /// A world of this plan.
    pub(super) fn of_plan(plan: Plan, rng: Rng, broken: Option<BrokenGuard>, trace: bool) -> Self {
        let state = State {
            faults_left: plan.faults_max,
            rng,
            faults: 0,
            copies: 0,
            events: BTreeMap::new(),
            tenants: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            rows: BTreeMap::new(),
            gates: BTreeMap::new(),
            tokens: BTreeMap::new(),
            slots: BTreeMap::new(),
            under_way: BTreeMap::new(),
            probes: BTreeMap::new(),
            queue: Vec::new(),
            dead: Vec::new(),
            posts: Vec::new(),
            sends: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            duplicates: BTreeMap::new(),
            actions: 0,
            audit: Vec::new(),
            buried: BTreeSet::new(),
            violations: Vec::new(),
            instances: Vec::new(),
            busy: 0,
            next_id: 0,
            trace: trace.then(Vec::new),
        };
        Self {
            plan,
            broken,
            tenant: "acme".parse().unwrap(),
            changed: Notify::new(),
            began: Instant::now(),
            state: Mutex::new(state),
            process: Mutex::new(ProcessClock {
                set_ms: 0,
                timeline: Timeline::new(BEGIN, 0, Jumps::default()),
                followed: 0,
            }),
        }
    }

    /// Milliseconds since the play began.
    pub(super) fn passed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    /// The time by which rows are planned: the true one, or that of the one process.
    pub(super) fn planned_now(&self) -> Timestamp {
        if !matches!(self.plan.clocks, Clocks::Process(_)) {
            return self.now();
        }
        let process = self.process.lock().unwrap();
        process.timeline.now(self.now().moved_ms(process.set_ms), self.passed_ms())
    }

    /// What a time that the process told earlier is by its clock as it is set now.
    pub(super) fn reckon(&self, at: Timestamp) -> Timestamp {
        self.process.lock().unwrap().timeline.jumps().reckon(at)
    }

    /// How many jumps the process has followed, and the last of them.
    pub(super) fn jumps(&self) -> (u64, Option<Jump>) {
        let process = self.process.lock().unwrap();
        (process.followed, process.timeline.jumps().last())
    }

    /// Sets the clock of the process.
    pub(super) fn set_clock(&self, by_ms: i64) {
        self.process.lock().unwrap().set_ms += by_ms;
        self.say(|| format!("the clock is set by {by_ms} ms"));
    }

    /// Follows a jump of the process's clock, as the embedded engine does in one transaction.
    pub(super) fn follow_clock(&self) {
        let mut process = self.process.lock().unwrap();
        let wall = self.now().moved_ms(process.set_ms);
        let Some(jump) = process.timeline.pending(wall, self.passed_ms()) else { return };
        if !self.is_broken(BrokenGuard::MovedSchedule) {
            self.state().move_schedule(jump.by_ms);
        }
        process.timeline.follow(jump);
        process.followed += 1;
        drop(process);
        self.say(|| format!("the clock's jump is followed: {jump:?}"));
    }

    /// Returns the true time, which no instance's clock need show.
    pub(super) fn now(&self) -> Timestamp {
        BEGIN.plus_ms(self.passed_ms())
    }

    /// Seconds since the play began.
    pub(super) fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A poison delivery panics elsewhere: never while this is locked.
        self.state.lock().unwrap()
    }

    pub(super) fn is_broken(&self, guard: BrokenGuard) -> bool {
        self.broken == Some(guard)
    }

    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        let at = self.began.elapsed();
        if let Some(trace) = &mut self.state().trace {
            trace.push(format!("{:>10.3} {}", at.as_secs_f64(), what()));
        }
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.state().trace.take().unwrap_or_default()
    }

    pub(super) fn random<T>(&self, choose: impl FnOnce(&mut Rng) -> T) -> T {
        choose(&mut self.state().rng)
    }

    /// Lets a random time pass; none where all is prompt.
    pub(super) async fn pause(&self, from_ms: u64, to_ms: u64) {
        if self.plan.is_prompt {
            return;
        }
        let ms = self.random(|rng| rng.within(from_ms, to_ms));
        nap(ms).await;
    }

    /// Up to so many visible messages, in any order, now received; what was received too often goes
    /// to the dead letters.
    pub(super) fn receive(&self, most: usize) -> Vec<QueuedMessage> {
        let now = self.now();
        let state = &mut *self.state();
        let mut batch = Vec::new();
        while batch.len() < most {
            let visible: Vec<usize> =
                (0..state.queue.len()).filter(|&at| state.queue[at].visible_at <= now).collect();
            if visible.is_empty() {
                break;
            }
            let at = *state.rng.pick(&visible);
            if state.queue[at].receives >= MESSAGE_RECEIVES_MAX {
                let dead = state.queue.remove(at);
                state.dead.push(dead);
                continue;
            }
            let is_copied = state.rng.one_in(self.plan.copy_once_in);
            let number = state.id();
            let queued = &mut state.queue[at];
            queued.receives += 1;
            queued.receipt = Some(format!("{}:{number}", queued.id));
            batch.push(queued.clone());
            if is_copied {
                // Handed out, and visible still.
                state.copies += 1;
            } else {
                queued.visible_at = now.plus_s(MESSAGE_VISIBILITY_S);
            }
        }
        batch
    }

    /// When a message is visible next.
    pub(super) fn visible_next(&self) -> Option<Timestamp> {
        self.state().queue.iter().map(|queued| queued.visible_at).min()
    }

    /// Whether all is done: nothing queued, nothing open, nobody busy.
    pub(super) fn is_at_rest(&self) -> bool {
        let state = self.state();
        let is_open =
            |stored: &StoredRow| stored.delivery.as_ref().is_some_and(|row| row.open().is_some());
        state.busy == 0
            && state.queue.is_empty()
            && state.dead.is_empty()
            && state.gates.is_empty()
            && !state.rows.values().any(is_open)
    }
}

impl State {
    /// Moves all that is planned by so many milliseconds.
    fn move_schedule(&mut self, by_ms: i64) {
        for stored in self.rows.values_mut() {
            stored.delivery = stored.delivery.take().map(|row| row.moved(by_ms));
            for (_, due, _) in &mut stored.shown {
                if let Some(due) = due {
                    due.due_at = due.due_at.moved_ms(by_ms);
                    due.next_at = due.next_at.moved_ms(by_ms);
                }
            }
        }
        for gate in self.gates.values_mut() {
            *gate = gate.clone().moved(by_ms);
        }
        self.slots.values_mut().for_each(|slots| slots.move_by(by_ms));
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Puts a message in the queue.
    pub(super) fn send(&mut self, message: &Message, now: Timestamp) {
        let id = message.key().id().to_string();
        let event = self.event(&message.tenant, &message.event);
        if event.is_some_and(|row| Priority::of(&row.event) != message.priority) {
            self.violations
                .push(format!("a message of {id} is in the lane {:?}", message.priority));
        }
        *self.sends.entry(id).or_default() += 1;
        if message.kind == Kind::Probe {
            self.probes.entry(message.endpoint.clone()).or_default().push(now);
        }
        let visible_at = now.plus_s(u64::from(message.delay_s));
        self.requeue(message.body(), visible_at);
    }

    /// Puts a body in the queue, as new.
    pub(super) fn requeue(&mut self, body: String, visible_at: Timestamp) {
        let id = self.id();
        self.queue.push(QueuedMessage {
            id,
            body,
            visible_at,
            receives: 0,
            receipt: None,
            sent_at: visible_at,
        });
    }

    /// What the index shows now, earliest first.
    pub(super) fn visible_due(
        &self,
        now: Timestamp,
        wanted: impl Fn(&Due, bool) -> bool,
    ) -> Vec<Due> {
        let shown = self.rows.values().filter_map(|row| {
            let (_, due, held) = row.shown.iter().rev().find(|(from, ..)| *from <= now)?;
            due.clone().filter(|due| wanted(due, *held))
        });
        let mut due: Vec<Due> = shown.collect();
        due.sort_by_key(|due| due.due_at);
        due
    }

    /// The row as it is.
    pub(super) fn row(&self, key: &DeliveryKey) -> Option<Delivery> {
        let stored = self.rows.get(&key.id().to_string())?;
        stored.delivery.clone().filter(|row| row.key == *key)
    }

    /// The event as it is.
    pub(super) fn event(&self, tenant: &TenantName, id: &EventId) -> Option<EventRow> {
        self.events.get(&(tenant.clone(), id.clone())).cloned()
    }

    /// The stored event, if it was accepted at the same time.
    pub(super) fn same_event(&mut self, row: &EventRow) -> Option<&mut EventRow> {
        let place = (row.event.tenant.clone(), row.event.id.clone());
        self.events
            .get_mut(&place)
            .filter(|stored| stored.event_accepted_at == row.event_accepted_at)
    }

    /// Writes the row; the index shows it later.
    pub(super) fn write(&mut self, row: Delivery, now: Timestamp, shown: Option<Due>, lag_ms: u64) {
        let lag_ms = self.rng.below(lag_ms + 1);
        let stored = self.rows.entry(row.key.id().to_string()).or_default();
        let before = stored.delivery.as_ref();
        assert!(
            before.is_none_or(|before| before.key == row.key),
            "two tenants have {}",
            row.key.id()
        );
        let is_own = |before: &&Delivery| before.event_accepted_at == row.event_accepted_at;
        if let Some(before) = before.filter(is_own)
            && row.attempts < before.attempts
        {
            let (id, lost) = (row.key.id(), before.attempts - row.attempts);
            self.violations.push(format!("{id} lost {lost} recorded attempts"));
        }
        let is_final = row.open().is_none();
        stored.final_at = is_final.then(|| stored.final_at.unwrap_or(now));
        stored.changed_at = now;
        let held = row.open().is_some_and(|open| open.held);
        stored.holds += u32::from(held);
        stored.shown.push((now.plus_ms(lag_ms), shown, held));
        stored.delivery = Some(row);
    }
}

/// Lets virtual time pass.
#[expect(clippy::disallowed_methods, reason = "virtual time is tokio's own, paused")]
pub(super) async fn nap(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
