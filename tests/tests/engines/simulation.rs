//! Nothing acknowledged is lost: the simulation, on many seeds, and with each guard broken.
//!
//! `WAXSEAL_SEED=7` replays one seed and prints what happened. `WAXSEAL_SEEDS=1000000` runs more.

use std::sync::atomic::{AtomicU64, Ordering};

use waxseal_tests::settings::setting;
use waxseal_tests::sim::{BrokenGuard, run};

const SEEDS: u64 = 3_000;
/// Seeds of a million that violated something once: what they found is mended, and they are run each time.
const ONCE_VIOLATED: [u64; 2] = [111_892, 753_553];
/// Seeds within which every broken guard must be noticed.
const NOTICED_WITHIN: u64 = 30_000;

/// Runs seeds on two threads; the first that violates something, and what.
fn first_violation(seeds: u64, broken: Option<BrokenGuard>) -> Option<(u64, Vec<String>)> {
    let next = AtomicU64::new(0);
    let found = AtomicU64::new(u64::MAX);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || seed > found.load(Ordering::Relaxed) {
                        return;
                    }
                    if !run(seed, broken, false).violations.is_empty() {
                        found.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let seed = found.into_inner();
    (seed < u64::MAX).then(|| (seed, run(seed, broken, false).violations))
}

#[test]
fn nothing_acknowledged_is_lost_on_any_seed() {
    if let Some(seed) = setting("WAXSEAL_SEED") {
        let report = run(seed, None, true);
        println!("{}\n{:#?}", report.trace.join("\n"), report.violations);
        assert_eq!(report.violations, Vec::<String>::new());
        return;
    }
    for seed in ONCE_VIOLATED {
        assert_eq!(run(seed, None, false).violations, Vec::<String>::new(), "seed {seed}");
    }
    let seeds = setting("WAXSEAL_SEEDS").unwrap_or(SEEDS);
    let found = first_violation(seeds, None);
    assert_eq!(found, None, "replay it with WAXSEAL_SEED");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [3, 77, 500] {
        assert_eq!(run(seed, None, true).trace, run(seed, None, true).trace);
    }
}

#[test]
fn every_broken_guard_is_noticed() {
    println!("| guard removed | seed | what the simulation says |\n| --- | --- | --- |");
    let mut unnoticed = Vec::new();
    for broken in BrokenGuard::ALL {
        match first_violation(NOTICED_WITHIN, Some(broken)) {
            Some((seed, violations)) => {
                println!("| {broken:?} | {seed} | {} |", violations.join("; "));
            }
            None => unnoticed.push(broken),
        }
    }
    assert_eq!(unnoticed, Vec::new(), "removed, and nobody noticed");
}
