//! The simulation: the real flows and the real domain, on a store, a queue and receivers in
//! memory, in virtual time. One seed decides everything, so a failing seed replays exactly.
//!
//! | module | is |
//! | --- | --- |
//! | [`plan`] | what a seed means: arrivals, receivers, faults, what people do |
//! | [`world`] | rows, messages, POSTs and the true time, shared by all |
//! | [`instance`] | one function instance: the engine, with its own clock, copies and faults |
//! | [`ports`] | what an instance reads and writes, each call with its faults |
//! | [`config`] | what is configured, and the key vault |
//! | [`gates`] | the gates, and what they hold |
//! | [`actors`] | senders, the queue's mapping, the sweep, bury, people |
//! | [`invariants`] | what must hold |
//! | [`schedule`] | one event by one profile's retry policy, and when each attempt falls |
//! | [`broken`] | guards that can be removed, to see that the simulation notices |
//!
//! Every call to a port takes a random time, may fail, may work and lose its answer, may be repeated
//! by the SDK after it had worked, and may be the instance's last. Invocations interleave.

mod actors;
pub mod broken;
mod config;
mod gates;
mod instance;
mod invariants;
mod plan;
mod ports;
pub mod schedule;
mod world;

use std::sync::Arc;

use waxseal_flows::ports::Engine;

pub use self::broken::BrokenGuard;
use self::instance::Instance;
use self::plan::Plan;
use self::world::World;
use crate::rng::Rng;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What did not hold; empty if all did.
    pub violations: Vec<String>,
    /// The number of events that were acknowledged.
    pub acknowledged: usize,
    /// The number of POSTs that receivers got.
    pub posts: usize,
    /// The number of faults that happened.
    pub faults: u32,
    /// What happened, step by step: only if it was asked for.
    pub trace: Vec<String>,
}

/// Runs a seed to its end.
pub fn run(seed: u64, broken: Option<BrokenGuard>, trace: bool) -> Report {
    simulate(|| World::new(seed, broken, trace), invariants::check)
}

/// An instance in a world of its own in which nothing happens by itself and no call fails. It needs
/// a runtime in virtual time.
pub fn calm_engine() -> Arc<impl Engine> {
    let world = World::of_plan(Plan::without_trouble(), Rng::new(1), None, false);
    Instance::start(&Arc::new(world))
}

/// Plays a world to its end, and says what is asked of it.
fn simulate<T>(world: impl FnOnce() -> World, told: impl FnOnce(&World) -> T) -> T {
    hide_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O always starts");
    runtime.block_on(async {
        let world = Arc::new(world());
        actors::run(&world).await;
        let told = told(&world);
        // They know the world, and the world knows them: none of them would ever be freed.
        world.state().instances.clear();
        told
    })
}

/// Panics are part of the play: `deliver` catches them. They are not printed.
fn hide_panics() {
    static HIDDEN: std::sync::Once = std::sync::Once::new();
    HIDDEN.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&plan::POISON) {
                print(panic);
            }
        }));
    });
}
