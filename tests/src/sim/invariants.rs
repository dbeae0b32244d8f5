//! What must hold at the end. What must hold at each POST is checked there.

use waxseal_domain::delivery::{Delivery, DeliveryKey, FailedReason, Status};
use waxseal_domain::history::{Circumstances, DeliveryHistory, Post, Replays, Silence};
use waxseal_domain::timestamp::Timestamp;

use super::Report;
use super::plan::Action;
use super::ports::position;
use super::world::{State, World};

pub(super) fn check(world: &World) -> Report {
    let trace = world.trace();
    let state = &mut *world.state();
    let mut violations = std::mem::take(&mut state.violations);
    for (event, targets) in &state.acknowledged {
        for endpoint in targets {
            let (tenant, event) = (world.tenant.clone(), event.clone());
            let key = DeliveryKey { tenant, event, endpoint: endpoint.clone() };
            match state.row(&key) {
                None => violations.push(format!("{} was acknowledged and never sent", key.id())),
                Some(row) if row.open().is_some() => {
                    violations.push(format!("{} is not final: {:?}", key.id(), row.status));
                }
                Some(_) => {}
            }
        }
    }
    if !state.queue.is_empty() || !state.dead.is_empty() {
        violations.push(format!("{} messages never end", state.queue.len() + state.dead.len()));
    }
    let rows: Vec<Delivery> =
        state.rows.values().filter_map(|stored| stored.delivery.clone()).collect();
    for row in rows {
        check_row(world, state, &row, &mut violations);
        check_history(world, state, &row, &mut violations);
    }
    let interval_ms = world.plan.breaker.probe_s * 1_000;
    for (endpoint, probes) in &state.probes {
        let hasty = |pair: &[Timestamp]| {
            pair[1].since_ms(pair[0]) + 2 * world.plan.skew_ms_max + 3_000 < interval_ms
        };
        if state.faults == 0 && probes.windows(2).any(hasty) {
            violations.push(format!("{endpoint} was probed twice within an interval: {probes:?}"));
        }
    }
    let (acknowledged, posts) = (state.acknowledged.len(), state.posts.len());
    Report { violations, acknowledged, posts, faults: state.faults, trace }
}

/// Holds a row and its POSTs against what any deployment's history is held against.
fn check_history(world: &World, state: &State, row: &Delivery, violations: &mut Vec<String>) {
    let id = row.key.id().to_string();
    let (event, endpoint) = (position(row.key.event.as_str()), position(row.key.endpoint.as_str()));
    let replay =
        |action: &Action| matches!(action, Action::Replay(e, to) if (*e, *to) == (event, endpoint));
    let is_replayed = world.plan.actions.iter().any(|(_, action)| replay(action));
    let cancelled_at = state.rows.get(&id).and_then(|stored| stored.final_at);
    let cancelled_at = cancelled_at.filter(|_| matches!(row.status, Status::Cancelled(_)));
    let because = "it was cancelled".to_owned();
    let silences = cancelled_at.map(|from| Silence { from, until: None, because });
    let posts = state.posts.iter().filter(|post| post.delivery == id);
    // What the body is made of is not simulated.
    let posts = posts.map(|post| Post { at: post.at, digest: String::new() }).collect();
    let history = DeliveryHistory {
        silences: silences.into_iter().collect(),
        posts: Some(posts),
        ..DeliveryHistory::of(row)
    };
    let circumstances = Circumstances {
        clocks_differ_ms: 2 * world.plan.skew_ms_max + world.plan.clocks.differ_ms(),
        replays: if is_replayed { Replays::Possible } else { Replays::None },
    };
    violations.extend(history.check(circumstances).iter().map(ToString::to_string));
}

fn check_row(world: &World, state: &State, row: &Delivery, violations: &mut Vec<String>) {
    let id = row.key.id().to_string();
    let posts: Vec<_> = state.posts.iter().filter(|post| post.delivery == id).collect();
    let count = u32::try_from(posts.len()).unwrap();
    let duplicates = state.duplicates.get(&row.key.event).copied().unwrap_or_default();
    let (event, endpoint) = (position(row.key.event.as_str()), position(row.key.endpoint.as_str()));
    let is_poison = world.plan.poison == Some((event, endpoint));
    // A panic is in nobody's count, and neither is a redrive of what crashed.
    let excuses = state.faults + duplicates + state.actions + state.copies;
    // A crash loses the record of each message of the delivery that its batch held: a duplicate's, a
    // replay's, and that of a send whose answer was lost.
    let others = duplicates + state.actions + state.faults.saturating_sub(1);
    let repeats = excuses + state.faults * others;
    if count > row.attempts + repeats {
        violations.push(format!(
            "{id} was sent {count} times, with {} attempts and {repeats} excuses",
            row.attempts
        ));
    }
    let sends = state.sends.get(&id).copied().unwrap_or_default();
    // A first message, one for each park, and the doubling of leases during a backlog. A poison delivery that its
    // gate has released crashes and leaves no record: the end of its lease sends another, which is held again.
    let holds = state.rows.get(&id).map_or(0, |stored| stored.holds);
    let released_in_vain = if is_poison { holds } else { 0 };
    let sends_max = 1 + row.attempts + holds + released_in_vain + excuses + 6;
    if sends > sends_max {
        violations.push(format!("{id} took {sends} messages, more than {sends_max}"));
    }
    let delays = u32::try_from(world.plan.endpoints[endpoint].delays()).unwrap();
    match &row.status {
        Status::Failed(FailedReason::Exhausted)
            if row.attempts - row.attempts_before_round != delays + 1 =>
        {
            let made = row.attempts - row.attempts_before_round;
            violations.push(format!("{id} is exhausted after {made} of {} attempts", delays + 1));
        }
        Status::Failed(FailedReason::Crashed) if !is_poison => {
            violations.push(format!("{id} was buried, and is not poison"));
        }
        Status::Failed(FailedReason::Expired) => violations.push(format!("{id} expired")),
        Status::Delivered if !posts.iter().any(|post| post.accepted) => {
            violations.push(format!("{id} is delivered and was never accepted"));
        }
        _ => {}
    }
}
