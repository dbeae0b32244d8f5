//! Work that somebody else decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use waxseal_tests::attack::{Attack, short_or_long};
use waxseal_tests::client::Client;
use waxseal_tests::process::Server;
use waxseal_tests::sink::Sink;
use waxseal_tests::work::{WorkAttack, attacks};

/// Requests of one key that are under way at once.
const AT_ONCE: usize = 4;
/// KiB that a server may hold more than it held when it was quiet.
const MEMORY_KIB: u64 = 64 * 1024;

/// A server with a tenant that attacks, and one that has an endpoint.
struct World {
    server: Server,
    attacker: Client,
    sink: Sink,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path()).await;
        let (operator, sink) = (server.client(), Sink::start(Vec::new()).await);
        let path = "/v1/tenants/acme/endpoints?ping=false";
        let draft = json!({"url": sink.url("/"), "event_types": ["quiet"]}).to_string();
        operator.send("POST", path, &[], &draft).await.of(201);
        operator.send("POST", "/v1/tenants", &[], &json!({"name": "mallory"}).to_string()).await;
        let path = "/v1/tenants/mallory/keys";
        let scopes = json!({"scopes": ["ingest", "manage"], "max_per_second": 1_000});
        let key = operator.send("POST", path, &[], &scopes.to_string()).await.of(201).json;
        let key = key["key"].as_str().unwrap().to_owned();
        Self { attacker: Client { key, ..operator }, server, sink, _folder: folder }
    }

    /// Sends an attack's requests until told to stop, several at once; how many were answered.
    fn attack(&self, attack: &WorkAttack, stop: &Arc<AtomicBool>) -> Vec<Attacking> {
        let attacking = (0..AT_ONCE).map(|first| {
            let (attack, client) = (attack.clone(), self.attacker.clone());
            let stop = Arc::clone(stop);
            tokio::spawn(async move {
                let mut statuses = Vec::new();
                let least = short_or_long(2, 50);
                while statuses.len() < least || !stop.load(Ordering::Relaxed) {
                    statuses.push(attack.send(&client, first + statuses.len()).await);
                }
                statuses
            })
        });
        attacking.collect()
    }
}

type Attacking = tokio::task::JoinHandle<Vec<u16>>;

/// Each attack at a time, and another tenant meanwhile: its events are accepted and delivered, and every request of the
/// attacker is answered by what it may be answered with. Then the server stops when it is told to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenant_is_served_meanwhile_and_memory_stays_bounded() {
    let world = World::start().await;
    let (operator, mut delivered) = (world.server.client(), 0);
    let mut memory = Vec::new();
    for attack in attacks("mallory") {
        attack.prepare(&world.attacker).await;
        let quiet = world.server.memory_kib();
        let stop = Arc::new(AtomicBool::new(false));
        let attacking = world.attack(&attack, &stop);
        for _ in 0..short_or_long(3, 100) {
            let event = json!({"type": "quiet"}).to_string();
            operator.send("POST", "/v1/tenants/acme/events", &[], &event).await.of(202);
            delivered += 1;
            world.sink.wait_for(delivered).await;
        }
        stop.store(true, Ordering::Relaxed);
        for one in attacking {
            one.await.unwrap();
        }
        memory.push((attack.name, world.server.memory_kib().saturating_sub(quiet)));
    }
    for (name, kib) in memory {
        let counted = "KiB more than before";
        Attack { name, counted, bound: MEMORY_KIB }.took(kib);
    }
    world.server.stop().await;
}

/// Forty requests of a megabyte at once, of one tenant: what cannot wait in the line's bytes is told so at once.
#[tokio::test]
async fn one_tenants_line_is_bounded_and_says_so() {
    let world = World::start().await;
    let body = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "headers": {},
        "body": "x".repeat(990_000)});
    let body = body.to_string();
    let asked = (0..40).map(|_| world.attacker.send("POST", "/v1/verify", &[], &body));
    let replies = futures_util::future::join_all(asked).await;
    let mut answered = 0;
    for reply in replies {
        match reply.status {
            200 => answered += 1,
            429 => {
                assert_eq!(reply.header("retry-after"), "1");
                assert_eq!(reply.json["type"], "urn:waxseal:problem:too-much-work");
            }
            status => panic!("{status}: {}", reply.json),
        }
    }
    assert!(answered > 0, "the first of them has its turn");
    world.server.stop().await;
}

/// What nobody can say the answer of is told with the number, and nothing of it is stored.
#[tokio::test]
async fn an_event_that_is_too_dear_to_match_is_refused_and_not_stored() {
    let world = World::start().await;
    for attack in attacks("mallory").into_iter().filter(|one| one.says == Some("too dear")) {
        attack.prepare(&world.attacker).await;
        let dear = &attack.again[0];
        let reply = world.attacker.send("POST", &dear.path, &[], &dear.body).await.of(422);
        let detail = reply.json["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("more than 2000000 steps"), "{}: {}", attack.name, reply.json);
        // In a batch, each event by itself.
        let ordinary = json!({"type": "other"}).to_string();
        let batch = format!("[{ordinary},{},{ordinary}]", dear.body);
        let reply = world.attacker.send("POST", &dear.path, &[], &batch).await.of(202);
        let is_accepted = |result: &Value| result["id"].is_string();
        let accepted: Vec<_> =
            reply.json["results"].as_array().unwrap().iter().map(is_accepted).collect();
        assert_eq!(accepted, [true, false, true], "{}: {}", attack.name, reply.json);
    }
    let listed = world.attacker.send("GET", "/v1/tenants/mallory/events", &[], "").await.of(200);
    let types: Vec<_> =
        listed.json["items"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert!(!types.is_empty() && types.iter().all(|one| **one == "other"), "{types:?}");
}
