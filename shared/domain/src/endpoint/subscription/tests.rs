use super::*;
use crate::event::hops::Hops;
use crate::event::{Form, Submission};
use crate::limits::{MATCH_STEPS_IN_PLACE, MATCH_STEPS_MAX};
use crate::timestamp::Timestamp;

fn event(attributes: &str) -> Event {
    let text = format!("{{\"type\":\"decision.blocked\"{attributes}}}");
    let submission =
        Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
    let tenant = "acme".parse().unwrap();
    Event::accept(&tenant, &submission, Timestamp::from_ms(0), 7).unwrap().event
}

fn wants(subscription: &Subscription, attributes: &str) -> bool {
    subscription.wants(&Candidate::new(&event(attributes), MATCH_STEPS_MAX)).unwrap()
}

fn severity(least: Severity) -> Subscription {
    Subscription { min_severity: Some(least), ..Subscription::default() }
}

#[test]
fn wants_every_event_by_default() {
    assert!(wants(&Subscription::default(), ""));
    assert!(wants(&Subscription::default(), r#","severity":"low","riskscore":0.1,"outcome":"x""#));
}

#[test]
fn a_minimal_severity_lets_graver_events_through() {
    for (at, least) in Severity::ALL.into_iter().enumerate() {
        for (other, found) in Severity::ALL.into_iter().enumerate() {
            let attributes = format!(",\"severity\":\"{found}\"");
            assert_eq!(wants(&severity(least), &attributes), other <= at, "{found} for {least}");
        }
    }
}

#[test]
fn an_event_without_a_severity_counts_as_info() {
    assert!(wants(&severity(Severity::Info), ""));
    assert!(!wants(&severity(Severity::Low), ""));
    assert!(!wants(&severity(Severity::Critical), ""));
}

#[test]
fn a_risk_score_is_strictly_above() {
    let above = |bound| Subscription { risk_score_above: Some(bound), ..Subscription::default() };
    assert!(wants(&above(0.8), r#","riskscore":0.81"#));
    assert!(wants(&above(0.8), r#","riskscore":1"#));
    assert!(
        wants(&above(0.8), r#","riskscore":"0.9""#),
        "text that is a number is one once accepted"
    );
    assert!(!wants(&above(0.8), r#","riskscore":0.8"#));
    assert!(!wants(&above(0.0), r#","riskscore":0"#));
    assert!(!wants(&above(0.0), ""), "an event without a score");
}

#[test]
fn an_outcome_is_one_of_those_asked_for() {
    let outcomes = vec!["BLOCK".to_owned(), "ESCALATE".to_owned()];
    let subscription = Subscription { outcomes, ..Subscription::default() };
    assert!(wants(&subscription, r#","outcome":"ESCALATE""#));
    assert!(!wants(&subscription, r#","outcome":"ALLOW""#));
    assert!(!wants(&subscription, r#","outcome":"block""#));
    assert!(!wants(&subscription, ""));
}

#[test]
fn all_conditions_must_hold() {
    let subscription = Subscription {
        event_types: vec!["decision.*".parse().unwrap()],
        min_severity: Some(Severity::High),
        risk_score_above: Some(0.5),
        outcomes: vec!["BLOCK".to_owned()],
        filter: Some(CompiledFilter::compile(r#"{"data":{"n":[1]}}"#).unwrap()),
    };
    let [severity, score, outcome, data] = [
        r#","severity":"high""#,
        r#","riskscore":0.6"#,
        r#","outcome":"BLOCK""#,
        r#","data":{"n":1}"#,
    ];
    assert!(wants(&subscription, &[severity, score, outcome, data].concat()));
    assert!(!wants(&subscription, &[score, outcome, data].concat()));
    assert!(!wants(&subscription, &[severity, outcome, data].concat()));
    assert!(!wants(&subscription, &[severity, score, data].concat()));
    assert!(!wants(&subscription, &[severity, score, outcome].concat()));
    let other = Subscription { event_types: vec!["dlp.*".parse().unwrap()], ..subscription };
    assert!(!wants(&other, &[severity, score, outcome, data].concat()));
}

#[test]
fn filters_see_the_whole_event() {
    let filter = |text| Subscription {
        filter: Some(CompiledFilter::compile(text).unwrap()),
        ..Subscription::default()
    };
    let attributes = r#","severity":"high","riskscore":0.85,"data":{"n":[1.50]}"#;
    assert!(wants(&filter(r#"{"tenant":["acme"],"riskscore":[0.85]}"#), attributes));
    assert!(wants(&filter(r#"{"type":[{"prefix":"decision."}],"data":{"n":[1.5]}}"#), attributes));
    assert!(wants(&filter(r#"{"data":[null]}"#), ""));
    assert!(!wants(&filter(r#"{"data":[null]}"#), attributes));
}

#[test]
fn the_tree_is_made_only_where_a_filter_asks_and_once() {
    let event = event("");
    let candidate = Candidate::new(&event, MATCH_STEPS_MAX);
    assert!(!severity(Severity::High).wants(&candidate).unwrap());
    assert!(candidate.subject.get().is_none());
    let filter = Some(CompiledFilter::compile(r#"{"type":["x"]}"#).unwrap());
    assert!(!Subscription { filter, ..Subscription::default() }.wants(&candidate).unwrap());
    assert!(candidate.subject.get().is_some());
}

#[test]
fn a_payload_that_cannot_be_read_is_a_fault_and_not_as_if_the_event_were_not_wanted() {
    let nested = "[".repeat(1_000) + &"]".repeat(1_000);
    let data = serde_json::value::RawValue::from_string(nested).unwrap();
    let event = Event { data: Some(data), ..event("") };
    let candidate = Candidate::new(&event, MATCH_STEPS_MAX);
    assert_eq!(Subscription::default().wants(&candidate), Ok(true), "no filter asks for it");
    let filter = Some(CompiledFilter::compile(r#"{"data":{"n":[1]}}"#).unwrap());
    let filtered = Subscription { filter, ..Subscription::default() };
    let fault: Fault = filtered.wants(&candidate).unwrap_err().into();
    assert!(fault.pointer.starts_with("/data"), "{fault:?}");
    let kept_back = Subscription { min_severity: Some(Severity::High), ..filtered };
    assert_eq!(kept_back.wants(&candidate), Ok(false), "the shorthands are asked first");
}

#[test]
fn what_was_stored_before_still_reads() {
    let stored = r#"{"event_types":["dlp.*"],"filter":"{\"type\":[\"a\"]}"}"#;
    let subscription: Subscription = serde_json::from_str(stored).unwrap();
    assert_eq!(subscription.min_severity, None);
    assert_eq!(subscription.risk_score_above, None);
    assert!(subscription.outcomes.is_empty());
    assert_eq!(serde_json::to_string(&subscription).unwrap(), stored);
    let whole = r#"{"event_types":["*"],"min_severity":"high","risk_score_above":0.8,"outcomes":["BLOCK"]}"#;
    let subscription: Subscription = serde_json::from_str(whole).unwrap();
    assert_eq!(serde_json::to_string(&subscription).unwrap(), whole);
}

#[test]
fn shorthands_are_bounded() {
    for score in [0.0, 0.8, 1.0] {
        assert!(risk_score(score).is_ok(), "{score}");
    }
    for score in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(risk_score(score).is_err(), "{score}");
    }
    let many = |count| vec!["BLOCK".to_owned(); count];
    assert!(outcomes(many(OUTCOMES_PER_ENDPOINT_MAX)).is_ok());
    assert_eq!(outcomes(many(OUTCOMES_PER_ENDPOINT_MAX + 1)).unwrap_err()[0].pointer, "");
    assert_eq!(outcomes(Vec::new()).unwrap_err()[0].pointer, "");
    let faults = outcomes(vec!["a".into(), String::new(), "b\n".into()]).unwrap_err();
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/1", "/2"]);
}

fn endpoints(count: usize, filter: &str) -> Vec<Endpoint> {
    let (id, tenant) = ("ep_1".parse().unwrap(), "acme".parse().unwrap());
    let endpoint = Endpoint::new(id, tenant, "standard".to_owned(), Timestamp::from_ms(0));
    let filter = Some(CompiledFilter::compile(filter).unwrap());
    let subscription = Subscription { filter, ..Subscription::default() };
    vec![Endpoint { subscription, ..endpoint }; count]
}

#[test]
fn the_filters_of_all_endpoints_have_one_budget() {
    let wildcards: Vec<_> = (0..100).map(|n| format!(r#"{{"wildcard":"*x{n}y*"}}"#)).collect();
    let all = endpoints(100, &format!(r#"{{"data":[{}]}}"#, wildcards.join(",")));
    let long = event(&format!(r#","data":"{}""#, "x".repeat(240_000)));
    let candidate = Candidate::new(&long, MATCH_STEPS_MAX);
    assert_eq!(select(&all[..1], &candidate), Ok(vec![]), "one of them may");
    let undecided = select(&all, &Candidate::new(&long, MATCH_STEPS_MAX)).unwrap_err();
    assert_eq!(undecided, Undecided::TooDear(TooDear { allowed: MATCH_STEPS_MAX }));
    let said = Fault::from(undecided).detail;
    assert!(said.contains("more than 2000000 steps"), "{said}");
    let short = event(r#","data":"ax7yb""#);
    assert_eq!(select(&all, &Candidate::new(&short, MATCH_STEPS_MAX)).unwrap().len(), 100);
}

/// What a tenant of ordinary filters and events costs is far from what is allowed.
#[test]
fn an_ordinary_event_is_matched_in_place() {
    let filter =
        r#"{"source":[{"prefix":"/a"}],"data":{"user":["anna","bert"],"n":[{"numeric":[">",5]}]}}"#;
    let ordinary = event(r#","data":{"user":"cora","n":7,"text":"some words of an alert"}"#);
    let candidate = Candidate::new(&ordinary, MATCH_STEPS_IN_PLACE);
    assert!(select(&endpoints(100, filter), &candidate).is_ok());
    assert!(candidate.steps() < MATCH_STEPS_IN_PLACE / 2, "{}", candidate.steps());
}

#[test]
fn a_filter_may_be_as_long_as_is_said() {
    let padded = |bytes: usize| {
        let pattern = r#"{"type":["a"]}"#;
        format!("{pattern}{}", " ".repeat(bytes - pattern.len()))
    };
    assert!(CompiledFilter::compile(&padded(filter::BYTES_MAX)).is_ok());
    for bytes in [filter::BYTES_MAX + 1, filter::BYTES_MAX + 2] {
        assert!(CompiledFilter::compile(&padded(bytes)).is_err(), "{bytes}");
    }
}

#[test]
fn an_event_goes_to_the_enabled_endpoints_that_want_it() {
    let endpoint = |id: &str, pattern: &str| {
        let (id, tenant) = (id.parse().unwrap(), "acme".parse().unwrap());
        let now = Timestamp::from_ms(0);
        let mut endpoint = Endpoint::new(id, tenant, "standard".to_owned(), now);
        endpoint.subscription.event_types = vec![pattern.parse().unwrap()];
        endpoint
    };
    let disabled = endpoint("ep_1", "*")
        .disable(crate::endpoint::DisabledReason::Requested, Timestamp::from_ms(1));
    let endpoints = [disabled, endpoint("ep_2", "dlp.*"), endpoint("ep_3", "decision.*")];
    let event = event("");
    assert_eq!(select(&endpoints, &Candidate::new(&event, MATCH_STEPS_MAX)), Ok(vec![2]));
}
