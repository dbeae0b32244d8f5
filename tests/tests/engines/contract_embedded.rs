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
    of_two_that_saw_the_same_roster_one_gets_through,
    an_entry_is_written_with_its_change_or_not_at_all,
    a_secret_is_bound_to_its_owner,
    messages_are_queued,
    a_gate_holds_and_releases,
    slots_are_bounded,
);
