//! Short texts: URLs, ids, types, dates, `Retry-After`, messages, JSON.
#![no_main]

use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::message::Message;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::endpoint::target::Target;
use waxseal_domain::event::event_type::EventTypePattern;
use waxseal_domain::id::{DeliveryId, EventId};
use waxseal_domain::json::{Json, compact};
use waxseal_domain::timestamp::{Timestamp, in_utc};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(Target::Http(url)) = AddressRules::default().check(text) {
        assert_eq!(url.scheme(), "https");
    }
    if let Ok(id) = text.parse::<DeliveryId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<EventId>() {
        assert!(!id.as_str().contains('#'));
    }
    if let Ok(pattern) = text.parse::<EventTypePattern>() {
        assert_eq!(pattern.to_string(), text);
    }
    if let Some(utc) = in_utc(text) {
        assert_eq!(in_utc(&utc), Some(utc));
    }
    let headers = vec![("retry-after".to_owned(), text.to_owned())];
    let response = Some(Response { status: 503, headers, excerpt: String::new() });
    let (outcome, now) = (Outcome::ServerError, Timestamp::from_ms(1));
    let _seconds =
        SendResult { outcome, detail: None, response, started_at: now, ended_at: now }.retry_after_s();
    if let Ok(message) = Message::parse(text) {
        assert_eq!(Message::parse(&message.body()).unwrap().body(), message.body());
    }
    if let Ok(json) = Json::parse(text) {
        assert_eq!(Json::parse(&compact(text)).unwrap().digest(), json.digest());
        let _written = waxseal_verify::json::stringify(text).unwrap();
    }
});
