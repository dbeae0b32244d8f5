//! Reviews the gates that are due: sends probes, releases held deliveries at a rate, and removes
//! gates that are no longer needed.

use futures_util::future::join_all;
use waxseal_domain::delivery::lease_until;
use waxseal_domain::delivery::message::Kind;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::gate::{Gate, Mode, Review};
use waxseal_domain::flow_control::rate::{TokenRequest, of_endpoint, windows};
use waxseal_domain::limits::{
    PACED_PER_REVIEW_MAX, PACED_PER_SECOND, PACING_REVIEW_S, UNREADABLE_GATE_S,
};
use waxseal_domain::timestamp::Timestamp;

use super::pass_over;
use crate::disable::disable;
use crate::ports::{
    Claim, Clock as _, ConfigStore as _, Due, Engine, EngineError, GateStore as _, MaxAge, Release,
};

/// The number of gates that one sweep reviews. The earliest come first, so that none starves.
const GATES_MAX: usize = 200;
/// The number of held deliveries that are released at the same time.
const TOGETHER: usize = 32;

/// Reviews the gates that are due, until `deadline`, and returns how many held deliveries were
/// released.
pub(crate) async fn review_due<E: Engine>(
    engine: &E,
    deadline: Timestamp,
) -> Result<usize, EngineError> {
    let mut released = 0;
    for gate in engine.store().due_gates(engine.clock().now(), GATES_MAX).await? {
        let now = engine.clock().now();
        if now >= deadline {
            break;
        }
        // The answer may have told that our clock is ahead: a gate is never reviewed early.
        if gate.due_at > now {
            continue;
        }
        let reviewed = review(engine, &gate, deadline).await;
        match pass_over(&gate.tenant, reviewed)? {
            Some(count) => released += count,
            None => put_off(engine, &gate).await?,
        }
    }
    Ok(released)
}

/// Has a gate that cannot be reviewed be due later. The earliest come first: enough of them would keep all others from
/// being reviewed, at each sweep.
async fn put_off<E: Engine>(engine: &E, gate: &Gate) -> Result<(), EngineError> {
    let now = engine.clock().now();
    let later = gate.turn(gate.mode, now, now.plus_s(UNREADABLE_GATE_S));
    let written = engine.store().put_gate(&later, Some(gate)).await;
    pass_over(&gate.tenant, written).map(|_| ())
}

async fn review<E: Engine>(
    engine: &E,
    gate: &Gate,
    deadline: Timestamp,
) -> Result<usize, EngineError> {
    let now = engine.clock().now();
    let endpoint = engine.store().endpoint(&gate.tenant, &gate.endpoint, MaxAge::NOW).await?;
    match gate.review(endpoint.as_deref(), now) {
        Review::Probe => probe(engine, gate, now).await,
        Review::Pace => pace(engine, gate, endpoint.as_deref(), Kind::Paced, deadline).await,
        Review::Close => pace(engine, gate, endpoint.as_deref(), Kind::Normal, deadline).await,
        Review::Wait => wait(engine, gate, now).await.map(|()| 0),
        Review::GiveUp(reason) => {
            if let Some(endpoint) = &endpoint {
                // What the gate holds is released below; each delivery then finds the endpoint
                // disabled and ends with that reason.
                disable(engine, endpoint, reason).await?;
            }
            pace(engine, gate, endpoint.as_deref(), Kind::Paced, deadline).await
        }
    }
}

/// Sends the oldest held delivery as a probe. The gate is turned first, over the version that was
/// read, so that of several reviews at once only one sends a probe. With nothing held the gate
/// closes, and the next delivery that comes shows how the endpoint is.
async fn probe<E: Engine>(engine: &E, gate: &Gate, now: Timestamp) -> Result<usize, EngineError> {
    let held = engine.store().held_deliveries(&gate.tenant, &gate.endpoint, now, 1).await?;
    let Some(oldest) = held.first() else {
        let closing = gate.turn(Mode::Closing, now, Gate::next_review(now));
        engine.store().put_gate(&closing, Some(gate)).await?;
        return Ok(0);
    };
    let next_at = now.plus_s(engine.breakers().settings.probe_s);
    let probed = gate.turn(Mode::Open, now, next_at);
    if !engine.store().put_gate(&probed, Some(gate)).await? {
        return Ok(0);
    }
    release(engine, oldest, Release { kind: Kind::Probe, delay_s: 0 }).await.map(usize::from)
}

/// Reviews the gate of a paused endpoint, which releases nothing. Where nothing is held, the gate
/// begins to close, or goes if it has lingered.
async fn wait<E: Engine>(engine: &E, gate: &Gate, now: Timestamp) -> Result<(), EngineError> {
    let is_idle =
        engine.store().held_deliveries(&gate.tenant, &gate.endpoint, now, 1).await?.is_empty();
    if is_idle && gate.has_lingered(now) {
        engine.store().delete_gate(gate).await?;
        return Ok(());
    }
    let mode = if is_idle { Mode::Closing } else { Mode::Pacing };
    let turned = gate.turn(mode, now, Gate::next_review(now));
    engine.store().put_gate(&turned, Some(gate)).await?;
    Ok(())
}

/// Releases what is held, spread over the time until the next review, and returns how many. The
/// gate goes once it holds nothing and has lingered.
async fn pace<E: Engine>(
    engine: &E,
    gate: &Gate,
    endpoint: Option<&Endpoint>,
    kind: Kind,
    deadline: Timestamp,
) -> Result<usize, EngineError> {
    let now = engine.clock().now();
    let held = engine
        .store()
        .held_deliveries(&gate.tenant, &gate.endpoint, now, PACED_PER_REVIEW_MAX)
        .await?;
    // An instance may still hold a delivery on an old copy of the gate. If the gate went at once,
    // nobody would release that delivery.
    if held.is_empty() && gate.has_lingered(now) {
        engine.store().delete_gate(gate).await?;
        return Ok(0);
    }
    let is_over = held.is_empty() || gate.mode == Mode::Closing;
    let mode = if is_over { Mode::Closing } else { Mode::Pacing };
    let turned = gate.turn(mode, now, Gate::next_review(now));
    // Turned before anything is released: another review that read the same gate is refused here,
    // and the same deliveries are not released at twice the rate.
    if !engine.store().put_gate(&turned, Some(gate)).await? {
        return Ok(0);
    }
    // What a closing gate still releases goes out as ordinary messages, which take their tokens
    // themselves.
    let limit = endpoint.and_then(|one| one.max_per_second).filter(|_| kind == Kind::Paced);
    let per_second = limit.unwrap_or(PACED_PER_SECOND);
    let mut held = held.iter();
    let mut released = 0;
    let whose = of_endpoint(&gate.tenant, &gate.endpoint);
    for window in windows(now, PACING_REVIEW_S) {
        let wanted = TokenRequest::of(per_second, window, now).after(held.as_slice().len());
        let granted = match limit {
            Some(_) if wanted.count == 0 => 0,
            Some(_) => engine.store().take_tokens(&whose, wanted).await?,
            None => wanted.count,
        };
        let mut granted = (0..granted).zip(held.by_ref());
        while engine.clock().now() < deadline {
            let some: Vec<_> = granted.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                break;
            }
            let each = some.into_iter().map(|(number, due)| {
                release(engine, due, Release { kind, delay_s: wanted.delay_s(number, now) })
            });
            for done in join_all(each).await {
                released += usize::from(pass_over(&gate.tenant, done)?.unwrap_or_default());
            }
        }
    }
    Ok(released)
}

/// Puts a held delivery back on the queue, claimed out of its gate's part of the index. The claim's
/// `taken_at` is the time for which the message is sent, so that older messages of the delivery
/// leave it alone until then.
async fn release<E: Engine>(engine: &E, due: &Due, release: Release) -> Result<bool, EngineError> {
    let sent_for = engine.clock().now().plus_s(u64::from(release.delay_s));
    let due_at = lease_until(sent_for, due.next_at, due.claims);
    let claim = Claim { ticket: engine.ticket(), due_at, taken_at: Some(sent_for) };
    engine.claim_and_enqueue(due, claim, release).await
}
