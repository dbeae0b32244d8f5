//! The management suite: what every deployment's API must do, whatever engine is behind it. Each check
//! takes a client with the operator's key and uses a tenant of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::fixtures::nap;
use crate::sink::{CapturedRequest, Sink};

/// Gives the names of all checks to a macro, which makes a test or a step of each: the one list of the suite.
#[macro_export]
macro_rules! management_checks {
    ($tests:ident) => {
        $tests! {
            versions_keep_changes_apart,
            a_repeated_request_makes_one_endpoint,
            a_limit_holds_under_concurrent_creation,
            every_fault_is_named_at_once,
            every_change_is_in_the_audit_log_and_an_event,
            own_headers_are_sealed_masked_and_kept,
            what_changes_nothing_is_in_no_log,
            event_types_say_what_payloads_are_like,
            a_schema_that_is_too_dear_holds_nobody_up,
            what_is_too_dear_to_match_is_told_and_never_decided,
            a_key_has_scopes_a_rate_and_an_end,
            a_key_gives_no_more_than_it_has,
            a_dry_run_says_what_is_then_sent,
            the_deployment_says_how_it_is,
            no_answer_is_taken_for_another_type,
            a_chain_of_deliveries_ends_and_says_so,
            a_sources_name_is_its_tenants,
        }
    };
}

/// Calls the paths of one tenant.
struct Tenant<'a> {
    client: &'a Client,
    name: &'static str,
}

impl Tenant<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.name)
    }

    async fn call(&self, method: &str, rest: &str, body: &Value) -> Reply {
        self.with(method, rest, &[], body).await
    }

    async fn with(
        &self,
        method: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.send(method, &self.path(rest), headers, &body).await
    }

    async fn get(&self, rest: &str) -> Value {
        self.call("GET", rest, &Value::Null).await.of(200).json
    }

    /// An endpoint without a ping; its id.
    async fn endpoint(&self, members: Value) -> String {
        let made = self.call("POST", "/endpoints?ping=false", &members).await.of(201);
        made.json["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self, event: &Value) -> Reply {
        self.call("POST", "/events", event).await
    }
}

fn body(captured: &CapturedRequest) -> Value {
    serde_json::from_slice(&captured.body).unwrap()
}

/// Two who read the same version: the second to write is told so, and nothing of the first is lost.
pub async fn versions_keep_changes_apart(client: &Client) {
    let tenant = Tenant { client, name: "versions" };
    let id = tenant.endpoint(json!({"url": "https://example.com/"})).await;
    let one = format!("/endpoints/{id}");
    let read = tenant.call("GET", &one, &Value::Null).await.of(200);
    let first = read.header("etag").to_owned();
    assert!(first.starts_with('"') && first.len() > 2, "{first}");
    let mine = [("if-match", first.as_str())];
    let changed = tenant.with("PATCH", &one, &mine, &json!({"name": "mine"})).await.of(200);
    assert_ne!(changed.header("etag"), first);
    tenant.with("PATCH", &one, &mine, &json!({"name": "yours"})).await.of(412);
    tenant.with("DELETE", &one, &mine, &Value::Null).await.of(412);
    assert_eq!(tenant.get(&one).await["name"], "mine");
    let listed = format!("\"0\", {}", changed.header("etag"));
    tenant.with("PATCH", &one, &[("if-match", "*")], &json!({"name": "any"})).await.of(200);
    tenant.with("PATCH", &one, &[("if-match", &listed)], &json!({"name": "old"})).await.of(412);
    let now = tenant.call("GET", &one, &Value::Null).await.of(200);
    let etag = [("if-match", now.header("etag"))];
    tenant.with("DELETE", &one, &etag, &Value::Null).await.of(204);
    tenant.call("GET", &one, &Value::Null).await.of(404);
}

/// A request that is repeated with its key makes one endpoint, and is answered with the same secret.
pub async fn a_repeated_request_makes_one_endpoint(client: &Client) {
    let tenant = Tenant { client, name: "repeated" };
    // The tenant first, so that only the endpoint is contended for.
    client.send("POST", "/v1/tenants", &[], r#"{"name":"repeated"}"#).await.of(201);
    let draft = json!({"url": "https://example.com/", "name": "n"});
    let key = [("idempotency-key", "order-1")];
    let path = "/endpoints?ping=false";
    let (one, two, three) = tokio::join!(
        tenant.with("POST", path, &key, &draft),
        tenant.with("POST", path, &key, &draft),
        tenant.with("POST", path, &key, &draft),
    );
    let again = tenant.with("POST", path, &key, &draft).await.of(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    for reply in [one, two, three] {
        let reply = reply.of(201);
        assert_eq!(reply.json["id"], again.json["id"]);
        assert_eq!(reply.json["secret"], again.json["secret"]);
    }
    assert!(again.json["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(tenant.get("/endpoints").await["items"].as_array().unwrap().len(), 1);
    let other = json!({"url": "https://example.com/other"});
    tenant.with("POST", path, &key, &other).await.of(422);
    let second = tenant.with("POST", path, &[("idempotency-key", "order-2")], &draft).await.of(201);
    assert_ne!(second.json["id"], again.json["id"]);
    tenant.with("POST", path, &[("idempotency-key", "")], &draft).await.of(400);
    let rotate = format!("/endpoints/{}/rotate-secret", again.json["id"].as_str().unwrap());
    tenant.call("POST", &rotate, &Value::Null).await.of(200);
    let late = tenant.with("POST", path, &key, &draft).await.of(201);
    assert_eq!((&late.json["id"], &late.json["secret"]), (&again.json["id"], &Value::Null));
}

/// However many are configured at once, a tenant has no more than its profile allows.
pub async fn a_limit_holds_under_concurrent_creation(client: &Client) {
    let tenant = Tenant { client, name: "limits" };
    client.send("POST", "/v1/tenants", &[], r#"{"name":"limits"}"#).await.of(201);
    let draft = json!({"url": "https://example.com/", "profile": "aisg"});
    let create = || tenant.call("POST", "/endpoints?ping=false", &draft);
    let replies = futures_util::future::join_all((0..12).map(|_| create())).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(made, 5, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    for refused in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!((refused.status, refused.pointers()), (422, vec!["/profile"]));
    }
    assert_eq!(tenant.get("/endpoints").await["items"].as_array().unwrap().len(), 5);
    let other = tenant.endpoint(json!({"url": "https://example.com/"})).await;
    let (path, profile) = (format!("/endpoints/{other}"), json!({"profile": "aisg"}));
    let moved = tenant.call("PATCH", &path, &profile).await.of(422);
    assert_eq!(moved.pointers(), ["/profile"], "nor by moving there");
}

/// A body's faults are all named at once, each at its place, and nothing is made.
pub async fn every_fault_is_named_at_once(client: &Client) {
    let tenant = Tenant { client, name: "faults" };
    client.send("POST", "/v1/tenants", &[], r#"{"name":"faults"}"#).await.of(201);
    let draft = json!({
        "url": "http://user@10.0.0.1/", "name": "", "event_types": ["a.*.b", 3],
        "filter": {"data": {"x": [{"sufix": "y"}, {"numeric": [">", "1"]}]}},
        "min_severity": "awful", "risk_score_above": 2, "outcomes": [],
        "profile": "nobodys", "retry": {"delays_s": [0]}, "timeout_ms": 1, "max_per_second": 0, "max_concurrency": 101,
        "headers": {"Authorization": "x", "x-ok": "1", "webhook-id": "1", "cookie": "a"},
        "auth": {"type": "oauth2", "token_url": "http://10.0.0.1/", "client_id": "c", "more": 1},
        "enabled": "yes", "paused": 1, "bogus": 1,
    });
    let refused = tenant.call("POST", "/endpoints", &draft).await.of(422);
    let found: BTreeSet<&str> = refused.pointers().into_iter().collect();
    let expected = [
        "/url",
        "/name",
        "/event_types/0",
        "/event_types/1",
        "/filter/data/x/0/sufix",
        "/filter/data/x/1/numeric/1",
        "/min_severity",
        "/risk_score_above",
        "/outcomes",
        "/profile",
        "/retry/delays_s/0",
        "/timeout_ms",
        "/max_per_second",
        "/max_concurrency",
        "/headers/Authorization",
        "/headers/webhook-id",
        "/headers/cookie",
        "/auth/token_url",
        "/auth/client_secret",
        "/auth/more",
        "/enabled",
        "/paused",
        "/bogus",
    ];
    assert_eq!(found, expected.into_iter().collect(), "{}", refused.json);
    let document = client.send("GET", "/openapi.json", &[], "").await.of(200).json;
    let described = &document["components"]["schemas"]["NewEndpoint"]["properties"];
    for name in described.as_object().unwrap().keys() {
        // A secret is looked at only where the profile is known.
        let is_tried =
            draft.get(name).is_some() || ["secret", "algorithm"].contains(&name.as_str());
        assert!(is_tried, "no fault of {name} is tried above");
    }
    assert!(tenant.get("/endpoints").await["items"].as_array().unwrap().is_empty());
    let id = tenant.endpoint(json!({"url": "https://example.com/", "name": "n"})).await;
    let patch = json!({"url": null, "name": "m", "timeout_ms": 0});
    let refused = tenant.call("PATCH", &format!("/endpoints/{id}"), &patch).await.of(422);
    assert_eq!(refused.pointers(), ["/url", "/timeout_ms"]);
    assert_eq!(tenant.get(&format!("/endpoints/{id}")).await["name"], "n");
}

/// Who changed what, when, and what it was: in the log, and as an event for whoever asks for it.
pub async fn every_change_is_in_the_audit_log_and_an_event(client: &Client) {
    let tenant = Tenant { client, name: "audited" };
    let sink = Sink::start(Vec::new()).await;
    let listening = json!({"url": sink.url("/"), "event_types": ["waxseal.audit.*"]});
    tenant.endpoint(listening).await;
    nap(client_settles_ms(client).await).await;
    let key = tenant.call("POST", "/keys", &json!({"name": "k"})).await.of(201).json;
    let key_id = key["id"].as_str().unwrap();
    let with_key = Client { key: key["key"].as_str().unwrap().to_owned(), ..client.clone() };
    let by_key = Tenant { client: &with_key, name: "audited" };
    let id = change_everything(&by_key).await;
    tenant.call("DELETE", &format!("/keys/{key_id}"), &Value::Null).await.of(204);
    let entries = log_of(&tenant).await;
    let told: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["actor"].as_str().unwrap()))
        .collect();
    let expected = [
        ("tenant.created", "operator"),
        ("endpoint.created", "operator"),
        ("api_key.created", "operator"),
        ("endpoint.created", key_id),
        ("endpoint.updated", key_id),
        ("endpoint.secret_rotated", key_id),
        ("endpoint.disabled", key_id),
        ("endpoint.deleted", key_id),
        ("event_type.created", key_id),
        ("event_type.deleted", key_id),
        ("source.created", key_id),
        ("source.deleted", key_id),
        ("api_key.revoked", "operator"),
    ];
    assert_eq!(told, expected);
    let updated = &entries[4];
    assert_eq!(updated["target"], id.as_str());
    let (before, after) = (&updated["before"], &updated["after"]);
    assert_eq!(before, &json!({"name": null, "headers": {"x-k": "(not shown)"}}));
    assert_eq!(after, &json!({"name": "new", "headers": {"x-k": "(not shown)"}}));
    assert_eq!(entries[6]["after"], json!({"enabled": false, "disabled_reason": "requested"}));
    let all = json!(entries).to_string();
    for secret in ["canary", "whsec_", key["key"].as_str().unwrap()] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }

    // All but those before the listening endpoint was there.
    let events = sink.wait_for(expected.len() - 1).await;
    let mut types: Vec<String> =
        events.iter().map(|one| body(one)["type"].as_str().unwrap().to_owned()).collect();
    types.sort();
    let mut wanted: Vec<String> =
        expected[1..].iter().map(|(action, _)| format!("waxseal.audit.{action}")).collect();
    wanted.sort();
    assert_eq!(types, wanted);
    let update =
        events.iter().map(body).find(|one| one["type"] == "waxseal.audit.endpoint.updated");
    let update = update.unwrap();
    assert_eq!((&update["data"]["after"], &update["data"]["actor"]), (after, &json!(key_id)));
}

/// Makes, changes and removes one of each; the id of the endpoint.
async fn change_everything(tenant: &Tenant<'_>) -> String {
    let draft = json!({"url": "https://example.com/", "headers": {"x-k": "canary-header"},
        "auth": {"type": "bearer", "token": "canary-token"}, "event_types": ["never.*"]});
    let id = tenant.endpoint(draft).await;
    let one = format!("/endpoints/{id}");
    let change = json!({"name": "new", "headers": {"x-k": "canary-other"}});
    tenant.call("PATCH", &one, &change).await.of(200);
    tenant.call("POST", &format!("{one}/rotate-secret"), &Value::Null).await.of(200);
    // The second changes nothing, and is in no log.
    tenant.call("POST", &format!("{one}/disable"), &Value::Null).await.of(200);
    tenant.call("POST", &format!("{one}/disable"), &Value::Null).await.of(200);
    tenant.call("DELETE", &one, &Value::Null).await.of(204);
    let event_type = json!({"description": "d"});
    tenant.call("PUT", "/event-types/a.b", &event_type).await.of(200);
    tenant.call("DELETE", "/event-types/a.b", &Value::Null).await.of(204);
    let source = json!({"secrets": ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]});
    tenant.call("PUT", "/sources/audited", &source).await.of(200);
    tenant.call("DELETE", "/sources/audited", &Value::Null).await.of(204);
    id
}

/// A tenant's audit log, page by page, the oldest first.
async fn log_of(tenant: &Tenant<'_>) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = tenant.get(&format!("/audit?limit=5{cursor}")).await;
        entries.extend(page["items"].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    entries.reverse();
    entries
}

/// A test event to an endpoint: what it was sent, and what the answer shows of that.
async fn test_event(tenant: &Tenant<'_>, id: &str, sink: &Sink) -> (CapturedRequest, Value) {
    let before = sink.requests().len();
    let tested = tenant.call("POST", &format!("/endpoints/{id}/test"), &Value::Null).await.of(200);
    let sent = sink.wait_for(before + 1).await;
    (sent[before].clone(), tested.json["request_headers"].clone())
}

/// The value of an endpoint's own header may be a secret: it is sent, never shown, and kept by what stands for it.
pub async fn own_headers_are_sealed_masked_and_kept(client: &Client) {
    let tenant = Tenant { client, name: "headed" };
    let sink = Sink::start(Vec::new()).await;
    let url = sink.url("/hook?token=canary-query");
    let id = tenant
        .endpoint(json!({"url": url, "event_types": ["never.*"],
            "headers": {"X-Api-Key": "canary-one", "prefer": "text/x", "x-empty": ""}}))
        .await;
    let path = format!("/endpoints/{id}");
    let shown = tenant.get(&path).await["headers"].clone();
    assert_eq!(shown, json!({"prefer": "text/x", "x-api-key": "(not shown)", "x-empty": ""}));
    let (sent, answered) = test_event(&tenant, &id, &sink).await;
    let own = |sent: &CapturedRequest| {
        ["x-api-key", "prefer", "x-new"].map(|name| sent.header(name).to_owned())
    };
    assert_eq!(own(&sent), ["canary-one", "text/x", ""]);
    assert_eq!(
        (&answered["x-api-key"], &answered["prefer"]),
        (&shown["x-api-key"], &json!("text/x"))
    );

    // What was read is written again, with one more.
    let mut headers = shown;
    headers["x-new"] = json!("canary-two");
    let changed =
        tenant.call("PATCH", &path, &json!({"headers": headers, "name": "n"})).await.of(200);
    assert_eq!(changed.json["headers"]["x-new"], "(not shown)");
    let (sent, _) = test_event(&tenant, &id, &sink).await;
    assert_eq!(own(&sent), ["canary-one", "text/x", "canary-two"]);
    let without = json!({"headers": {"x-new": "(not shown)"}});
    tenant.call("PATCH", &path, &without).await.of(200);
    let (sent, _) = test_event(&tenant, &id, &sink).await;
    assert_eq!(own(&sent), ["", "", "canary-two"]);

    let unknown = json!({"headers": {"x-new": "(not shown)", "x-unknown": "(not shown)"}});
    let refused = tenant.call("PATCH", &path, &unknown).await.of(422);
    assert_eq!(refused.pointers(), ["/headers/x-unknown"]);
    let draft = json!({"url": url, "headers": {"x-api-key": "(not shown)"}});
    let refused = tenant.call("POST", "/endpoints?ping=false", &draft).await.of(422);
    assert_eq!(refused.pointers(), ["/headers/x-api-key"]);

    for (change, member) in [
        (json!({"headers": {"x-new": "canary-three"}}), "headers"),
        (json!({"auth": {"type": "bearer", "token": "canary-four"}}), "auth"),
        (json!({"auth": {"type": "bearer", "token": "canary-five"}}), "auth"),
        (json!({"url": sink.url("/hook?token=canary-other")}), "url"),
    ] {
        tenant.call("PATCH", &path, &change).await.of(200);
        let last = tenant.get("/audit?limit=1").await["items"][0].clone();
        let after = last["after"].as_object().unwrap();
        assert!(after.len() == 1 && after.contains_key(member), "{member}: {last}");
    }
    let last = tenant.get("/audit?limit=1").await["items"][0].clone();
    let hidden = sink.url("/hook?(not shown)");
    assert_eq!((&last["before"]["url"], &last["after"]["url"]), (&json!(hidden), &json!(hidden)));
    tenant.call("PATCH", &path, &json!({"headers": null})).await.of(200);
    let (sent, _) = test_event(&tenant, &id, &sink).await;
    assert_eq!(own(&sent), ["", "", ""]);
    let all = json!(log_of(&tenant).await).to_string();
    assert!(!all.contains("canary"), "{all}");
}

/// A change that changes nothing is no change: it has no entry, and leaves the version as it was.
pub async fn what_changes_nothing_is_in_no_log(client: &Client) {
    let tenant = Tenant { client, name: "unchanged" };
    let members = json!({"url": "https://example.com/?a=b", "name": "n", "max_per_second": 5,
        "headers": {"x-api-key": "k"}, "filter": {"type": [{"prefix": "a"}]}});
    let id = tenant.endpoint(members.clone()).await;
    let path = format!("/endpoints/{id}");
    let event_type = json!({"description": "d", "schema": {"type": "object"}, "example": {}});
    tenant.call("PUT", "/event-types/a.b", &event_type).await.of(200);
    let (before, entries) = (tenant.get(&path).await, log_of(&tenant).await);
    let mut same = members;
    same["headers"] = before["headers"].clone();
    for nothing in [json!({}), same, json!({"enabled": true, "paused": false})] {
        let answer = tenant.call("PATCH", &path, &nothing).await.of(200);
        assert_eq!(answer.json["updated_at"], before["updated_at"], "{nothing}");
        assert_eq!(answer.header("etag"), "\"1\"", "{nothing}");
    }
    tenant.call("PUT", "/event-types/a.b", &event_type).await.of(200);
    assert_eq!(log_of(&tenant).await, entries);
    tenant.call("PATCH", &path, &json!({"name": "m"})).await.of(200);
    assert_eq!(log_of(&tenant).await.len(), entries.len() + 1);
}

/// An event that too many deliveries lie behind is refused, and what says no number is no new event.
pub async fn a_chain_of_deliveries_ends_and_says_so(client: &Client) {
    let tenant = Tenant { client, name: "hopping" };
    client.send("POST", "/v1/tenants", &[], r#"{"name":"hopping"}"#).await.of(201);
    let send = async |hops: &str, event: Value| {
        tenant.with("POST", "/events", &[("waxseal-hops", hops)], &event).await
    };
    let event = |id: &str| json!({"type": "a.b", "id": id});
    send("3", event("e3")).await.of(202);
    assert_eq!(tenant.get("/events/e3").await["waxsealhops"], 3);
    let refused = send("4", event("e4")).await.of(508);
    assert_eq!(refused.header("waxseal-hops"), "4");
    assert!(
        refused.json["detail"].as_str().unwrap().contains("3 are the most"),
        "{}",
        refused.json
    );
    // The event itself says more than what brought it, and of an array each is looked at.
    let more = json!({"type": "a.b", "id": "e5", "waxsealhops": 4});
    send("0", more.clone()).await.of(508);
    let results = send("0", json!([event("e6"), more])).await.of(202).json["results"].clone();
    assert_eq!((&results[0]["id"], &results[1]["status"]), (&json!("e6"), &json!(508)));
    for bad in ["", "-1", "three", "1.5", "99999999999999999999"] {
        send(bad, event("e7")).await.of(400);
    }
    for refused in ["e4", "e5", "e7"] {
        tenant.call("GET", &format!("/events/{refused}"), &Value::Null).await.of(404);
    }
}

/// Two tenants have a source of one name: each its own path, and the first the short one. And its rate is shown and
/// bounded.
pub async fn a_sources_name_is_its_tenants(client: &Client) {
    let secrets = json!(["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]);
    let (first, second) =
        (Tenant { client, name: "naming" }, Tenant { client, name: "naming-too" });
    for name in ["naming", "naming-too"] {
        client.send("POST", "/v1/tenants", &[], &json!({"name": name}).to_string()).await.of(201);
    }
    let put =
        async |tenant: &Tenant<'_>, body: Value| tenant.call("PUT", "/sources/siem", &body).await;
    let made = put(&first, json!({"secrets": secrets})).await.of(200).json;
    assert_eq!(
        (&made["path"], &made["short_path"]),
        (&json!("/hooks/naming/siem"), &json!("/hooks/siem"))
    );
    assert_eq!(made["max_per_second"], 100);
    let same = put(&second, json!({"secrets": secrets, "max_per_second": 5})).await.of(200).json;
    assert_eq!((&same["path"], same.get("short_path")), (&json!("/hooks/naming-too/siem"), None));
    assert_eq!(same["max_per_second"], 5);
    assert_eq!(second.get("/sources/siem").await, same);
    assert_eq!(put(&first, json!({"secrets": secrets})).await.of(200).json, made, "it keeps it");
    for bad in [0, 1_001] {
        let refused = put(&second, json!({"secrets": secrets, "max_per_second": bad})).await;
        assert_eq!(refused.of(422).pointers(), ["/max_per_second"]);
    }
    // Unsigned, each path leads to a source, and to none where there is none.
    for (path, status) in [
        ("/hooks/siem", 401),
        ("/hooks/naming/siem", 401),
        ("/hooks/naming-too/siem", 401),
        ("/hooks/nobody/siem", 404),
        ("/hooks/naming/siem/more", 404),
    ] {
        client.send("POST", path, &[], "{}").await.of(status);
    }
    first.call("DELETE", "/sources/siem", &Value::Null).await.of(204);
    client.send("POST", "/hooks/naming-too/siem", &[], "{}").await.of(401);
    let taken = put(&second, json!({"secrets": secrets})).await.of(200).json;
    assert_eq!(taken["short_path"], "/hooks/siem", "free again");
    second.call("DELETE", "/sources/siem", &Value::Null).await.of(204);
}

/// A catalogue's schema refuses payloads that do not fit it, and its example is what a test sends.
pub async fn event_types_say_what_payloads_are_like(client: &Client) {
    let tenant = Tenant { client, name: "catalogued" };
    let sink = Sink::start(Vec::new()).await;
    let id = tenant.endpoint(json!({"url": sink.url("/"), "event_types": ["dlp.*"]})).await;
    let schema = json!({"type": "object", "required": ["user"],
        "properties": {"user": {"type": "string", "maxLength": 5}}});
    let put = json!({"description": "d", "schema": schema, "example": {"user": "eva"}});
    let shown = tenant.call("PUT", "/event-types/dlp.violation", &put).await.of(200);
    assert_eq!((&shown.json["schema"], &shown.json["type"]), (&schema, &json!("dlp.violation")));
    // As long as ingest may use a copy of what was before.
    nap(client_settles_ms(client).await).await;
    let refused = tenant.send(&json!({"type": "dlp.violation", "data": {"user": "canary"}})).await;
    assert_eq!(refused.of(422).pointers(), ["/data/user"]);
    let refused = tenant.send(&json!({"type": "dlp.violation"})).await.of(422);
    assert_eq!(refused.pointers(), ["/data"]);
    let mixed = json!([{"type": "dlp.violation", "data": {"user": "ann"}},
        {"type": "dlp.violation", "data": {}}, {"type": "dlp.other", "data": 1}]);
    let results = tenant.send(&mixed).await.of(202).json["results"].clone();
    assert_eq!(results[1]["errors"][0]["pointer"], "/data", "{results}");
    assert!(results[0]["id"].is_string() && results[2]["id"].is_string(), "{results}");
    sink.wait_for(2).await;
    let test = json!({"type": "dlp.violation"});
    tenant.call("POST", &format!("/endpoints/{id}/test"), &test).await.of(200);
    let sent = sink.wait_for(3).await;
    assert_eq!(body(&sent[2])["data"], json!({"user": "eva"}));

    for (schema, example, pointer) in [
        (json!({"type": "strin"}), json!(null), "/schema/type"),
        (json!({"$ref": "https://example.com/x.json"}), json!(null), "/schema"),
        (json!({"type": "integer"}), json!("text"), "/example"),
        (doubling(), json!(null), "/schema"),
        (doubling_by_level(), nested(40), "/example"),
    ] {
        let put = json!({"schema": schema, "example": example});
        let refused = tenant.call("PUT", "/event-types/a.b", &put).await.of(422);
        assert!(refused.pointers()[0].starts_with(pointer), "{}", refused.json);
    }
    tenant.call("PUT", "/event-types/waxseal.x", &put).await.of(400);
    assert_eq!(tenant.get("/event-types").await["items"].as_array().unwrap().len(), 1);
    tenant.call("DELETE", "/event-types/dlp.violation", &Value::Null).await.of(204);
    tenant.call("GET", "/event-types/dlp.violation", &Value::Null).await.of(404);
    nap(client_settles_ms(client).await).await;
    tenant.send(&json!({"type": "dlp.violation", "data": 3})).await.of(202);
}

/// A schema of 2.8 KB whose references double over 40 levels, so that any value is checked 2^40 times.
fn doubling() -> Value {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({}));
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}

/// A schema that checks the items of a list twice, and so those within them four times.
fn doubling_by_level() -> Value {
    json!({"items": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}})
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!([]), |value, _| json!([value]))
}

/// Work that a schema would make without end is not begun: the schema is refused where any event would cost too much,
/// and the event where this one does.
pub async fn a_schema_that_is_too_dear_holds_nobody_up(client: &Client) {
    let tenant = Tenant { client, name: "dear" };
    tenant.endpoint(json!({"url": "https://example.com/", "event_types": ["none"]})).await;
    let put = json!({"schema": doubling()});
    let refused = tenant.call("PUT", "/event-types/a.b", &put).await.of(422);
    let detail = &refused.json["errors"][0]["detail"];
    assert!(detail.as_str().unwrap().contains("20000 are allowed"), "{detail}");
    let put = json!({"schema": doubling_by_level(), "example": nested(3)});
    tenant.call("PUT", "/event-types/a.b", &put).await.of(200);
    nap(client_settles_ms(client).await).await;
    tenant.send(&json!({"type": "a.b", "data": nested(5)})).await.of(202);
    let refused = tenant.send(&json!({"type": "a.b", "data": nested(40)})).await.of(422);
    assert_eq!(refused.pointers(), ["/data"]);
    let detail = &refused.json["errors"][0]["detail"];
    assert!(detail.as_str().unwrap().contains("steps, 1000000 are allowed"), "{detail}");
    tenant.send(&json!({"type": "a.c", "data": nested(40)})).await.of(202);
}

/// How long a change may take to reach every instance.
async fn client_settles_ms(client: &Client) -> u64 {
    let draft = json!({"url": "https://example.com/"}).to_string();
    let path = "/v1/tenants/settling/endpoints?ping=false";
    let made = client.send("POST", path, &[], &draft).await.of(201).json;
    let at = |name: &str| {
        let text = made[name].as_str().unwrap();
        waxseal_domain::timestamp::Timestamp::parse_rfc3339(text).unwrap()
    };
    at("active_from").since_ms(at("created_at"))
}

/// A key has its scopes and its rate, is seen in use, and works no more once it is revoked.
pub async fn a_key_has_scopes_a_rate_and_an_end(client: &Client) {
    let tenant = Tenant { client, name: "keyed" };
    let id = tenant.endpoint(json!({"url": "https://example.com/"})).await;
    let wanted = json!({"name": "slow", "scopes": ["manage"], "max_per_second": 1});
    let made = tenant.call("POST", "/keys", &wanted).await.of(201).json;
    assert_eq!((&made["last_used_at"], &made["max_per_second"]), (&Value::Null, &json!(1)));
    let slow = Client { key: made["key"].as_str().unwrap().to_owned(), ..client.clone() };
    let by_key = Tenant { client: &slow, name: "keyed" };
    let who = slow.send("GET", "/v1/whoami", &[], "").await.of(200).json;
    let expected = json!({"actor": made["id"], "operator": false, "tenant": "keyed",
        "scopes": ["manage"], "max_per_second": 1});
    assert_eq!(who, expected);
    by_key.send(&json!({"type": "a"})).await.of(403);
    let listed = tenant.get("/keys").await;
    assert!(listed["items"][0]["last_used_at"].is_string(), "{listed}");
    assert!(!listed.to_string().contains(made["key"].as_str().unwrap()), "{listed}");

    let mut statuses = Vec::new();
    let refused = loop {
        let reply = by_key.call("GET", &format!("/endpoints/{id}"), &Value::Null).await;
        statuses.push(reply.status);
        assert!(statuses.len() < 60, "{statuses:?}");
        if reply.status == 429 {
            break reply;
        }
    };
    let wait_s: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait_s), "{wait_s}");
    // Ten of a window, and one for each instance that serves; a window may have ended meanwhile.
    assert!((8..=40).contains(&statuses.len()), "{statuses:?}");
    nap(wait_s * 1_000 + 200).await;
    by_key.call("GET", &format!("/endpoints/{id}"), &Value::Null).await.of(200);
    let key = format!("/keys/{}", made["id"].as_str().unwrap());
    tenant.call("DELETE", &key, &Value::Null).await.of(204);
    tenant.call("DELETE", &key, &Value::Null).await.of(404);
    let settled = client_settles_ms(client).await;
    nap(settled + u64::from(settled > 0) * 1_000).await;
    assert_eq!(by_key.call("GET", "/keys", &Value::Null).await.status, 401);
}

/// A browser believes what an answer's type says, be it of the API, its reference, a problem or a hook.
pub async fn no_answer_is_taken_for_another_type(client: &Client) {
    for (method, path, status) in [
        ("GET", "/healthz", 200),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/v1/whoami", 200),
        ("GET", "/v1/tenants/nobody/endpoints", 404),
        ("POST", "/v1/tenants/nobody/events", 400),
        ("POST", "/hooks/nobody", 404),
    ] {
        let reply = client.send(method, path, &[], "").await.of(status);
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{method} {path}");
    }
}

/// Neither another scope nor a higher rate comes of a key; what is not said is what the key has.
pub async fn a_key_gives_no_more_than_it_has(client: &Client) {
    let tenant = Tenant { client, name: "giving" };
    client.send("POST", "/v1/tenants", &[], r#"{"name":"giving"}"#).await.of(201);
    let wanted = json!({"scopes": ["manage"], "max_per_second": 5});
    let made = tenant.call("POST", "/keys", &wanted).await.of(201).json;
    let manager = Client { key: made["key"].as_str().unwrap().to_owned(), ..client.clone() };
    let by_key = Tenant { client: &manager, name: "giving" };
    let asked = json!({"scopes": ["manage", "ingest"], "max_per_second": 6});
    let refused = by_key.call("POST", "/keys", &asked).await.of(422).json;
    let pointers = [&refused["errors"][0]["pointer"], &refused["errors"][1]["pointer"]];
    assert_eq!(pointers, ["/scopes", "/max_per_second"], "{refused}");
    let same = by_key.call("POST", "/keys", &Value::Null).await.of(201).json;
    assert_eq!((&same["scopes"], &same["max_per_second"]), (&json!(["manage"]), &json!(5)));
    let less = json!({"scopes": ["manage"], "max_per_second": 1});
    by_key.call("POST", "/keys", &less).await.of(201);
    let both = tenant.call("POST", "/keys", &json!({"max_per_second": 1_000})).await.of(201).json;
    assert_eq!(both["scopes"], json!(["ingest", "manage"]));
}

/// A dry run says what the endpoint then really gets: which events, and which bytes.
pub async fn a_dry_run_says_what_is_then_sent(client: &Client) {
    let tenant = Tenant { client, name: "dry" };
    let sink = Sink::start(Vec::new()).await;
    client.send("POST", "/v1/tenants", &[], r#"{"name":"dry"}"#).await.of(201);
    let events = foretold_events();
    for event in &events {
        tenant.send(event).await.of(202);
    }
    let wants = json!({"event_types": ["dlp.*"], "min_severity": "high", "risk_score_above": 0.7,
        "filter": {"data": {"n": [{"numeric": ["<", 10]}]}}, "profile": "standard"});
    let mut draft = wants.clone();
    draft["limit"] = json!(10);
    let dry = tenant.call("POST", "/endpoints/match", &draft).await.of(200).json;
    assert_eq!((&dry["examined"], &dry["matched"]), (&json!(5), &json!(2)), "{dry}");
    assert!(tenant.get("/endpoints").await["items"].as_array().unwrap().is_empty());
    let mut endpoint = wants;
    endpoint["url"] = json!(sink.url("/"));
    let id = tenant.endpoint(endpoint).await;
    // The same events of another source: what the endpoint gets must be what was foretold.
    nap(client_settles_ms(client).await).await;
    for event in &events {
        let mut event = event.clone();
        event["source"] = json!("/again");
        event["id"] = json!(format!("again-{}", event["id"].as_str().unwrap()));
        tenant.send(&event).await.of(202);
    }
    let sent = sink.wait_for(2).await;
    let ids = |items: Vec<String>| items.into_iter().collect::<BTreeSet<String>>();
    let foretold = dry["items"].as_array().unwrap().iter().filter(|one| one["matched"] == true);
    let foretold = ids(foretold.map(|one| one["event_id"].as_str().unwrap().to_owned()).collect());
    let got = sent.iter().map(|one| body(one)["id"].as_str().unwrap_or_default().to_owned());
    let got: BTreeSet<String> = got.map(|id| id.trim_start_matches("again-").to_owned()).collect();
    assert_eq!(foretold, ids(vec!["e1".to_owned(), "e5".to_owned()]));
    if got.iter().all(|id| !id.is_empty()) {
        assert_eq!(got, foretold);
    }
    let limit = json!({"limit": 5});
    let dry = tenant.call("POST", &format!("/endpoints/{id}/match"), &limit).await.of(200).json;
    let matched: Vec<&Value> =
        dry["items"].as_array().unwrap().iter().filter(|one| one["matched"] == true).collect();
    let bodies: BTreeSet<String> =
        sent.iter().map(|one| String::from_utf8(one.body.to_vec()).unwrap()).collect();
    let rendered: BTreeSet<String> =
        matched.iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect();
    assert_eq!(rendered, bodies, "byte for byte");
    for one in matched {
        assert_eq!(one["bytes"], json!(one["body"].as_str().unwrap().len()));
    }
    let other = json!({"event_types": ["ops.*"], "profile": "slack", "min_severity": null,
        "risk_score_above": null, "filter": null});
    let dry = tenant.call("POST", &format!("/endpoints/{id}/match"), &other).await.of(200).json;
    assert_eq!(dry["matched"], 2, "with changes that are not saved: {dry}");
    assert_eq!(tenant.get(&format!("/endpoints/{id}")).await["profile"], "standard");
    let refused = tenant.call("POST", "/endpoints/match", &json!({"limit": 0, "filter": {}})).await;
    assert_eq!(refused.of(422).pointers(), ["/limit", "/filter"]);
}

/// Of these, two fit what is asked for there.
fn foretold_events() -> [Value; 5] {
    [
        json!({"id": "e1", "type": "dlp.a", "severity": "high", "riskscore": 0.9, "data": {"n": 1.0}}),
        json!({"id": "e2", "type": "dlp.b", "severity": "low", "riskscore": 0.95, "data": {"n": 2}}),
        json!({"id": "e3", "type": "dlp.c", "severity": "critical", "riskscore": 0.5, "data": {}}),
        json!({"id": "e4", "type": "ops.a", "severity": "critical", "riskscore": 1, "data": {"n": 4}}),
        json!({"id": "e5", "type": "dlp.d", "severity": "high", "riskscore": 0.8, "outcome": "blocked",
            "data": {"n": 5}}),
    ]
}

/// An event that takes too many steps to match is accepted as long as nobody has to, and is then refused with the
/// number; a dry run says so, in place of yes or no.
pub async fn what_is_too_dear_to_match_is_told_and_never_decided(client: &Client) {
    let tenant = Tenant { client, name: "matched" };
    client.send("POST", "/v1/tenants", &[], r#"{"name":"matched"}"#).await.of(201);
    let ranges: Vec<Value> = (2..102).map(|n| json!({"numeric": [">", n]})).collect();
    let filter = json!({"data": {"n": ranges}});
    let draft = json!({"url": "https://example.com/", "event_types": ["m.*"], "filter": filter});
    tenant.endpoint(draft).await;
    let long = |event_type: &str| json!({"type": event_type, "data": {"n": vec![1; 60_000]}});
    let refused = tenant.send(&long("m.a")).await.of(422).json;
    let said = refused["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("more than 2000000 steps"), "{said}");
    tenant.send(&json!({"type": "m.a", "data": {"n": [1]}})).await.of(202);
    tenant.send(&long("other")).await.of(202);
    let draft = json!({"filter": filter, "limit": 2});
    let dry = tenant.call("POST", "/endpoints/match", &draft).await.of(200).json;
    let item = &dry["items"][0];
    assert_eq!((&dry["matched"], &item["matched"]), (&json!(0), &json!(false)), "{dry}");
    assert_eq!(item["detail"], said);
}

/// The deployment says part by part how it is, to the operator alone.
pub async fn the_deployment_says_how_it_is(client: &Client) {
    let tenant = Tenant { client, name: "status" };
    client.send("POST", "/v1/tenants", &[], r#"{"name":"status"}"#).await.of(201);
    let status = client.send("GET", "/v1/status", &[], "").await.of(200).json;
    let checks = status["checks"].as_array().unwrap();
    let named = |name: &str| checks.iter().find(|check| check["name"] == name);
    for name in ["store", "key vault", "clock"] {
        assert_eq!(named(name).unwrap()["status"], "ok", "{status}");
    }
    assert!(checks.iter().all(|check| check["status"] != "fail"), "{status}");
    let key = tenant.call("POST", "/keys", &Value::Null).await.of(201).json;
    let other = Client { key: key["key"].as_str().unwrap().to_owned(), ..client.clone() };
    other.send("GET", "/v1/status", &[], "").await.of(403);
}
