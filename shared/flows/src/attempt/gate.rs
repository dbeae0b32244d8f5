//! The gate before an endpoint: whether an attempt may be made, and what its outcome tells.

use waxseal_domain::delivery::attempt::{Outcome, Sent};
use waxseal_domain::delivery::message::Kind;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::gate::{Gate, Mode, is_throttled};
use waxseal_domain::flow_control::rate::{Tokens, of_endpoint};
use waxseal_domain::limits::{ENDPOINT_COPY_RETRY_S, GATE_COPY_S, PACED_PER_SECOND};
use waxseal_domain::notice::Notice;
use waxseal_domain::timestamp::Timestamp;

use super::permit::AttemptPermit;
use crate::announce::announce;
use crate::ports::{Clock as _, Engine, EngineError, GateStore as _};

/// D3: the permit to make an attempt to the endpoint now; none where it is to be held. What is over the
/// endpoint's rate or its slots, or meets a paused endpoint, makes the gate pace.
pub(crate) async fn admit<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    (kind, number): (Kind, u32),
    post_by: Timestamp,
) -> Result<Option<AttemptPermit>, EngineError> {
    if endpoint.is_paused() {
        limit(engine, endpoint).await?;
        return Ok(None);
    }
    let max_age_s = if number == 1 { GATE_COPY_S } else { ENDPOINT_COPY_RETRY_S };
    let gate = engine.store().gate(&endpoint.tenant, &endpoint.id, max_age_s).await?;
    if let Some(gate) = gate.filter(|gate| !gate.lets_through(endpoint, kind)) {
        let goes_ahead = number > 1 && gate.is_ripe(engine.clock().now());
        if !goes_ahead || !is_in_pace(engine, endpoint).await? {
            return Ok(None);
        }
    }
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

/// Whether the pace of a review has room, where the endpoint has no rate of its own.
async fn is_in_pace<E: Engine>(engine: &E, endpoint: &Endpoint) -> Result<bool, EngineError> {
    if endpoint.max_per_second.is_some() {
        return Ok(true);
    }
    take_token(engine, endpoint, PACED_PER_SECOND).await
}

/// Whether the endpoint's rate allows it; what is paced has its token.
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
    let one = Tokens::now(max_per_second, engine.clock().now());
    let whose = of_endpoint(&endpoint.tenant, &endpoint.id);
    Ok(engine.store().take_tokens(&whose, one).await? > 0)
}

/// Has the endpoint's gate pace, unless it does more already.
async fn limit<E: Engine>(engine: &E, endpoint: &Endpoint) -> Result<(), EngineError> {
    let before = engine.store().gate(&endpoint.tenant, &endpoint.id, 0).await?;
    if before.as_ref().is_none_or(|before| before.mode == Mode::Closing) {
        let limited = Gate::limited(endpoint, before.as_ref(), engine.clock().now());
        engine.store().put_gate(&limited, before.map(|before| before.version)).await?;
    }
    Ok(())
}

/// After an attempt: the breaker opens, a throttled endpoint is slowed down, a probe that was accepted
/// begins the recovery. Nothing of it is owed to anybody: a failure here is logged.
pub(crate) async fn observe<E: Engine>(engine: &E, endpoint: &Endpoint, kind: Kind, sent: &Sent) {
    if let Err(error) = turn(engine, endpoint, kind, sent).await {
        tracing::warn!(%error, tenant = %endpoint.tenant, endpoint = %endpoint.id, "gate not turned");
    }
}

async fn turn<E: Engine>(
    engine: &E,
    endpoint: &Endpoint,
    kind: Kind,
    sent: &Sent,
) -> Result<(), EngineError> {
    if sent.outcome == Outcome::Unsendable {
        // It was not asked, so it says nothing of the endpoint.
        return Ok(());
    }
    let now = engine.clock().now();
    let (tenant, id) = (&endpoint.tenant, &endpoint.id);
    let is_tripped = engine.breakers().is_tripped(tenant, id, sent.outcome, now);
    let is_well = kind == Kind::Probe && sent.outcome == Outcome::Accepted;
    if !is_tripped && !is_well && !is_throttled(sent) {
        return Ok(());
    }
    let before = engine.store().gate(tenant, id, 0).await?;
    let after = match &before {
        Some(gate) if is_well && gate.mode == Mode::Open => gate.turned(Mode::Pacing, now, now),
        Some(gate) if !gate.may_turn() => return Ok(()),
        _ if is_well => return Ok(()),
        before if is_tripped => {
            Gate::opened(endpoint, before.as_ref(), engine.breakers().settings.probe_s, now)
        }
        before => Gate::slowed(endpoint, before.as_ref(), sent),
    };
    let version = before.as_ref().map(|before| before.version);
    if engine.store().put_gate(&after, version).await? {
        tracing::warn!(%tenant, endpoint = %id, mode = ?after.mode, "gate turned");
        if is_well {
            announce(engine, &Notice::of_recovered(&after)).await?;
        } else if after.mode == Mode::Open {
            announce(engine, &Notice::of_opened(&after)).await?;
        }
    }
    Ok(())
}
