//! Patterns, and events that they are matched with.
#![no_main]

use waxseal_domain::filter::Filter;
use waxseal_domain::json::Json;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| {
    let (Ok(pattern), Ok(event)) = (Json::parse(input.0), Json::parse(input.1)) else { return };
    if let Ok(filter) = Filter::compile(&pattern) {
        assert_eq!(filter.matches(&event), filter.matches(&event));
    }
});
