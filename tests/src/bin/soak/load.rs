//! The load: events at a steady rate, from several clients that keep their connections.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use waxseal_tests::client::Client;
use waxseal_tests::fixtures::nap;
use waxseal_tests::poster::{AcknowledgedEvent, Poster};

/// Whose events they are, by turns.
pub const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];
/// Clients: the server groups the commits of those that wait at the same time.
const POSTERS: u32 = 32;

/// Offers so many events a second for so long; all that was acknowledged.
pub async fn offer(client: &Client, rate: u64, time: Duration) -> Vec<AcknowledgedEvent> {
    let (_told, server) = watch::channel(client.clone());
    let began = Instant::now();
    let pause = Duration::from_secs(u64::from(POSTERS)) / u32::try_from(rate).unwrap();
    let posters = (0..POSTERS).map(|name| {
        let first = pause / POSTERS * name;
        tokio::spawn(post(Poster::at(server.clone()), name, began + first, pause, began + time))
    });
    let mut all = Vec::new();
    for poster in posters.collect::<Vec<_>>() {
        all.extend(poster.await.unwrap());
    }
    all
}

/// One event at each tick of its own; a late one follows at once, so that the rate holds.
async fn post(
    mut poster: Poster,
    name: u32,
    first: Instant,
    pause: Duration,
    end: Instant,
) -> Vec<AcknowledgedEvent> {
    let mut all = Vec::new();
    let mut due = first;
    while due < end {
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            nap(u64::try_from(wait.as_millis()).unwrap()).await;
        }
        let number = all.len();
        let tenant = TENANTS[number % TENANTS.len()];
        all.push(poster.post(tenant, &format!("s{name}-{number}")).await);
        due += pause;
        if Instant::now() > end {
            break;
        }
    }
    all
}
