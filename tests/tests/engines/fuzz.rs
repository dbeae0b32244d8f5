//! Everything that parses outside input, on input that nobody meant: it never panics, and what it lets
//! through is what it says. Valid inputs with mistakes, generated JSON, and plain noise.

use std::net::IpAddr;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use waxseal_adapters::aws::cloud_event::CloudEvent;
use waxseal_adapters::aws::http_event::HttpEvent;
use waxseal_domain::delivery::attempt::{Outcome, Response, SendResult};
use waxseal_domain::delivery::message::Message;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::endpoint::subscription::{Candidate, CompiledFilter, Subscription};
use waxseal_domain::event::event_type::EventTypePattern;
use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Event, Form, Submission};
use waxseal_domain::id::{DeliveryId, EventId, TenantName};
use waxseal_domain::json::{Json, compact};
use waxseal_domain::limits::MATCH_STEPS_MAX;
use waxseal_domain::profile::{Hook, Profile};
use waxseal_domain::timestamp::{Timestamp, in_utc};
use waxseal_tests::fixtures::SECRET;
use waxseal_tests::random;
use waxseal_tests::random::{matching, mutate_text};
use waxseal_verify::{FILES, Window};

const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// One of these, changed in a few places or not at all.
fn make_mistaken(valid: Vec<String>) -> impl Strategy<Value = String> {
    mutate_text(prop::sample::select(valid))
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (-1e15..1e15_f64).prop_map(|number| json!(number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        matching("[a-c.]{0,6}|.{0,8}").prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let operators: Vec<&str> = waxseal_domain::filter::operators().collect();
        let name =
            matching(&format!("type|data|severity|{}|\\$or|[a-c]{{0,3}}", operators.join("|")));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn events() -> Vec<String> {
    texts(&[
        r#"{"type":"dlp.pii_blocked","severity":"high","riskscore":0.5,"data":{"n":1.0}}"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"a.b","time":"2026-11-21T04:39:56Z"}"#,
        r#"{"type":"a","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#,
        r#"{"type":"a","data_base64":"aGk=","summary":"s","tenant":"acme"}"#,
    ])
}

fn invocations() -> Vec<String> {
    texts(&[
        r#"{"Records":[{"eventSource":"aws:sqs","messageId":"m","receiptHandle":"r","body":"x"}]}"#,
        r#"{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"m","Message":"{}"}}]}"#,
        r#"{"id":"1","source":"s","time":"t","detail-type":"a","detail":{"n":1.0}}"#,
        r#"{"tenant":"acme","events":[{"type":"a"},{"type":"b"}]}"#,
        r#"{"version":"2.0","rawPath":"/v1/x","rawQueryString":"a=b","headers":{"a":"b"},
            "requestContext":{"http":{"method":"POST"},"stage":"$default"},"body":"e30=",
            "isBase64Encoded":true}"#,
        r#"{"httpMethod":"POST","path":"/v1/x","headers":{"A":"b"},"body":"{}",
            "requestContext":{"stage":"prod"}}"#,
    ])
}

proptest! {
    #![proptest_config(config(40_000))]

    #[test]
    fn an_invocation_is_read_or_refused(text in make_mistaken(invocations())) {
        let _read = CloudEvent::parse(&text);
        if let Ok(event) = serde_json::from_str::<HttpEvent>(&text) {
            let _request = event.into_request();
        }
    }

    #[test]
    fn an_event_is_accepted_whole_or_refused_with_pointers(
        text in prop_oneof![
            make_mistaken(events()),
            random::event(),
            mutate_text(random::event()),
            any_json().prop_map(|json| json.to_string()),
            ".{0,64}",
        ],
        is_plain in any::<bool>(),
    ) {
        let form = if is_plain { Form::Plain } else { Form::CloudEvent };
        let submission = Submission { text: text.clone(), form, fallback_id: None, hops: Hops::default() };
        let tenant: TenantName = "acme".parse().unwrap();
        match Event::accept(&tenant, &submission, NOW, 7) {
            Ok(accepted) => {
                let event = accepted.event;
                prop_assert!(!event.event_type.is_empty());
                prop_assert!(!event.event_type.starts_with("waxseal."));
                prop_assert_eq!(in_utc(&event.time), Some(event.time.clone()), "in UTC already");
                if let Some(data) = &event.data {
                    prop_assert!(submission.text.contains(data.get()), "its bytes are kept");
                }
                let stored = serde_json::to_string(&event).unwrap();
                let again: Event = serde_json::from_str(&stored).unwrap();
                prop_assert_eq!(again.view(), event.view());
                prop_assert!(Json::parse(&event.view()).is_ok());
            }
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }

    #[test]
    fn json_is_read_as_serde_reads_it(json in any_json()) {
        let text = serde_json::to_string_pretty(&json).unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        prop_assert_eq!(read(&compact(&text)), read(&text));
        prop_assert_eq!(
            Json::parse(&text).unwrap().digest(),
            Json::parse(&compact(&text)).unwrap().digest()
        );
    }

    #[test]
    fn noise_is_no_json_where_serde_says_so(text in "[\\[\\]{}\",:0-9eE+.tfn -]{0,24}") {
        if serde_json::from_str::<Value>(&text).is_err() {
            prop_assert!(Json::parse(&text).is_err(), "{}", text);
        }
    }

    #[test]
    fn a_pattern_compiles_or_names_its_faults_and_matches_anything(
        pattern in prop_oneof![
            any_json().prop_map(|json| json.to_string()),
            random::pattern(),
            mutate_text(random::pattern()),
        ],
        data in any_json(),
    ) {
        match CompiledFilter::compile(&pattern) {
            Err(faults) => prop_assert!(!faults.is_empty()),
            Ok(filter) => {
                let text = json!({"type": "a.b", "data": data}).to_string();
                let submission = Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
                let tenant = "acme".parse().unwrap();
                let accepted = Event::accept(&tenant, &submission, NOW, 7).unwrap();
                let subscription =
                    Subscription { filter: Some(filter), ..Subscription::default() };
                let candidate = Candidate::new(&accepted.event, MATCH_STEPS_MAX);
                prop_assert_eq!(subscription.wants(&candidate), subscription.wants(&candidate));
            }
        }
    }

    #[test]
    fn an_event_type_pattern_matches_its_own_text(text in "[a-c.*]{0,8}") {
        if let Ok(pattern) = text.parse::<EventTypePattern>() {
            prop_assert!(pattern.matches(&text));
        }
    }

    #[test]
    fn a_hook_of_any_profile_is_refused_unless_signed_and_read_or_refused(
        profile in prop::sample::select(Profile::builtins()),
        header in make_mistaken(texts(&[
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=", "v1a,x v1,", "1790000000", "sha256=00",
            "t=1790000000,v1=00", "v0=ab",
        ])),
        body in prop_oneof![
            make_mistaken(texts(&[
                r#"{"type":"a","event":"b","timestamp":1,"id":"x","data":{},"signature":"sha256=00"}"#,
            ])),
            any_json().prop_map(|json| json.to_string()),
            ".{0,32}",
        ],
    ) {
        let keys = [profile.dialect.key(SECRET).unwrap()];
        let given = |_: &str| Some(header.as_str());
        let window = Window::around(NOW.seconds());
        prop_assert!(profile.dialect.verify(given, body.as_bytes(), &keys, window).is_err());
        let hook = Hook { id: Some("m"), header: &given, body: body.as_bytes() };
        if let Ok(submission) = profile.reading.submission("/hooks/x", &hook) {
            prop_assert!(Json::parse(&submission.text).is_ok() || Json::parse(&body).is_err());
            let _event = Event::accept(&"acme".parse().unwrap(), &submission, NOW, 7);
        }
    }

    #[test]
    fn a_profiles_file_is_taken_or_its_faults_are_named(
        text in mutate_text(prop::sample::select(FILES).prop_map(|(_, text)| text.to_owned())),
    ) {
        if let Err(faults) = Profile::parse(&text) {
            prop_assert!(!faults.is_empty());
        }
    }

    #[test]
    fn a_url_that_passes_names_no_private_address(
        url in prop_oneof![
            make_mistaken(texts(&[
                "https://example.com/hooks?x=1", "https://2130706433/", "https://[::ffff:127.0.0.1]/",
                "https://0x7f.1/", "https://10.1.2.3:8443/a", "https://user@example.com/",
                "https://169.254.169.254/", "https://[64:ff9b::7f00:1]/", "http://example.com/",
            ])),
            random::url(),
            mutate_text(random::url()),
        ],
    ) {
        if let Ok(passed) = AddressRules::default().check_url(&url) {
            prop_assert_eq!(passed.scheme(), "https");
            prop_assert!(passed.username().is_empty() && passed.password().is_none());
            let host = passed.host_str().unwrap().trim_matches(['[', ']']);
            if let Ok(ip) = host.parse::<IpAddr>() {
                let ip = ip.to_canonical();
                prop_assert!(!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast());
                if let IpAddr::V4(ip) = ip {
                    prop_assert!(!ip.is_private() && !ip.is_link_local(), "{}", ip);
                }
            }
        }
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_nothing(
        value in make_mistaken(texts(&["120", "Sun, 06 Nov 1994 08:49:37 GMT", "1e9", "-1", ""])),
    ) {
        let headers = vec![("retry-after".to_owned(), value)];
        let response = Response { status: 503, headers, excerpt: String::new() };
        let sent = SendResult {
            outcome: Outcome::ServerError,
            detail: None,
            response: Some(response),
            started_at: NOW,
            ended_at: NOW,
        };
        let _seconds = sent.retry_after_s();
    }

    #[test]
    fn a_time_is_read_in_utc_or_not_at_all(
        text in prop_oneof![random::date(), mutate_text(random::date())],
    ) {
        let read = Timestamp::parse_rfc3339(&text);
        if let Some(read) = read {
            prop_assert_eq!(Timestamp::parse_rfc3339(&read.rfc3339()), Some(read));
        }
        if let Some(utc) = in_utc(&text) {
            prop_assert!(utc.ends_with('Z'), "{}", utc);
            prop_assert_eq!(Timestamp::parse_rfc3339(&utc), read);
            prop_assert_eq!(in_utc(&utc), Some(utc));
        }
        let _http = Timestamp::parse_http_date(&text);
    }

    #[test]
    fn a_message_is_read_back_as_it_was_written(
        text in make_mistaken(texts(&[
            r#"{"v":1,"tenant":"acme","event":"e1","endpoint":"ep_1","born":1,"ticket":"t",
                "sent_at":1,"check":true,"kind":"probe"}"#,
        ])),
    ) {
        if let Ok(message) = Message::parse(&text) {
            let again = Message::parse(&message.body()).unwrap();
            prop_assert_eq!(again.body(), message.body());
        }
    }

    #[test]
    fn an_id_reads_one_way_only(text in "[A-Za-z0-9_:#~ -]{0,24}", event in "[a-z_:-]{1,12}") {
        if let Ok(id) = text.parse::<EventId>() {
            prop_assert!(!id.as_str().contains('#'));
        }
        if let Ok(event) = event.parse::<EventId>() {
            let id = DeliveryId { endpoint: "ep_1".parse().unwrap(), event };
            let again: DeliveryId = id.to_string().parse().unwrap();
            prop_assert_eq!(again.to_string(), id.to_string());
            prop_assert_eq!(again.event, id.event);
        }
    }
}
