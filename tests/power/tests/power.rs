//! Power cuts: what was answered is there after each, and what would break that is noticed.
//!
//! `WAXSEAL_CUTS=10000` cuts more often; `WAXSEAL_SEED=7` at the same moments.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use waxseal_power::disk::Pragmas;
use waxseal_power::machine::Answer;
use waxseal_power::run::{Report, Trial, run};
use waxseal_tests::settings::{seed, setting};

const CUTS: u64 = 200;
/// Cuts of one folder, one after the other.
const CUTS_OF_A_FOLDER: u64 = 10;
/// Folders that are under way at the same time.
const AT_ONCE: usize = 8;
/// Of so many changes one fails, where the disk is a bad one.
const FAILING_ONE_IN: u64 = 60;
/// Folders of which a second run is compared with the first.
const FOLDERS_RUN_TWICE: u64 = 4;

/// Runs folders until so many cuts were made, or something promised is not there. Most of the time a folder waits
/// for the writer's own pauses, so several are under way.
fn cut(cuts: u64, of_seed: impl Fn(u64) -> Trial + Sync) -> Report {
    let first = seed();
    let numbers = AtomicU64::new(0);
    let all = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let is_done = number >= cuts.div_ceil(CUTS_OF_A_FOLDER);
                    if is_done || !all.lock().unwrap().violations.is_empty() {
                        return;
                    }
                    let report = run(of_seed(first + number));
                    all.lock().unwrap().add(report);
                }
            });
        }
    });
    all.into_inner().unwrap()
}

#[test]
fn what_was_answered_outlasts_power_cuts() {
    let cuts = setting("WAXSEAL_CUTS").unwrap_or(CUTS);
    let report = cut(cuts, |seed| Trial::of_the_server(seed, CUTS_OF_A_FOLDER));
    assert_eq!(report.violations, Vec::<String>::new());
    let Report { cuts: made, events, posts, checkpoints, cut_checkpoints, .. } = report;
    println!(
        "{made} power cuts, {cut_checkpoints} of them in one of {checkpoints} checkpoints: {events} events \
         acknowledged, none lost, {posts} POSTs"
    );
    assert!(made >= cuts && events > 0 && checkpoints > 0, "{report:?}");
}

/// Writes, syncs and room that fail while the power is on, and cuts as well. A sync that fails loses for good some of
/// what it was to bring to the medium, as on Linux.
#[test]
fn what_was_answered_outlasts_a_disk_that_fails() {
    let cuts = setting("WAXSEAL_CUTS").unwrap_or(CUTS);
    let report = cut(cuts, |seed| Trial {
        failing_one_in: FAILING_ONE_IN,
        ..Trial::of_the_server(seed, CUTS_OF_A_FOLDER)
    });
    assert_eq!(report.violations, Vec::<String>::new());
    let Report { cuts: made, events, failures, put_off, .. } = report;
    println!(
        "{made} power cuts and {failures} failures of the disk: {events} events acknowledged, none lost; \
         cuts waited for {put_off} changes while a log with a hole was mended"
    );
    assert!(made >= cuts && events > 0 && failures >= made, "{report:?}");
}

#[test]
fn a_seed_says_everything() {
    let first = seed();
    for number in 0..FOLDERS_RUN_TWICE {
        let of_server = Trial::of_the_server(first + number, 3);
        let trial = Trial { failing_one_in: (number % 2) * FAILING_ONE_IN, ..of_server };
        assert_eq!(run(trial), run(trial));
    }
}

/// The checks would notice a server that did less than it does.
fn assert_noticed(of_seed: impl Fn(u64) -> Trial + Sync) {
    let report = cut(CUTS, of_seed);
    let noticed = report.violations.first();
    assert!(noticed.is_some(), "not noticed in {} cuts", report.cuts);
    println!("noticed after {} cuts: {noticed:?}", report.cuts);
}

#[test]
fn a_connection_that_never_syncs_is_noticed() {
    let pragmas = Pragmas::Synchronous("OFF");
    assert_noticed(|seed| Trial { pragmas, ..Trial::of_the_server(seed, CUTS_OF_A_FOLDER) });
}

#[test]
fn a_connection_that_syncs_at_checkpoints_alone_is_noticed() {
    let pragmas = Pragmas::Synchronous("NORMAL");
    assert_noticed(|seed| Trial { pragmas, ..Trial::of_the_server(seed, CUTS_OF_A_FOLDER) });
}

#[test]
fn an_answer_before_the_commit_is_noticed() {
    let answer = Answer::BeforeCommit;
    assert_noticed(|seed| Trial { answer, ..Trial::of_the_server(seed, CUTS_OF_A_FOLDER) });
}
