//! Each promise is broken by a history that is made up, and a true one breaks none.

use super::*;

const KNOWN: Circumstances = Circumstances { clocks_differ_ms: 0, replays: Replays::None };

fn at(s: u64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000).plus_s(s)
}

fn attempt(number: u32, started_s: u64, next_s: Option<u64>) -> PastAttempt {
    let (started_at, next_at) = (at(started_s), next_s.map(at));
    PastAttempt { number, started_at, duration_ms: 200, is_accepted: false, next_at }
}

fn post(s: u64, digest: &str) -> Post {
    Post { at: at(s), digest: digest.to_owned() }
}

/// Fails twice, and is taken the third time.
fn delivered() -> DeliveryHistory {
    let taken = PastAttempt { is_accepted: true, ..attempt(3, 40, None) };
    DeliveryHistory {
        id: "dlv_1_e".to_owned(),
        accepted_at: at(0),
        standing: Standing::Delivered,
        attempt_count: 3,
        attempts: Some(vec![attempt(1, 1, Some(10)), attempt(2, 10, Some(40)), taken]),
        silences: Vec::new(),
        posts: Some(vec![post(1, "a"), post(10, "a"), post(40, "a")]),
    }
}

fn exhausted() -> DeliveryHistory {
    let attempts = Some(vec![attempt(1, 1, Some(10)), attempt(2, 10, None)]);
    let standing = Standing::Failed;
    DeliveryHistory { standing, attempt_count: 2, attempts, ..delivered() }
}

fn kinds(history: &DeliveryHistory) -> Vec<Kind> {
    history.check(KNOWN).into_iter().map(|violation| violation.kind).collect()
}

fn with_attempts(attempts: Vec<PastAttempt>) -> DeliveryHistory {
    let attempt_count = attempts.last().map_or(0, |last| last.number);
    let (standing, attempts) = (Standing::Open, Some(attempts));
    DeliveryHistory { standing, attempt_count, attempts, ..delivered() }
}

fn silent(from_s: u64, until_s: Option<u64>) -> DeliveryHistory {
    let because = "the endpoint was disabled".to_owned();
    let silence = Silence { from: at(from_s), until: until_s.map(at), because };
    let later = PastAttempt { is_accepted: true, ..attempt(2, 300, None) };
    DeliveryHistory {
        silences: vec![silence],
        attempt_count: 2,
        attempts: Some(vec![attempt(1, 1, Some(300)), later]),
        posts: None,
        ..delivered()
    }
}

#[test]
fn a_true_history_breaks_no_promise() {
    for history in [delivered(), exhausted(), silent(290, None), silent(2, Some(299))] {
        assert_eq!(history.check(KNOWN), []);
    }
    let pending = DeliveryHistory { posts: Some(Vec::new()), ..with_attempts(Vec::new()) };
    assert_eq!(pending.check(KNOWN), []);
    let only_counted = DeliveryHistory { attempts: None, posts: None, ..delivered() };
    assert_eq!(only_counted.check(KNOWN), []);
}

#[test]
fn a_status_that_its_log_does_not_bear_out_is_named() {
    let attempts = exhausted().attempts;
    let never_taken = DeliveryHistory { attempts, attempt_count: 2, ..delivered() };
    assert_eq!(kinds(&never_taken), [Kind::Unfounded]);
    let no_attempt = DeliveryHistory { attempts: Some(vec![]), attempt_count: 0, ..delivered() };
    assert_eq!(kinds(&no_attempt), [Kind::Unfounded]);
    let taken = DeliveryHistory { standing: Standing::Failed, ..delivered() };
    assert_eq!(kinds(&taken), [Kind::Unfounded]);
    let said = never_taken.check(KNOWN).remove(0).to_string();
    assert_eq!(said, "dlv_1_e is delivered, and its last attempt was not accepted");
}

#[test]
fn an_attempt_before_its_time_is_named_with_both_times() {
    let early = with_attempts(vec![attempt(1, 1, Some(10)), attempt(2, 8, Some(40))]);
    assert_eq!(kinds(&early), [Kind::Early]);
    let said = early.check(KNOWN).remove(0).found;
    assert_eq!(said, "had attempt 2 at 2027-01-15T08:00:08Z, due at 2027-01-15T08:00:10Z");
    let within_a_second = with_attempts(vec![attempt(1, 1, Some(10)), attempt(2, 9, Some(40))]);
    assert_eq!(kinds(&within_a_second), []);
    let clocks = Circumstances { clocks_differ_ms: 2_000, ..KNOWN };
    assert_eq!(early.check(clocks), []);
    let replays = Circumstances { replays: Replays::Possible, ..KNOWN };
    assert_eq!(early.check(replays), [], "a person may have asked for it");
    let before_its_event = with_attempts(vec![attempt(1, 1, Some(10))]);
    let accepted_at = at(2);
    let before_its_event = DeliveryHistory { accepted_at, ..before_its_event };
    assert_eq!(kinds(&before_its_event), [Kind::Early]);
}

#[test]
fn an_attempt_after_the_last_one_is_named() {
    let beyond = with_attempts(vec![attempt(1, 1, None), attempt(2, 10, Some(40))]);
    assert_eq!(kinds(&beyond), [Kind::BeyondPolicy]);
    let taken = PastAttempt { is_accepted: true, ..attempt(1, 1, None) };
    let taken_again = with_attempts(vec![taken, attempt(2, 10, Some(40))]);
    assert_eq!(kinds(&taken_again), [Kind::BeyondPolicy]);
    let replays = Circumstances { replays: Replays::Possible, ..KNOWN };
    assert_eq!(beyond.check(replays), []);
}

#[test]
fn attempts_that_are_miscounted_or_overlap_are_named() {
    let gap = with_attempts(vec![attempt(1, 1, Some(10)), attempt(3, 10, Some(40))]);
    assert_eq!(kinds(&gap), [Kind::Miscounted]);
    let no_first = with_attempts(vec![attempt(2, 10, Some(40))]);
    assert_eq!(kinds(&no_first), [Kind::Miscounted]);
    let too_few = DeliveryHistory { attempt_count: 4, ..delivered() };
    assert_eq!(kinds(&too_few), [Kind::Miscounted]);
    let slow = PastAttempt { duration_ms: 15_000, ..attempt(1, 1, Some(10)) };
    let at_once = with_attempts(vec![slow, attempt(2, 10, Some(40))]);
    assert_eq!(kinds(&at_once), [Kind::Miscounted]);
    // The log keeps the last ten, and a cancel wins over an attempt that is under way.
    let numbers = 5..15;
    let all = numbers.map(|n| attempt(n, u64::from(n) * 10, Some(u64::from(n) * 10 + 10)));
    assert_eq!(kinds(&with_attempts(all.collect())), []);
    let cancelled =
        DeliveryHistory { standing: Standing::Cancelled, attempt_count: 1, ..exhausted() };
    assert_eq!(kinds(&cancelled), []);
    let open = DeliveryHistory { standing: Standing::Open, ..cancelled };
    assert_eq!(kinds(&open), [Kind::Miscounted]);
}

#[test]
fn two_bodies_of_one_id_are_named() {
    let posts = Some(vec![post(1, "a"), post(10, "b"), post(40, "a")]);
    assert_eq!(kinds(&DeliveryHistory { posts, ..delivered() }), [Kind::TwoBodies]);
}

#[test]
fn what_is_sent_after_an_end_is_named() {
    assert_eq!(kinds(&silent(2, None)), [Kind::AfterEnd], "by the log");
    let by_the_receiver = DeliveryHistory {
        attempts: None,
        posts: Some(vec![post(1, "a"), post(300, "a")]),
        ..silent(2, None)
    };
    assert_eq!(kinds(&by_the_receiver), [Kind::AfterEnd]);
    let said = by_the_receiver.check(KNOWN).remove(0).found;
    assert!(said.contains("the endpoint was disabled at 2027-01-15T08:00:02Z"), "{said}");
    let grace = at(2).plus_s(SILENT_AFTER_S);
    let under_way = Post { at: grace, ..post(0, "a") };
    let posts = Some(vec![under_way]);
    assert_eq!(kinds(&DeliveryHistory { posts, ..by_the_receiver }), []);
}

#[test]
fn what_no_receiver_has_seen_is_named() {
    let posts = Some(Vec::new());
    assert_eq!(kinds(&DeliveryHistory { posts, ..delivered() }), [Kind::Untaken]);
    let posts = Some(Vec::new());
    assert_eq!(kinds(&DeliveryHistory { posts, ..exhausted() }), []);
}

#[test]
fn each_kind_has_a_word_of_its_own() {
    let mut words: Vec<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Kind::ALL.len());
    assert_eq!(
        (Violation::lost("e").kind, Violation::unknown("d").kind),
        (Kind::Lost, Kind::Unknown)
    );
}
