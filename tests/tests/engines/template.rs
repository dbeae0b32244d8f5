//! The template gives queues and functions the numbers that the code counts on.

use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_domain::limits::{
    FUNCTION_TIMEOUT_S, MESSAGE_RECEIVES_MAX, MESSAGE_VISIBILITY_S, TENANT_DELIVERIES_PER_MINUTE,
    TENANT_DELIVERIES_PER_MINUTE_RANGE, TENANT_MAX_PER_SECOND, TENANT_MAX_PER_SECOND_RANGE,
};
use waxseal_tests::openapi::operations;

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

#[test]
fn each_bound_of_a_tenant_is_a_parameter_with_the_codes_default_and_bounds() {
    for (parameter, usual, bounds) in [
        ("TenantRequestsPerSecond", TENANT_MAX_PER_SECOND, TENANT_MAX_PER_SECOND_RANGE),
        (
            "TenantDeliveriesPerMinute",
            TENANT_DELIVERIES_PER_MINUTE,
            TENANT_DELIVERIES_PER_MINUTE_RANGE,
        ),
    ] {
        let (_, text) = TEMPLATE.split_once(&format!("\n  {parameter}:\n")).unwrap();
        let number = |key: &str| {
            let value = text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
            value.trim().parse::<u32>().unwrap()
        };
        assert_eq!(number("Default:"), usual, "{parameter}");
        assert_eq!(number("MinValue:")..=number("MaxValue:"), bounds, "{parameter}");
        assert!(TEMPLATE.contains(&format!(": !Ref {parameter}\n")), "{parameter} reaches nothing");
    }
}

#[test]
fn what_a_tenants_bound_puts_off_raises_an_alarm() {
    let (_, alarm) = TEMPLATE.split_once("\n  PutOffAlarm:\n").unwrap();
    let alarm = alarm.split("\n\n").next().unwrap();
    for said in ["MetricName: PutOff\n", "Value: deliver}", "Namespace: Waxseal\n", "AlarmActions:"]
    {
        assert!(alarm.contains(said), "{said}: {alarm}");
    }
}

/// In one process every path is served; on AWS only those that a function has an event for.
#[test]
fn the_template_has_a_way_to_each_operation() {
    let events = routes();
    for operation in operations(&waxseal_api::openapi::<EmbeddedEngine>()) {
        let has_its_own = events.contains(&(operation.method.clone(), operation.path.clone()));
        let has_that_of_all = operation.path.starts_with("/v1/")
            && events.contains(&("ANY".to_owned(), "/v1/{proxy+}".to_owned()));
        assert!(has_its_own || has_that_of_all, "template.yaml has no event for {operation}");
    }
}

/// The methods and paths of the template's HTTP events.
fn routes() -> Vec<(String, String)> {
    let events = TEMPLATE.lines().filter(|line| line.contains("{Type: HttpApi,"));
    let route = |line: &str| {
        let (_, rest) = line.split_once("Method: ").unwrap();
        let (method, path) = rest.split_once(", Path: '").unwrap();
        (method.to_owned(), path.split('\'').next().unwrap().to_owned())
    };
    events.map(route).collect()
}

/// The numbers of the lines that begin with this key, in their order.
fn numbers(key: &str) -> Vec<u64> {
    let values = TEMPLATE.lines().filter_map(|line| line.trim_start().strip_prefix(key));
    let words = values.filter_map(|value| value.split_whitespace().next());
    words.map(|word| word.parse().unwrap()).collect()
}
