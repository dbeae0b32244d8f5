//! Who acts: senders, the queue's mapping to `deliver`, the scheduled sweep, `bury`, and people.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use waxseal_domain::delivery::DeliveryKey;
use waxseal_domain::delivery::message::{Message, Receipt, ReceivedMessage};
use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::endpoint::{DisabledReason, Endpoint, EndpointState};
use waxseal_domain::event::{Form, Submission};
use waxseal_domain::limits::FUNCTION_TIMEOUT_S;
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_flows::accept::accept_all;
use waxseal_flows::attempt::{Disposition, attempt, drive};
use waxseal_flows::cancel::cancel;
use waxseal_flows::ports::TenantVersion;
use waxseal_flows::replay::replay;

use super::broken::BrokenGuard;
use super::config::seal;
use super::instance::{Instance, Turn};
use super::plan::{Action, BUSY_S, Clocks, HORIZON_S};
use super::world::{QueuedMessage, World, nap};
use crate::fixtures::SECRET;

/// Tries of a sender that gets no answer.
const TRIES_MAX: u32 = 8;
const TIMEOUT_MS: u64 = FUNCTION_TIMEOUT_S * 1_000;
const RESERVE_MS: u64 = 500;

/// Plays the plan until everything is at rest, or the horizon.
pub(super) async fn run(world: &Arc<World>) {
    world.state().tenants.insert(world.tenant.clone(), TenantVersion::default());
    for at in 0..world.plan.endpoints.len() {
        let endpoint = endpoint(world, at);
        world.state().endpoints.insert(endpoint.id.clone(), endpoint);
    }
    for (at, event) in world.plan.events.clone().into_iter().enumerate() {
        start(world, send(Arc::clone(world), at, event.at_s, true));
        for again_s in event.again_s {
            start(world, send(Arc::clone(world), at, event.at_s + again_s, false));
        }
    }
    for (at_s, action) in world.plan.actions.clone() {
        start(world, act(Arc::clone(world), at_s, action));
    }
    if let Clocks::Process(sets) = world.plan.clocks.clone() {
        start(world, set_clock(Arc::clone(world), sets));
    }
    tokio::spawn(mapping(Arc::clone(world)));
    tokio::spawn(schedule(Arc::clone(world)));
    tokio::spawn(bury_dead_letters(Arc::clone(world)));
    nap(BUSY_S * 1_000).await;
    while !world.is_at_rest() && world.seconds() < HORIZON_S {
        nap(60_000).await;
    }
}

/// Sets the clock of the one process at these seconds, which is then followed.
async fn set_clock(world: Arc<World>, sets: Vec<(u64, i64)>) {
    for (at_s, by_ms) in sets {
        nap(at_s.saturating_sub(world.seconds()) * 1_000).await;
        world.set_clock(by_ms);
        // The server looks at the clock each second.
        nap(world.random(|rng| rng.below(1_000))).await;
        world.follow_clock();
    }
}

/// Runs something that must end before all is at rest.
fn start(world: &Arc<World>, work: impl Future<Output = ()> + Send + 'static) {
    world.state().busy += 1;
    let world = Arc::clone(world);
    tokio::spawn(async move {
        work.await;
        world.state().busy -= 1;
    });
}

/// Work of one invocation, unless its instance ends or its time does.
async fn invoke<T>(instance: &Instance, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => {
            instance.rest();
            Some(done)
        }
        () = instance.ended.notified() => None,
        () = nap(TIMEOUT_MS) => {
            instance.end();
            None
        }
    }
}

fn endpoint(world: &World, at: usize) -> Endpoint {
    let now = world.now();
    let planned = &world.plan.endpoints[at];
    let own = |delays_s: &Vec<u64>| RetryPolicy::of_delays(delays_s, "").unwrap();
    let (id, profile) = (format!("ep_{at}").parse().unwrap(), planned.profile.clone());
    let context = SecretContext::endpoint(&world.tenant, &id);
    let sealed = seal(&context, &Secret::new(SECRET.as_bytes().to_vec()));
    let sealed = SealedSecret { sealed, created_at: now, until: None, public_key: None };
    Endpoint {
        url: "https://example.com/".to_owned(),
        secrets: vec![sealed],
        retry: planned.delays_s.as_ref().map(own),
        timeout_ms: Some(10_000),
        max_per_second: planned.max_per_second,
        max_concurrency: planned.max_concurrency,
        ..Endpoint::new(id, world.tenant.clone(), profile, now)
    }
}

/// A sender: until it is acknowledged, or it gives up.
async fn send(world: Arc<World>, at: usize, at_s: u64, is_first: bool) {
    nap(at_s * 1_000 + world.random(|rng| rng.below(1_000))).await;
    let severity = if at.is_multiple_of(3) { "critical" } else { "low" };
    let text = format!(
        r#"{{"id":"e{at}","source":"s","type":"t.a","severity":"{severity}","data":{at}}}"#
    );
    let submission = [Submission { text, form: Form::Plain, fallback_id: None }];
    for number in 0..TRIES_MAX {
        if number > 0 || !is_first {
            let event = format!("e{at}").parse().unwrap();
            *world.state().duplicates.entry(event).or_default() += 1;
        }
        let instance = Instance::warm_or_new(&world);
        let accept = accept_all(&*instance, &world.tenant, &submission);
        let accepted = invoke(&instance, accept).await;
        if let Some(Ok(results)) = accepted
            && let Some(Ok(acceptance)) = results.into_iter().next()
        {
            world.say(|| format!("{} acknowledged", acceptance.id));
            let owed = acceptance.deliveries.into_iter().map(|owed| owed.endpoint_id);
            world.state().acknowledged.insert(acceptance.id, owed.collect());
            return;
        }
        world.say(|| format!("e{at} not acknowledged"));
        world.pause(1_000, 30_000).await;
    }
}

/// The event source mapping: batches of messages to `deliver`.
async fn mapping(world: Arc<World>) {
    loop {
        if let Some((from_s, until_s)) = world.plan.backlog_s
            && (from_s..until_s).contains(&world.seconds())
        {
            nap((until_s - world.seconds()) * 1_000).await;
        }
        let most = usize::try_from(world.random(|rng| rng.within(1, 10))).unwrap();
        let batch = world.receive(most);
        if batch.is_empty() {
            let next = world.visible_next().map_or(60_000, |at| at.since_ms(world.now()));
            let changed = world.changed.notified();
            let _either = tokio::time::timeout(Duration::from_millis(next + 1), changed).await;
            continue;
        }
        start(&world, deliver(Arc::clone(&world), batch));
        world.pause(0, 200).await;
    }
}

async fn deliver(world: Arc<World>, batch: Vec<QueuedMessage>) {
    let instance = Instance::warm_or_new(&world);
    world.pause(1, 100).await;
    let received: Vec<ReceivedMessage> = batch.iter().map(|one| receive(&instance, one)).collect();
    let deadline = instance.clock_now().plus_ms(TIMEOUT_MS - RESERVE_MS);
    let settled = if world.is_broken(BrokenGuard::CaughtPanic) {
        // One task for all: what panics in one ends the others.
        let (engine, all) = (Arc::clone(&instance), received.clone());
        let together = tokio::spawn(async move {
            let each = all.iter().map(|one| attempt(&*engine, one, deadline.minus_s(3), deadline));
            join_all(each).await
        });
        let settled = invoke(&instance, together).await.and_then(Result::ok);
        if settled.is_none() {
            instance.end();
        }
        settled.map(|all| all.into_iter().map(|one| one.unwrap_or(Disposition::Again)).collect())
    } else {
        let each = received.iter().map(|one| drive(&instance, one.clone(), deadline));
        invoke(&instance, join_all(each)).await
    };
    let tickets: Vec<_> = received.iter().map(|one| one.message.ticket.clone()).collect();
    instance.turns.lock().unwrap().retain(|turn| !tickets.contains(&turn.ticket));
    let Some(settled) = settled else { return };
    let is_lost = world.random(|rng| rng.one_in(200)) && world.state().faults_left > 0;
    if is_lost {
        let mut state = world.state();
        state.faults_left -= 1;
        state.faults += 1;
        return;
    }
    for ((queued, settled), ticket) in batch.iter().zip(settled).zip(tickets) {
        let forced = instance.acknowledged.lock().unwrap().contains(ticket.as_str());
        if settled == Disposition::Done || forced {
            remove(&world, queued);
        }
    }
}

/// A message as the mapping hands it over.
fn receive(instance: &Instance, queued: &QueuedMessage) -> ReceivedMessage {
    let world = &instance.world;
    let mut message = Message::parse(&queued.body).unwrap();
    if world.is_broken(BrokenGuard::Fresh) {
        message.sent_at = instance.clock_now();
    }
    instance.hear_at_least(queued.sent_at);
    let receipt = Receipt { priority: message.priority, handle: queued.receipt.clone().unwrap() };
    let received = ReceivedMessage { message, receipt, receives: queued.receives };
    let turn = Turn {
        delivery: received.message.key().id().to_string(),
        ticket: received.message.ticket.clone(),
        received_at: world.now(),
        jumps: world.jumps().0,
        is_unread: received.may_go_unread(instance.clock_now())
            && !world.is_broken(BrokenGuard::Fresh),
    };
    world.say(|| {
        format!("received {} ticket {} time {}", turn.delivery, turn.ticket, queued.receives)
    });
    instance.turns.lock().unwrap().push(turn);
    received
}

/// Removes a message by its receipt; an old receipt does so or not.
fn remove(world: &World, queued: &QueuedMessage) {
    let state = &mut *world.state();
    let at = state.queue.iter().position(|one| one.id == queued.id);
    let Some(at) = at else { return };
    let is_current = state.queue[at].receipt == queued.receipt;
    if is_current || state.rng.one_in(2) {
        state.queue.remove(at);
    }
}

/// Each minute, whether or not the last one has ended.
async fn schedule(world: Arc<World>) {
    loop {
        nap(60_000).await;
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            world.pause(0, 2_000).await;
            let instance = Instance::warm_or_new(&world);
            let deadline = instance.clock_now().plus_ms(TIMEOUT_MS - 3_000);
            let swept = invoke(&instance, waxseal_flows::sweep::sweep(&*instance, deadline)).await;
            if let Some(Ok(swept)) = swept
                && swept.sent > 0
            {
                world.say(|| format!("swept {}", swept.sent));
            }
        });
    }
}

/// The dead letters: to `bury`, or back on the queue by an operator.
async fn bury_dead_letters(world: Arc<World>) {
    loop {
        nap(30_000).await;
        let Some(dead) = world.state().dead.first().cloned() else { continue };
        let redrives = world.random(|rng| rng.one_in(10));
        if redrives {
            let now = world.now();
            let state = &mut *world.state();
            state.dead.retain(|one| one.id != dead.id);
            state.requeue(dead.body, now);
            state.actions += 1;
            continue;
        }
        let message = Message::parse(&dead.body).unwrap();
        let instance = Instance::warm_or_new(&world);
        let buried = invoke(&instance, waxseal_flows::bury::bury(&*instance, &message)).await;
        if let Some(Ok(_)) = buried {
            let state = &mut *world.state();
            state.dead.retain(|one| one.id != dead.id);
            state.buried.insert(message.key().id().to_string());
        }
    }
}

/// What a person does, until it is answered.
async fn act(world: Arc<World>, at_s: u64, action: Action) {
    nap(at_s * 1_000).await;
    let key = |event: usize, endpoint: usize| DeliveryKey {
        tenant: world.tenant.clone(),
        event: format!("e{event}").parse().unwrap(),
        endpoint: format!("ep_{endpoint}").parse().unwrap(),
    };
    let instance = Instance::warm_or_new(&world);
    world.state().actions += 1;
    world.say(|| format!("{action:?}"));
    match action {
        Action::Replay(event, endpoint) => {
            let _answer = invoke(&instance, replay(&*instance, &key(event, endpoint))).await;
        }
        Action::Cancel(event, endpoint) => {
            let _answer = invoke(&instance, cancel(&*instance, &key(event, endpoint))).await;
        }
        Action::Disable(at) => change(&world, at, |endpoint, world| {
            endpoint.disable(DisabledReason::Requested, world.now())
        }),
        Action::Pause(at, for_s) => {
            let paused_at = Some(world.now());
            change(&world, at, |endpoint, _| Endpoint { paused_at, ..endpoint });
            nap(for_s * 1_000).await;
            change(&world, at, |endpoint, _| Endpoint { paused_at: None, ..endpoint });
        }
        Action::Enable(at) => {
            change(&world, at, |endpoint, _| Endpoint {
                state: EndpointState::Enabled,
                ..endpoint
            });
        }
        Action::Delete(at) => {
            let id = format!("ep_{at}").parse().unwrap();
            world.state().endpoints.remove(&id);
        }
    }
}

fn change(world: &World, at: usize, change: impl Fn(Endpoint, &World) -> Endpoint) {
    let id = format!("ep_{at}").parse().unwrap();
    let Some(before) = world.state().endpoints.get(&id).cloned() else { return };
    let version = before.version + 1;
    let after = Endpoint { version, ..change(before, world) };
    world.state().endpoints.insert(id, after);
}
