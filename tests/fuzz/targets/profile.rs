//! Profile files of a deployment's own.
#![no_main]

use waxseal_domain::profile::Profile;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(faults) = Profile::parse(text) {
        assert!(!faults.is_empty());
    }
});
