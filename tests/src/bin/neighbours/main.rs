//! What a tenant that does its worst costs its neighbour: one key at its default rate runs each known attack on the
//! embedded server, release build, while another tenant's events go out. Prints its figures as Markdown, and
//! `cargo xtask prove` keeps them in `infra/figures.md`.
//!
//! `WAXSEAL_SECONDS` sets how long each attack lasts. It fails where an event of the neighbour is refused or not sent;
//! how quick anything is fails nothing.

mod neighbour;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Semaphore;
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::nap;
use waxseal_tests::process::{Server, release_path};
use waxseal_tests::settings::setting;
use waxseal_tests::work::{WorkAttack, attacks};

use self::neighbour::Neighbour;

/// Seconds of each attack.
const SECONDS: u64 = 10;
/// Requests a second of a key that says no other rate.
const RATE: u64 = 100;
/// Requests of the attacker that are under way at once: more than a client has that waits for its answers.
const AT_ONCE: usize = 64;

#[tokio::main]
async fn main() {
    let seconds = setting("WAXSEAL_SECONDS").unwrap_or(SECONDS);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_program(&release_path(), folder.path()).await;
    let operator = server.client();
    let neighbour = Neighbour::start(&operator).await;
    let attacker = attacker(&operator).await;
    // Once before it is measured, so that what is made at the first use is made.
    neighbour.measure(Duration::from_secs(2)).await;
    let quiet = neighbour.measure(Duration::from_secs(seconds)).await;
    let quiet_kib = server.memory_kib();
    println!(
        "| attack by one key, {RATE} requests a second for {seconds} s | answers | p50 ms | p99 ms | times the quiet p99 | MiB more than quiet |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    println!("| quiet | | {:.1} | {:.1} | 1.0 | 0 |", quiet.at(50), quiet.at(99));
    for attack in attacks("mallory") {
        attack.prepare(&Client { key: operator.key.clone(), ..attacker.clone() }).await;
        let attacking = Attacking::start(&attack, &attacker);
        let (measured, most_kib) = tokio::join!(
            neighbour.measure(Duration::from_secs(seconds)),
            most_memory(&server, Duration::from_secs(seconds)),
        );
        let answers = attacking.stop().await;
        let answers: Vec<_> =
            answers.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        let (p50, p99) = (measured.at(50), measured.at(99));
        let (times, more) = (p99 / quiet.at(99), most_kib.saturating_sub(quiet_kib) / 1024);
        println!(
            "| {} | {} | {p50:.1} | {p99:.1} | {times:.1} | {more} |",
            attack.name,
            answers.join(", ")
        );
        // What still waits has ended before the next begins.
        neighbour.measure(Duration::from_secs(1)).await;
    }
    server.stop().await;
}

/// A client with a tenant's key of the default rate.
async fn attacker(operator: &Client) -> Client {
    operator.call("POST", "/v1/tenants", &json!({"name": "mallory"}).to_string()).await;
    let (status, key) = operator.call("POST", "/v1/tenants/mallory/keys", "").await;
    assert_eq!(status, 201, "{key}");
    Client { key: key["key"].as_str().unwrap().to_owned(), ..operator.clone() }
}

/// The most that the server held at any moment that was looked at.
async fn most_memory(server: &Server, time: Duration) -> u64 {
    let (began, mut most) = (Instant::now(), 0);
    while began.elapsed() < time {
        most = most.max(server.memory_kib());
        nap(20).await;
    }
    most
}

/// An attack that is going on.
struct Attacking {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
    answers: Arc<Mutex<BTreeMap<u16, u64>>>,
    under_way: Arc<Semaphore>,
}

impl Attacking {
    fn start(attack: &WorkAttack, client: &Client) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let under_way = Arc::new(Semaphore::new(AT_ONCE));
        let (attack, client) = (Arc::new(attack.clone()), client.clone());
        let attacking = Attacks { attack, client, answers, under_way, number: AtomicU64::new(0) };
        let (answers, under_way) =
            (Arc::clone(&attacking.answers), Arc::clone(&attacking.under_way));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                attacking.send_one().await;
                nap(1_000 / RATE).await;
            }
        });
        Self { stop, task, answers, under_way }
    }

    /// Sends no more, and waits for what is under way.
    async fn stop(self) -> BTreeMap<u16, u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        let all = u32::try_from(AT_ONCE).unwrap();
        let _all = self.under_way.acquire_many(all).await.unwrap();
        self.answers.lock().unwrap().clone()
    }
}

struct Attacks {
    attack: Arc<WorkAttack>,
    client: Client,
    answers: Arc<Mutex<BTreeMap<u16, u64>>>,
    under_way: Arc<Semaphore>,
    number: AtomicU64,
}

impl Attacks {
    /// Sends the next request, and waits for no answer unless too many are under way.
    async fn send_one(&self) {
        let place = Arc::clone(&self.under_way).acquire_owned().await.unwrap();
        let number = usize::try_from(self.number.fetch_add(1, Ordering::Relaxed)).unwrap();
        let (attack, client) = (Arc::clone(&self.attack), self.client.clone());
        let answers = Arc::clone(&self.answers);
        tokio::spawn(async move {
            let status = attack.send(&client, number).await;
            *answers.lock().unwrap().entry(status).or_default() += 1;
            drop(place);
        });
    }
}
