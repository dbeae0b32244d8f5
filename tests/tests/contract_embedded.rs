//! The contract suite on the embedded engine.

use waxseal_tests::{contract, fixtures};

macro_rules! contract {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let folder = tempfile::tempdir().unwrap();
            let engine = fixtures::engine(folder.path());
            contract::$check(engine.as_ref(), &fixtures::tenant("acme")).await;
        }
    )*};
}

contract!(
    an_event_is_written_once,
    guards_hold,
    a_due_delivery_is_claimed_once,
    an_endpoints_list_is_paged,
    events_are_listed_by_time,
    endpoints_change_by_version,
    keys_and_sources_are_found,
    a_secret_is_bound_to_its_owner,
    messages_are_queued,
    a_gate_holds_and_releases,
);
