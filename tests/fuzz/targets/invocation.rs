//! What invokes a function, in every form of a cloud source.
#![no_main]

use waxseal_adapters::aws::cloud_event::CloudEvent;
use waxseal_adapters::aws::http_event::HttpEvent;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _read = CloudEvent::parse(text);
    if let Ok(event) = serde_json::from_str::<HttpEvent>(text) {
        let _request = event.into_request();
    }
});
