//! One message, at most one POST, its result recorded, the message settled: judge, post, decide, record, settle.
//! Steps D1 to D6 of the protocol.
//!
//! [`attempt`] is the spine. [`drive`] puts it where a panic or a hang of one message leaves the others alone, and
//! turns our own failures into a later try.

use std::sync::Arc;

use waxseal_domain::delivery::attempt::Attempt;
use waxseal_domain::delivery::dispatch::Outgoing;
use waxseal_domain::delivery::judge::{Verdict, judge};
use waxseal_domain::delivery::message::{Kind, Received};
use waxseal_domain::delivery::retry::Next;
use waxseal_domain::delivery::{
    CancelledReason, Delivery, End, FailedReason, Guard, Open, Settlement, Status, StatusName,
    Turn, Written, lease_until,
};
use waxseal_domain::endpoint::subscription::Candidate;
use waxseal_domain::endpoint::{DisabledReason, Endpoint};
use waxseal_domain::event::Event;
use waxseal_domain::limits::{ENDPOINT_COPY_RETRY_S, FRESH_S};
use waxseal_domain::timestamp::Timestamp;

use crate::announce::announce_failure;
use crate::disable::disable;
use crate::ports::{
    Claim, Clock as _, ConfigStore as _, DeliveryStore as _, Due, Engine, EngineError, Queue as _,
};
use crate::profiles::profile_of;
use crate::send::{Dispatched, send};

mod drive;
mod gate;
mod permit;

pub use drive::drive;

/// What becomes of a message in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is done with, and to be removed.
    Done,
    /// It comes again: it must not be removed.
    Again,
}

/// One message: at most one POST, begun and ended before `post_by`, recorded before `deadline`.
///
/// Idempotent by (tenant, event, endpoint, attempt): the row's condition takes each attempt once.
pub async fn attempt<E: Engine>(
    engine: &E,
    received: &Received,
    post_by: Timestamp,
    deadline: Timestamp,
) -> Result<Settled, EngineError> {
    let Found { row, event } = find(engine, received).await?;
    let (row, number) = match judge(row.as_ref(), received, engine.clock().now()) {
        Verdict::Attempt(number) => (row, number),
        Verdict::ClaimThenAttempt(number) => match take(engine, received, row).await? {
            Some(row) => (Some(row), number),
            // By another message, or by the other copy of this one: judged anew when it comes again.
            None => return Ok(Settled::Again),
        },
        Verdict::Drop => return dropped(engine, row, event).await,
        verdict @ (Verdict::Wait(_) | Verdict::Park(_) | Verdict::Hold | Verdict::End(_)) => {
            return follow(engine, received, row, verdict).await;
        }
    };
    let event = match sendable(event) {
        Ok(event) => event,
        Err(end) => return follow(engine, received, row, Verdict::End(end)).await,
    };
    let endpoint = match endpoint(engine, received, &event, number).await? {
        Ok(endpoint) => endpoint,
        Err(end) => return follow(engine, received, row, Verdict::End(end)).await,
    };
    let kind = received.message.kind;
    let Some(permit) = gate::admit(engine, &endpoint, (kind, number), post_by).await? else {
        return follow(engine, received, row, Verdict::Hold).await;
    };
    let profile = profile_of(engine, &endpoint).await?;
    let policy = profile.retry_policy(&endpoint);
    let before = received.message.pending().or_row(row);
    let id = received.message.key().id().to_string();
    let round = before.round(number, &policy, engine.clock().now());
    let outgoing =
        Outgoing { endpoint: &endpoint, profile: &profile, event: &event, id: &id, round };
    let dispatched = permit.run(engine, &endpoint, send(engine, outgoing, post_by)).await;
    let Dispatched { sent, inexact, .. } = dispatched?;

    let chance = u16::try_from(engine.entropy() & 0xffff).unwrap_or(0);
    let next = policy.after(
        number - before.base,
        before.round_began().unwrap_or(sent.started_at),
        &sent,
        chance,
    );
    let attempt = Attempt::of(number, &sent, next_at(next), inexact);
    log(received, &attempt, next);
    let turn = Turn { ticket: received.message.ticket.clone(), receives: received.receives };
    let (after, settlement) = before.after_attempt(&turn, attempt.clone(), next);
    let guard = Guard::for_attempt(received.message.born, number);
    let written = record(engine, guard, &after, received, settlement, deadline).await?;
    gate::observe(engine, &endpoint, kind, &sent).await;
    if next == Next::DisableEndpoint {
        disable(engine, &endpoint, DisabledReason::Gone).await?;
    }
    match written {
        Written::Done => {
            announce_failure(engine, &after, &event).await?;
            Ok(settled(settlement))
        }
        Written::Refused(row) => superseded(engine, received, row, attempt).await,
    }
}

/// What is known of a delivery before it is judged.
struct Found {
    row: Option<Delivery>,
    event: Option<Event>,
}

/// D1: a first receive just sent goes unread; else the row is read, and the event with it where the
/// message has none.
async fn find<E: Engine>(engine: &E, received: &Received) -> Result<Found, EngineError> {
    let message = &received.message;
    let event = message.event();
    if event.is_some() && received.may_go_unread(engine.clock().now()) {
        return Ok(Found { row: None, event });
    }
    if event.is_some() {
        return Ok(Found { row: engine.store().delivery(&message.key()).await?, event });
    }
    let (row, stored) = engine.store().delivery_and_event(&message.key()).await?;
    let stored = stored.filter(|stored| stored.born == message.born);
    Ok(Found { row, event: stored.map(|stored| stored.event) })
}

/// The event, or why there is none to send.
fn sendable(event: Option<Event>) -> Result<Event, End> {
    match event {
        None => Err(End::Failed(FailedReason::Expired)),
        Some(event) if event.expunged => Err(End::Cancelled(CancelledReason::Expunged)),
        Some(event) => Ok(event),
    }
}

/// D2: the endpoint, or why the delivery ends. Nothing is ended on a copy.
async fn endpoint<E: Engine>(
    engine: &E,
    received: &Received,
    event: &Event,
    number: u32,
) -> Result<Result<Arc<Endpoint>, End>, EngineError> {
    let message = &received.message;
    // What a gate has released was reviewed on the endpoint as it is: resumed, it may be.
    let is_first = number == 1 && message.kind == Kind::Normal;
    let max_age_s = if is_first { FRESH_S } else { ENDPOINT_COPY_RETRY_S };
    let copy = engine.store().endpoint(&message.tenant, &message.endpoint, max_age_s).await?;
    if let Ok(endpoint) = wanted(copy, event) {
        return Ok(Ok(endpoint));
    }
    let now = engine.store().endpoint(&message.tenant, &message.endpoint, 0).await?;
    Ok(wanted(now, event))
}

fn wanted(endpoint: Option<Arc<Endpoint>>, event: &Event) -> Result<Arc<Endpoint>, End> {
    let endpoint = endpoint.ok_or(End::Cancelled(CancelledReason::EndpointDeleted))?;
    if !endpoint.is_enabled() {
        return Err(End::Failed(FailedReason::EndpointDisabled));
    }
    if !endpoint.subscription.wants(&Candidate::new(event)) {
        return Err(End::Cancelled(CancelledReason::NotWanted));
    }
    Ok(endpoint)
}

/// A late delivery may have several messages, received at once after a backlog: the one that claims
/// the row drives, the others come again. As with the sweep's claim, the row stays watched.
async fn take<E: Engine>(
    engine: &E,
    received: &Received,
    row: Option<Delivery>,
) -> Result<Option<Delivery>, EngineError> {
    let Some((row, open)) = row.and_then(|row| row.open().cloned().map(|open| (row, open))) else {
        return Ok(None);
    };
    let now = engine.clock().now();
    let (key, due_at) = (row.key.clone(), open.due_at);
    let due = Due { key, due_at, next_at: open.next_at, claims: open.claims, lane: row.lane };
    let due_at = lease_until(now, open.next_at, open.claims);
    let claim = Claim { ticket: received.message.ticket.clone(), due_at, taken_at: Some(now) };
    let claimed = engine.store().claim(&due, &claim).await?;
    let (holder, claims) = (Some(claim.ticket), open.claims + 1);
    let status =
        Status::Open(Open { holder, due_at, claims, taken_at: Some(now), held: false, ..open });
    Ok(claimed.map(|_| Delivery { status, ..row }))
}

/// D5, repeated until the deadline where the store is slow: a POST was made, and must be recorded.
async fn record<E: Engine>(
    engine: &E,
    guard: Guard,
    row: &Delivery,
    received: &Received,
    settlement: Settlement,
    deadline: Timestamp,
) -> Result<Written, EngineError> {
    loop {
        let error = match engine.record_and_settle(guard, row, received, settlement).await {
            Ok(written) => return Ok(written),
            Err(error) => error,
        };
        let again_at = engine.clock().now().plus_ms(250);
        if again_at >= deadline || !error.kind().may_pass() {
            return Err(error);
        }
        tracing::warn!(%error, "a result is not recorded yet");
        engine.clock().sleep_until(again_at).await;
    }
}

/// A message that has nothing to do. If its delivery has failed, it may be that a crash came between
/// the record and the notice.
async fn dropped<E: Engine>(
    engine: &E,
    row: Option<Delivery>,
    event: Option<Event>,
) -> Result<Settled, EngineError> {
    if let (Some(row), Some(event)) = (row, event) {
        announce_failure(engine, &row, &event).await?;
    }
    Ok(Settled::Done)
}

/// Every verdict but `Attempt`: what becomes of the row and of the message.
async fn follow<E: Engine>(
    engine: &E,
    received: &Received,
    row: Option<Delivery>,
    verdict: Verdict,
) -> Result<Settled, EngineError> {
    let born = received.message.born;
    let row = received.message.pending().or_row(row);
    let guard = Guard::for_attempt(born, row.attempts + 1);
    let after = match verdict {
        Verdict::Drop => return Ok(Settled::Done),
        Verdict::Wait(at) => {
            let wait_s = at.wait_s(engine.clock().now());
            engine.queue().wait(&received.receipt, wait_s).await?;
            return Ok(Settled::Again);
        }
        // Never a second POST in one invocation: the message comes again and is judged anew.
        Verdict::Attempt(_) | Verdict::ClaimThenAttempt(_) => return Ok(Settled::Again),
        Verdict::Park(at) => row.parked(at),
        Verdict::Hold => row.held(engine.clock().now()),
        Verdict::End(end) => row.ended(end),
    };
    match engine.record_and_settle(guard, &after, received, Settlement::Done).await? {
        Written::Done => Ok(Settled::Done),
        Written::Refused(_) => Ok(Settled::Again),
    }
}

/// The record was refused: by our own write with a lost answer, by the other copy of this message,
/// or by a person. The row as it is now decides.
async fn superseded<E: Engine>(
    engine: &E,
    received: &Received,
    row: Option<Box<Delivery>>,
    attempt: Attempt,
) -> Result<Settled, EngineError> {
    let (tenant, delivery) = (&received.message.tenant, received.message.key().id());
    tracing::warn!(%tenant, %delivery, attempt = attempt.number, "superseded: not recorded");
    let row = row.map(|row| *row);
    if let Some(row) = &row
        && StatusName::from(&row.status) == StatusName::Cancelled
        && row.born == received.message.born
        && row.attempts + 1 == attempt.number
    {
        let mut cancelled = row.clone();
        cancelled.keep(attempt);
        // Only the log is at stake: a second refusal changes nothing.
        let guard = Guard::seen(Some(row));
        let _written = engine.store().record_attempt(guard, &cancelled).await?;
    }
    let verdict = judge(row.as_ref(), received, engine.clock().now());
    follow(engine, received, row, verdict).await
}

fn settled(settlement: Settlement) -> Settled {
    match settlement {
        Settlement::Done => Settled::Done,
        Settlement::VisibleAt(_) => Settled::Again,
    }
}

fn next_at(next: Next) -> Option<Timestamp> {
    match next {
        Next::RetryAt(at) => Some(at),
        Next::Done | Next::GiveUp | Next::Unsendable | Next::DisableEndpoint => None,
    }
}

/// One wide line an attempt: ids and figures, never a payload, a URL or a header.
fn log(received: &Received, attempt: &Attempt, next: Next) {
    tracing::info!(
        tenant = %received.message.tenant,
        delivery = %received.message.key().id(),
        attempt = attempt.number,
        outcome = attempt.outcome.as_str(),
        status = attempt.response_status,
        duration_ms = attempt.duration_ms,
        receives = received.receives,
        next_attempt_at = next_at(next).map(Timestamp::rfc3339),
        detail = attempt.detail,
        "attempt"
    );
}
