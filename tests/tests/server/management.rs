//! The management suite on the embedded server.

use waxseal_tests::management;
use waxseal_tests::process::Server;

macro_rules! management {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let folder = tempfile::tempdir().unwrap();
            let server = Server::start(folder.path()).await;
            management::$check(&server.client()).await;
        }
    )*};
}

management!(
    versions_keep_changes_apart,
    a_repeated_request_makes_one_endpoint,
    a_limit_holds_under_concurrent_creation,
    every_fault_is_named_at_once,
    every_change_is_in_the_audit_log_and_an_event,
    event_types_say_what_payloads_are_like,
    a_key_has_scopes_a_rate_and_an_end,
    a_dry_run_says_what_is_then_sent,
    the_deployment_says_how_it_is,
);
