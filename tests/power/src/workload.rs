//! What senders, the queue, the sweep and people do between two cuts: the server's own flows, step by step, as
//! the seed draws them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, join3};
use rusqlite::Connection;
use waxseal_domain::audit::Entry;
use waxseal_domain::delivery::DeliveryKey;
use waxseal_domain::delivery::message::ReceivedMessage;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::event::acceptance::Acceptance;
use waxseal_domain::id::EndpointId;
use waxseal_domain::limits::{FUNCTION_TIMEOUT_S, MESSAGE_RECEIVES_MAX};
use waxseal_domain::profile::STANDARD;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_flows::accept::accept_all;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::bury::bury;
use waxseal_flows::cancel::cancel;
use waxseal_flows::expunge::expunge;
use waxseal_flows::ports::{
    Change, Clock as _, ConfigStore as _, Engine as _, EngineError, KeyVault as _, MaxAge, Tenant,
};
use waxseal_flows::refusal::Refusal;
use waxseal_flows::replay::replay;
use waxseal_flows::sweep::sweep;
use waxseal_tests::fixtures;
use waxseal_tests::rng::Rng;

use crate::ledger::TENANT;
use crate::machine::{FLAKY, Machine, STEADY};

/// Waits between the attempts to both receivers, in seconds: by visibility, and parked.
const DELAYS_S: [u64; 6] = [1, 30, 60, 300, 600, 600];
/// The most events that are sent together: they share a commit.
const TOGETHER_MAX: u64 = 8;
/// Messages that are driven in one step.
const DRIVEN_MAX: usize = 20;
/// The most that one step lets pass, in seconds.
const PASS_S_MAX: u64 = 400;
/// The payload of a large event, in bytes: some of them fill the log until it is copied into the file.
const LARGE_BYTES: u64 = 200_000;
const SMALL_BYTES: u64 = 3_000;

/// Rounds of the settling at the end: a retry policy's length, with what its gate holds.
const ROUNDS_MAX: u32 = 200;

/// Events by their numbers. A sender sends each until it is answered.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    last: u64,
    unanswered: Vec<NumberedEvent>,
}

/// An event by its number, and how large it is.
#[derive(Clone, Copy, Debug)]
struct NumberedEvent {
    number: u64,
    sizes: Sizes,
}

impl Senders {
    fn new_event(&mut self, sizes: Sizes) -> NumberedEvent {
        self.last += 1;
        NumberedEvent { number: self.last, sizes }
    }
}

/// How large events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// A few pages each.
    Small,
    /// Mostly large ones.
    Large,
}

/// Makes the tenant's two endpoints, if they are not there. What fails is made at the next start.
pub async fn configure(machine: &Machine) {
    let tenant = fixtures::tenant(TENANT);
    let found = machine.store().endpoints(&tenant, MaxAge::NOW).await;
    let Ok(found) = found else { return };
    let has = |url: &str| found.as_ref().is_some_and(|all| all.iter().any(|one| one.url == url));
    for url in [STEADY, FLAKY] {
        if !has(url) {
            let _left_to_the_next_start = add_endpoint(machine, url).await;
        }
    }
}

async fn add_endpoint(machine: &Machine, url: &str) -> Result<(), EngineError> {
    let (tenant, now) = (fixtures::tenant(TENANT), machine.clock().now());
    let made = Tenant { name: tenant.clone(), created_at: now };
    change(machine, Change::CreateTenant(&made)).await?;
    let id = EndpointId::from_entropy(machine.entropy());
    let context = SecretContext::endpoint(&tenant, &id);
    let secret = Secret::new(fixtures::SECRET.as_bytes().to_vec());
    let sealed = machine.key_vault().seal(&context, &secret).await?;
    let endpoint = Endpoint {
        url: url.to_owned(),
        secrets: vec![SealedSecret { sealed, created_at: now, until: None, public_key: None }],
        retry: Some(RetryPolicy::of_delays(&DELAYS_S, "").expect("delays in their bounds")),
        ..Endpoint::new(id, tenant.clone(), STANDARD.to_owned(), now)
    };
    let all = machine.store().endpoints(&tenant, MaxAge::NOW).await?.unwrap_or_default();
    if change(machine, Change::AddEndpoint(&endpoint, all.version)).await? {
        machine.outside().ledger().configured(&endpoint.id, endpoint.version);
    }
    Ok(())
}

async fn change(machine: &Machine, change: Change<'_>) -> Result<bool, EngineError> {
    let tenant = fixtures::tenant(TENANT);
    let entry = Entry::new(machine.stamp(), &tenant, "operator", "test.changed", "power");
    let changed = machine.store().change(change, &entry).await?;
    machine.outside().ledger().synced();
    Ok(changed)
}

/// Takes one step. What fails in it is our own failure, and nobody was promised anything.
pub async fn step(machine: &Arc<Machine>, senders: &mut Senders, sizes: Sizes) {
    match machine.outside().random(|rng| rng.below(20)) {
        0..5 => send(machine, senders, 1, sizes).await,
        5..8 => {
            let together = machine.outside().random(|rng| rng.within(2, TOGETHER_MAX));
            send(machine, senders, together, sizes).await;
        }
        8..13 => deliver(machine).await,
        13..15 => pass(machine),
        15..17 => sweep_now(machine).await,
        17 => end_one(machine, senders).await,
        18 => replay_one(machine, senders).await,
        _ => change_endpoint(machine).await,
    }
}

/// Moves everything on until nothing is owed any more, as far as the file says; false where something is owed for
/// ever.
pub async fn settle(machine: &Arc<Machine>, senders: &mut Senders, file: &Connection) -> bool {
    for _ in 0..ROUNDS_MAX {
        let unanswered = u64::try_from(senders.unanswered.len()).expect("a few");
        if unanswered > 0 {
            send(machine, senders, unanswered, Sizes::Small).await;
        }
        deliver(machine).await;
        sweep_now(machine).await;
        let sql = "SELECT (SELECT count(*) FROM messages) \
                     + (SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL)";
        let owed: i64 = file.query_row(sql, [], |row| row.get(0)).unwrap();
        if owed == 0 && senders.unanswered.is_empty() {
            return true;
        }
        machine.outside().clock.advance(Duration::from_secs(PASS_S_MAX));
    }
    false
}

/// Sends events together: those that had no answer, then new ones. One more goes before them and waits within its
/// commit until the others are there, so that they share the next one.
async fn send(machine: &Arc<Machine>, senders: &mut Senders, count: u64, sizes: Sizes) {
    // What has no answer yet may be stored, and is then not written again: only a new one is sure to be held.
    let mut events = vec![];
    if count > 1 {
        events.push(senders.new_event(sizes));
    }
    for _ in 0..count {
        let unanswered = senders.unanswered.pop();
        events.push(unanswered.unwrap_or_else(|| senders.new_event(sizes)));
    }
    let disk = machine.disk();
    let may_hold = count > 1 && knows_endpoints(machine).await;
    if may_hold {
        disk.hold_next();
    }
    let ended = Cell::new(false);
    let first = async {
        let answer = accept(machine, events[0]).await;
        ended.set(true);
        answer
    };
    let rest = async {
        if may_hold && !ended.get() {
            disk.wait_until_held();
        }
        join_all(events[1..].iter().map(|one| accept(machine, *one))).await
    };
    // Polled in this order: once the first is held, all others hand over their writes, and then it goes on.
    let (first, rest, ()) = join3(first, rest, async { disk.release() }).await;
    let answers = std::iter::once(first).chain(rest);
    for (event, accepted) in events.iter().zip(answers) {
        match accepted {
            Some(acceptance) => machine.outside().ledger().acknowledged(&acceptance),
            None => senders.unanswered.push(*event),
        }
    }
}

/// Whether what an event is matched with is in memory, so that to accept one is to write it, and no read.
async fn knows_endpoints(machine: &Machine) -> bool {
    let tenant = fixtures::tenant(TENANT);
    let endpoints = machine.store().endpoints(&tenant, MaxAge::NOW).await;
    let event_types = machine.store().event_types(&tenant, MaxAge::NOW).await;
    matches!(endpoints, Ok(Some(_))) && event_types.is_ok()
}

/// An event's acceptance; none where it is to be sent again.
async fn accept(machine: &Machine, event: NumberedEvent) -> Option<Acceptance> {
    let tenant = fixtures::tenant(TENANT);
    let accepted = accept_all(machine, &tenant, &[fixtures::submission(&event.text())]).await;
    match accepted.ok()?.into_iter().next()? {
        Ok(acceptance) => Some(acceptance),
        Err(Refusal::Ours(_) | Refusal::Busy(_)) => None,
        Err(Refusal::Problem(problem)) => panic!("{event:?} was refused: {problem:?}"),
    }
}

impl NumberedEvent {
    /// The same each time: a sender that repeats an event repeats its content.
    fn text(self) -> String {
        let number = self.number;
        let mut rng = Rng::new(number);
        let is_large = self.sizes == Sizes::Large && !rng.one_in(3);
        let bytes = rng.below(if is_large { LARGE_BYTES } else { SMALL_BYTES });
        let payload = "x".repeat(usize::try_from(bytes).expect("a payload"));
        let severity = if number.is_multiple_of(5) { "critical" } else { "low" };
        format!(
            r#"{{"id":"e{number}","source":"s","type":"t.a","severity":"{severity}","data":"{payload}"}}"#
        )
    }
}

/// Drives what is visible now, as the server does.
async fn deliver(machine: &Arc<Machine>) {
    for _ in 0..DRIVEN_MAX {
        let queue = machine.queue();
        let critical = queue.inbox(Priority::Critical).receive_now();
        let Some(received) = critical.or_else(|| queue.inbox(Priority::Normal).receive_now())
        else {
            return;
        };
        if handle(machine, received).await.is_err() || machine.disk().is_off() {
            return;
        }
    }
}

async fn handle(machine: &Arc<Machine>, received: ReceivedMessage) -> Result<(), EngineError> {
    let receipt = received.receipt.clone();
    if received.receives > MESSAGE_RECEIVES_MAX {
        bury(&**machine, &received.message).await?;
        return machine.queue().remove(&receipt).await;
    }
    if received.message.check {
        machine.queue().write_receives(&receipt).await?;
        machine.outside().ledger().synced();
    }
    let deadline = machine.clock().now().plus_s(FUNCTION_TIMEOUT_S);
    match drive(machine, received, deadline).await {
        Disposition::Done => machine.queue().remove(&receipt).await,
        Disposition::Again => Ok(()),
    }
}

fn pass(machine: &Machine) {
    let seconds = machine.outside().random(|rng| rng.within(1, PASS_S_MAX));
    machine.outside().clock.advance(Duration::from_secs(seconds));
}

async fn sweep_now(machine: &Arc<Machine>) {
    let deadline = machine.clock().now().plus_s(FUNCTION_TIMEOUT_S);
    let _next_one_goes_on = sweep(&**machine, deadline).await;
}

/// Any delivery of any event that was sent.
async fn pick(machine: &Machine, senders: &Senders) -> Option<DeliveryKey> {
    let tenant = fixtures::tenant(TENANT);
    let endpoints = machine.store().endpoints(&tenant, MaxAge::NOW).await.ok()??;
    let number = machine.outside().random(|rng| 1 + rng.below(senders.last));
    let at = usize::from(machine.outside().random(|rng| rng.one_in(2)));
    let endpoint = endpoints.get(at)?.id.to_string();
    Some(fixtures::key(&tenant, &format!("e{number}"), &endpoint))
}

/// A person cancels a delivery, or expunges its event.
async fn end_one(machine: &Machine, senders: &Senders) {
    let Some(key) = pick(machine, senders).await else { return };
    if machine.outside().random(|rng| rng.one_in(3)) {
        if matches!(expunge(machine, &key.tenant, &key.event).await, Ok(true)) {
            let now = machine.clock().now();
            let endpoints = machine.store().endpoints(&key.tenant, MaxAge::NOW).await;
            let mut ledger = machine.outside().ledger();
            ledger.synced();
            for endpoint in endpoints.ok().flatten().iter().flat_map(|all| all.iter()) {
                ledger.expunged(&DeliveryKey { endpoint: endpoint.id.clone(), ..key.clone() }, now);
            }
        }
    } else if cancel(machine, &key).await.is_ok() {
        let now = machine.clock().now();
        let mut ledger = machine.outside().ledger();
        ledger.synced();
        ledger.ended(&key, now);
    }
}

async fn replay_one(machine: &Machine, senders: &Senders) {
    let Some(key) = pick(machine, senders).await else { return };
    if machine.outside().ledger().is_ended(&key) {
        return;
    }
    machine.outside().ledger().replayed(&key);
    let _answered_or_not = replay(machine, &key).await;
}

/// A person changes an endpoint, which stays as it is otherwise.
async fn change_endpoint(machine: &Machine) {
    let tenant = fixtures::tenant(TENANT);
    let Ok(Some(endpoints)) = machine.store().endpoints(&tenant, MaxAge::NOW).await else { return };
    let Some(endpoint) = endpoints.first() else { return };
    let version = endpoint.version + 1;
    let changed = Endpoint { version, ..endpoint.clone() };
    if matches!(change(machine, Change::PutEndpoint(&changed)).await, Ok(true)) {
        machine.outside().ledger().configured(&changed.id, version);
    }
}
