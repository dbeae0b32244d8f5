//! What people, receivers and the template are told of the bounds, in the units in which they are told.

use super::*;

const HOUR_S: u64 = 3_600;

#[test]
fn sizes_are_whole_kibibytes_as_documents_tell_them() {
    for (bytes, kibibytes) in [
        (EVENT_BYTES_MAX, 256),
        (REQUEST_BYTES_MAX, 1_024),
        (RESPONSE_BYTES_MAX, 16),
        (SCHEMA_BYTES_MAX, 32),
        (EXAMPLE_BYTES_MAX, 16),
    ] {
        assert_eq!(bytes, kibibytes << 10);
    }
    assert_eq!(SCHEMA_PATTERN_BYTES_MAX, 1 << 20);
}

#[test]
fn spans_are_the_days_and_hours_that_documents_tell() {
    for (seconds, days) in [
        (DELAYS_SUM_S_MAX, 14),
        (RETRY_AFTER_S_MAX, 1),
        (EVENT_RETENTION_S, 35),
        (PAUSE_S_MAX, 7),
        (FAILING_S_MAX, 5),
        (SECRET_SHOWN_S, 1),
        (OVERLAP_DEFAULT_S, 1),
        (*OVERLAP_S.end(), 30),
        (AUDIT_RETENTION_S, 400),
    ] {
        assert_eq!(seconds, days * 24 * HOUR_S);
    }
    assert_eq!(LEASE_S_MAX, 4 * HOUR_S);
    for quarter in [WATCH_DUE_AFTER_S, OVERDUE_S] {
        assert_eq!(quarter, HOUR_S / 4);
    }
}

#[test]
fn a_message_is_hidden_for_six_time_outs_of_its_function_and_a_second() {
    let time_outs: u64 = [FUNCTION_TIMEOUT_S; 6].iter().sum();
    assert_eq!(MESSAGE_VISIBILITY_S.checked_sub(time_outs), Some(1));
}

#[test]
fn a_rotated_secret_signs_until_each_copy_of_its_endpoint_is_old_twice_over() {
    assert_eq!(*OVERLAP_S.start(), ENDPOINT_COPY_FIRST_ATTEMPT_S + ENDPOINT_COPY_FIRST_ATTEMPT_S);
}

#[test]
fn a_closing_gate_outlives_a_copy_of_it_five_times() {
    assert_eq!(GATE_LINGER_S.checked_div(GATE_COPY_FIRST_ATTEMPT_S), Some(5));
    assert!(GATE_LINGER_S.is_multiple_of(GATE_COPY_FIRST_ATTEMPT_S));
}
