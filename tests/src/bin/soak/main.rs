//! A soak of the embedded server, release build, for so many seconds: prints its figures as Markdown.
//! `cargo xtask prove` keeps them in `infra/figures.md`.
//!
//! `WAXSEAL_SECONDS`, `WAXSEAL_RATE` (events a second) and `WAXSEAL_SEED` set it. It fails if an
//! acknowledged event is lost; how quick anything is fails nothing.

mod figures;
mod load;

use std::time::{Duration, Instant};

use waxseal_tests::process::{Server, release_path, run_cli};
use waxseal_tests::receivers::{Manners, Receivers};
use waxseal_tests::settings::{seed, setting};

use self::figures::SoakFigures;
use self::load::{TENANTS, offer};

const SECONDS: u64 = 600;
/// Events a second, each owed to three endpoints: what two cores hold, receivers and load included.
const RATE: u64 = 500;
/// Events that came so long ago, or later, are audited after the load.
const AUDITED: &str = "60s";
/// The slow one keeps a tenth of a second: at this rate 50 of the server's 128 attempts.
const MANNERS: Manners = Manners { failing_percent: 50, failing_retries: 30, slow_ms: 100 };

/// Holds the histories of the last events of each tenant against what is promised, by the command that people have.
/// To ask for all would take longer than the soak.
async fn audit(server: &Server) {
    let mut audited = 0;
    for tenant in TENANTS {
        let arguments = ["audit-deliveries", "--json", "--no-replays", "--since", AUDITED];
        let (code, out, err) = run_cli(&release_path(), server.address, tenant, &arguments).await;
        assert_eq!(code, 0, "{tenant}: {out}{err}");
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        audited += found["events"].as_u64().unwrap();
    }
    println!("| histories of events held against the promises | {audited}, none breaks one |");
}

#[tokio::main]
async fn main() {
    let seconds = setting("WAXSEAL_SECONDS").unwrap_or(SECONDS);
    let rate = setting("WAXSEAL_RATE").unwrap_or(RATE);
    let seed = seed();
    let folder = tempfile::tempdir().unwrap();
    let receivers = Receivers::start(MANNERS, seed).await;
    let server = Server::start_program(&release_path(), folder.path()).await;
    for tenant in TENANTS {
        receivers.register(&server.client(), tenant).await;
    }
    let memory_at_start = server.memory_kib();
    let began = Instant::now();
    let acknowledged = offer(&server.client(), rate, Duration::from_secs(seconds)).await;
    let posting = began.elapsed();
    let memory_under_load = server.memory_kib();
    let figures = SoakFigures::settle(&server.client(), &receivers, &acknowledged, began).await;
    figures.print(rate, posting);
    println!("| memory of the server at start | {} MiB |", memory_at_start / 1_024);
    println!("| memory at the end of the load | {} MiB |", memory_under_load / 1_024);
    println!("| memory once all has settled | {} MiB |", server.memory_kib() / 1_024);
    audit(&server).await;
    let stopped = server.stop().await;
    println!("| clean stop | {:.1} s |", stopped.as_secs_f64());
    assert_eq!(figures.lost, Vec::<String>::new(), "acknowledged, and lost");
}
