//! The simulation: the real handlers and the real domain, on a store, a queue and receivers in
//! memory, in virtual time. One seed decides everything, so a failing seed replays exactly.
//!
//! | module | is |
//! | --- | --- |
//! | [`plan`] | what a seed means: arrivals, receivers, faults, what people do |
//! | [`world`] | rows, messages, POSTs and the true time, shared by all |
//! | [`instance`] | one function instance: the engine, with its own clock, copies and faults |
//! | [`ports`] | what an instance reads and writes, each call with its faults |
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
mod gates;
mod instance;
mod invariants;
mod plan;
mod ports;
pub mod schedule;
mod world;

use std::sync::Arc;

pub use self::broken::Broken;
use self::world::World;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What did not hold; empty if all did.
    pub violations: Vec<String>,
    /// Events acknowledged.
    pub acknowledged: usize,
    /// POSTs made.
    pub posts: usize,
    /// Faults that happened.
    pub faults: u32,
    /// What happened, step by step: only if it was asked for.
    pub trace: Vec<String>,
}

/// Runs a seed to its end.
pub fn run(seed: u64, broken: Option<Broken>, trace: bool) -> Report {
    simulate(|| World::new(seed, broken, trace), invariants::check)
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
