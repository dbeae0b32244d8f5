//! The known ways to have a server do much for one small request: what each needs first, and what is sent then. The
//! attacks' tests and their benchmark send the same.

use serde_json::{Value, json};

use crate::client::Client;

/// Bytes of an event's payload, which with all else is nearly as long as an event may be.
const LONG: usize = 240_000;
/// The answers that a server may give: it does what is asked, says why it never will, or that it will not now. Of two who
/// change the same thing at once, one may be told of the other.
const ANSWERS: [u16; 6] = [200, 202, 409, 422, 429, 503];

/// One request.
#[derive(Clone, Debug)]
pub struct WorkRequest {
    /// The HTTP method of the request.
    pub method: &'static str,
    /// The path, in the attacker's tenant where it is in any.
    pub path: String,
    /// The body, JSON.
    pub body: String,
}

/// A way to make work.
#[derive(Clone, Debug)]
pub struct WorkAttack {
    /// What is done, in a few words.
    pub name: &'static str,
    /// What is configured and stored first.
    pub first: Vec<WorkRequest>,
    /// What is sent again and again, by turns.
    pub again: Vec<WorkRequest>,
    /// What the answers say, where they must say something: a word of the detail of a fault.
    pub says: Option<&'static str>,
}

impl WorkAttack {
    /// Prepares it, with a client that may.
    pub async fn prepare(&self, client: &Client) {
        for WorkRequest { method, path, body } in &self.first {
            let (status, answer) = client.call(method, path, body).await;
            assert!((200..300).contains(&status), "{}: {method} {path}: {answer}", self.name);
        }
    }

    /// Sends its request of that number; the answer's status, which is one that a server may give.
    pub async fn send(&self, client: &Client, number: usize) -> u16 {
        let WorkRequest { method, path, body } = &self.again[number % self.again.len()];
        let (status, answer) = client.call(method, path, body).await;
        assert!(ANSWERS.contains(&status), "{}: {status} {answer}", self.name);
        if let (200..=299 | 422, Some(says)) = (status, self.says) {
            assert!(answer.to_string().contains(says), "{}: {status} {answer}", self.name);
        }
        status
    }
}

/// Every attack of one tenant.
pub fn attacks(tenant: &str) -> Vec<WorkAttack> {
    vec![
        wildcards(tenant, "wildcards of a hundred endpoints", 100, Some("too dear")),
        wildcards(tenant, "wildcards of as many endpoints as are not too dear", 1, None),
        combinations(tenant),
        ranges(tenant),
        dry_runs(tenant),
        references(tenant),
        explanations(),
        short_explanations(),
        nested(tenant),
    ]
}

fn path(tenant: &str, rest: &str) -> String {
    format!("/v1/tenants/{tenant}/{rest}")
}

fn event(tenant: &str, event_type: &str, data: &Value) -> WorkRequest {
    let body = json!({"type": event_type, "data": data}).to_string();
    WorkRequest { method: "POST", path: path(tenant, "events"), body }
}

/// An endpoint that asks for events of one type only, so that the attacks do not meet.
fn endpoint(tenant: &str, event_type: &str, filter: &Value) -> WorkRequest {
    let body =
        json!({"url": "https://example.com/", "event_types": [event_type], "filter": filter});
    let path = path(tenant, "endpoints?ping=false");
    WorkRequest { method: "POST", path, body: body.to_string() }
}

fn hundred_wildcards() -> Value {
    let wildcards: Vec<_> = (0..100).map(|n| json!({"wildcard": format!("*x{n}y*")})).collect();
    json!({"data": wildcards})
}

/// A long text, in which each of thousands of wildcards is looked for.
fn wildcards(
    tenant: &str,
    name: &'static str,
    endpoints: usize,
    says: Option<&'static str>,
) -> WorkAttack {
    // Of both attacks together a tenant may have as many endpoints as it may have.
    let event_type = if endpoints > 1 { "wild.many" } else { "wild.few" };
    let one = |_| endpoint(tenant, event_type, &hundred_wildcards());
    let first = (0..endpoints.min(90)).map(one).collect();
    let again = vec![event(tenant, event_type, &json!("x1".repeat(LONG / 2)))];
    WorkAttack { name, first, again, says }
}

/// An array whose elements are tried in every combination of nine choices.
fn combinations(tenant: &str) -> WorkAttack {
    let choices: serde_json::Map<String, Value> =
        (0..9).map(|n| (format!("y{n}"), json!({"$or": [{"a": [1]}, {"b": [1]}]}))).collect();
    let elements: Vec<_> =
        (0..6_000).map(|n| json!({format!("y{}", n % 9): {"a": 1, "b": 1}})).collect();
    let first = vec![endpoint(tenant, "choices", &json!({"data": {"x": choices}}))];
    let again = vec![event(tenant, "choices", &json!({"x": elements}))];
    WorkAttack { name: "combinations on an array", first, again, says: Some("too dear") }
}

/// Sixty thousand numbers, each held against a hundred ranges.
fn ranges(tenant: &str) -> WorkAttack {
    let ranges: Vec<_> = (2..102).map(|n| json!({"numeric": [">", n]})).collect();
    let first = vec![endpoint(tenant, "ranges", &json!({"data": ranges}))];
    let again = vec![event(tenant, "ranges", &json!(vec![1; LONG / 4]))];
    WorkAttack { name: "ranges on many numbers", first, again, says: Some("too dear") }
}

/// Dry runs over many long events.
fn dry_runs(tenant: &str) -> WorkAttack {
    let long = event(tenant, "dry", &json!("x1".repeat(LONG / 2)));
    let body = json!({"limit": 200, "filter": hundred_wildcards()}).to_string();
    let again = WorkRequest { method: "POST", path: path(tenant, "endpoints/match"), body };
    WorkAttack {
        name: "dry runs over long events",
        first: vec![long; 40],
        again: vec![again],
        says: None,
    }
}

/// A schema whose references double at each level of a value, and a value that is as deep as is just affordable; and
/// the schema again and again.
fn references(tenant: &str) -> WorkAttack {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"items": {"$ref": format!("#/$defs/d{}", level + 1)}});
        definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({"type": "string"}));
    let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
    let put = WorkRequest {
        method: "PUT",
        path: path(tenant, "event-types/doubling"),
        body: json!({"schema": schema}).to_string(),
    };
    let deep = |levels: usize| (0..levels).fold(json!("a"), |value, _| json!([value]));
    let again = vec![
        event(tenant, "doubling", &deep(12)),
        event(tenant, "doubling", &deep(40)),
        event(tenant, "doubling", &json!(vec![deep(8); 100])),
        put.clone(),
    ];
    WorkAttack { name: "references that double", first: vec![put], again, says: None }
}

/// Long bodies whose signature holds under no mistake, in a profile that signs JSON and in one that signs bytes.
fn explanations() -> WorkAttack {
    let ask = |profile: &str, header: &str, signature: String, body: String| {
        let headers =
            json!({header: signature, "webhook-id": "m", "webhook-timestamp": "1790000000"});
        let body = json!({"profile": profile, "secrets": vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"; 5],
            "headers": headers, "body": body});
        WorkRequest { method: "POST", path: "/v1/verify".to_owned(), body: body.to_string() }
    };
    let hex = || format!("sha256={}", "0".repeat(64));
    let numbers =
        |count: usize| json!({"n": vec![0.1; count], "s": {"b": 1, "a": [[[]]]}}).to_string();
    let nested = format!("{}{}", "[".repeat(60), vec!["0"; 60_000].join(",")) + &"]".repeat(60);
    let again = vec![
        ask("github", "x-hub-signature-256", hex(), numbers(240_000)),
        ask("github", "x-hub-signature-256", hex(), numbers(60_000)),
        ask("github", "x-hub-signature-256", hex(), nested),
        ask("omegaengine", "signature", hex(), numbers(60_000)),
    ];
    WorkAttack {
        name: "explanations of long bodies",
        first: Vec::new(),
        again,
        says: Some("mistakes"),
    }
}

/// A short body with many secrets and many signatures, each of which is tried with each.
fn short_explanations() -> WorkAttack {
    let signature = format!("v1,{}=", "A".repeat(43));
    let secrets: Vec<_> =
        (0..5).map(|n| format!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS{n}")).collect();
    let headers = json!({"webhook-id": "m", "webhook-timestamp": "1790000000",
        "webhook-signature": vec![signature; 32].join(" ")});
    let body = json!({"secrets": secrets, "headers": headers, "body": "{\"a\":1}"}).to_string();
    let again = vec![WorkRequest { method: "POST", path: "/v1/verify".to_owned(), body }];
    WorkAttack {
        name: "explanations of many signatures",
        first: Vec::new(),
        again,
        says: Some("mistakes"),
    }
}

/// A batch of long events that are nested as deep as is allowed.
fn nested(tenant: &str) -> WorkAttack {
    let data = format!("{}{}", "[".repeat(60), vec!["0"; LONG / 2].join(",")) + &"]".repeat(60);
    let one = format!(r#"{{"type":"nested","data":{data}}}"#);
    let body = format!("[{}]", vec![one; 4].join(","));
    let again = vec![WorkRequest { method: "POST", path: path(tenant, "events"), body }];
    WorkAttack { name: "batches of nested events", first: Vec::new(), again, says: None }
}
