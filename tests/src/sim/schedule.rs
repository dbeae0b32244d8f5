//! One event, one endpoint without a retry policy of its own, a receiver that fails: when each
//! attempt falls by a profile's own policy. A plan made by hand: no faults, skew, lag or copies.

use waxseal_domain::delivery::Status;

use super::plan::{Plan, PlannedEndpoint, PlannedEvent, Receiver};
use super::world::World;
use super::{invariants, simulate};
use crate::rng::Rng;

/// When the event is sent, in seconds: not at a tick of the sweep.
const SENT_S: u64 = 7;

/// How the receiver fails.
#[derive(Clone, Copy, Debug)]
pub struct Failing {
    /// What it answers, at once.
    pub status: u16,
    /// Its `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// How many POSTs it answers so; then it accepts.
    pub times: usize,
}

/// How long our own calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// No time, so that what is late is late by the protocol: messages and sweeps.
    Prompt,
    /// As in every other simulation: 1 to 40 ms, and once in 50 up to 1.5 s.
    Usual,
}

/// What became of the event.
#[derive(Clone, Debug)]
pub struct ScheduleRun {
    /// When each attempt fell, in milliseconds after the first.
    pub attempts_ms: Vec<u64>,
    /// How its delivery ended.
    pub status: Status,
    /// What did not hold: the simulation's invariants.
    pub violations: Vec<String>,
}

/// Delivers one event by a profile's own retry policy.
pub fn play(profile: &str, failing: Failing, pace: Pace, seed: u64) -> ScheduleRun {
    let plan = plan(profile, failing, pace);
    simulate(|| World::of_plan(plan, Rng::new(seed), None, false), summarize)
}

fn plan(profile: &str, failing: Failing, pace: Pace) -> Plan {
    let Failing { status, retry_after_s, times } = failing;
    let endpoint = PlannedEndpoint {
        profile: profile.to_owned(),
        delays_s: None,
        max_per_second: None,
        max_concurrency: None,
        receiver: Receiver::Failing(status, retry_after_s, times),
    };
    let event = PlannedEvent { at_s: SENT_S, again_s: Vec::new() };
    Plan {
        is_prompt: pace == Pace::Prompt,
        endpoints: vec![endpoint],
        events: vec![event],
        ..Plan::without_trouble()
    }
}

fn summarize(world: &World) -> ScheduleRun {
    let violations = invariants::check(world).violations;
    let state = world.state();
    let rows: Vec<_> = state.rows.values().filter_map(|stored| stored.delivery.as_ref()).collect();
    let [row] = rows.as_slice() else { panic!("one event to one endpoint is one delivery") };
    let first_at = state.posts.first().expect("it was attempted").at;
    let attempts_ms = state.posts.iter().map(|post| post.at.since_ms(first_at)).collect();
    ScheduleRun { attempts_ms, status: row.status.clone(), violations }
}
