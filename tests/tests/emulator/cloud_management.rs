//! The management suite on the template, deployed on the emulator: a tenant a check.

use waxseal_tests::cloud::Cloud;
use waxseal_tests::management;

#[tokio::test]
async fn the_suite_on_aws() {
    let cloud = Cloud::shared().await;
    let client = cloud.client();
    // One after another: the emulator runs a function's invocations on two cores.
    management::the_deployment_says_how_it_is(&client).await;
    management::versions_keep_changes_apart(&client).await;
    management::a_repeated_request_makes_one_endpoint(&client).await;
    management::a_limit_holds_under_concurrent_creation(&client).await;
    management::every_fault_is_named_at_once(&client).await;
    management::every_change_is_in_the_audit_log_and_an_event(&client).await;
    management::event_types_say_what_payloads_are_like(&client).await;
    management::a_key_has_scopes_a_rate_and_an_end(&client).await;
    management::a_dry_run_says_what_is_then_sent(&client).await;
}
