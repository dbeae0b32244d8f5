//! Patterns, and events that they are matched with: within any budget there is one answer, or none.
#![no_main]

use waxseal_domain::filter::{Filter, Subject};
use waxseal_domain::json::Json;
use waxseal_domain::limits::MATCH_STEPS_MAX;
use waxseal_domain::work::Meter;

libfuzzer_sys::fuzz_target!(|input: (u16, &str, &str)| {
    let (few, pattern, event) = input;
    let (Ok(pattern), Ok(event)) = (Json::parse(pattern), Json::parse(event)) else { return };
    if let Ok(filter) = Filter::compile(&pattern) {
        let event = Subject::new(event);
        let (all, some) = (Meter::new(MATCH_STEPS_MAX), Meter::new(u64::from(few)));
        let answer = filter.matches(&event, &all);
        assert!(all.spent() <= MATCH_STEPS_MAX);
        match filter.matches(&event, &some) {
            Ok(found) => assert_eq!((Ok(found), some.spent()), (answer, all.spent())),
            Err(dear) => assert_eq!((dear.allowed, some.spent()), (u64::from(few), u64::from(few))),
        }
    }
});
