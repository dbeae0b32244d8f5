//! The engine of a session: the embedded one on a folder of its own, which goes with it, but for the
//! sender. The deliveries' own keeps away from private addresses; this one is for them.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use waxseal_adapters::client::{Answer, Fault, HttpClient};
use waxseal_adapters::clock::SystemClock;
use waxseal_adapters::embedded::{EmbeddedEngine, Options};
use waxseal_adapters::entropy::entropy;
use waxseal_domain::address::AddressRules;
use waxseal_domain::attempt::{Outcome, Response, Sent};
use waxseal_domain::dispatch::{Method, Request};
use waxseal_domain::id::base32;
use waxseal_domain::limits::EXCERPT_CHARS_MAX;
use waxseal_flows::memory::Memory;
use waxseal_flows::ports::{Check, Clock as _, Engine, EngineError, Sender};

/// Sends to this machine.
pub(super) struct LocalSender(HttpClient);

impl Sender for LocalSender {
    async fn send(&self, request: Request) -> Sent {
        let started_at = SystemClock.now();
        let answer = self.answer(request).await;
        let ended_at = SystemClock.now();
        let (outcome, detail, response) = match answer {
            Ok(answer) => (Outcome::of_status(answer.status), None, Some(response(&answer))),
            Err(fault @ Fault::TimedOut) => (Outcome::TimedOut, Some(fault.to_string()), None),
            Err(fault) => (Outcome::Unreachable, Some(fault.to_string()), None),
        };
        Sent { outcome, detail, response, started_at, ended_at }
    }
}

impl LocalSender {
    async fn answer(&self, request: Request) -> Result<Answer, Fault> {
        let method = match request.method {
            Method::Post => http::Method::POST,
            Method::Options => http::Method::OPTIONS,
        };
        let mut local = http::Request::builder().method(method).uri(request.url);
        for (name, value) in &request.headers {
            local = local.header(name, value);
        }
        let local = local
            .body(Bytes::from(request.body))
            .map_err(|error| Fault::Unreachable(error.to_string()))?;
        self.0.send(local, Duration::from_millis(request.timeout_ms)).await
    }
}

fn response(answer: &Answer) -> Response {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = answer.headers.iter().filter_map(text).collect();
    let excerpt = String::from_utf8_lossy(&answer.body).chars().take(EXCERPT_CHARS_MAX).collect();
    Response { status: answer.status, headers, excerpt }
}

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder for what may go.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// Signs and renders as the server does, and sends to this machine.
pub(super) struct Forwarding {
    embedded: EmbeddedEngine,
    sender: LocalSender,
    /// The last: it goes when nothing of the engine is open any more.
    _folder: Folder,
}

impl Forwarding {
    /// On a new folder among the system's temporary ones.
    pub(super) fn open(client: HttpClient) -> Result<Self, EngineError> {
        let name = format!("waxseal-listen-{}", base32(entropy()));
        let folder = Folder(std::env::temp_dir().join(name));
        // Nobody calls an API here: the key is one that nobody has.
        let operator_key = Some(base32(entropy()));
        let options = Options { folder: folder.0.clone(), operator_key, ..Options::default() };
        let embedded = EmbeddedEngine::open(options)?;
        Ok(Self { embedded, sender: LocalSender(client), _folder: folder })
    }
}

impl Engine for Forwarding {
    type Store = <EmbeddedEngine as Engine>::Store;
    type Queue = <EmbeddedEngine as Engine>::Queue;
    type KeyVault = <EmbeddedEngine as Engine>::KeyVault;
    type Sender = LocalSender;
    type Clock = <EmbeddedEngine as Engine>::Clock;
    type SchemaChecker = <EmbeddedEngine as Engine>::SchemaChecker;

    fn store(&self) -> &Self::Store {
        self.embedded.store()
    }

    fn queue(&self) -> &Self::Queue {
        self.embedded.queue()
    }

    fn key_vault(&self) -> &Self::KeyVault {
        self.embedded.key_vault()
    }

    fn sender(&self) -> &LocalSender {
        &self.sender
    }

    fn clock(&self) -> &Self::Clock {
        self.embedded.clock()
    }

    fn schema_checker(&self) -> &Self::SchemaChecker {
        self.embedded.schema_checker()
    }

    fn address_rules(&self) -> &AddressRules {
        self.embedded.address_rules()
    }

    fn entropy(&self) -> u128 {
        entropy()
    }

    fn memory(&self) -> &Memory {
        self.embedded.memory()
    }

    async fn checks(&self) -> Vec<Check> {
        self.embedded.checks().await
    }

    fn public_url(&self) -> Option<&str> {
        None
    }

    async fn operator_key_hash(&self) -> Result<String, EngineError> {
        self.embedded.operator_key_hash().await
    }
}
