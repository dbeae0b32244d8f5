//! The names of what is stored in DynamoDB, as it lies there, against the tables of the protocol's §12.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use waxseal_adapters::aws::AwsEngine;
use waxseal_domain::api_key::{ApiKey, Scope};
use waxseal_domain::delivery::attempt::{Attempt, Outcome};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::retry::Next;
use waxseal_domain::delivery::{
    CancelledReason, Delivery, DeliveryKey, End, Guard, OpenState, Status, Turn, WriteResult,
};
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::flow_control::concurrency::SlotRequest;
use waxseal_domain::flow_control::gate::Gate;
use waxseal_domain::flow_control::rate::{TokenRequest, of_endpoint};
use waxseal_domain::id::{ApiKeyId, TenantName};
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    Change, Claim, Clock as _, ConfigStore as _, DeliveryStore as _, Engine as _, EventStore as _,
    GateStore as _, MaxAge, TenantVersion,
};
use waxseal_tests::emulator::Emulator;
use waxseal_tests::fixtures::{change, endpoint, event_row, key, tenant};

#[tokio::test]
async fn every_attribute_that_is_stored_stands_in_the_protocol() {
    let emulator = Emulator::shared().await;
    let names = emulator.provision("stored-names").await;
    let engine = AwsEngine::new(&names).unwrap();
    let tenant = tenant("acme");
    write_events_and_deliveries(&engine, &tenant).await;
    write_gates_rates_and_slots(&engine, &tenant).await;
    write_configuration(&engine, &tenant).await;
    let tables = json!({"tables": [names.state_table, names.config_table]});
    let rows = emulator.cloud("rows", tables).await;
    let stored = |table: &str, is_of_kind: fn(&str, &str) -> bool| -> BTreeSet<String> {
        let items = rows[table].as_array().unwrap().iter();
        let keyed = items.map(|item| (text(&item["pk"]), text(&item["sk"]), item));
        let found: Vec<&Value> =
            keyed.filter(|(pk, sk, _)| is_of_kind(pk, sk)).map(|(.., item)| item).collect();
        assert!(!found.is_empty(), "none is stored in {table}");
        let names = found.into_iter().flat_map(|item| item.as_object().unwrap().keys());
        names.map(|name| slotless(name)).collect()
    };
    let state = &names.state_table;
    let is_event = |pk: &str, sk: &str| pk.starts_with("E#") && sk == "#";
    let is_delivery = |pk: &str, sk: &str| pk.starts_with("E#") && sk.starts_with("D#");
    assert_eq!(stored(state, is_event), described("Event row"));
    assert_eq!(stored(state, is_delivery), described("Delivery row"));
    assert_eq!(stored(state, |pk, _| !pk.starts_with("E#")), described("Other rows"));
    assert_eq!(stored(&names.config_table, |_, _| true), described("Configuration"));
    let items = rows[state].as_array().unwrap();
    let whole = items.iter().find(|item| text(&item["pk"]) == "E#acme#whole").unwrap();
    let ms = |seconds| json!({"N": whole_row(&tenant).event_accepted_at.plus_s(seconds).ms().to_string()});
    // No two values are alike: names that were exchanged would be noticed.
    let expected = json!({
        "pk": {"S": "E#acme#whole"}, "sk": {"S": "D#ep_1"}, "born": ms(0), "status": {"S": "open"},
        "attempts": {"N": "6"}, "base": {"N": "5"}, "log": {"S": "[]"}, "lane": {"S": "critical"},
        "next_at": ms(1), "due_at": ms(2), "taken_at": ms(3), "claims": {"N": "4"},
        "holder": {"S": "t9"}, "due_shard": {"S": whole_row(&tenant).key.due_shard().to_string()},
        "endpoint_key": {"S": "acme#ep_1"},
    });
    assert_eq!(*whole, expected);
}

/// An open row in which each value is another's.
fn whole_row(tenant: &TenantName) -> Delivery {
    let accepted_at = Timestamp::from_ms(1_790_000_000_000);
    let open = OpenState {
        next_at: accepted_at.plus_s(1),
        due_at: accepted_at.plus_s(2),
        taken_at: Some(accepted_at.plus_s(3)),
        claims: 4,
        holder: Some("t9".parse().unwrap()),
        held: false,
    };
    Delivery {
        status: Status::Open(open),
        attempts: 6,
        attempts_before_round: 5,
        ..Delivery::pending(key(tenant, "whole", "ep_1"), accepted_at, Priority::Critical)
    }
}

/// What a table of §12 has in its first column.
fn described(kind: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/flows/PROTOCOL.md");
    let protocol = std::fs::read_to_string(path).unwrap();
    let (_, section) = protocol.split_once(&format!("\n### {kind}\n")).unwrap();
    let rows = section.lines().take_while(|line| !line.starts_with('#'));
    let cells = rows.filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let names = cells.flat_map(|cell| cell.split('`').step_by(2));
    names.map(str::to_owned).collect()
}

/// An attribute's name; slots have a number each.
fn slotless(name: &str) -> String {
    let number = name.strip_prefix("slot").filter(|number| number.parse::<u32>().is_ok());
    number.map_or(name, |_| "slot").to_owned()
}

fn text(attribute: &Value) -> &str {
    attribute["S"].as_str().unwrap()
}

/// An event, and a delivery in each state that a row can have.
async fn write_events_and_deliveries(engine: &AwsEngine, tenant: &TenantName) {
    let (store, now) = (engine.store(), engine.clock().now());
    let row = event_row(tenant, "e1", now, vec!["ep_1".parse().unwrap()]);
    store.accept(&row).await.unwrap();
    let fresh =
        |event: &str, priority| Delivery::pending(key(tenant, event, "ep_1"), now, priority);
    let attempt = Attempt {
        number: 1,
        started_at: now,
        duration_ms: 12,
        outcome: Outcome::ServerError,
        response_status: Some(503),
        response_excerpt: Some("busy".to_owned()),
        detail: None,
        next_attempt_at: None,
        inexact: false,
    };
    let turn = Turn { ticket: "t1".parse().unwrap(), receives: 1 };
    let after = |event: &str, next| {
        fresh(event, Priority::Normal).after_attempt(&turn, attempt.clone(), next).0
    };
    let rows = [
        fresh("pending", Priority::Normal),
        fresh("parked", Priority::Normal).park(now.plus_s(900)),
        fresh("critical", Priority::Critical).park(now.plus_s(900)),
        fresh("held", Priority::Normal).hold(now),
        fresh("cancelled", Priority::Normal).end(End::Cancelled(CancelledReason::Requested)),
        after("waiting", Next::RetryAt(now.plus_s(5))),
        after("delivered", Next::Done),
        after("failed", Next::GiveUp),
        after("replayed", Next::GiveUp).reopen("t2".parse().unwrap(), now),
        whole_row(tenant),
        // Claimed below.
        fresh("swept", Priority::Normal).park(now),
        fresh("late", Priority::Normal).park(now),
    ];
    for row in &rows {
        let written = store.record_attempt(Guard::Absent, row).await.unwrap();
        assert_eq!(written, WriteResult::Done);
    }
    for (event, taken_at) in [("swept", None), ("late", Some(now))] {
        let key: DeliveryKey = key(tenant, event, "ep_1");
        let due = store.due_deliveries(key.due_shard(), now, 100).await.unwrap();
        let due = due.into_iter().find(|due| due.key == key).unwrap();
        let claim = Claim { ticket: engine.ticket(), due_at: now.plus_s(240), taken_at };
        assert_eq!(store.claim(&due, &claim).await.unwrap(), Some(now));
    }
}

async fn write_gates_rates_and_slots(engine: &AwsEngine, tenant: &TenantName) {
    let (store, now) = (engine.store(), engine.clock().now());
    let endpoint = endpoint(engine, tenant, "https://example.com/", &[1]).await;
    let gate = Gate::open_breaker(&endpoint, None, 30, now);
    assert!(store.put_gate(&gate, None).await.unwrap());
    let tokens = TokenRequest { window: 7, count: 1, most: 10 };
    assert_eq!(store.take_tokens(&of_endpoint(tenant, &endpoint.id), tokens).await.unwrap(), 1);
    let slot = SlotRequest::new(3, engine.ticket(), now, now.plus_s(10));
    assert!(store.take_slot(tenant, &endpoint.id, &slot).await.unwrap().is_some());
    store.note_key_use(&ApiKeyId::from_entropy(engine.entropy()), now).await.unwrap();
}

/// One of each kind; the tenant and its endpoint are there.
async fn write_configuration(engine: &AwsEngine, tenant: &TenantName) {
    let (store, now) = (engine.store(), engine.clock().now());
    let api_key = ApiKey {
        id: ApiKeyId::from_entropy(engine.entropy()),
        tenant: tenant.clone(),
        scopes: vec![Scope::Ingest],
        hash: "hash".to_owned(),
        name: None,
        max_per_second: None,
        created_at: now,
    };
    let source = Source {
        name: "github".parse().unwrap(),
        tenant: tenant.clone(),
        profile: "standard".to_owned(),
        secrets: Vec::new(),
        tolerance_s: 300,
        max_per_second: None,
        has_short_path: true,
    };
    let event_type = EventType {
        name: "a.b".to_owned(),
        description: None,
        schema: None,
        example: None,
        updated_at: now,
    };
    let version: TenantVersion =
        store.endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap().version;
    for one in [
        Change::AddApiKey(&api_key),
        Change::PutSource(&source),
        Change::PutEventType(tenant, &event_type, version),
        Change::PutProfile("own", "{}"),
    ] {
        assert!(change(engine, one).await);
    }
    assert!(store.keep_link_key(tenant, "sealed").await.unwrap());
}
