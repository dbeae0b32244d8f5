use super::*;
use crate::delivery::attempt::Outcome;
use crate::limits::{DUE_SHARDS, EARLINESS_MS_MAX, PARKED_DUE_BEFORE_S};

fn key() -> DeliveryKey {
    DeliveryKey {
        tenant: "acme".parse().unwrap(),
        event: "e1".parse().unwrap(),
        endpoint: "ep_1".parse().unwrap(),
    }
}

fn ticket(text: &str) -> Ticket {
    text.parse().unwrap()
}

fn at_s(seconds: u64) -> Timestamp {
    Timestamp::from_ms(seconds * 1_000)
}

fn attempt(number: u32, at_s_: u64) -> Attempt {
    Attempt {
        number,
        started_at: at_s(at_s_),
        duration_ms: 0,
        outcome: Outcome::ServerError,
        response_status: Some(503),
        response_excerpt: None,
        detail: None,
        next_attempt_at: None,
        inexact: false,
    }
}

fn turn(receives: u32) -> Turn {
    Turn { ticket: ticket("t1"), receives }
}

#[test]
fn a_short_wait_keeps_its_message_and_is_watched() {
    let row = Delivery::pending(key(), at_s(0), Priority::Normal);
    let next = Next::RetryAt(at_s(10 + WAIT_BY_VISIBILITY_S_MAX));
    let (row, settlement) = row.after_attempt(&turn(1), attempt(1, 10), next);
    assert_eq!(settlement, Settlement::VisibleAt(at_s(10 + WAIT_BY_VISIBILITY_S_MAX)));
    let open = row.open().unwrap();
    assert_eq!(open.holder, Some(ticket("t1")));
    assert_eq!(open.due_at, at_s(10 + WAIT_BY_VISIBILITY_S_MAX + WATCH_DUE_AFTER_S));
    assert_eq!(row.status_word(), "retrying");
}

#[test]
fn a_further_short_wait_leaves_a_late_watch_alone() {
    let row = Delivery::pending(key(), at_s(0), Priority::Normal);
    let (row, _) = row.after_attempt(&turn(1), attempt(1, 10), Next::RetryAt(at_s(20)));
    let watch = row.open().unwrap().due_at;
    let (row, _) = row.after_attempt(&turn(2), attempt(2, 20), Next::RetryAt(at_s(30)));
    assert_eq!(row.open().unwrap().due_at, watch);
}

#[test]
fn a_long_wait_parks_and_so_does_any_wait_of_a_message_received_too_often() {
    for (wait_s, receives) in [(WAIT_BY_VISIBILITY_S_MAX + 1, 1), (5, PARK_AT_RECEIVE)] {
        let row = Delivery::pending(key(), at_s(0), Priority::Normal);
        let next = Next::RetryAt(at_s(1_000 + wait_s));
        let (row, settlement) = row.after_attempt(&turn(receives), attempt(1, 1_000), next);
        assert_eq!(settlement, Settlement::Done);
        let open = row.open().unwrap();
        assert_eq!(open.holder, None);
        assert_eq!(open.due_at, at_s(1_000 + wait_s - PARKED_DUE_BEFORE_S));
    }
}

#[test]
fn only_final_rows_expire_and_only_first_try_successes_are_unlisted() {
    let row = Delivery::pending(key(), at_s(0), Priority::Normal);
    assert_eq!(row.expires_at(), None);
    let (delivered, _) = row.clone().after_attempt(&turn(1), attempt(1, 0), Next::Done);
    assert!(delivered.expires_at().is_some());
    assert!(!delivered.is_listed());
    let (failed, _) = row.after_attempt(&turn(1), attempt(1, 0), Next::GiveUp);
    assert!(failed.is_listed());
}

#[test]
fn a_replay_of_a_final_row_begins_a_new_round() {
    let row = Delivery::pending(key(), at_s(0), Priority::Normal);
    let (failed, _) = row.after_attempt(&turn(1), attempt(1, 0), Next::GiveUp);
    let replayed = failed.reopen(ticket("t2"), at_s(50));
    assert_eq!((replayed.attempts, replayed.attempts_before_round), (1, 1));
    let open = replayed.open().unwrap();
    assert_eq!((open.next_at, open.due_at, open.claims), (at_s(50), at_s(50 + LEASE_S), 1));
    let again = replayed.reopen(ticket("t3"), at_s(60));
    assert_eq!(again.attempts_before_round, 1);
}

#[test]
fn the_log_keeps_the_last_attempts() {
    let mut row = Delivery::pending(key(), at_s(0), Priority::Normal);
    for number in 1..=15 {
        row.keep(attempt(number, 0));
    }
    assert_eq!(row.log.len(), LOG_ATTEMPTS_MAX);
    assert_eq!(row.log.last().unwrap().number, 15);
}

#[test]
fn a_lease_doubles_and_is_bounded() {
    let until = |claims| lease_until(at_s(0), at_s(0), claims).seconds();
    assert_eq!([until(0), until(1), until(6)], [120, 240, 7_680]);
    assert_eq!([until(7), until(60)], [14_400, 14_400]);
    assert_eq!(lease_until(at_s(0), at_s(100), 0), at_s(220));
}

#[test]
fn guards_allow_what_the_protocol_says() {
    let event_accepted_at = at_s(5);
    let mut row = Delivery::pending(key(), event_accepted_at, Priority::Normal);
    assert!(Guard::for_attempt(event_accepted_at, 1).allows(None));
    assert!(Guard::for_attempt(event_accepted_at, 1).allows(Some(&row)), "open, never tried");
    assert!(!Guard::for_attempt(at_s(4), 1).allows(Some(&row)), "of a later event");
    assert!(Guard::for_attempt(at_s(6), 1).allows(Some(&row)), "of an earlier event");
    assert!(!Guard::for_attempt(event_accepted_at, 2).allows(None));
    row.attempts = 1;
    assert!(Guard::for_attempt(event_accepted_at, 2).allows(Some(&row)));
    assert!(!Guard::for_attempt(event_accepted_at, 1).allows(Some(&row)));
    assert!(!Guard::for_attempt(event_accepted_at, 3).allows(Some(&row)));
    let seen = Guard::unchanged_since(Some(&row));
    assert!(seen.allows(Some(&row)));
    assert!(!Guard::Absent.allows(Some(&row)));
    let ended = row.end(End::Failed(FailedReason::Crashed));
    assert!(!seen.allows(Some(&ended)));
    assert!(!Guard::for_attempt(event_accepted_at, 2).allows(Some(&ended)));
}

#[test]
fn shards_are_even_and_the_same_for_ever() {
    // FNV-1a's own test vectors.
    assert_eq!(shard("", u32::MAX), 0x811c_9dc5);
    assert_eq!(shard("a", u32::MAX), 0xe40c_292c);
    assert_eq!(shard("foobar", u32::MAX), 0xbf9c_f968);
    let shards: std::collections::BTreeSet<u32> = (0..500)
        .map(|number| {
            let event = format!("e{number}").parse().unwrap();
            DeliveryKey { event, ..key() }.due_shard()
        })
        .collect();
    assert_eq!(shards, (0..DUE_SHARDS).collect());
}

#[test]
fn an_earlier_event_of_the_id_does_not_count() {
    let (row, _) = Delivery::pending(key(), at_s(5), Priority::Normal).after_attempt(
        &turn(1),
        attempt(1, 5),
        Next::RetryAt(at_s(10)),
    );
    let pending =
        |event_accepted_at| Delivery::pending(key(), event_accepted_at, Priority::Critical);
    assert_eq!(pending(at_s(5)).unless_stored(Some(row.clone())), row);
    let new = pending(at_s(6)).unless_stored(Some(row));
    assert_eq!((new.event_accepted_at, new.attempts, new.log.len()), (at_s(6), 0, 0));
}

#[test]
fn an_end_has_its_word() {
    let ended = |end| Delivery::pending(key(), at_s(0), Priority::Normal).end(end).reason_word();
    assert_eq!(ended(End::Failed(FailedReason::EndpointDisabled)).unwrap(), "endpoint_disabled");
    assert_eq!(ended(End::Cancelled(CancelledReason::Expunged)).unwrap(), "expunged");
    assert_eq!(Delivery::pending(key(), at_s(0), Priority::Normal).reason_word(), None);
}

#[test]
fn a_round_began_with_its_first_attempt() {
    let again = |s| Next::RetryAt(at_s(s));
    let mut row = Delivery::pending(key(), at_s(1), Priority::Normal);
    assert_eq!(row.round_began(), None);
    for number in 1..=3 {
        let at = u64::from(number) * 10;
        (row, _) = row.after_attempt(&turn(1), attempt(number, at), again(at + 10));
    }
    assert_eq!(row.round_began(), Some(at_s(10)));
    let (failed, _) = row.clone().after_attempt(&turn(1), attempt(4, 40), Next::GiveUp);
    let replayed = failed.reopen(ticket("t2"), at_s(50));
    assert_eq!(replayed.round_began(), None, "a new round");
    let (replayed, _) = replayed.after_attempt(&turn(1), attempt(5, 60), again(70));
    assert_eq!(replayed.round_began(), Some(at_s(60)));
    for number in 4..=20 {
        (row, _) = row.after_attempt(&turn(1), attempt(number, 100), again(110));
    }
    assert_eq!(row.round_began(), Some(at_s(1)), "the log does not go back so far");
}

#[test]
fn what_is_parked_or_held_waits_without_a_message() {
    let (row, _) = Delivery::pending(key(), at_s(0), Priority::Normal).after_attempt(
        &turn(1),
        attempt(1, 0),
        Next::RetryAt(at_s(5)),
    );
    let parked = row.clone().park(at_s(900));
    let open = parked.open().unwrap();
    assert_eq!(
        (open.next_at, open.due_at, &open.holder),
        (at_s(900), at_s(900 - PARKED_DUE_BEFORE_S), &None)
    );
    assert!(!open.held);
    // What is held could be attempted now: a later plan is that of a clock that was set back since.
    let earliest = at_s(5).minus_ms(EARLINESS_MS_MAX);
    for (now, next_at, due_at) in
        [(at_s(3), at_s(3), at_s(3)), (earliest, at_s(5), at_s(5)), (at_s(8), at_s(5), at_s(8))]
    {
        let held = row.clone().hold(now);
        let open = held.open().unwrap();
        assert_eq!((open.next_at, open.due_at, &open.holder), (next_at, due_at, &None), "{now:?}");
        assert!(open.held);
    }
}

#[test]
fn a_second_try_success_is_listed() {
    let (row, _) = Delivery::pending(key(), at_s(0), Priority::Normal).after_attempt(
        &turn(1),
        attempt(1, 0),
        Next::RetryAt(at_s(5)),
    );
    let (row, _) = row.after_attempt(&turn(2), attempt(2, 5), Next::Done);
    assert!(row.is_listed());
    let mut row = row;
    row.log[0].response_excerpt = Some("secret".to_owned());
    assert!(row.without_answers().log.iter().all(|one| one.response_excerpt.is_none()));
}

#[test]
fn a_stored_end_is_read_back() {
    let words = |status: &Status| {
        let row = Delivery {
            status: status.clone(),
            ..Delivery::pending(key(), at_s(0), Priority::Normal)
        };
        (StatusName::from(status).as_str(), row.reason_word())
    };
    for status in [
        Status::Delivered,
        Status::Failed(FailedReason::Crashed),
        Status::Cancelled(CancelledReason::NotWanted),
    ] {
        let (name, reason) = words(&status);
        assert_eq!(Status::read_end(name, reason.as_deref()).unwrap(), status);
    }
    assert!(Status::read_end("open", None).is_err());
}

#[test]
fn an_attempt_is_told_where_it_stands_in_its_round() {
    let policy = RetryPolicy::of_delays(&[5, 300], "").unwrap();
    let mut row = Delivery::pending(key(), at_s(0), Priority::Normal);
    let first = row.round(1, &policy, at_s(7));
    assert_eq!((first.attempt, first.attempts_max, first.began_at), (1, 3, at_s(7)));
    assert_eq!(first.reason, None);
    row.log = vec![attempt(1, 7), Attempt { outcome: Outcome::TimedOut, ..attempt(2, 20) }];
    row.attempts = 2;
    let third = row.round(3, &policy, at_s(400));
    assert_eq!((third.attempt, third.began_at), (3, at_s(7)));
    assert_eq!(third.reason, Some(Outcome::TimedOut), "what the one before came to");
    assert_eq!(row.round(2, &policy, at_s(20)).reason, Some(Outcome::ServerError));
    // A replay's first attempt is the third of all, and the first of its round.
    row.attempts_before_round = 2;
    let replayed = row.round(3, &policy, at_s(900));
    assert_eq!((replayed.attempt, replayed.began_at), (1, at_s(900)));
    assert_eq!(replayed.reason, None);
}

#[test]
fn nothing_is_planned_by_when_an_event_was_accepted() {
    // Accepted by a clock that was set back since.
    let row = Delivery::pending(key(), at_s(9_000), Priority::Normal);
    let held = row.clone().hold(at_s(100));
    let open = held.open().unwrap();
    assert_eq!((open.next_at, open.due_at), (at_s(100), at_s(100)));
    let (retrying, _) = row.after_attempt(&turn(1), attempt(1, 100), Next::RetryAt(at_s(110)));
    assert_eq!(retrying.open().unwrap().due_at, at_s(110 + WATCH_DUE_AFTER_S), "it is watched");
}

#[test]
fn what_is_planned_moves_with_the_clock() {
    let parked = Delivery::pending(key(), at_s(0), Priority::Normal).park(at_s(1_000));
    let moved = parked.clone().moved(-500_000).open().unwrap().clone();
    assert_eq!((moved.next_at, moved.due_at), (at_s(500), at_s(500 - PARKED_DUE_BEFORE_S)));
    let jump = crate::clock::Jump { to: at_s(10_000), by_ms: 9_000_000 };
    let turn = turn(1);
    let (tried, _) = parked.after_attempt(&turn, attempt(1, 1_000), Next::RetryAt(at_s(1_060)));
    let (anew, by_ms) = tried.clone().plan_anew(0, jump, at_s(10_001)).unwrap();
    assert_eq!((anew.open().unwrap().next_at, by_ms), (at_s(10_060), 9_000_000));
    let (same, by_ms) = tried.clone().plan_anew(0, jump, at_s(1_001)).unwrap();
    assert_eq!((same.open().unwrap().next_at, by_ms), (at_s(1_060), 0), "made after the jump");
    assert!(tried.clone().plan_anew(1, jump, at_s(10_001)).is_none(), "no attempt of its own");
    assert_eq!(tried.clone().reopened_for(at_s(10_000)).open().unwrap().next_at, at_s(10_000));
    assert_eq!(tried.clone().reopened_for(at_s(1_061)), tried);
}
