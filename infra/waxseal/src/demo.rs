//! The demo: the sample events of five AI-security products, posted to tenant `demo` and watched as
//! they arrive. The receiver is told a wrong secret at first, so the first delivery fails twice, as
//! one does whose receiver missed a rotation.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waxseal_adapters::entropy::entropy;
use waxseal_cli::Client;
use waxseal_domain::id::base32;
use waxseal_domain::profile::Profile;
use waxseal_server::demo_tenant::{ENDPOINT, RECEIVED, SOURCE, TENANT};
use waxseal_server::{Server, Settings, start};

/// The sample events, by system.
const SAMPLES: [(&str, &str); 5] = [
    ("AISG", include_str!("../../events/aisg.json")),
    ("AISentinel", include_str!("../../events/aisentinel.json")),
    ("Authensor", include_str!("../../events/authensor.json")),
    ("OmegaEngine", include_str!("../../events/omegaengine.json")),
    ("Secureagentics", include_str!("../../events/secureagentics.json")),
];

/// The demo gives up then.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);

/// Runs it against the server of these settings, or one started for it. An error unless every event
/// was accepted.
pub(crate) async fn run(settings: &Settings) -> Result<(), String> {
    let own = start_if_none(settings).await?;
    let key = api_key(settings, own.as_ref())?;
    let client = Client::new(&settings.local_url(), &key, Vec::new())?;
    let done = show(&client).await;
    if let Some(server) = own {
        server.stop().await;
    }
    done
}

async fn start_if_none(settings: &Settings) -> Result<Option<Server>, String> {
    let url = settings.local_url();
    let probe = Client::new(&url, "", Vec::new())?;
    if let Ok((200, _)) = probe.call("GET", "/healthz", None).await {
        println!("Found the server at {url}.");
        return Ok(None);
    }
    println!("No server at {url}: starting one for the demo.");
    start(settings).await.map(Some)
}

fn api_key(settings: &Settings, own: Option<&Server>) -> Result<String, String> {
    if let Some(key) = own.map(Server::operator_key).or(settings.api_key.as_deref()) {
        return Ok(key.to_owned());
    }
    let path = settings.operator_key_file();
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

async fn show(client: &Client) -> Result<(), String> {
    let secret = rotate(client).await?;
    let random: Vec<u8> = [entropy(), entropy()].iter().flat_map(|n| n.to_be_bytes()).collect();
    let random: [u8; 32] = random.try_into().map_err(|_| "no random bytes".to_owned())?;
    let wrong = Profile::standard().dialect.generate_secret(random);
    tell_receiver(client, &wrong).await?;
    let run = base32(entropy()).chars().rev().take(6).collect::<String>();
    let events = samples(&run)?;
    println!("Posting {} sample events to tenant {TENANT}, run {run}.", events.len());
    let mut posted = Vec::new();
    for (index, (system, event)) in events.iter().enumerate() {
        posted.push(post(client, system, event).await?);
        if index == 0 {
            println!("The receiver has a wrong secret, so the first delivery fails twice …");
            wait_for_attempts(client, &posted, 2).await?;
            tell_receiver(client, &secret).await?;
            println!("… and now it has the right one.");
        }
    }
    watch(client, posted).await
}

/// A new signing secret for the endpoint, so that the demo knows it: nothing shows an old one.
async fn rotate(client: &Client) -> Result<String, String> {
    let path = format!("/v1/tenants/{TENANT}/endpoints?limit=200");
    let endpoints = client.expect("GET", &path, None).await?;
    let own = array(&endpoints, "items").iter().find(|one| text(one, "name") == ENDPOINT);
    let id = own.map(|endpoint| text(endpoint, "id"));
    let id = id.ok_or("the demo's endpoint was removed: use a new data folder")?;
    let path = format!("/v1/tenants/{TENANT}/endpoints/{id}/rotate-secret");
    let rotated = client.expect("POST", &path, Some(&json!({ "overlap_s": 120 }))).await?;
    Ok(text(&rotated, "secret").to_owned())
}

async fn tell_receiver(client: &Client, secret: &str) -> Result<(), String> {
    let path = format!("/v1/tenants/{RECEIVED}/sources/{SOURCE}");
    let body = json!({ "profile": "standard", "secrets": [secret] });
    client.expect("PUT", &path, Some(&body)).await.map(|_| ())
}

/// The sample events, under ids of their own for each run: else the second would be duplicates.
fn samples(run: &str) -> Result<Vec<(&'static str, Value)>, String> {
    let mut all = Vec::new();
    for (system, sample) in SAMPLES {
        let events: Vec<Value> = serde_json::from_str(sample).map_err(|error| error.to_string())?;
        for mut event in events {
            let id = format!("{}-{run}", text(&event, "id"));
            if let Some(member) = event.get_mut("id") {
                *member = id.into();
            }
            all.push((system, event));
        }
    }
    Ok(all)
}

/// An event on its way.
struct Posted {
    system: &'static str,
    event_type: String,
    id: String,
}

async fn post(client: &Client, system: &'static str, event: &Value) -> Result<Posted, String> {
    let path = format!("/v1/tenants/{TENANT}/events");
    let accepted = client.expect("POST", &path, Some(event)).await?;
    Ok(Posted {
        system,
        event_type: text(event, "type").to_owned(),
        id: text(&accepted, "id").to_owned(),
    })
}

async fn deliveries(client: &Client, posted: &Posted) -> Result<Vec<Value>, String> {
    let path = format!("/v1/tenants/{TENANT}/events/{}", posted.id);
    let event = client.expect("GET", &path, None).await?;
    Ok(array(&event, "deliveries").to_vec())
}

async fn wait_for_attempts(client: &Client, posted: &[Posted], wanted: u64) -> Result<(), String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        for event in posted {
            let deliveries = deliveries(client, event).await?;
            if deliveries.iter().any(|one| attempts(one) >= wanted) {
                return Ok(());
            }
        }
        nap().await;
    }
    Err("the first delivery was not tried twice".to_owned())
}

/// Prints each delivery as it arrives.
async fn watch(client: &Client, mut waiting: Vec<Posted>) -> Result<(), String> {
    let (began, total) = (Instant::now(), waiting.len());
    while !waiting.is_empty() && began.elapsed() < PATIENCE {
        let mut still = Vec::new();
        for event in waiting {
            let deliveries = deliveries(client, &event).await?;
            let open = deliveries.iter().any(|one| text(one, "status") != "delivered");
            if open || deliveries.is_empty() {
                still.push(event);
            } else {
                print(&event, &deliveries);
            }
        }
        waiting = still;
        if !waiting.is_empty() {
            nap().await;
        }
    }
    let accepted = total - waiting.len();
    println!("{accepted} of {total} events delivered, each signed and verified.");
    println!("What arrived:  GET /v1/tenants/{RECEIVED}/events");
    if waiting.is_empty() { Ok(()) } else { Err("not every event was accepted".to_owned()) }
}

fn print(event: &Posted, deliveries: &[Value]) {
    for delivery in deliveries {
        let attempts = attempts(delivery);
        let note = if attempts > 1 { " (it was tried again until it was taken)" } else { "" };
        println!(
            "  delivered  {:<15} {:<26} attempt {attempts}{note}",
            event.system, event.event_type
        );
    }
    let _unseen = std::io::stdout().flush();
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn attempts(delivery: &Value) -> u64 {
    delivery.get("attempts").and_then(Value::as_u64).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the demo looks at a server from outside")]
async fn nap() {
    tokio::time::sleep(LOOK).await;
}
