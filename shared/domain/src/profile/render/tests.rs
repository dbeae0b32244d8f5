use super::*;
use crate::event::hops::Hops;
use crate::event::{Form, Submission};

fn event(text: &str) -> Event {
    let submission = Submission {
        text: text.into(),
        form: Form::Plain,
        fallback_id: None,
        hops: Hops::default(),
    };
    let tenant = "acme".parse().unwrap();
    Event::accept(&tenant, &submission, Timestamp::from_ms(0), 0).unwrap().event
}

fn render_text(profile: &str, text: &str, link: Option<&str>) -> RenderedBody {
    let round = Round {
        attempt: 2,
        attempts_max: 8,
        began_at: Timestamp::from_ms(1_000),
        reason: Some(Outcome::ServerError),
    };
    let event = event(text);
    let rendering = Rendering { event: &event, id: "dlv_1_e1", round, link };
    render(&Profile::find_builtin(profile).unwrap(), rendering).unwrap()
}

fn body(profile: &str, text: &str) -> String {
    String::from_utf8(render_text(profile, text, None).body).unwrap()
}

const TEXT: &str = r#"{"id":"e1","type":"a.b","source":"s","severity":"high","data":{"n": 0.850}}"#;

#[test]
fn the_standards_type_timestamp_and_data_come_first_and_stay_as_they_came() {
    assert_eq!(
        body("standard", TEXT),
        r#"{"type":"a.b","timestamp":"1970-01-01T00:00:00Z","data":{"n":0.850},"id":"e1","source":"s","severity":"high"}"#
    );
}

#[test]
fn aisentinels_tells_which_attempt_it_is_and_survives_javascript() {
    assert_eq!(
        body("aisentinel", TEXT),
        r#"{"id":"e1","event":"a.b","tenant":"acme","createdAt":"1970-01-01T00:00:00Z","auditId":null,"data":{"n":0.85},"deliveryId":"dlv_1_e1","retry":{"attempt":2,"maxAttempts":8,"firstAttemptAt":"1970-01-01T00:00:01Z","reason":"server_error"}}"#
    );
    let inexact = r#"{"type":"a.b","data":{"n":9007199254740993}}"#;
    let rendered = render_text("aisentinel", inexact, None);
    assert!(
        !rendered.exact && String::from_utf8(rendered.body).unwrap().contains("9007199254740993")
    );
}

#[test]
fn omegas_decisions_have_a_member_of_their_own() {
    let decision = r#"{"id":"e1","type":"decision.blocked","data":{"id":"d"}}"#;
    assert!(body("omegaengine", decision).ends_with(r#""decision":{"id":"d"}}"#));
    assert!(body("omegaengine", TEXT).ends_with(r#""data":{"n":0.85}}"#));
}

#[test]
fn authensors_details_become_a_link_where_they_are_too_long() {
    let long =
        format!(r#"{{"id":"e1","type":"policy.denied","data":{{"x":"{}"}}}}"#, "é".repeat(3_000));
    let profile = Profile::find_builtin("authensor").unwrap();
    assert!(render_text("authensor", &long, None).is_too_long(&profile));
    let short = render_text("authensor", &long, Some("https://x.example/e1"));
    assert!(!short.is_too_long(&profile));
    let json: serde_json::Value = serde_json::from_slice(&short.body).unwrap();
    let link = json!({"truncated": true, "size_bytes": 6_008, "url": "https://x.example/e1"});
    assert_eq!(json["details"], link);
    assert_eq!(json["summary"], "policy.denied");
}

#[test]
fn aisgs_text_is_one_line_that_calls_nobody() {
    let hostile = r#"{"type":"a.b","summary":"<!channel>\u2028read \u202e& pay","data":{}}"#;
    let json: serde_json::Value = serde_json::from_str(&body("aisg", hostile)).unwrap();
    assert_eq!(json["text"], "&lt;!channel&gt; read  &amp; pay");
    assert_eq!(json["webhook_id"], "dlv_1_e1");
    assert_eq!(json["project_id"], "acme");
}

#[test]
fn a_binary_cloud_event_is_its_payload_and_headers() {
    let text =
        r#"{"type":"a.b","summary":"ü %","datacontenttype":"text/plain","data_base64":"aGk="}"#;
    let binary = render_text("cloudevents-binary", text, None);
    assert_eq!((binary.body.as_slice(), binary.content_type.as_str()), (&b"hi"[..], "text/plain"));
    let summary = ("ce-summary".to_owned(), "%C3%BC%20%25".to_owned());
    assert_eq!(binary.extension_headers, [summary]);
    let structured: serde_json::Value = serde_json::from_str(&body("cloudevents", TEXT)).unwrap();
    assert_eq!(structured["specversion"], "1.0");
    assert_eq!((&structured["id"], &structured["data"]["n"]), (&json!("e1"), &json!(0.85)));
}

#[test]
fn a_body_of_just_the_allowed_length_is_not_too_long() {
    let profile = Profile::find_builtin("authensor").unwrap();
    let most = profile.envelope.bytes_max.unwrap();
    let of = |bytes: usize| RenderedBody {
        body: vec![b'a'; bytes],
        content_type: String::new(),
        exact: true,
        extension_headers: Vec::new(),
    };
    assert!(!of(most).is_too_long(&profile));
    assert!(of(most + 1).is_too_long(&profile));
}

#[test]
fn a_header_can_say_what_an_event_is_and_which_attempt_it_is() {
    let text = r#"{"id":"e/1","type":"a.b","source":"s","time":"2026-01-01T00:00:00Z","subject":"a \"b\" 50%"}"#;
    let event = event(text);
    let round = Round { attempt: 2, ..Round::single(Timestamp::from_ms(0)) };
    let rendering = Rendering { event: &event, id: "dlv_1_e1", round, link: None };
    for (name, said) in [
        ("type", "a.b"),
        ("event_id", "e/1"),
        ("source", "s"),
        ("time", "2026-01-01T00:00:00Z"),
        ("tenant", "acme"),
        ("attempt", "2"),
        ("subject", "a%20%22b%22%2050%25"),
    ] {
        assert_eq!(variable(name, rendering).as_deref(), Some(said), "{name}");
    }
    assert_eq!(variable("riskscore", rendering), None, "an attribute that the event has not");
}

#[test]
fn a_content_type_that_no_header_can_say_is_the_usual_one() {
    for (said, sent) in
        [("text/plain", "text/plain"), ("text/ü", "application/json"), ("", "application/json")]
    {
        let text = format!(r#"{{"type":"a.b","datacontenttype":"{said}","data":1}}"#);
        assert_eq!(render_text("cloudevents-binary", &text, None).content_type, sent, "{said}");
    }
}

#[test]
fn each_attribute_has_one_place_in_a_structured_cloud_event() {
    let text = r#"{"type":"a.b","datacontenttype":"application/json","severity":"high","data":1}"#;
    let written = body("cloudevents", text);
    for member in [r#""severity":"high""#, r#""datacontenttype":"application/json""#] {
        assert_eq!(written.matches(member).count(), 1, "{member} in {written}");
    }
}
