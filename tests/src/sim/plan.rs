//! What a seed means.

use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::flow_control::tenant_bounds::TenantBounds;
use waxseal_domain::profile::{Profile, STANDARD};

use crate::rng::Rng;

/// The panic of a poison delivery.
pub(super) const POISON: &str = "poison";
/// Attempts of people, senders and time fall within so many seconds.
pub(super) const BUSY_S: u64 = 900;
/// After this nothing may be left to do, in seconds: longer than any policy, lease and back-off here.
pub(super) const HORIZON_S: u64 = 48 * 3_600;

/// With this rest of the backlog's begin by eight, which is drawn in any case, a tenant's deliveries are so few that they
/// wait for one another. No number is drawn for it, so that seeds mean what they did.
const SCARCE_AT: u64 = 5;

/// All that was decided before the start.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Calls and invocations take no time, so that what is late is late by the protocol alone.
    pub(super) is_prompt: bool,
    pub(super) faults_max: u32,
    /// A call is struck once in so many.
    pub(super) fault_once_in: u64,
    pub(super) skew_ms_max: u64,
    /// The index shows a write so much later, at most.
    pub(super) index_lag_ms_max: u64,
    /// The queue hands a message out twice once in so many receives; 0 is never.
    pub(super) copy_once_in: u64,
    /// Nobody receives from the queue between these seconds.
    pub(super) backlog_s: Option<(u64, u64)>,
    pub(super) breaker: BreakerSettings,
    pub(super) tenant_bounds: TenantBounds,
    pub(super) endpoints: Vec<PlannedEndpoint>,
    pub(super) events: Vec<PlannedEvent>,
    pub(super) actions: Vec<(u64, Action)>,
    /// A delivery on which `deliver` panics: of this event, to this endpoint.
    pub(super) poison: Option<(usize, usize)>,
    pub(super) clocks: Clocks,
}

/// How clocks are set while it is played.
#[derive(Clone, Debug)]
pub(super) enum Clocks {
    /// Nobody sets them.
    Steady,
    /// Each instance runs on a machine of its own, whose clock is set wrong and right again between its invocations.
    Machines,
    /// All run in one process, whose clock is set by so many milliseconds at these seconds.
    Process(Vec<(u64, i64)>),
}

/// By how much a clock is set: more than an event is kept for, and less than a day.
pub(super) const SET_MS: [i64; 4] = [3_456_000_000, -3_456_000_000, 7_200_000, -7_200_000];

impl Clocks {
    /// Drawn apart from the rest, so that a seed means the same plan as before there were clocks.
    pub(super) fn new(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Self::Machines,
            1 => {
                let times = rng.within(1, 3);
                let mut sets: Vec<_> =
                    (0..times).map(|_| (rng.below(2 * BUSY_S), *rng.pick(&SET_MS))).collect();
                sets.sort_unstable();
                Self::Process(sets)
            }
            _ => Self::Steady,
        }
    }

    /// By how many milliseconds two times of the history may differ that were noted at the same time.
    pub(super) fn differ_ms(&self) -> u64 {
        match self {
            Self::Steady => 0,
            // An event is dated by the machine that accepts it, before any answer has told the time there.
            Self::Machines => 2 * SET_MS.map(i64::unsigned_abs).into_iter().max().unwrap(),
            Self::Process(sets) => sets.iter().map(|(_, by_ms)| by_ms.unsigned_abs()).sum(),
        }
    }
}

/// An endpoint and how it behaves.
#[derive(Clone, Debug)]
pub(super) struct PlannedEndpoint {
    pub(super) profile: String,
    /// Its own retry policy; the profile's where there is none.
    pub(super) delays_s: Option<Vec<u64>>,
    pub(super) max_per_second: Option<u32>,
    pub(super) max_concurrency: Option<u32>,
    pub(super) receiver: Receiver,
}

/// How a receiver behaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Receiver {
    Well,
    /// Answers 503 until this time, and 200 from then on.
    DeadUntil(u64),
    /// 500 once in so many.
    Flapping(u64),
    /// 429 with this `Retry-After` until then.
    Throttling(u64, u64),
    /// 410 from then on.
    GoneFrom(u64),
    /// It takes so many milliseconds.
    Slow(u64),
    /// This status and `Retry-After`, at once, to the first so many POSTs of a delivery; then 200.
    Failing(u16, Option<u64>, usize),
    /// No answer, once in so many; the connection is reset while the answer comes, as often.
    Broken(u64),
}

/// An event, when it is sent, and when again although it was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct PlannedEvent {
    pub(super) at_s: u64,
    pub(super) again_s: Vec<u64>,
}

/// What people do: to an event and an endpoint, or to an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Replay(usize, usize),
    Cancel(usize, usize),
    Disable(usize),
    Enable(usize),
    Delete(usize),
    /// For so many seconds.
    Pause(usize, u64),
}

impl Plan {
    /// Nobody and nothing, and nothing that disturbs.
    pub(super) fn without_trouble() -> Self {
        Self {
            is_prompt: true,
            faults_max: 0,
            fault_once_in: 0,
            skew_ms_max: 0,
            index_lag_ms_max: 0,
            copy_once_in: 0,
            backlog_s: None,
            breaker: BreakerSettings::default(),
            tenant_bounds: TenantBounds::default(),
            endpoints: Vec::new(),
            events: Vec::new(),
            actions: Vec::new(),
            poison: None,
            clocks: Clocks::Steady,
        }
    }

    pub(super) fn new(rng: &mut Rng) -> Self {
        let endpoints: Vec<_> = (0..rng.within(1, 3)).map(|_| PlannedEndpoint::new(rng)).collect();
        let events: Vec<_> = (0..rng.within(1, 4)).map(|_| PlannedEvent::new(rng)).collect();
        let (event_count, endpoint_count) = (events.len(), endpoints.len());
        let any = |rng: &mut Rng, count: usize| {
            usize::try_from(rng.below(u64::try_from(count).unwrap())).unwrap()
        };
        let actions = if rng.one_in(2) { rng.within(1, 3) } else { 0 };
        let actions = (0..actions).map(|_| {
            let (event, endpoint) = (any(rng, event_count), any(rng, endpoint_count));
            let action = match rng.below(12) {
                0..=3 => Action::Replay(event, endpoint),
                4..=6 => Action::Cancel(event, endpoint),
                7 => Action::Disable(endpoint),
                8 => Action::Enable(endpoint),
                10 | 11 => Action::Pause(endpoint, *rng.pick(&[20, 200, 2_000, 20_000])),
                _ => Action::Delete(endpoint),
            };
            (rng.below(BUSY_S), action)
        });
        let actions = actions.collect();
        let poison = rng.one_in(20);
        let poison = poison.then(|| (any(rng, event_count), any(rng, endpoint_count)));
        let backlog_from = rng.below(BUSY_S);
        Self {
            is_prompt: false,
            faults_max: u32::try_from(*rng.pick(&[0, 0, 1, 1, 2, 3, 5, 7])).unwrap(),
            fault_once_in: *rng.pick(&[4, 10, 25]),
            skew_ms_max: *rng.pick(&[0, 0, 500, 2_000]),
            index_lag_ms_max: *rng.pick(&[0, 1_000, 30_000]),
            copy_once_in: *rng.pick(&[0, 0, 0, 10]),
            backlog_s: rng
                .one_in(4)
                .then(|| (backlog_from, backlog_from + *rng.pick(&[120, 600, 3_000]))),
            breaker: BreakerSettings {
                attempts_min: *rng.pick(&[1, 2, 3, 20]),
                failures_percent: 50,
                probe_s: *rng.pick(&[30, 60, 300]),
            },
            endpoints,
            events,
            actions,
            poison,
            tenant_bounds: if backlog_from % 8 == SCARCE_AT {
                TenantBounds { deliveries_per_minute: 6, ..TenantBounds::default() }
            } else {
                TenantBounds::default()
            },
            clocks: Clocks::Steady,
        }
    }
}

impl PlannedEndpoint {
    fn new(rng: &mut Rng) -> Self {
        let delays = rng.below(5);
        let delays_s = (0..delays).map(|_| *rng.pick(&[1, 5, 60, 140, 150, 200, 600])).collect();
        let receiver = match rng.below(9) {
            0 | 1 => Receiver::Well,
            2 => Receiver::DeadUntil(rng.below(BUSY_S)),
            3 => Receiver::DeadUntil(HORIZON_S),
            4 => Receiver::Flapping(rng.within(2, 3)),
            5 => Receiver::Throttling(*rng.pick(&[1, 30, 200]), rng.below(BUSY_S)),
            6 => Receiver::GoneFrom(rng.below(BUSY_S)),
            7 => Receiver::Slow(rng.within(500, 20_000)),
            _ => Receiver::Broken(rng.within(2, 4)),
        };
        let max_per_second = rng.one_in(4).then_some(1);
        let max_concurrency = rng.one_in(4).then(|| u32::try_from(rng.within(1, 2)).unwrap());
        let profile = STANDARD.to_owned();
        Self { profile, delays_s: Some(delays_s), max_per_second, max_concurrency, receiver }
    }

    /// How many delays its deliveries have.
    pub(super) fn delays(&self) -> usize {
        let of_profile = || Profile::find_builtin(&self.profile).unwrap().retry.delays_s.len();
        self.delays_s.as_ref().map_or_else(of_profile, Vec::len)
    }
}

impl PlannedEvent {
    fn new(rng: &mut Rng) -> Self {
        let again = if rng.one_in(4) { rng.within(1, 2) } else { 0 };
        // Some at once: before the first message has done anything.
        let soon_s = *rng.pick(&[3, BUSY_S]);
        let again_s = (0..again).map(|_| rng.below(soon_s)).collect();
        Self { at_s: rng.below(120), again_s }
    }
}
