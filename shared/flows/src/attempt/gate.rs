//! Asks an endpoint's gate whether an attempt may be made, and tells the gate what came of it.

use waxseal_domain::delivery::attempt::{Outcome, SendResult};
use waxseal_domain::delivery::message::Kind;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::gate::{Gate, Mode, is_throttled};
use waxseal_domain::flow_control::rate::{TokenRequest, of_endpoint};
use waxseal_domain::limits::{GATE_COPY_FIRST_ATTEMPT_S, GATE_COPY_RETRY_S, PACED_PER_SECOND};
use waxseal_domain::notice::Notice;
use waxseal_domain::timestamp::Timestamp;

use super::permit::AttemptPermit;
use crate::announce::announce;
use crate::ports::{Clock as _, Engine, EngineError, GateStore as _, MaxAge};

/// How often a gate is written that others change at the same time. Two reviews of one gate are a minute apart.
const LIMIT_TRIES_MAX: usize = 5;

/// Takes step D3: returns a permit to make one attempt to the endpoint now, or none where the
/// delivery must be held. A paused endpoint, and one whose slots or rate are used up, also gets a
/// gate that paces: a held delivery is found again only through a gate.
pub(crate) async fn pass_gate<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    kind: Kind,
    number: u32,
    post_by: Timestamp,
) -> Result<Option<AttemptPermit>, EngineError> {
    if endpoint.is_paused() {
        limit(engine, endpoint).await?;
        return Ok(None);
    }
    // A first attempt uses an older copy, which costs no read for most deliveries. A gate lingers
    // for longer than any copy lives, so what is held on an old copy is still released.
    let max_age =
        MaxAge::seconds(if number == 1 { GATE_COPY_FIRST_ATTEMPT_S } else { GATE_COPY_RETRY_S });
    let gate = engine.store().gate(&endpoint.tenant, &endpoint.id, max_age).await?;
    if let Some(gate) = gate.filter(|gate| !gate.lets_through(endpoint, kind)) {
        // A receiver that throttled has named a time, and the sweep's review comes up to a minute
        // after it. A retry goes ahead when that time has come. A first attempt does not: its copy
        // of the gate may be a minute old.
        let goes_ahead = number > 1 && gate.is_ripe(engine.clock().now());
        if !goes_ahead || !is_in_pace(engine, endpoint).await? {
            return Ok(None);
        }
    }
    // The slot is taken before the token: a slot can be given back, a token is spent.
    let Some(permit) = AttemptPermit::take(engine, endpoint, post_by).await? else {
        limit(engine, endpoint).await?;
        return Ok(None);
    };
    if has_token(engine, endpoint, kind).await? {
        return Ok(Some(permit));
    }
    permit.give_back(engine, endpoint).await;
    limit(engine, endpoint).await?;
    Ok(None)
}

/// Whether a retry that goes ahead of its gate's review still fits the pace of that review. An
/// endpoint with a rate of its own is bounded by that rate instead.
async fn is_in_pace<E: Engine>(engine: &E, endpoint: &Endpoint) -> Result<bool, EngineError> {
    if endpoint.max_per_second.is_some() {
        return Ok(true);
    }
    take_token(engine, endpoint, PACED_PER_SECOND).await
}

/// Whether the endpoint's rate allows one more attempt now. A paced message took its token when its
/// gate released it, and takes no other.
async fn has_token<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    kind: Kind,
) -> Result<bool, EngineError> {
    let Some(max_per_second) = endpoint.max_per_second.filter(|_| kind != Kind::Paced) else {
        return Ok(true);
    };
    take_token(engine, endpoint, max_per_second).await
}

async fn take_token<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    max_per_second: u32,
) -> Result<bool, EngineError> {
    let one = TokenRequest::now(max_per_second, engine.clock().now());
    let whose = of_endpoint(&endpoint.tenant, &endpoint.id);
    Ok(engine.store().take_tokens(&whose, one).await? > 0)
}

/// Makes the endpoint's gate pace, unless the gate is already open or pacing. It answers only once there is such a
/// gate: a delivery that is held without one would never be released.
async fn limit<E: Engine>(engine: &E, endpoint: &Endpoint) -> Result<(), EngineError> {
    for _ in 0..LIMIT_TRIES_MAX {
        // Not from a copy: the write below is made over the version that is read here, and a closing
        // gate must be stopped from going while it holds something.
        let before = engine.store().gate(&endpoint.tenant, &endpoint.id, MaxAge::NOW).await?;
        if before.as_ref().is_some_and(|before| before.mode != Mode::Closing) {
            return Ok(());
        }
        let limited = Gate::limit_rate(endpoint, before.as_ref(), engine.clock().now());
        if engine.store().put_gate(&limited, before.as_ref()).await? {
            return Ok(());
        }
        // Refused: another has made a gate, or a review has just removed the one that was closing.
    }
    Err(EngineError::conflict("limit endpoint", "its gate was changed again and again"))
}

/// Tells the gate what came of an attempt: a breaker opens, sending to an endpoint that throttles
/// slows down, and an accepted probe begins the recovery. The attempt is recorded by then and no delivery
/// depends on this, so a failure here is only logged.
pub(crate) async fn observe<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    kind: Kind,
    sent: &SendResult,
) {
    if let Err(error) = turn(engine, endpoint, kind, sent).await {
        tracing::warn!(%error, tenant = %endpoint.tenant, endpoint = %endpoint.id, "gate not turned");
    }
}

async fn turn<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    kind: Kind,
    sent: &SendResult,
) -> Result<(), EngineError> {
    if sent.outcome == Outcome::Unsendable {
        // Nothing was sent, so the outcome says nothing about the endpoint.
        return Ok(());
    }
    let now = engine.clock().now();
    let (tenant, id) = (&endpoint.tenant, &endpoint.id);
    let is_tripped = engine.breakers().is_tripped(tenant, id, sent.outcome, now);
    let is_well = kind == Kind::Probe && sent.outcome == Outcome::Accepted;
    if !is_tripped && !is_well && !is_throttled(sent) {
        return Ok(());
    }
    let before = engine.store().gate(tenant, id, MaxAge::NOW).await?;
    // Once more, after the read: the gate is planned by the clock as it is when it is written.
    let now = engine.clock().now();
    let after = match &before {
        // Only an accepted probe and the review turn an open gate. A breaker that opened it again
        // would put its next probe off each time.
        Some(gate) if is_well && gate.mode == Mode::Open => gate.turn(Mode::Pacing, now, now),
        Some(gate) if !gate.may_turn() => return Ok(()),
        _ if is_well => return Ok(()),
        before if is_tripped => {
            Gate::open_breaker(endpoint, before.as_ref(), engine.breakers().settings.probe_s, now)
        }
        before => Gate::slow_down(endpoint, before.as_ref(), sent, now),
    };
    if engine.store().put_gate(&after, before.as_ref()).await? {
        tracing::warn!(%tenant, endpoint = %id, mode = ?after.mode, "gate turned");
        if is_well {
            announce(engine, &Notice::of_recovery(&after)).await?;
        } else if after.mode == Mode::Open {
            announce(engine, &Notice::of_breaker_open(&after)).await?;
        }
    }
    Ok(())
}
