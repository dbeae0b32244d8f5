//! The retry schedule of each profile that is compiled in, in virtual time, to the second: the real
//! handlers, one event, and a receiver that fails at once.
//!
//! `--nocapture` prints when each attempt falls.

use std::ops::RangeInclusive;

use waxseal_domain::delivery::retry::RetryPolicy;
use waxseal_domain::delivery::{FailedReason, Status};
use waxseal_domain::profile::Profile;
use waxseal_tests::sim::schedule::{Failing, Pace, ScheduleRun, play};

/// Where calls take no time, a message is late by what its delay in whole seconds makes of it.
const LATE_MS: u64 = 1_000;
/// Where calls take their time, up to 1.5 s now and then: an attempt waits for a few.
const USUALLY_LATE_MS: u64 = 4_000;
/// A window's last attempt is due so long before its end, so that it falls within it.
const MARGIN_MS: u64 = 2_000;
/// Chances that are tried: when the event comes between two sweeps, jitter, and how long calls take.
const SEEDS: u64 = 10;

/// Answers 500, whenever it is asked.
const ALWAYS: Failing = Failing { status: 500, retry_after_s: None, times: usize::MAX };

fn failing(status: u16, retry_after_s: u64, times: usize) -> Failing {
    Failing { status, retry_after_s: Some(retry_after_s), times }
}

/// The time between each attempt and the next.
fn gaps(attempts_ms: &[u64]) -> Vec<u64> {
    attempts_ms.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// When the next attempt may fall, by the policy and the attempt before it, in milliseconds after the
/// first.
fn due_range(
    policy: &RetryPolicy,
    delay_s: u32,
    before_ms: u64,
    late_ms: u64,
) -> RangeInclusive<u64> {
    let delay_ms = u64::from(delay_s) * 1_000;
    let jitter_ms = if policy.jitter { delay_ms / 10 } else { 0 };
    let window_ms = policy.window_s.map_or(u64::MAX, |s| u64::from(s) * 1_000 - MARGIN_MS);
    let first_ms = (before_ms + delay_ms).min(window_ms);
    let last_ms = (before_ms + delay_ms + jitter_ms).min(window_ms) + late_ms;
    first_ms..=last_ms
}

/// Plays a profile to its end; each attempt falls when it is due.
fn exhaust(profile: &Profile, pace: Pace, seed: u64) -> ScheduleRun {
    let name = profile.name();
    let played = play(name, ALWAYS, pace, seed);
    let late_ms = if pace == Pace::Prompt { LATE_MS } else { USUALLY_LATE_MS };
    let delays_s = &profile.retry.delays_s;
    let attempts_ms = &played.attempts_ms;
    assert_eq!(attempts_ms.len(), delays_s.len() + 1, "{name}, seed {seed}: {played:?}");
    for (pair, &delay_s) in attempts_ms.windows(2).zip(delays_s) {
        let due = due_range(&profile.retry, delay_s, pair[0], late_ms);
        assert!(due.contains(&pair[1]), "{name}, seed {seed}, not within {due:?}: {played:?}");
    }
    assert_eq!(played.status, Status::Failed(FailedReason::Exhausted), "{name}, seed {seed}");
    assert_eq!(played.violations, Vec::<String>::new(), "{name}, seed {seed}");
    played
}

fn exhaust_by_name(name: &str) -> Vec<u64> {
    exhaust(&Profile::find_builtin(name).unwrap(), Pace::Prompt, 1).attempts_ms
}

/// Hours, minutes, seconds and milliseconds.
fn clock(ms: u64) -> String {
    let s = ms / 1_000;
    format!("{}:{:02}:{:02}.{:03}", s / 3_600, s / 60 % 60, s % 60, ms % 1_000)
}

fn row(name: &str, played: &ScheduleRun) -> String {
    let times: Vec<String> = played.attempts_ms.iter().map(|&ms| clock(ms)).collect();
    format!("| {name} | {} | {} |\n", times.len(), times.join(", "))
}

fn print(name: &str, played: &ScheduleRun) {
    print!("{}", row(name, played));
}

#[test]
fn every_profile_tries_at_its_delays_to_the_second_and_then_gives_up() {
    let mut table =
        "| profile | attempts | when, after the first |\n| --- | --- | --- |\n".to_owned();
    for profile in Profile::builtins() {
        table += &row(profile.name(), &exhaust(profile, Pace::Prompt, 1));
        for seed in 2..=SEEDS {
            exhaust(profile, Pace::Prompt, seed);
        }
    }
    // At once: other tests print as well.
    println!("{table}");
}

#[test]
fn it_does_so_too_where_every_call_takes_its_time() {
    for profile in Profile::builtins() {
        for seed in 1..=3 {
            exhaust(profile, Pace::Usual, seed);
        }
    }
}

#[test]
fn authensor_tries_five_times_within_900_seconds() {
    for seed in 1..=SEEDS {
        let profile = Profile::find_builtin("authensor").unwrap();
        let attempts_ms = exhaust(&profile, Pace::Prompt, seed).attempts_ms;
        assert_eq!(attempts_ms.len(), 5);
        let last_ms = attempts_ms[4];
        assert!((898_000..=900_000).contains(&last_ms), "seed {seed}: {attempts_ms:?}");
    }
}

#[test]
fn aisg_tries_three_times_in_about_two_seconds() {
    let attempts_ms = exhaust_by_name("aisg");
    assert_eq!(attempts_ms.len(), 3);
    assert!((2_000..=3_000).contains(&attempts_ms[2]), "{attempts_ms:?}");
}

#[test]
fn adrian_tries_six_times_over_10_hours_and_36_minutes() {
    // The product's own name for its profile is Secureagentics.
    let attempts_ms = exhaust_by_name("secureagentics");
    assert_eq!(attempts_ms.len(), 6);
    let whole_ms = (10 * 3_600 + 36 * 60) * 1_000;
    // Delays count from the attempt before, so what is late adds up.
    assert!((whole_ms..=whole_ms + 5 * LATE_MS).contains(&attempts_ms[5]), "{attempts_ms:?}");
}

#[test]
fn a_receiver_that_recovers_is_tried_no_more() {
    for pace in [Pace::Prompt, Pace::Usual] {
        let late_ms = if pace == Pace::Prompt { LATE_MS } else { USUALLY_LATE_MS };
        let played = play("aisentinel", Failing { times: 3, ..ALWAYS }, pace, 1);
        print("aisentinel, 500 three times", &played);
        assert_eq!((played.attempts_ms.len(), &played.status), (4, &Status::Delivered));
        for (gap_ms, delay_s) in gaps(&played.attempts_ms).into_iter().zip([5, 300, 1_800]) {
            let due = delay_s * 1_000..=delay_s * 1_000 + late_ms;
            assert!(due.contains(&gap_ms), "{due:?}: {played:?}");
        }
        assert_eq!(played.violations, Vec::<String>::new());
    }
}

#[test]
fn retry_after_puts_off_what_would_come_earlier_and_nothing_else() {
    for seed in 1..=SEEDS {
        // 500 does not slow the endpoint down: only the delivery waits. 300 s and 1,800 s are due
        // later than 200 s anyhow.
        let played = play("aisentinel", failing(500, 200, 3), Pace::Prompt, seed);
        if seed == 1 {
            print("aisentinel, 500 three times, Retry-After 200", &played);
        }
        assert_eq!((played.attempts_ms.len(), &played.status), (4, &Status::Delivered));
        for (gap_ms, due_s) in gaps(&played.attempts_ms).into_iter().zip([200, 300, 1_800]) {
            let due = due_s * 1_000..=due_s * 1_000 + LATE_MS;
            assert!(due.contains(&gap_ms), "seed {seed}, {due:?}: {played:?}");
        }
        assert_eq!(played.violations, Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn a_receiver_that_throttles_is_left_alone_exactly_as_long_as_it_asks() {
    for (status, asked_s) in [(429, 30), (429, 600), (503, 600)] {
        for (pace, late_ms) in [(Pace::Prompt, LATE_MS), (Pace::Usual, USUALLY_LATE_MS)] {
            let played = play("aisentinel", failing(status, asked_s, 2), pace, 1);
            print(&format!("aisentinel, {status} twice, Retry-After {asked_s}"), &played);
            assert_eq!((played.attempts_ms.len(), &played.status), (3, &Status::Delivered));
            for (gap_ms, delay_s) in gaps(&played.attempts_ms).into_iter().zip([5, 300]) {
                let first_ms = asked_s.max(delay_s) * 1_000;
                let due = first_ms..=first_ms + late_ms;
                assert!(due.contains(&gap_ms), "{due:?}: {played:?}");
            }
            assert_eq!(played.violations, Vec::<String>::new());
        }
    }
}

#[test]
fn jitter_spreads_what_failed_at_once_and_exact_delays_do_not() {
    let spread_ms = |name: &str| {
        let profile = Profile::find_builtin(name).unwrap();
        let last = |seed| *exhaust(&profile, Pace::Prompt, seed).attempts_ms.last().unwrap();
        let all: Vec<u64> = (1..=SEEDS).map(last).collect();
        all.iter().max().unwrap() - all.iter().min().unwrap()
    };
    assert!(spread_ms("standard") > 20 * 60_000, "a tenth of 27 hours is there to spread over");
    assert!(spread_ms("aisentinel") <= 7 * LATE_MS);
}
