//! What it costs to find the endpoints that want an event, of a thousand with filters of many kinds:
//! `cargo run --release -p waxseal-domain --example match_cost`.

use std::time::{Duration, Instant};

use waxseal_domain::endpoint::subscription::{Candidate, CompiledFilter, Subscription};
use waxseal_domain::event::hops::Hops;
use waxseal_domain::event::{Event, Form, Severity, Submission};
use waxseal_domain::json::Json;
use waxseal_domain::limits::MATCH_STEPS_MAX;
use waxseal_domain::timestamp::Timestamp;

const ENDPOINTS: usize = 1_000;
const ROUNDS: usize = 500;

/// The systems' sample events.
const SAMPLES: [&str; 5] = [
    include_str!("../../../infra/events/aisentinel.json"),
    include_str!("../../../infra/events/aisg.json"),
    include_str!("../../../infra/events/authensor.json"),
    include_str!("../../../infra/events/omegaengine.json"),
    include_str!("../../../infra/events/secureagentics.json"),
];

fn main() {
    let (subscriptions, events) = (subscriptions(), events());
    let mut costs = Vec::with_capacity(ROUNDS * events.len());
    let (mut events_matched, mut matches) = (0, 0);
    for round in 0..ROUNDS {
        for event in &events {
            let (cost, wanted) = measure(event, &subscriptions);
            costs.push(cost);
            if round == 0 {
                matches += wanted;
                events_matched += usize::from(wanted > 0);
            }
        }
    }
    costs.sort_unstable();
    let [p50, p99] = [50, 99]
        .map(|percent| costs.get(costs.len() * percent / 100).map_or(0, Duration::as_micros));
    println!("{ENDPOINTS} endpoints, {} events, {ROUNDS} rounds", events.len());
    println!("p50 {p50} µs, p99 {p99} µs an event");
    println!("{events_matched} events matched, {matches} matches in all");
}

fn measure(event: &Event, subscriptions: &[Subscription]) -> (Duration, usize) {
    let start = Instant::now();
    let candidate = Candidate::new(event, MATCH_STEPS_MAX);
    let wanted = subscriptions
        .iter()
        .filter(|subscription| subscription.wants(&candidate).expect("its payload is JSON"))
        .count();
    (start.elapsed(), wanted)
}

fn events() -> Vec<Event> {
    let tenant = "acme".parse().expect("a tenant's name");
    SAMPLES
        .iter()
        .flat_map(|sample| {
            let items: Vec<&serde_json::value::RawValue> =
                serde_json::from_str(sample).expect("an array of events");
            assert!(Json::parse(sample).is_ok());
            items.into_iter().map(|item| item.get().to_owned()).collect::<Vec<_>>()
        })
        .map(|text| {
            let submission =
                Submission { text, form: Form::Plain, fallback_id: None, hops: Hops::default() };
            let accepted = Event::accept(&tenant, &submission, Timestamp::from_ms(0), 7);
            accepted.expect("a sample is valid").event
        })
        .collect()
}

/// Each differs by its number, as endpoints of different teams do.
fn subscriptions() -> Vec<Subscription> {
    (0..ENDPOINTS).map(subscription).collect()
}

fn subscription(at: usize) -> Subscription {
    let filter = |text: String| Subscription {
        filter: Some(CompiledFilter::compile(&text).expect("a pattern")),
        ..Subscription::default()
    };
    let score = f64::from(u32::try_from(at % 100).unwrap_or(0)) / 100.0;
    match at % 10 {
        0 => filter(format!(r#"{{"source":[{{"prefix":"/aisg/{}"}}]}}"#, at % 7)),
        1 => filter(format!(r#"{{"riskscore":[{{"numeric":[">",{score},"<=",0.97]}}]}}"#)),
        2 => filter(format!(
            r#"{{"severity":[{{"anything-but":["info","low"]}}],"agentid":["agent-{at}","agent-planner"]}}"#
        )),
        3 => filter(format!(
            r#"{{"$or":[{{"severity":["critical"]}},{{"riskscore":[{{"numeric":[">=",{score}]}}]}},
                {{"data":{{"action":{{"amount":[{{"numeric":[">",{at}000]}}]}}}}}}]}}"#
        )),
        4 => Subscription {
            min_severity: Some(Severity::High),
            ..filter(r#"{"data":{"decision":["deny",{"exists":false}]}}"#.to_owned())
        },
        5 => Subscription { risk_score_above: Some(score), ..Subscription::default() },
        6 => Subscription {
            outcomes: vec!["BLOCK".to_owned(), format!("TEAM-{at}")],
            ..Subscription::default()
        },
        7 => filter(format!(
            r#"{{"type":[{{"wildcard":"*.*blocked"}},{{"suffix":".{at}"}}],
                "data":{{"entity_types":["IBAN","TEAM-{at}"]}}}}"#
        )),
        8 => filter(format!(
            r#"{{"data":{{"model":[{{"equals-ignore-case":"GPT-Large"}}],
                "route":[{{"anything-but":{{"prefix":"/v{at}/"}}}}]}}}}"#
        )),
        _ => Subscription {
            event_types: vec!["dlp.*".parse().expect("a pattern")],
            min_severity: Some(Severity::Medium),
            ..filter(format!(
                r#"{{"data":{{"$or":[{{"count":[{{"numeric":[">",{}]}}]}},{{"ip":[{{"cidr":"10.0.0.0/8"}}]}},
                    {{"confidence":[{{"numeric":[">",0.9]}}]}}]}}}}"#,
                at % 9
            ))
        },
    }
}
