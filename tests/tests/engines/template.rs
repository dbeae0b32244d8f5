//! The template gives queues and functions the numbers that the code counts on.

use waxseal_domain::limits::{FUNCTION_TIMEOUT_S, MESSAGE_RECEIVES_MAX, MESSAGE_VISIBILITY_S};

const TEMPLATE: &str = include_str!("../../../template.yaml");

#[test]
fn the_template_and_the_code_have_the_same_time_out_visibility_and_receives() {
    let visibility = numbers("VisibilityTimeout:");
    let receives = numbers("maxReceiveCount:");
    let default_timeout = numbers("Timeout:").first().copied();
    assert_eq!(default_timeout, Some(FUNCTION_TIMEOUT_S));
    assert!(!visibility.is_empty() && visibility.iter().all(|one| *one == MESSAGE_VISIBILITY_S));
    let most = u64::from(MESSAGE_RECEIVES_MAX);
    assert!(!receives.is_empty() && receives.iter().all(|one| *one == most));
}

/// The numbers of the lines that begin with this key, in their order.
fn numbers(key: &str) -> Vec<u64> {
    let values = TEMPLATE.lines().filter_map(|line| line.trim_start().strip_prefix(key));
    let words = values.filter_map(|value| value.split_whitespace().next());
    words.map(|word| word.parse().unwrap()).collect()
}
