//! The demo: the sample events of five AI-security products are posted to a server, and arrive, signed, at a
//! receiver on another port that verifies them. The receiver has a wrong secret at first, so the first delivery
//! fails twice, as one does whose receiver missed a rotation.
//!
//! It is a client like any other: all that it needs of a server is that endpoints on loopback are allowed. Where
//! none runs that allows them, it runs one of its own, on a folder of its own.

mod host;
mod receiver;
mod samples;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use waxseal_adapters::entropy::entropy;
use waxseal_adapters::stop::StopSignal;
use waxseal_domain::id::base32;
use waxseal_server::Settings;

use self::host::{Host, TENANT};
use self::receiver::Receiver;
use self::samples::{Sample, read_samples};

/// How long the demo waits for what it wants to see.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it asks the server.
const LOOK: Duration = Duration::from_millis(50);
/// Why the demo ended before its time.
const INTERRUPTED: &str = "the demo was interrupted";

/// Runs the demo; an error unless every event was delivered and verified. On a terminal it stays until Ctrl-C, so
/// that a person can look into it.
pub(crate) async fn run(settings: &Settings) -> Result<(), String> {
    let mut stop = StopSignal::catch()?;
    let receiver = Receiver::start().await?;
    let receiver_url = receiver.url();
    let host = tokio::select! {
        host = Host::find_or_start(settings, &receiver_url) => host?,
        () = stop.wait() => return Err(INTERRUPTED.to_owned()),
    };
    let shown = tokio::select! {
        shown = show(&host, &receiver) => shown,
        () = stop.wait() => Err(INTERRUPTED.to_owned()),
    };
    let told = match &shown {
        Ok(retried) => stay(&host, retried, &mut stop).await,
        Err(_) => Ok(()),
    };
    let left = host.leave().await;
    shown.and(told).and(left)
}

/// Says how to look into what the demo did, and on a terminal waits until the person has seen enough.
async fn stay(host: &Host, retried: &str, stop: &mut StopSignal) -> Result<(), String> {
    let is_watched = std::io::stdout().is_terminal();
    if is_watched || !host.is_own() {
        say(&commands(host, retried))?;
    }
    if is_watched {
        say("\nCtrl-C ends the demo.")?;
        stop.wait().await;
    }
    Ok(())
}

/// Posts the events and watches them arrive; the id of the delivery that was tried again.
async fn show(host: &Host, receiver: &Receiver) -> Result<String, String> {
    let run: String = base32(entropy()).chars().rev().take(6).collect();
    let samples = read_samples(&run)?;
    say(&format!("Posting {} sample events to tenant {TENANT}, run {run}.", samples.len()))?;
    let mut posted = Vec::new();
    for sample in samples {
        let is_first = posted.is_empty();
        posted.push(post(host, sample).await?);
        if is_first {
            say("The receiver has a wrong secret, so the first delivery fails twice …")?;
            if !receiver.wait_for_refusals(2, PATIENCE).await {
                return Err("the first delivery was not tried twice".to_owned());
            }
            receiver.trust(&host.endpoint.secret)?;
            say("… and now it has the right one.")?;
        }
    }
    watch(host, receiver, posted).await
}

/// An event on its way.
struct PostedEvent {
    product: &'static str,
    event_type: String,
    id: String,
}

async fn post(host: &Host, sample: Sample) -> Result<PostedEvent, String> {
    #[derive(Deserialize)]
    struct AcceptAnswer {
        id: String,
    }
    let path = format!("/v1/tenants/{TENANT}/events");
    let answer = host.client.expect("POST", &path, Some(&sample.event)).await?;
    let AcceptAnswer { id } = read(answer)?;
    Ok(PostedEvent { product: sample.product, event_type: sample.event_type, id })
}

/// A delivery, as its event shows it.
#[derive(Deserialize)]
struct Delivery {
    id: String,
    endpoint_id: String,
    status: String,
    attempts: u64,
}

/// The event's delivery to the demo's receiver. The tenant may have other endpoints: what they get is not ours.
async fn delivery(host: &Host, event: &PostedEvent) -> Result<Option<Delivery>, String> {
    #[derive(Deserialize)]
    struct Event {
        deliveries: Vec<Delivery>,
    }
    let path = format!("/v1/tenants/{TENANT}/events/{}", event.id);
    let Event { deliveries } = read(host.client.expect("GET", &path, None).await?)?;
    Ok(deliveries.into_iter().find(|delivery| delivery.endpoint_id == host.endpoint.id))
}

/// Prints each delivery as it arrives; the id of the one that was tried most often.
async fn watch(
    host: &Host,
    receiver: &Receiver,
    posted: Vec<PostedEvent>,
) -> Result<String, String> {
    let (began, total) = (Instant::now(), posted.len());
    let mut waiting = posted;
    let mut arrived: Vec<Delivery> = Vec::new();
    while !waiting.is_empty() && began.elapsed() < PATIENCE {
        let mut open = Vec::new();
        for event in waiting {
            match delivery(host, &event).await? {
                Some(delivery)
                    if delivery.status == "delivered" && receiver.has_verified(&delivery.id) =>
                {
                    say(&line(&event, &delivery))?;
                    arrived.push(delivery);
                }
                Some(_) | None => open.push(event),
            }
        }
        waiting = open;
        if !waiting.is_empty() {
            nap().await;
        }
    }
    say(&format!("{} of {total} events delivered, each signed and verified.", arrived.len()))?;
    if !waiting.is_empty() {
        return Err("not every event was delivered and verified".to_owned());
    }
    let retried = arrived.into_iter().max_by_key(|delivery| delivery.attempts);
    Ok(retried.map(|delivery| delivery.id).unwrap_or_default())
}

fn line(event: &PostedEvent, delivery: &Delivery) -> String {
    let attempts = delivery.attempts;
    let note = if attempts > 1 { " (it was tried again until it was taken)" } else { "" };
    format!("  delivered  {:<15} {:<26} attempt {attempts}{note}", event.product, event.event_type)
}

/// The commands that look into this very server, for a person to copy.
fn commands(host: &Host, retried: &str) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "waxseal".to_owned());
    let url = &host.url;
    let key = match &host.key_file {
        Some(file) => format!("\"$(cat '{}')\"", file.display()),
        None => "…  # the operator's, as the server was given it".to_owned(),
    };
    format!(
        "
Look into it, from this folder in another terminal:
  export WAXSEAL_URL={url} WAXSEAL_TENANT={TENANT}
  export WAXSEAL_KEY={key}
  {program} events list
  {program} deliveries get {retried}
  {program} doctor
The API's reference is at {url}/docs."
    )
}

/// Prints a line at once; an error where nobody reads any more.
fn say(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| format!("standard output: {error}"))
}

/// Reads an answer of the API.
fn read<T: DeserializeOwned>(answer: serde_json::Value) -> Result<T, String> {
    serde_json::from_value(answer)
        .map_err(|error| format!("the server answers what the demo cannot read: {error}"))
}

#[expect(clippy::disallowed_methods, reason = "the demo looks at a server from outside")]
async fn nap() {
    tokio::time::sleep(LOOK).await;
}
