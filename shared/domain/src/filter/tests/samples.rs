//! The five systems' published sample events, and which of them a pattern selects.

use super::filter;
use crate::filter::Subject;
use crate::json::Json;
use crate::work::Meter;

const SAMPLES: [&str; 5] = [
    include_str!("../../../../../infra/events/aisentinel.json"),
    include_str!("../../../../../infra/events/aisg.json"),
    include_str!("../../../../../infra/events/authensor.json"),
    include_str!("../../../../../infra/events/omegaengine.json"),
    include_str!("../../../../../infra/events/secureagentics.json"),
];

/// The ids of the matching events.
fn select(pattern: &str) -> Vec<String> {
    let filter = filter(pattern);
    let mut ids = Vec::new();
    for sample in SAMPLES {
        let events = Json::parse(sample).unwrap();
        let wanted = events.as_array().unwrap().iter().filter(|event| {
            let event = Subject::new(Json::clone(event));
            filter.matches(&event, &Meter::new(u64::MAX)).unwrap()
        });
        ids.extend(wanted.map(|event| event.get("id").unwrap().as_str().unwrap().to_owned()));
    }
    ids
}

#[test]
fn patterns_select_sample_events() {
    let table: [(&str, &[&str]); 13] = [
        (r#"{"riskscore":[{"numeric":[">",0.8]}]}"#, &["evt_ome_0001", "evt_ome_0002"]),
        (r#"{"riskscore":[{"numeric":[">",0.85]}]}"#, &["evt_ome_0002"]),
        (r#"{"riskscore":[{"numeric":[">=",0.85,"<",0.92]}]}"#, &["evt_ome_0001"]),
        (r#"{"data":{"details":{"matched":["AWS_SECRET"]}}}"#, &["evt_sec_0002"]),
        (r#"{"data":{"entity_types":["IBAN","EMAIL"]}}"#, &["evt_aisg_0001", "evt_aisg_0003"]),
        (
            r#"{"data":{"decision":["deny"],"action":{"amount":[{"numeric":[">",1e5]}]}}}"#,
            &["evt_ais_0001"],
        ),
        (
            r#"{"source":[{"prefix":"/aisg/"}],"severity":[{"anything-but":"high"}]}"#,
            &["evt_aisg_0003", "evt_aisg_0004", "evt_aisg_0005"],
        ),
        (r#"{"type":["agent.registered"],"severity":[{"exists":false}]}"#, &["evt_sec_0003"]),
        (r#"{"data":{"reproducible":[true]}}"#, &["evt_ome_0004"]),
        (r#"{"data":{"action":{"beneficiary":["Müller & Söhne GmbH"]}}}"#, &["evt_ais_0001"]),
        (r#"{"data":{"balance_usd":[0]}}"#, &["evt_aisg_0004"]),
        (
            r#"{"type":[{"wildcard":"dlp.*_blocked"}],"data":{"$or":[{"entity_types":["IBAN"]},
                {"confidence":[{"numeric":[">",0.9]}]}]}}"#,
            &["evt_aisg_0001", "evt_aisg_0002"],
        ),
        (
            r#"{"data":{"action":{"beneficiary":[{"equals-ignore-case":"MÜLLER & SÖHNE gmbh"}]}}}"#,
            &["evt_ais_0001"],
        ),
    ];
    for (pattern, ids) in table {
        assert_eq!(select(pattern), ids, "{pattern}");
    }
}
