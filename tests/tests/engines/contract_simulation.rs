//! The contract suite on the simulation's own store, queue and key vault: what `simulation` shows
//! holds for the engines only where they behave alike.

use std::any::Any;

use tokio::task::JoinError;
use waxseal_tests::{contract, fixtures, sim};

/// Checks of what the simulation does not implement: the check, the first method that it lacks, and
/// why nothing on the path of an event calls it. A check that passes must leave this list.
const LACKING: [(&str, &str, &str); 9] = [
    ("an_endpoints_list_is_paged", "deliveries_by_endpoint", "only the API and `recover` list"),
    ("events_are_listed_by_time", "events_by_time", "only the API and `recover` list"),
    ("a_page_of_large_events_ends_early", "events_by_time", "only the API and `recover` list"),
    ("tenants_are_listed_by_name", "tenants", "only the API lists"),
    ("keys_are_found", "Change::AddApiKey", "senders are authenticated before"),
    ("a_sources_name_is_its_tenants", "Change::PutSource", "hooks come in before"),
    (
        "of_two_that_saw_the_same_endpoints_one_gets_through",
        "Change::MoveEndpoint",
        "endpoints keep their profile, and tenants have no catalogue",
    ),
    ("health_is_noted_in_no_log", "note_health", "only the API sends test events"),
    (
        "settings_are_kept_by_name",
        "setting",
        "profiles are the built-in ones, and links are not made",
    ),
];

macro_rules! contract {
    ($($check:ident),* $(,)?) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $check() {
                let engine = sim::calm_engine();
                let check = async move {
                    contract::$check(engine.as_ref(), &fixtures::tenant("acme")).await;
                };
                judge(stringify!($check), tokio::spawn(check).await);
            }
        )*

        const CHECKS: &[&str] = &[$(stringify!($check)),*];
    };
}

waxseal_tests::contract_checks!(contract);

/// A check passes, or the simulation lacks exactly what the list says.
fn judge(check: &str, ended: Result<(), JoinError>) {
    let lacking = LACKING.iter().find(|(named, ..)| *named == check);
    match (lacking, ended) {
        (None, Ok(())) => {}
        (None, Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
        (Some(_), Ok(())) => panic!("{check} passes by now: take it from LACKING"),
        (Some((_, method, _)), Err(failed)) => assert_eq!(
            panic_text(failed.into_panic().as_ref()),
            format!("the simulation does not implement {method}"),
        ),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or("a panic without a text", String::as_str)
}

#[test]
fn only_checks_of_the_suite_are_said_to_lack_something() {
    for (check, ..) in LACKING {
        assert!(CHECKS.contains(&check), "{check} is no check of the suite");
    }
}
