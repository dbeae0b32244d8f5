//! `kill -9`, again and again under load: what was acknowledged is delivered, failed with a reason, or
//! waits for its next attempt.
//!
//! `WAXSEAL_KILLS=100` kills more often; `WAXSEAL_SEED=7` at the same moments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use waxseal_tests::client::Client;
use waxseal_tests::eventually::eventually;
use waxseal_tests::fixtures::nap;
use waxseal_tests::poster::{AcknowledgedEvent, Poster};
use waxseal_tests::process::{Server, binary, run_cli};
use waxseal_tests::receivers::{Manners, Receivers};
use waxseal_tests::rng::Rng;
use waxseal_tests::settings::{seed, setting};

const KILLS: u64 = 5;
const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
const POSTERS: usize = 6;
/// Between two events of a poster.
const PAUSE_MS: u64 = 10;
/// A server lives so long, from its process's start: some are killed before they serve.
const LIFE_MS: (u64, u64) = (20, 1_500);
/// What is owed has so long to settle: retries of a second, and messages of killed servers.
const SETTLE_MAX: Duration = Duration::from_secs(90);
const MANNERS: Manners = Manners { failing_percent: 40, failing_retries: 2, slow_ms: 250 };

/// Clients that post until told to stop.
struct Load {
    server: watch::Sender<Client>,
    over: Arc<AtomicBool>,
    posters: Vec<JoinHandle<Vec<AcknowledgedEvent>>>,
}

impl Load {
    fn start(client: Client) -> Self {
        let (server, told) = watch::channel(client);
        let over = Arc::new(AtomicBool::new(false));
        let poster = |name| tokio::spawn(post(Poster::at(told.clone()), name, Arc::clone(&over)));
        let posters = (0..POSTERS).map(poster).collect();
        Self { server, over, posters }
    }

    async fn stop(self) -> Vec<AcknowledgedEvent> {
        self.over.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for poster in self.posters {
            all.extend(poster.await.unwrap());
        }
        all
    }
}

async fn post(mut poster: Poster, name: usize, over: Arc<AtomicBool>) -> Vec<AcknowledgedEvent> {
    let mut all = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let number = all.len();
        let tenant = TENANTS[number % TENANTS.len()];
        all.push(poster.post(tenant, &format!("p{name}-{number}")).await);
        nap(PAUSE_MS).await;
    }
    all
}

/// Kills the server and starts another on its folder, so many times; the last one, which serves.
async fn kill_again_and_again(
    mut server: Server,
    folder: &Path,
    kills: u64,
    load: &Load,
    rng: &mut Rng,
) -> Server {
    for _ in 0..kills {
        nap(rng.within(LIFE_MS.0, LIFE_MS.1)).await;
        server.kill().await;
        server = Server::spawn(&binary(), folder);
        load.server.send(server.client()).unwrap();
    }
    server.wait_until_it_serves().await;
    server
}

/// What the API tells of deliveries: by status, the ids.
type Standing = BTreeMap<String, BTreeSet<String>>;

/// Asks until nothing is open any more.
async fn wait_until_settled(client: &Client, acknowledged: &[AcknowledgedEvent]) -> Standing {
    let mut open: Vec<&AcknowledgedEvent> = acknowledged.iter().collect();
    let mut standing = Standing::new();
    eventually(SETTLE_MAX, async || {
        let mut left = Vec::new();
        let mut unsettled = Standing::new();
        for one in std::mem::take(&mut open) {
            let deliveries = deliveries(client, one).await;
            let is_open =
                deliveries.iter().any(|one| ["pending", "retrying"].contains(&status(one)));
            let into = if is_open { &mut unsettled } else { &mut standing };
            for delivery in &deliveries {
                let id = delivery["id"].as_str().unwrap().to_owned();
                into.entry(status(delivery).to_owned()).or_default().insert(id);
            }
            left.extend(is_open.then_some(one));
        }
        open = left;
        if open.is_empty() { Ok(()) } else { Err(unsettled) }
    })
    .await;
    standing
}

/// An acknowledged event's deliveries: those that were acknowledged, and no other.
async fn deliveries(client: &Client, one: &AcknowledgedEvent) -> Vec<Value> {
    let path = format!("/v1/tenants/{}/events/{}", one.tenant, one.event);
    let (found, event) = client.call("GET", &path, "").await;
    assert_eq!(found, 200, "{} was acknowledged: {event}", one.event);
    let deliveries = event["deliveries"].as_array().unwrap().clone();
    let ids: Vec<&str> = deliveries.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, one.deliveries);
    deliveries
}

fn status(delivery: &Value) -> &str {
    delivery["status"].as_str().unwrap()
}

/// A failed one says why, an open one when it is tried again.
async fn assert_accounted_for(
    client: &Client,
    acknowledged: &[AcknowledgedEvent],
    standing: &Standing,
) {
    let tenants = acknowledged
        .iter()
        .flat_map(|one| one.deliveries.iter().map(|id| (id.as_str(), one.tenant.as_str())));
    let tenants: BTreeMap<&str, &str> = tenants.collect();
    for (status, ids) in standing.iter().filter(|(status, _)| *status != "delivered") {
        for id in ids {
            let path = format!("/v1/tenants/{}/deliveries/{id}", tenants[id.as_str()]);
            let (_, delivery) = client.call("GET", &path, "").await;
            let said = if status == "failed" { "reason" } else { "next_attempt_at" };
            assert!(["failed", "pending", "retrying"].contains(&status.as_str()), "{delivery}");
            assert!(delivery[said].is_string(), "{said} is missing: {delivery}");
            if status != "failed" {
                println!("not settled yet: {delivery}");
            }
        }
    }
}

/// Holds the history of each delivery of a tenant against what is promised, by the command that people have.
async fn audit(
    server: &Server,
    tenant: &str,
    acknowledged: &[AcknowledgedEvent],
    receivers: &Receivers,
) {
    let of_tenant: Vec<_> = acknowledged.iter().filter(|one| one.tenant == tenant).collect();
    let owed: BTreeSet<&String> = of_tenant.iter().flat_map(|one| &one.deliveries).collect();
    let events: Vec<String> =
        of_tenant.iter().map(|one| serde_json::json!({"id": one.event}).to_string()).collect();
    let posts = receivers.posts();
    let posts: Vec<&str> =
        posts.iter().filter(|post| owed.contains(&post.id)).map(|post| &*post.line).collect();
    let folder = tempfile::tempdir().unwrap();
    let (sent, log) = (folder.path().join("sent"), folder.path().join("log"));
    std::fs::write(&sent, events.join("\n")).unwrap();
    std::fs::write(&log, posts.join("\n")).unwrap();
    let (sent, log) = (sent.to_str().unwrap(), log.to_str().unwrap());
    let arguments = [
        "audit-deliveries",
        "--json",
        "--no-replays",
        "--clocks-differ-ms=100",
        "--acknowledged",
        sent,
        "--receiver-log",
        log,
    ];
    let (code, out, err) = run_cli(&binary(), server.address, tenant, &arguments).await;
    assert_eq!(code, 0, "{out}{err}");
    let audited: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(audited["events"], of_tenant.len(), "{audited}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let began = Instant::now();
    let kills = setting("WAXSEAL_KILLS").unwrap_or(KILLS);
    let seed = seed();
    let folder = tempfile::tempdir().unwrap();
    let receivers = Receivers::start_logging(MANNERS, seed).await;
    let server = Server::start(folder.path()).await;
    for tenant in TENANTS {
        receivers.register(&server.client(), tenant).await;
    }
    let load = Load::start(server.client());
    let mut rng = Rng::new(seed);
    let server = kill_again_and_again(server, folder.path(), kills, &load, &mut rng).await;
    let acknowledged = load.stop().await;
    let client = server.client();
    let standing = wait_until_settled(&client, &acknowledged).await;
    assert_accounted_for(&client, &acknowledged, &standing).await;

    let owed: usize = acknowledged.iter().map(|one| one.deliveries.len()).sum();
    let count = |status: &str| standing.get(status).map_or(0, BTreeSet::len);
    let open = count("pending") + count("retrying");
    assert_eq!(owed, acknowledged.len() * 3, "three endpoints want each event");
    assert_eq!(owed, count("delivered") + count("failed") + open);
    let (repeats, unseen) = receivers.look(|ledger| {
        let taken = |id: &String| ledger.get(id).map_or(0, |arrival| arrival.taken);
        let delivered = standing.get("delivered").into_iter().flatten();
        let unseen = delivered.filter(|id| taken(id) == 0).count();
        (ledger.values().filter(|arrival| arrival.taken > 1).count(), unseen)
    });
    assert_eq!(unseen, 0, "delivered, and never taken by a receiver");
    // Each delivery is asked for by itself: of one tenant, unless time does not matter.
    let audited = if kills > KILLS { &TENANTS[..] } else { &TENANTS[..1] };
    for tenant in audited {
        audit(&server, tenant, &acknowledged, &receivers).await;
    }
    let repeated: u32 = acknowledged.iter().map(|one| one.repeated).sum();
    assert!(server.stop().await < Duration::from_secs(10));
    println!(
        "{kills} kills: {} events acknowledged ({repeated} posted again), {owed} deliveries = {} \
         delivered + {} failed + {open} open, {repeats} taken more than once, in {:.0} s",
        acknowledged.len(),
        count("delivered"),
        count("failed"),
        began.elapsed().as_secs_f64()
    );
}
