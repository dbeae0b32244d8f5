//! One function instance: the engine, with its own clock, its own copies, and faults at every call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use waxseal_domain::clock::Correction;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::id::{EndpointId, TenantName, Ticket};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{EngineError, TenantEndpoints};

use super::broken::BrokenGuard;
use super::plan::{Clocks, SET_MS};
use super::world::{Place, State, World};

/// An instance: it answers while it lives.
pub(super) struct Instance {
    pub(super) world: Arc<World>,
    pub(super) skew_ms: u64,
    /// By how much its machine's clock is set wrong, and what was told of it.
    set_ms: AtomicI64,
    told: Mutex<Correction>,
    pub(super) copies: Mutex<BTreeMap<EndpointId, (Timestamp, Arc<Endpoint>)>>,
    pub(super) gates: Mutex<BTreeMap<Place, (Timestamp, Option<Gate>)>>,
    pub(super) memory: Memory,
    pub(super) list: Mutex<BTreeMap<TenantName, (Timestamp, Arc<TenantEndpoints>)>>,
    pub(super) turns: Mutex<Vec<Turn>>,
    /// Tickets whose refused record is taken for "done": only where that guard is broken.
    pub(super) acknowledged: Mutex<BTreeSet<String>>,
    pub(super) address_rules: AddressRules,
    /// Tells that it has crashed.
    pub(super) ended: Notify,
    is_dead: AtomicBool,
    /// One invocation at a time, as on Lambda.
    is_busy: AtomicBool,
}

/// A message that is being driven.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) delivery: String,
    pub(super) ticket: Ticket,
    pub(super) received_at: Timestamp,
    /// Whether its row may go unread.
    pub(super) is_unread: bool,
    /// How many jumps of the clock had been followed by then.
    pub(super) jumps: u64,
}

/// What a call meets.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It fails, and nothing was done.
    Refused,
    /// It works, and the answer is lost.
    Lost,
    /// It works, the answer is lost, and the SDK calls again.
    Repeated,
    /// The instance ends before it.
    CrashBefore,
    /// The instance ends after it.
    CrashAfter,
    /// It takes very long.
    Slow,
}

impl Instance {
    /// Starts an instance in this world, with no copies and no counts.
    pub(super) fn start(world: &Arc<World>) -> Arc<Self> {
        let skew_ms = world.random(|rng| rng.within(0, world.plan.skew_ms_max));
        Arc::new(Self {
            world: Arc::clone(world),
            skew_ms,
            set_ms: AtomicI64::new(0),
            told: Mutex::default(),
            copies: Mutex::default(),
            gates: Mutex::default(),
            memory: Memory::new(world.plan.breaker),
            list: Mutex::default(),
            turns: Mutex::default(),
            acknowledged: Mutex::default(),
            address_rules: AddressRules::default(),
            ended: Notify::new(),
            is_dead: AtomicBool::new(false),
            is_busy: AtomicBool::new(true),
        })
    }

    /// A new one, or one that has served before; busy from now on.
    pub(super) fn warm_or_new(world: &Arc<World>) -> Arc<Self> {
        let warm = {
            let state = &mut *world.state();
            state.instances.retain(|instance| !instance.is_dead());
            let idle = |instance: &&Arc<Self>| !instance.is_busy.load(Ordering::Relaxed);
            let idle: Vec<_> = state.instances.iter().filter(idle).cloned().collect();
            let reuse = !idle.is_empty() && !state.rng.one_in(3);
            reuse.then(|| Arc::clone(state.rng.pick(&idle)))
        };
        if let Some(warm) = &warm {
            warm.is_busy.store(true, Ordering::Relaxed);
        }
        let instance = warm.unwrap_or_else(|| {
            let new = Self::start(world);
            world.state().instances.push(Arc::clone(&new));
            new
        });
        instance.set_clock();
        instance
    }

    /// Sets its machine's clock wrong, or right again, now and then.
    fn set_clock(&self) {
        if matches!(self.world.plan.clocks, Clocks::Machines)
            && self.world.random(|rng| rng.one_in(4))
        {
            let [day_40, back_40, ..] = SET_MS;
            let set_ms = self.world.random(|rng| *rng.pick(&[0, day_40, back_40]));
            self.set_ms.store(set_ms, Ordering::Relaxed);
            self.world.say(|| format!("a machine's clock is set wrong by {set_ms} ms"));
        }
    }

    /// What its machine's clock shows.
    fn wall(&self) -> Timestamp {
        let set_ms = self.set_ms.load(Ordering::Relaxed);
        self.world.now().plus_ms(self.skew_ms).moved_ms(set_ms)
    }

    /// Hears the time that an answer tells, in whole seconds.
    fn hear(&self) {
        if !self.world.is_broken(BrokenGuard::ToldTime) {
            let date = Timestamp::from_ms(self.world.now().seconds() * 1_000);
            self.told.lock().unwrap().tell(date, self.wall(), self.world.passed_ms());
        }
    }

    /// The earliest time that it can be, by what was told.
    pub(super) fn least(&self) -> Option<Timestamp> {
        let told = self.told.lock().unwrap();
        let goes_by_it = matches!(self.world.plan.clocks, Clocks::Machines);
        told.least(self.world.passed_ms()).filter(|_| goes_by_it)
    }

    /// Hears when a message was sent.
    pub(super) fn hear_at_least(&self, at: Timestamp) {
        if matches!(self.world.plan.clocks, Clocks::Machines)
            && !self.world.is_broken(BrokenGuard::ToldTime)
        {
            self.told.lock().unwrap().tell_at_least(at, self.wall(), self.world.passed_ms());
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// Its invocation has ended: it can serve another.
    pub(super) fn rest(&self) {
        self.is_busy.store(false, Ordering::Relaxed);
    }

    /// Ends it: none of its calls has an effect or an answer any more.
    pub(super) fn end(&self) {
        self.is_dead.store(true, Ordering::Relaxed);
        self.ended.notify_one();
    }

    /// The time by its own clock.
    pub(super) fn clock_now(&self) -> Timestamp {
        match self.world.plan.clocks {
            Clocks::Steady => self.wall(),
            Clocks::Machines => self.told.lock().unwrap().now(self.wall(), self.world.passed_ms()),
            Clocks::Process(_) => self.world.planned_now(),
        }
    }

    /// Waits for ever once it is dead.
    pub(super) async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// One call to a store or a queue. `repeats`: whether the SDK would call again by itself.
    pub(super) async fn call<T>(
        &self,
        what: &'static str,
        repeats: bool,
        mut effect: impl FnMut(&mut State, Timestamp) -> T,
    ) -> Result<T, EngineError> {
        self.alive().await;
        let long = self.world.random(|rng| rng.one_in(50));
        self.world.pause(1, if long { 1_500 } else { 40 }).await;
        self.alive().await;
        let fault = self.fault();
        if let Some(fault) = fault {
            self.world.say(|| format!("{what}: {fault:?}"));
        }
        let mut act = || {
            let now = self.world.now();
            effect(&mut self.world.state(), now)
        };
        let lost = || Err(EngineError::unavailable(what, "simulated"));
        match fault {
            Some(Fault::CrashBefore) => self.crash().await,
            Some(Fault::CrashAfter) => {
                act();
                self.crash().await
            }
            Some(Fault::Refused) => lost(),
            Some(Fault::Repeated) if repeats => {
                act();
                self.world.pause(50, 3_000).await;
                self.alive().await;
                self.hear();
                Ok(act())
            }
            Some(Fault::Lost | Fault::Repeated) => {
                act();
                lost()
            }
            Some(Fault::Slow) => {
                self.world.pause(1_000, 20_000).await;
                self.alive().await;
                self.hear();
                Ok(act())
            }
            None => {
                let done = act();
                self.world.pause(0, 10).await;
                self.alive().await;
                self.hear();
                Ok(done)
            }
        }
    }

    /// Ends a call of what the simulation does not implement, and keeps it as a violation: an answer
    /// that was made up would let a flow that begins to call it pass for simulated.
    pub(super) fn lacks(&self, method: &str) -> ! {
        let what = format!("the simulation does not implement {method}");
        self.world.state().violations.push(what.clone());
        panic!("{what}")
    }

    async fn crash<T>(&self) -> T {
        self.end();
        std::future::pending().await
    }

    fn fault(&self) -> Option<Fault> {
        let state = &mut *self.world.state();
        if state.faults_left == 0 || !state.rng.one_in(self.world.plan.fault_once_in) {
            return None;
        }
        state.faults_left -= 1;
        state.faults += 1;
        Some(*state.rng.pick(&[
            Fault::Refused,
            Fault::Lost,
            Fault::Repeated,
            Fault::CrashBefore,
            Fault::CrashAfter,
            Fault::Slow,
        ]))
    }
}
