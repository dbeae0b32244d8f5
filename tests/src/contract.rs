//! The contract suite: what every engine's store, queue and key vault must do, whatever is behind
//! them. Each check takes an engine and a tenant of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use waxseal_domain::api_key::{ApiKey, Scope};
use waxseal_domain::audit::Entry;
use waxseal_domain::delivery::attempt::{Attempt, Outcome};
use waxseal_domain::delivery::message::{Message, Receipt};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::retry::Next;
use waxseal_domain::delivery::{
    CancelledReason, Delivery, DeliveryKey, End, FailedReason, Guard, StatusName, Turn, WriteResult,
};
use waxseal_domain::endpoint::{Endpoint, Health};
use waxseal_domain::event::catalogue::EventType;
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::{Gate, Mode};
use waxseal_domain::flow_control::rate::{TokenRequest, of_endpoint};
use waxseal_domain::id::{ApiKeyId, EndpointId, TenantName, Ticket};
use waxseal_domain::limits::{DUE_SHARDS, EVENT_RETENTION_S, SLOT_GRACE_S};
use waxseal_domain::secret::{Secret, SecretContext};
use waxseal_domain::source::Source;
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{
    AcceptResult, Change, Claim, Clock as _, ConfigStore as _, DeliveryStore as _, Due, Engine,
    EventRow, EventStore as _, GateStore as _, KeyVault as _, MaxAge, PageRequest, Queue as _,
    Setting, Tenant, TenantVersion,
};

use crate::fixtures::{change, endpoint, event_row, key};

/// Gives the names of all checks to a macro, which makes a test of each: the one list of the suite.
#[macro_export]
macro_rules! contract_checks {
    ($tests:ident) => {
        $tests! {
            an_event_is_written_once,
            an_event_is_read_with_its_deliveries,
            an_event_is_expunged,
            guards_hold,
            a_due_delivery_is_claimed_once,
            an_endpoints_list_is_paged,
            events_are_listed_by_time,
            tenants_are_listed_by_name,
            endpoints_change_by_version,
            keys_and_sources_are_found,
            of_two_that_saw_the_same_endpoints_one_gets_through,
            an_entry_is_written_with_its_change_or_not_at_all,
            health_is_noted_in_no_log,
            settings_are_kept_by_name,
            a_secret_is_bound_to_its_owner,
            messages_are_queued,
            a_gate_holds_and_releases,
            due_gates_come_earliest_first,
            slots_are_bounded,
        }
    };
}

/// An event is written once; a second write finds the first, and an expired one gives way.
pub async fn an_event_is_written_once<E: Engine>(engine: &E, tenant: &TenantName) {
    let now = engine.clock().now();
    let row = event_row(tenant, "once", now, vec!["ep_1".parse().unwrap()]);
    assert!(matches!(engine.store().accept(&row).await.unwrap(), AcceptResult::Created));
    let mut second = row.clone();
    second.nonce = "another".to_owned();
    let AcceptResult::Exists(found) = engine.store().accept(&second).await.unwrap() else {
        panic!("written twice");
    };
    assert_eq!(
        (found.nonce.as_str(), found.event_accepted_at, found.sent),
        ("nonce-once", now, false)
    );
    assert_eq!(found.digest, row.digest);
    assert_eq!(found.event.data.unwrap().get(), r#"{"n":1.0}"#, "bytes are kept");
    engine.store().mark_sent(&row).await.unwrap();
    let found = engine.store().event(tenant, &row.event.id).await.unwrap().unwrap();
    assert!(found.sent);

    let long_ago = now.minus_s(EVENT_RETENTION_S + 60);
    let old = event_row(tenant, "old", long_ago, Vec::new());
    assert!(matches!(engine.store().accept(&old).await.unwrap(), AcceptResult::Created));
    let again = event_row(tenant, "old", now, Vec::new());
    assert!(
        matches!(engine.store().accept(&again).await.unwrap(), AcceptResult::Created),
        "it had expired"
    );
}

/// An event is read with all its deliveries, or with one; nobody but its tenant finds either.
pub async fn an_event_is_read_with_its_deliveries<E: Engine>(engine: &E, tenant: &TenantName) {
    let store = engine.store();
    let now = engine.clock().now();
    let targets: Vec<EndpointId> = vec!["ep_1".parse().unwrap(), "ep_2".parse().unwrap()];
    let row = event_row(tenant, "whole", now, targets.clone());
    let id = &row.event.id;
    let key = row.delivery_key(&targets[0]);
    assert!(store.event_with_deliveries(tenant, id).await.unwrap().is_none());
    let (delivery, event) = store.delivery_and_event(&key).await.unwrap();
    assert!(delivery.is_none() && event.is_none());
    assert!(matches!(store.accept(&row).await.unwrap(), AcceptResult::Created));
    let (found, deliveries) = store.event_with_deliveries(tenant, id).await.unwrap().unwrap();
    assert_eq!((found.targets, deliveries), (targets.clone(), Vec::new()));
    let (delivery, event) = store.delivery_and_event(&key).await.unwrap();
    assert_eq!((delivery, event.unwrap().event_accepted_at), (None, now));

    let first = row.pending(&targets[0]).park(now.plus_s(100));
    let of_earlier = Delivery { event_accepted_at: now.minus_s(5), ..row.pending(&targets[1]) };
    let of_another = event_row(tenant, "whole2", now, Vec::new()).pending(&targets[0]);
    for delivery in [&first, &of_earlier, &of_another] {
        let written = store.record_attempt(Guard::Absent, delivery).await.unwrap();
        assert_eq!(written, WriteResult::Done);
    }
    let (_, mut deliveries) = store.event_with_deliveries(tenant, id).await.unwrap().unwrap();
    deliveries.sort_by_key(|delivery| delivery.key.endpoint.to_string());
    assert_eq!(deliveries, [first.clone(), of_earlier], "those of an earlier event, too");
    let (delivery, event) = store.delivery_and_event(&key).await.unwrap();
    assert_eq!((delivery.as_ref(), event.unwrap().event.id), (Some(&first), id.clone()));
    let (delivery, event) = store.delivery_and_event(&of_another.key).await.unwrap();
    assert!(delivery.is_some() && event.is_none(), "a delivery whose event is gone");

    let other: TenantName = format!("{tenant}-x").parse().unwrap();
    let foreign = DeliveryKey { tenant: other.clone(), ..key };
    assert!(store.event(&other, id).await.unwrap().is_none());
    assert!(store.event_with_deliveries(&other, id).await.unwrap().is_none());
    assert!(store.delivery(&foreign).await.unwrap().is_none());
    let (delivery, event) = store.delivery_and_event(&foreign).await.unwrap();
    assert!(delivery.is_none() && event.is_none());
}

/// An event is expunged, and marked as sent, only where it is still the one of that time of acceptance.
pub async fn an_event_is_expunged<E: Engine>(engine: &E, tenant: &TenantName) {
    let store = engine.store();
    let row = event_row(tenant, "expunged", engine.clock().now(), Vec::new());
    let expunged = EventRow { event: row.event.clone().remove_payload(), ..row.clone() };
    let earlier =
        EventRow { event_accepted_at: row.event_accepted_at.minus_s(5), ..expunged.clone() };
    store.put_expunged(&expunged).await.unwrap();
    assert!(store.event(tenant, &row.event.id).await.unwrap().is_none(), "nothing to expunge");
    store.accept(&row).await.unwrap();
    store.put_expunged(&earlier).await.unwrap();
    store.mark_sent(&earlier).await.unwrap();
    let found = store.event(tenant, &row.event.id).await.unwrap().unwrap();
    assert!(found.event.data.is_some() && !found.event.expunged && !found.sent);
    store.mark_sent(&row).await.unwrap();
    store.put_expunged(&expunged).await.unwrap();
    let found = store.event(tenant, &row.event.id).await.unwrap().unwrap();
    assert!(found.event.data.is_none() && found.event.expunged);
    assert_eq!((found.digest, found.sent), (row.digest, true), "its record stays");
}

/// Every guard lets a store write over a row exactly where `Guard::allows` does.
pub async fn guards_hold<E: Engine>(engine: &E, tenant: &TenantName) {
    let event_accepted_at = engine.clock().now();
    for (row_index, row) in rows(tenant, event_accepted_at).into_iter().enumerate() {
        for (guard_index, guard) in guards(event_accepted_at).into_iter().enumerate() {
            let key = key(tenant, &format!("g{row_index}-{guard_index}"), "ep_1");
            let before = row.clone().map(|row| Delivery { key: key.clone(), ..row });
            if let Some(before) = &before {
                let absent = engine.store().record_attempt(Guard::Absent, before).await.unwrap();
                assert_eq!(absent, WriteResult::Done);
            }
            let mut after = Delivery::pending(key.clone(), event_accepted_at, Priority::Normal);
            after.attempts = 9;
            let written = engine.store().record_attempt(guard, &after).await.unwrap();
            let stored = engine.store().delivery(&key).await.unwrap();
            if guard.allows(before.as_ref()) {
                assert_eq!(written, WriteResult::Done, "{guard:?} over {before:?}");
                assert_eq!(stored, Some(after));
            } else {
                let refused = WriteResult::Refused(before.clone().map(Box::new));
                assert_eq!(written, refused, "{guard:?} over {before:?}");
                assert_eq!(stored, before);
            }
        }
    }
}

fn rows(tenant: &TenantName, event_accepted_at: Timestamp) -> Vec<Option<Delivery>> {
    let fresh = Delivery::pending(key(tenant, "e", "ep_1"), event_accepted_at, Priority::Normal);
    let attempt = Attempt {
        number: 1,
        started_at: event_accepted_at,
        duration_ms: 12,
        outcome: Outcome::ServerError,
        response_status: Some(503),
        response_excerpt: Some("späť \"x\"".to_owned()),
        detail: None,
        next_attempt_at: Some(event_accepted_at.plus_s(5)),
        inexact: true,
    };
    let turn = Turn { ticket: "t1".parse().unwrap(), receives: 1 };
    let after = |next| fresh.clone().after_attempt(&turn, attempt.clone(), next).0;
    let earlier = Delivery { event_accepted_at: event_accepted_at.minus_s(5), ..fresh.clone() };
    let later = Delivery { event_accepted_at: event_accepted_at.plus_s(5), ..fresh.clone() };
    vec![
        None,
        Some(after(Next::RetryAt(event_accepted_at.plus_s(5)))),
        Some(after(Next::RetryAt(event_accepted_at.plus_s(9_000)))),
        Some(after(Next::Done)),
        Some(after(Next::GiveUp)),
        Some(fresh.clone().end(End::Cancelled(CancelledReason::Requested))),
        Some(after(Next::GiveUp).reopen("t2".parse().unwrap(), event_accepted_at)),
        Some(fresh),
        Some(earlier),
        Some(later),
    ]
}

fn guards(event_accepted_at: Timestamp) -> Vec<Guard> {
    vec![
        Guard::for_attempt(event_accepted_at, 1),
        Guard::for_attempt(event_accepted_at, 2),
        Guard::for_attempt(event_accepted_at, 3),
        Guard::Absent,
        Guard::Seen { event_accepted_at, status: StatusName::Open, attempts: 1 },
        Guard::Seen { event_accepted_at, status: StatusName::Failed, attempts: 1 },
    ]
}

/// An open row is in the due index exactly once, and a claim takes it once.
pub async fn a_due_delivery_is_claimed_once<E: Engine>(engine: &E, tenant: &TenantName) {
    let now = engine.clock().now();
    let key = key(tenant, "due", "ep_1");
    let parked = Delivery::pending(key.clone(), now, Priority::Critical).park(now.plus_s(100));
    assert_eq!(
        engine.store().record_attempt(Guard::Absent, &parked).await.unwrap(),
        WriteResult::Done
    );
    let due = find_due(engine, &key, now).await.expect("parked 100 s ahead is due 120 s before");
    assert_eq!((due.next_at, due.claims), (now.plus_s(100), 0));
    assert_eq!(due.priority, Priority::Critical, "its message has the priority that it had");
    let (one, two): (Ticket, Ticket) = ("t1".parse().unwrap(), "t2".parse().unwrap());
    let until = now.plus_s(240);
    let claim =
        |ticket: &Ticket| Claim { ticket: ticket.clone(), due_at: until, taken_at: Some(now) };
    assert_eq!(engine.store().claim(&due, &claim(&one)).await.unwrap(), Some(now));
    assert_eq!(engine.store().claim(&due, &claim(&two)).await.unwrap(), None, "claimed twice");
    let row = engine.store().delivery(&key).await.unwrap().unwrap();
    let open = row.open().unwrap();
    assert_eq!((open.holder.as_ref(), open.due_at, open.claims), (Some(&one), until, 1));
    assert_eq!(open.taken_at, Some(now));
    assert!(find_due(engine, &key, now).await.is_none(), "its lease runs");
    assert!(find_due(engine, &key, until).await.is_some(), "its lease ends");
    let ended = row.end(End::Failed(FailedReason::Crashed));
    let guard = Guard::for_attempt(now, 1);
    assert_eq!(engine.store().record_attempt(guard, &ended).await.unwrap(), WriteResult::Done);
    assert!(find_due(engine, &key, until).await.is_none(), "a final row is not due");
    assert_eq!(engine.store().claim(&due, &claim(&two)).await.unwrap(), None);
}

async fn find_due<E: Engine>(engine: &E, key: &DeliveryKey, now: Timestamp) -> Option<Due> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        found.extend(engine.store().due_deliveries(shard, now, 1_000).await.unwrap());
    }
    found.retain(|due| due.key == *key);
    assert!(found.len() <= 1, "twice in the index");
    found.pop()
}

/// An endpoint's list holds what did not succeed at first, newest first, page by page.
pub async fn an_endpoints_list_is_paged<E: Engine>(engine: &E, tenant: &TenantName) {
    let now = engine.clock().now();
    for number in 0..5_u64 {
        let key = key(tenant, &format!("list{number}"), "ep_9");
        let row = Delivery::pending(key, now.plus_s(number), Priority::Normal)
            .end(End::Failed(FailedReason::Gone));
        engine.store().record_attempt(Guard::Absent, &row).await.unwrap();
    }
    let first_try = Delivery::pending(key(tenant, "first", "ep_9"), now, Priority::Normal);
    let turn = Turn { ticket: "t".parse().unwrap(), receives: 1 };
    let attempt = Attempt {
        number: 1,
        started_at: now,
        duration_ms: 1,
        outcome: Outcome::Accepted,
        response_status: Some(200),
        response_excerpt: None,
        detail: None,
        next_attempt_at: None,
        inexact: false,
    };
    let (delivered, _) = first_try.after_attempt(&turn, attempt, Next::Done);
    engine.store().record_attempt(Guard::Absent, &delivered).await.unwrap();
    let endpoint: EndpointId = "ep_9".parse().unwrap();
    let mut found = Vec::new();
    let mut page = PageRequest { limit: 2, cursor: None };
    for _ in 0..10 {
        let got = engine.store().deliveries_by_endpoint(tenant, &endpoint, &page).await.unwrap();
        found.extend(got.items.into_iter().map(|row| row.key.event.to_string()));
        match got.cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(found, ["list4", "list3", "list2", "list1", "list0"]);
}

/// A tenant's events, newest first, page by page; another tenant's are not among them.
pub async fn events_are_listed_by_time<E: Engine>(engine: &E, tenant: &TenantName) {
    let now = engine.clock().now();
    let other: TenantName = format!("{tenant}-x").parse().unwrap();
    for number in 0..5_u64 {
        let event_accepted_at = now.plus_s(number).minus_s(86_400 * (number % 2));
        let row = event_row(tenant, &format!("time{number}"), event_accepted_at, Vec::new());
        engine.store().accept(&row).await.unwrap();
    }
    engine.store().accept(&event_row(&other, "theirs", now, Vec::new())).await.unwrap();
    let mut found = Vec::new();
    let mut page = PageRequest { limit: 2, cursor: None };
    for _ in 0..50 {
        let got = engine.store().events_by_time(tenant, &page, now.plus_s(60)).await.unwrap();
        found.extend(got.items.into_iter().map(|row| row.event.id.to_string()));
        match got.cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(found, ["time4", "time2", "time0", "time3", "time1"]);
}

/// All tenants are listed by name, page by page, each once, whoever creates it again.
pub async fn tenants_are_listed_by_name<E: Engine>(engine: &E, tenant: &TenantName) {
    let store = engine.store();
    let created_at = engine.clock().now();
    for end in ["c", "a", "b"] {
        let made = Tenant { name: format!("{tenant}-{end}").parse().unwrap(), created_at };
        assert!(change(engine, Change::CreateTenant(&made)).await);
        assert!(!change(engine, Change::CreateTenant(&made)).await, "there is one");
    }
    let mut found = Vec::new();
    let mut page = PageRequest { limit: 2, cursor: None };
    for _ in 0..10 {
        let part = store.tenants(&page).await.unwrap();
        assert!(part.items.len() <= page.limit);
        found.extend(part.items.into_iter().map(|tenant| tenant.name.to_string()));
        page.cursor = part.cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a", "b", "c"].map(|end| format!("{tenant}-{end}")));
}

/// Endpoints change by version; a deleted one is gone; no tenant sees another's.
pub async fn endpoints_change_by_version<E: Engine>(engine: &E, tenant: &TenantName) {
    assert!(
        engine.store().endpoints(tenant, MaxAge::NOW).await.unwrap().is_none(),
        "no such tenant yet"
    );
    let made = endpoint(engine, tenant, "https://example.com/", &[1]).await;
    let mut changed = made.clone();
    changed.version = 2;
    changed.name = Some("n".to_owned());
    let store = engine.store();
    assert!(change(engine, Change::PutEndpoint(&changed)).await);
    assert!(!change(engine, Change::PutEndpoint(&changed)).await, "an old version");
    let version = store.endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap().version;
    let again = Change::AddEndpoint(&changed, version);
    assert!(!change(engine, again).await, "there is one");
    let found = engine.store().endpoint(tenant, &made.id, MaxAge::NOW).await.unwrap().unwrap();
    assert_eq!(found.name.as_deref(), Some("n"));
    assert_eq!(engine.store().endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap().len(), 1);
    let other: TenantName = format!("{tenant}-x").parse().unwrap();
    assert!(engine.store().endpoint(&other, &made.id, MaxAge::NOW).await.unwrap().is_none());
    let foreign = Endpoint { tenant: other, ..changed.clone() };
    assert!(!change(engine, Change::RemoveEndpoint(&foreign)).await);
    assert!(!change(engine, Change::RemoveEndpoint(&made)).await, "an old version");
    assert!(change(engine, Change::RemoveEndpoint(&changed)).await);
    assert!(engine.store().endpoint(tenant, &made.id, MaxAge::NOW).await.unwrap().is_none());
    assert!(engine.store().endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap().is_empty());
}

/// Keys are found by their hash until they are deleted; a source's name is one tenant's.
pub async fn keys_and_sources_are_found<E: Engine>(engine: &E, tenant: &TenantName) {
    let key = ApiKey {
        id: ApiKeyId::from_entropy(engine.entropy()),
        tenant: tenant.clone(),
        scopes: vec![Scope::Ingest],
        hash: format!("hash-{tenant}"),
        name: None,
        max_per_second: None,
        created_at: engine.clock().now(),
    };
    assert!(change(engine, Change::AddApiKey(&key)).await);
    assert_eq!(engine.store().api_key(&key.hash).await.unwrap().unwrap().id, key.id);
    assert_eq!(engine.store().api_keys(tenant).await.unwrap().len(), 1);
    let used_at = engine.clock().now();
    engine.store().note_key_use(&key.id, used_at).await.unwrap();
    let uses =
        engine.store().key_uses(&[key.id.clone(), "key_none".parse().unwrap()]).await.unwrap();
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [(key.id.clone(), used_at)]);
    assert!(change(engine, Change::RemoveApiKey(&key)).await);
    assert!(!change(engine, Change::RemoveApiKey(&key)).await);
    assert!(engine.store().api_key(&key.hash).await.unwrap().is_none());
    let source = Source {
        name: format!("src-{tenant}").parse().unwrap(),
        tenant: tenant.clone(),
        profile: "standard".to_owned(),
        secrets: Vec::new(),
        tolerance_s: 300,
    };
    assert!(change(engine, Change::PutSource(&source)).await);
    assert!(change(engine, Change::PutSource(&source)).await, "the same tenant changes it");
    let stolen = Source { tenant: format!("{tenant}-x").parse().unwrap(), ..source.clone() };
    assert!(!change(engine, Change::PutSource(&stolen)).await);
    assert_eq!(engine.store().sources(tenant).await.unwrap().len(), 1);
    assert!(engine.store().sources(&stolen.tenant).await.unwrap().is_empty());
    assert_eq!(
        engine.store().source(&source.name, MaxAge::NOW).await.unwrap().unwrap().tenant,
        *tenant
    );
    assert!(!change(engine, Change::RemoveSource(&stolen)).await);
    assert!(change(engine, Change::RemoveSource(&source)).await);
}

/// The version of a tenant's endpoints lets one of two through that looked at the same ones; so it does with
/// an event type, and with a move to another profile.
pub async fn of_two_that_saw_the_same_endpoints_one_gets_through<E: Engine>(
    engine: &E,
    tenant: &TenantName,
) {
    let made = endpoint(engine, tenant, "https://example.com/", &[1]).await;
    let store = engine.store();
    let tenant_endpoints = store.endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap();
    assert!(!tenant_endpoints.has_catalogue || tenant_endpoints.version > TenantVersion::default());
    let another = |id: &str| Endpoint { id: id.parse().unwrap(), ..made.clone() };
    let (one, two) = (another("ep_one"), another("ep_two"));
    let (first, second) = tokio::join!(
        change(engine, Change::AddEndpoint(&one, tenant_endpoints.version)),
        change(engine, Change::AddEndpoint(&two, tenant_endpoints.version)),
    );
    assert_eq!(usize::from(first) + usize::from(second), 1);
    let moved = Endpoint { version: 2, profile: "github".to_owned(), ..made.clone() };
    let stale = Change::MoveEndpoint(&moved, tenant_endpoints.version);
    assert!(!change(engine, stale).await);
    let event_type = EventType {
        name: "a.b".to_owned(),
        description: None,
        schema: None,
        example: None,
        updated_at: made.created_at,
    };
    let stale = Change::PutEventType(tenant, &event_type, tenant_endpoints.version);
    assert!(!change(engine, stale).await);
    let now = store.endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap();
    assert_eq!((now.len(), now.version), (2, tenant_endpoints.version.next()));
    let put = Change::PutEventType(tenant, &event_type, now.version);
    assert!(change(engine, put).await);
    let now = store.endpoints(tenant, MaxAge::NOW).await.unwrap().unwrap();
    assert!(now.has_catalogue);
    assert_eq!(store.event_types(tenant, MaxAge::NOW).await.unwrap().len(), 1);
    assert!(change(engine, Change::MoveEndpoint(&moved, now.version)).await);
    let removed = Change::RemoveEventType(tenant, &event_type);
    assert!(change(engine, removed).await);
    assert!(!change(engine, removed).await);
    assert!(store.event_types(tenant, MaxAge::NOW).await.unwrap().is_empty());
}

/// An entry is written with its change, or not at all; the log is read newest first, page by page.
pub async fn an_entry_is_written_with_its_change_or_not_at_all<E: Engine>(
    engine: &E,
    tenant: &TenantName,
) {
    let made = endpoint(engine, tenant, "https://example.com/", &[1]).await;
    let entry =
        |action: &str| Entry::new(engine.stamp(), tenant, "operator", action, made.id.as_str());
    let next = Endpoint { version: 2, ..made.clone() };
    let store = engine.store();
    for (change, action, is_done) in [
        (Change::PutEndpoint(&next), "first", true),
        (Change::PutEndpoint(&next), "refused", false),
        (Change::RemoveEndpoint(&next), "second", true),
    ] {
        let before = engine.clock().now();
        engine.clock().sleep_until(before.plus_ms(2)).await;
        assert_eq!(store.change(change, &entry(action)).await.unwrap(), is_done);
    }
    let mut page = PageRequest { limit: 1, cursor: None };
    let mut found = Vec::new();
    while found.len() < 5 {
        let part = store.audit(tenant, &page).await.unwrap();
        found.extend(part.items.into_iter().map(|entry| entry.action));
        page.cursor = part.cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    // The tenant and its endpoint were made with an entry each.
    assert_eq!(found, ["second", "first", "test.changed", "test.changed"]);
    let other: TenantName = format!("{tenant}-x").parse().unwrap();
    let all = PageRequest { limit: 10, cursor: None };
    assert!(store.audit(&other, &all).await.unwrap().items.is_empty());
}

/// An endpoint's health is written over the version that was read, and the audit log tells nothing of it.
pub async fn health_is_noted_in_no_log<E: Engine>(engine: &E, tenant: &TenantName) {
    let made = endpoint(engine, tenant, "https://example.com/", &[1]).await;
    let store = engine.store();
    let all = PageRequest { limit: 10, cursor: None };
    let before = store.audit(tenant, &all).await.unwrap().items.len();
    let verified =
        Endpoint { health: Health::Verified, ..made.clone() }.next_version(engine.clock().now());
    assert!(store.note_health(&verified).await.unwrap());
    assert!(!store.note_health(&verified).await.unwrap(), "an old version");
    let found = store.endpoint(tenant, &made.id, MaxAge::NOW).await.unwrap().unwrap();
    assert_eq!((found.health, found.version), (Health::Verified, 2));
    assert_eq!(store.audit(tenant, &all).await.unwrap().items.len(), before);
}

/// A setting is found by its kind and name: a profile is replaced, a key for links is not.
pub async fn settings_are_kept_by_name<E: Engine>(engine: &E, tenant: &TenantName) {
    let store = engine.store();
    let (one, two) = (format!("{tenant}-1"), format!("{tenant}-2"));
    let kind = Setting::Profile;
    assert!(store.setting(kind, &one, MaxAge::NOW).await.unwrap().is_none());
    let replaced = r#"{"ä": "replaced"}"#;
    for (name, text) in [(&two, "second"), (&one, "first"), (&two, replaced)] {
        assert!(change(engine, Change::PutProfile(name, text)).await, "{name}: {text}");
        let found = store.setting(kind, name, MaxAge::seconds(60)).await.unwrap();
        assert_eq!(found.as_deref(), Some(text), "a copy of before is forgotten");
    }
    assert!(store.setting(Setting::LinkKey, &one, MaxAge::NOW).await.unwrap().is_none());
    assert!(store.settings(Setting::LinkKey).await.unwrap().is_empty());
    let all = store.settings(kind).await.unwrap();
    let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), &**text)).collect();
    assert_eq!(all, [(one.as_str(), "first"), (two.as_str(), replaced)]);

    assert!(store.keep_link_key(tenant, "sealed").await.unwrap());
    assert!(!store.keep_link_key(tenant, "another").await.unwrap(), "there is one");
    let kept = store.setting(Setting::LinkKey, tenant.as_str(), MaxAge::NOW).await.unwrap();
    assert_eq!(kept.as_deref(), Some("sealed"));
}

/// A secret opens in its own context only.
pub async fn a_secret_is_bound_to_its_owner<E: Engine>(engine: &E, tenant: &TenantName) {
    let id: EndpointId = "ep_1".parse().unwrap();
    let context = SecretContext::endpoint(tenant, &id);
    let secret = Secret::new(b"whsec_secret".to_vec());
    let sealed = engine.key_vault().seal(&context, &secret).await.unwrap();
    assert!(!sealed.contains("secret"));
    assert_eq!(engine.key_vault().open(&context, &sealed).await.unwrap(), secret);
    let other: TenantName = format!("{tenant}-x").parse().unwrap();
    for wrong in [
        SecretContext::endpoint(&other, &id),
        SecretContext::endpoint(tenant, &"ep_2".parse().unwrap()),
        SecretContext { purpose: "source", ..context.clone() },
    ] {
        assert!(engine.key_vault().open(&wrong, &sealed).await.is_err());
    }
    assert!(engine.key_vault().open(&context, "AAAA").await.is_err());
}

/// Messages are queued, many at once, and a stale receipt is no failure.
pub async fn messages_are_queued<E: Engine>(engine: &E, tenant: &TenantName) {
    let now = engine.clock().now();
    let message = |number: usize| {
        let key = key(tenant, &format!("m{number}"), "ep_1");
        Message { delay_s: 600, ..Message::reissue(&key, now, engine.ticket(), now) }
    };
    let messages: Vec<Message> = (0..25).map(message).collect();
    assert!(engine.queue().enqueue(&messages).await.is_empty());
    assert!(engine.queue().enqueue(&[]).await.is_empty());
    let receipt =
        Receipt { priority: Priority::Normal, handle: "nobody-has-received-it".to_owned() };
    engine.queue().wait(&receipt, Duration::from_secs(1)).await.unwrap();
    engine.queue().reject("{not json", "cannot be read").await.unwrap();
}

/// A gate changes by version, is found when it is due, and what it holds is found by it alone.
pub async fn a_gate_holds_and_releases<E: Engine>(engine: &E, tenant: &TenantName) {
    let now = engine.clock().now();
    let endpoint = endpoint(engine, tenant, "https://example.com/", &[1]).await;
    let id = &endpoint.id;
    assert_eq!(engine.store().gate(tenant, id, MaxAge::NOW).await.unwrap(), None);
    let gate = Gate::open_breaker(&endpoint, None, 30, now);
    assert!(engine.store().put_gate(&gate, None).await.unwrap());
    assert!(!engine.store().put_gate(&gate, None).await.unwrap(), "there is one");
    assert_eq!(
        engine.store().gate(tenant, id, MaxAge::seconds(60)).await.unwrap(),
        Some(gate.clone())
    );
    assert!(engine.store().due_gates(now.plus_s(29), 10).await.unwrap().is_empty());
    let due = engine.store().due_gates(now.plus_s(30), 10).await.unwrap();
    assert_eq!(due, std::slice::from_ref(&gate));
    let paced = gate.turn(Mode::Pacing, now, now.plus_s(90));
    assert!(engine.store().put_gate(&paced, Some(&gate)).await.unwrap());
    assert!(!engine.store().put_gate(&paced, Some(&gate)).await.unwrap(), "an old version");

    let key = key(tenant, "held", id.as_str());
    let row = Delivery::pending(key.clone(), now, Priority::Normal).hold(now);
    assert_eq!(
        engine.store().record_attempt(Guard::Absent, &row).await.unwrap(),
        WriteResult::Done
    );
    assert_eq!(engine.store().delivery(&key).await.unwrap(), Some(row));
    let later = now.plus_s(600);
    assert!(find_due(engine, &key, later).await.is_none(), "the sweep does not see it");
    let other: EndpointId = "ep_other".parse().unwrap();
    assert!(engine.store().held_deliveries(tenant, &other, later, 10).await.unwrap().is_empty());
    let held = engine.store().held_deliveries(tenant, id, later, 10).await.unwrap();
    assert_eq!(held.iter().map(|due| &due.key).collect::<Vec<_>>(), [&key]);
    let claim = Claim { ticket: "t1".parse().unwrap(), due_at: later, taken_at: Some(now) };
    assert_eq!(engine.store().claim(&held[0], &claim).await.unwrap(), Some(now));
    assert!(
        engine.store().held_deliveries(tenant, id, later, 10).await.unwrap().is_empty(),
        "released"
    );
    assert!(find_due(engine, &key, later).await.is_some(), "and watched like any other");

    let tokens = |count| TokenRequest { window: 7, count, most: 10 };
    let mut granted = Vec::new();
    for count in [6, 5, 4, 1] {
        granted.push(
            engine.store().take_tokens(&of_endpoint(tenant, id), tokens(count)).await.unwrap(),
        );
    }
    assert_eq!(granted, [6, 0, 4, 0], "all that is asked for, or none");
    let next = TokenRequest { window: 8, ..tokens(10) };
    assert_eq!(engine.store().take_tokens(&of_endpoint(tenant, id), next).await.unwrap(), 10);

    assert!(!engine.store().delete_gate(&gate).await.unwrap(), "an old version");
    assert!(engine.store().delete_gate(&paced).await.unwrap());
    assert_eq!(engine.store().gate(tenant, id, MaxAge::seconds(60)).await.unwrap(), None);
}

/// The gates whose review is due are found earliest first, no more of them than are asked for; a
/// gate is one tenant's.
pub async fn due_gates_come_earliest_first<E: Engine>(engine: &E, tenant: &TenantName) {
    let store = engine.store();
    let now = engine.clock().now();
    let mut gates = Vec::new();
    for probe_s in [30, 10, 20] {
        let endpoint = endpoint(engine, tenant, "https://example.com/", &[1]).await;
        let gate = Gate::open_breaker(&endpoint, None, probe_s, now);
        assert!(store.put_gate(&gate, None).await.unwrap());
        gates.push(gate);
    }
    gates.sort_by_key(|gate| gate.due_at);
    assert_eq!(store.due_gates(now.plus_s(60), 10).await.unwrap(), gates);
    assert_eq!(store.due_gates(now.plus_s(60), 2).await.unwrap(), gates[..2]);
    assert_eq!(store.due_gates(now.plus_s(20), 10).await.unwrap(), gates[..2]);
    let other: TenantName = format!("{tenant}-x").parse().unwrap();
    let id = &gates[0].endpoint;
    assert_eq!(store.gate(&other, id, MaxAge::NOW).await.unwrap(), None);
    assert_eq!(store.gate(tenant, id, MaxAge::NOW).await.unwrap().as_ref(), Some(&gates[0]));
}

/// Of an endpoint's slots no more are taken than there are, whoever asks at the same time.
pub async fn slots_are_bounded<E: Engine>(engine: &E, tenant: &TenantName) {
    let (id, now): (EndpointId, _) = ("ep_slots".parse().unwrap(), engine.clock().now());
    let store = engine.store();
    let ask = |most, now: Timestamp| {
        let wanted = SlotRequest::new(most, engine.ticket(), now, now.plus_s(10));
        let id = &id;
        async move { store.take_slot(tenant, id, &wanted).await.unwrap() }
    };
    let taken: Vec<Slot> =
        join_all((0..8).map(|_| ask(3, now))).await.into_iter().flatten().collect();
    let numbers: BTreeSet<u32> = taken.iter().map(|slot| slot.number).collect();
    // Of those that ask in the same moment some may give up too soon, and come again.
    assert!(
        !taken.is_empty() && numbers.len() == taken.len() && numbers.iter().all(|one| *one < 3)
    );
    while ask(3, now).await.is_some() {}
    assert_eq!(ask(2, now).await, None, "fewer than are taken");
    store.give_back_slot(tenant, &id, &taken[0]).await.unwrap();
    let again = ask(3, now).await.expect("one was given back");
    assert_eq!(again.number, taken[0].number);
    store.give_back_slot(tenant, &id, &taken[0]).await.unwrap();
    assert_eq!(ask(3, now).await, None, "it is another's by now, and not given back twice");
    assert!(ask(4, now).await.is_some(), "the bound was raised");
    let over = now.plus_s(10 + SLOT_GRACE_S);
    assert_eq!(ask(3, over.minus_s(1)).await, None);
    assert!(ask(3, over).await.is_some(), "its holder died");
    let own = SlotRequest::new(9, engine.ticket(), now, now.plus_s(10));
    let first = store.take_slot(tenant, &id, &own).await.unwrap();
    assert_eq!(store.take_slot(tenant, &id, &own).await.unwrap(), first, "its answer was lost");
}
