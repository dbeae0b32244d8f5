use super::*;
use crate::event::{Form, Submission};

const NOW: Timestamp = Timestamp::from_ms(1_000);

fn event(members: &str) -> Event {
    let text = format!(r#"{{"id":"e1","type":"a.b","source":"s"{members}}}"#);
    let submission =
        Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
    Event::accept(&"acme".parse().unwrap(), &submission, NOW, 7).unwrap().event
}

fn endpoint(profile: &Profile) -> Endpoint {
    let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
    let endpoint = Endpoint::new(id, tenant, profile.name().to_owned(), NOW);
    Endpoint { url: "https://example.com/hook".to_owned(), ..endpoint }
}

fn prepare_by(
    profile: &str,
    headers: &[(&str, &str)],
    event: &Event,
    link: Option<&str>,
) -> Result<PreparedRequest, PrepareFault> {
    let profile = Profile::find_builtin(profile).unwrap();
    let secret = profile.dialect.generate_secret([1; 32]).to_string();
    let keys = [profile.dialect.key(&secret).unwrap()];
    let mut endpoint = endpoint(&profile);
    endpoint.headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let round = Round::single(NOW);
    let outgoing =
        Outgoing { endpoint: &endpoint, profile: &profile, event, id: "dlv_1_e1", round };
    prepare(outgoing, &keys, link, NOW)
}

#[test]
fn what_is_ours_stands_over_the_endpoints_own_headers() {
    let own = [("x-own", "1"), ("user-agent", "theirs"), ("webhook-id", "theirs")];
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = event(&format!(r#","traceparent":"{traceparent}","data":1"#));
    let request = prepare_by("standard", &own, &event, None).unwrap().request;
    for (name, value) in [
        ("x-own", "1"),
        ("user-agent", USER_AGENT),
        ("webhook-id", "dlv_1_e1"),
        ("content-type", "application/json"),
        ("traceparent", traceparent),
    ] {
        assert_eq!(request.headers[name], value, "{name}");
    }
}

#[test]
fn a_queue_is_told_what_the_delivery_is_and_what_it_is_verified_by() {
    let event = event(r#","time":"2026-01-01T00:00:00Z","data":1"#);
    let subject = prepare_by("standard", &[], &event, None).unwrap().request.subject;
    assert_eq!((subject.delivery.as_str(), subject.event_type.as_str()), ("dlv_1_e1", "a.b"));
    assert_eq!(
        (subject.source.as_str(), subject.time),
        ("s", Timestamp::parse_rfc3339(&event.time))
    );
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert!(subject.verified_by.iter().any(|one| one == name), "{name}");
    }
}

#[test]
fn a_body_that_javascript_would_change_is_told_to_be_inexact() {
    let inexact = |data: &str| {
        let event = event(&format!(r#","data":{data}"#));
        prepare_by("aisentinel", &[], &event, None).unwrap().inexact
    };
    assert!(inexact("9007199254740993"));
    assert!(!inexact("1"));
}

fn long() -> Event {
    event(&format!(r#","data":"{}""#, "a".repeat(100_000)))
}

#[test]
fn a_payload_that_is_too_long_becomes_a_link_and_what_is_too_long_with_it_is_not_sent() {
    let without = prepare_by("authensor", &[], &long(), None).unwrap_err();
    assert!(matches!(without, PrepareFault::NeedsLink), "{without}");
    let link = "https://hooks.example/e1";
    let request = prepare_by("authensor", &[], &long(), Some(link)).unwrap().request;
    assert!(String::from_utf8(request.body).unwrap().contains(link));
    let link = "l".repeat(100_000);
    let fault = prepare_by("authensor", &[], &long(), Some(&link)).unwrap_err();
    assert!(matches!(fault, PrepareFault::Unsendable(_)), "{fault}");
}

#[test]
fn a_preview_is_the_body_as_it_would_be_sent_with_a_link_that_is_not_good() {
    let profile = Profile::find_builtin("authensor").unwrap();
    let endpoint = endpoint(&profile);
    let look = |event: &Event, public_url| {
        let (id, round) = ("dlv_1_e1", Round::single(NOW));
        let outgoing = Outgoing { endpoint: &endpoint, profile: &profile, event, id, round };
        preview(outgoing, public_url, NOW).map(|seen| String::from_utf8(seen.body).unwrap())
    };
    let short = look(&event(r#","data":{"n":1}"#), None).unwrap();
    assert!(short.contains(r#"{"n":1}"#), "{short}");
    assert_eq!(look(&long(), None), Err(PrepareFault::NeedsLink.to_string()));
    let linked = look(&long(), Some("https://hooks.example")).unwrap();
    let link = "https://hooks.example/v1/tenants/acme/events/e1/content?";
    assert!(linked.contains(link), "{linked}");
}
