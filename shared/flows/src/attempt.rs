//! One message, at most one POST, its result recorded, the message settled: judge, post, decide, record, settle.
//! Steps D1 to D6 of the protocol.
//!
//! [`attempt`] is the whole delivery on one page. [`drive`] puts it where a panic or a hang of one message leaves the
//! others alone, and turns our own failures into a later try.

use std::sync::Arc;

use waxseal_domain::delivery::attempt::{Attempt, SendResult};
use waxseal_domain::delivery::dispatch::Outgoing;
use waxseal_domain::delivery::judge::{Verdict, judge};
use waxseal_domain::delivery::message::{Kind, ReceivedMessage};
use waxseal_domain::delivery::retry::{Next, RetryPolicy};
use waxseal_domain::delivery::{
    CancelledReason, Delivery, End, FailedReason, Guard, OpenState, Settlement, Status, StatusName,
    Turn, WriteResult, lease_until,
};
use waxseal_domain::endpoint::subscription::{Candidate, Undecided};
use waxseal_domain::endpoint::{DisabledReason, Endpoint};
use waxseal_domain::event::Event;
use waxseal_domain::limits::{
    ENDPOINT_COPY_FIRST_ATTEMPT_S, ENDPOINT_COPY_RETRY_S, MATCH_STEPS_ATTEMPT,
};
use waxseal_domain::timestamp::Timestamp;

use crate::announce::announce_failure;
use crate::disable::disable;
use crate::ports::{
    Claim, Clock as _, ConfigStore as _, DeliveryStore as _, Due, Engine, EngineError, MaxAge,
};
use crate::profiles::profile_of;
use crate::send::{Dispatch, send};

mod drive;
mod follow;
mod gate;
mod permit;

use self::follow::{drop_message, follow, put_off};

pub use drive::drive;

/// What the caller must do with a message in its queue once the attempt is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The message has nothing left to do and must be removed.
    Done,
    /// The message must stay in the queue, which delivers it again.
    Again,
}

/// Handles one message: makes at most one POST, begun and ended before `post_by`, and records its
/// result before `deadline`. An `Err` is our own failure, and the message must come again.
///
/// Idempotent by (tenant, event, endpoint, attempt): the row's condition takes each attempt once.
pub async fn attempt<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
    post_by: Timestamp,
    deadline: Timestamp,
) -> Result<Disposition, EngineError> {
    let StoredDelivery { row, event } = find(engine, received).await?;
    // Of the row as it was read: to claim it, below, changes what tells the kind.
    let kind = received.message.kind_now(row.as_ref());
    let (row, number) = match judge_now(engine, row.as_ref(), received) {
        Verdict::Attempt(number) => (row, number),
        Verdict::ClaimThenAttempt(number) => match take(engine, received, row).await? {
            Some(row) => (Some(row), number),
            // Another message, or a second receive of this one, has claimed the row. This message
            // comes again and is judged anew: to drop it would be wrong if the second receive holds
            // the row and crashes.
            None => return Ok(Disposition::Again),
        },
        Verdict::Drop => return drop_message(engine, row, event).await,
        verdict @ (Verdict::Wait(_) | Verdict::Park(_) | Verdict::Hold | Verdict::End(_)) => {
            return follow(engine, received, row, verdict).await;
        }
    };
    let event = match sendable(event) {
        Ok(event) => event,
        Err(end) => return follow(engine, received, row, Verdict::End(end)).await,
    };
    let endpoint = match recipient(engine, received, &event, number, kind).await? {
        Recipient::Wanting(endpoint) => endpoint,
        Recipient::Ended(end) => return follow(engine, received, row, Verdict::End(end)).await,
    };
    // The gate is asked last, just before the POST: it may take a slot and a token, which a
    // delivery that ends here would waste.
    let Some(permit) = gate::pass_gate(engine, &endpoint, kind, number, post_by).await? else {
        return follow(engine, received, row, Verdict::Hold).await;
    };
    let profile = profile_of(engine, &endpoint).await?;
    let policy = profile.retry_policy(&endpoint);
    let before = received.message.pending().unless_stored(row);
    let id = received.message.key().id().to_string();
    let round = before.round(number, &policy, engine.clock().now());
    let outgoing =
        Outgoing { endpoint: &endpoint, profile: &profile, event: &event, id: &id, round };
    let dispatched = permit.run(engine, &endpoint, send(engine, outgoing, post_by)).await;
    let Dispatch { sent, inexact, .. } = match dispatched {
        Ok(dispatched) => dispatched,
        Err(error) => return put_off(engine, received, before, error).await,
    };

    let next = decide(engine, &policy, &before, number, &sent);
    let attempt = Attempt::of(number, &sent, next_at(next), inexact);
    log(received, &attempt, next);
    let turn = Turn { ticket: received.message.ticket.clone(), receives: received.receives };
    let (after, settlement) = before.after_attempt(&turn, attempt.clone(), next);
    let guard = Guard::for_attempt(received.message.event_accepted_at, number);
    // The result is written before the gate is told and the endpoint is disabled. A crash in
    // between costs a count that the next attempts make good; the other order could lose the
    // result.
    let written = record(engine, guard, &after, received, settlement, deadline).await?;
    gate::observe(engine, &endpoint, kind, &sent).await;
    // Also where the record was refused: a 410 was answered, whoever records it. `disable` does
    // nothing if the endpoint was changed since it was read.
    if next == Next::DisableEndpoint {
        disable(engine, &endpoint, DisabledReason::Gone).await?;
    }
    match written {
        WriteResult::Done => {
            announce_failure(engine, &after, &event).await?;
            Ok(settle(settlement))
        }
        WriteResult::Refused(row) => judge_refused_record(engine, received, row, attempt).await,
    }
}

/// Judges a message by its delivery's row and the time as it is now.
fn judge_now<E: Engine>(engine: &E, row: Option<&Delivery>, received: &ReceivedMessage) -> Verdict {
    let now = engine.clock().now();
    let accepted_at = engine.clock().reckon(received.message.event_accepted_at);
    judge(row, received, now, now.since_ms(accepted_at))
}

/// The stored row of a delivery and its event, as far as the message did not make it needless to
/// read them.
struct StoredDelivery {
    row: Option<Delivery>,
    event: Option<Event>,
}

/// Takes step D1: reads the delivery's row, together with its event where the message does not
/// carry it. A message that was just sent and is received for the first time goes without a read.
async fn find<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
) -> Result<StoredDelivery, EngineError> {
    let message = &received.message;
    let event = message.event();
    if event.is_some() && received.may_go_unread(engine.clock().now()) {
        return Ok(StoredDelivery { row: None, event });
    }
    if event.is_some() {
        return Ok(StoredDelivery { row: engine.store().delivery(&message.key()).await?, event });
    }
    let (row, stored) = engine.store().delivery_and_event(&message.key()).await?;
    // An id may be used again once its event has expired: the event that is stored then is another.
    let stored = stored.filter(|stored| stored.event_accepted_at == message.event_accepted_at);
    Ok(StoredDelivery { row, event: stored.map(|stored| stored.event) })
}

/// Returns the event to send, or how the delivery ends because its event has expired or its payload
/// was expunged.
fn sendable(event: Option<Event>) -> Result<Event, End> {
    match event {
        None => Err(End::Failed(FailedReason::Expired)),
        Some(event) if event.expunged => Err(End::Cancelled(CancelledReason::Expunged)),
        Some(event) => Ok(event),
    }
}

/// The endpoint that a delivery is owed to, as it is by now.
enum Recipient {
    /// It wants the event.
    Wanting(Arc<Endpoint>),
    /// It is gone, disabled, or wants the event no more: so the delivery ends.
    Ended(End),
}

/// Takes step D2: finds the endpoint, or how the delivery ends because the endpoint is gone,
/// disabled, or no longer wants the event. A copy may lack an endpoint that was made just now, so a
/// delivery is ended only after a consistent read.
async fn recipient<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
    event: &Event,
    number: u32,
    kind: Kind,
) -> Result<Recipient, EngineError> {
    let message = &received.message;
    // A gate released this message after a review of the endpoint as it is now, perhaps just
    // resumed. An old copy would still say that it is paused, and hold the delivery again.
    let is_first = number == 1 && kind == Kind::Normal;
    let max_age = MaxAge::seconds(if is_first {
        ENDPOINT_COPY_FIRST_ATTEMPT_S
    } else {
        ENDPOINT_COPY_RETRY_S
    });
    let copy = engine.store().endpoint(&message.tenant, &message.endpoint, max_age).await?;
    // Whatever a copy says against the delivery, the endpoint may have been changed since.
    if let Ok(Recipient::Wanting(endpoint)) = recipient_of(copy, event) {
        return Ok(Recipient::Wanting(endpoint));
    }
    let now = engine.store().endpoint(&message.tenant, &message.endpoint, MaxAge::NOW).await?;
    recipient_of(now, event)
}

/// Says whether an endpoint, as it was read, wants the event. It is our own failure where the event cannot be
/// read, and ends nothing. What is too dear to say is owed as it was.
fn recipient_of(endpoint: Option<Arc<Endpoint>>, event: &Event) -> Result<Recipient, EngineError> {
    let Some(endpoint) = endpoint else {
        return Ok(Recipient::Ended(End::Cancelled(CancelledReason::EndpointDeleted)));
    };
    if !endpoint.is_enabled() {
        return Ok(Recipient::Ended(End::Failed(FailedReason::EndpointDisabled)));
    }
    match endpoint.subscription.wants(&Candidate::new(event, MATCH_STEPS_ATTEMPT)) {
        Ok(true) => Ok(Recipient::Wanting(endpoint)),
        Ok(false) => Ok(Recipient::Ended(End::Cancelled(CancelledReason::NotWanted))),
        // It was wanted when it was accepted, and is owed.
        Err(Undecided::TooDear(_)) => Ok(Recipient::Wanting(endpoint)),
        Err(Undecided::Unreadable(fault)) => {
            Err(EngineError::unreadable("match event", fault.detail))
        }
    }
}

/// Claims the row for a message that is late; none if another message was faster. After a backlog
/// several messages of one delivery may be received at once, and without the claim each of them
/// would make the attempt. As with the sweep's claim, the row stays in the due index.
async fn take<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
    row: Option<Delivery>,
) -> Result<Option<Delivery>, EngineError> {
    let Some((row, open)) = row.and_then(|row| row.open().cloned().map(|open| (row, open))) else {
        return Ok(None);
    };
    let now = engine.clock().now();
    let (key, due_at) = (row.key.clone(), open.due_at);
    let due =
        Due { key, due_at, next_at: open.next_at, claims: open.claims, priority: row.priority };
    let due_at = lease_until(now, open.next_at, open.claims);
    let claim = Claim { ticket: received.message.ticket.clone(), due_at, taken_at: Some(now) };
    let claimed = engine.store().claim(&due, &claim).await?;
    let (holder, claims) = (Some(claim.ticket), open.claims + 1);
    let status = Status::Open(OpenState {
        holder,
        due_at,
        claims,
        taken_at: Some(now),
        held: false,
        ..open
    });
    Ok(claimed.map(|_| Delivery { status, ..row }))
}

/// Takes step D5, again and again until the deadline while the store fails: the POST was made, and
/// a result that is not recorded means another POST.
async fn record<E: Engine>(
    engine: &E,
    guard: Guard,
    row: &Delivery,
    received: &ReceivedMessage,
    settlement: Settlement,
    deadline: Timestamp,
) -> Result<WriteResult, EngineError> {
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

/// Decides what follows an attempt, by the endpoint's policy.
fn decide<E: Engine>(
    engine: &E,
    policy: &RetryPolicy,
    before: &Delivery,
    number: u32,
    sent: &SendResult,
) -> Next {
    let chance = u16::try_from(engine.entropy() & 0xffff).unwrap_or(0);
    let round_began = before.round_began().map(|began| engine.clock().reckon(began));
    let round_began = round_began.unwrap_or(sent.started_at);
    policy.after(number - before.attempts_before_round, round_began, sent, chance)
}

/// Decides what a refused record means. It may be our own write whose answer was lost, the other
/// copy of this message, or a person's cancel or replay; so the message is judged by the row as it
/// is now. To take a refusal for success would leave a retrying row without a message.
async fn judge_refused_record<E: Engine>(
    engine: &E,
    received: &ReceivedMessage,
    row: Option<Box<Delivery>>,
    attempt: Attempt,
) -> Result<Disposition, EngineError> {
    let (tenant, delivery) = (&received.message.tenant, received.message.key().id());
    tracing::warn!(%tenant, %delivery, attempt = attempt.number, "superseded: not recorded");
    let row = row.map(|row| *row);
    if let Some(row) = &row
        && StatusName::from(&row.status) == StatusName::Cancelled
        && row.event_accepted_at == received.message.event_accepted_at
        && row.attempts + 1 == attempt.number
    {
        let mut cancelled = row.clone();
        cancelled.keep(attempt);
        if cancelled.status == Status::Cancelled(CancelledReason::Expunged) {
            cancelled = cancelled.without_answers();
        }
        // The status stays as it is and only the log gains an entry, so a second refusal loses
        // nothing that matters.
        let guard = Guard::unchanged_since(Some(row));
        let _written = engine.store().record_attempt(guard, &cancelled).await?;
    }
    let verdict = judge_now(engine, row.as_ref(), received);
    follow(engine, received, row, verdict).await
}

fn settle(settlement: Settlement) -> Disposition {
    match settlement {
        Settlement::Done => Disposition::Done,
        Settlement::VisibleAt(_) => Disposition::Again,
    }
}

fn next_at(next: Next) -> Option<Timestamp> {
    match next {
        Next::RetryAt(at) => Some(at),
        Next::Done | Next::GiveUp | Next::Unsendable | Next::Looped | Next::DisableEndpoint => None,
    }
}

/// Writes one wide log line for each attempt, with ids and figures and never a payload, a URL or a
/// header.
fn log(received: &ReceivedMessage, attempt: &Attempt, next: Next) {
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

#[cfg(test)]
mod tests;
