//! Events, plain and CloudEvents: what is accepted is the same once stored.
#![no_main]

use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Event, Form, Submission};
use waxseal_domain::json::Json;
use waxseal_domain::timestamp::{Timestamp, in_utc};

libfuzzer_sys::fuzz_target!(|input: (bool, &str)| {
    let (is_plain, text) = input;
    let form = if is_plain { Form::Plain } else { Form::CloudEvent };
    let submission = Submission { text: text.to_owned(), form, fallback_id: None, hops: Hops::default() };
    let tenant = "acme".parse().unwrap();
    let Ok(accepted) = Event::accept(&tenant, &submission, Timestamp::from_ms(1), 7) else { return };
    let event = accepted.event;
    assert_eq!(in_utc(&event.time), Some(event.time.clone()));
    assert!(Json::parse(&event.view()).is_ok());
    let stored = serde_json::to_string(&event).unwrap();
    let again: Event = serde_json::from_str(&stored).unwrap();
    assert_eq!(again.view(), event.view());
});
