//! The server that the demo runs on: the one that runs already, or one of the demo's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use waxseal_api_types::endpoint::NewRetry;
use waxseal_api_types::{CreatedEndpoint, EndpointChanges, Problem};
use waxseal_cli::Client;
use waxseal_server::{Server, Settings, start};

use super::say;

/// The tenant that the sample events are of.
pub(super) const TENANT: &str = "demo";

/// A server that sends to the demo's receiver.
pub(super) struct Host {
    pub(super) client: Client,
    /// Where it is, without a slash at its end.
    pub(super) url: String,
    /// The file that holds its operator's API key; none where the key was given.
    pub(super) key_file: Option<PathBuf>,
    pub(super) endpoint: Endpoint,
    own: Option<OwnServer>,
}

/// The endpoint at the demo's receiver, with the secret that the API shows once.
pub(super) struct Endpoint {
    pub(super) id: String,
    pub(super) secret: String,
}

struct OwnServer {
    server: Server,
    folder: TempDir,
}

impl Host {
    /// Uses the server of these settings where one runs that may send to loopback, and starts another where
    /// not. It says which, and why.
    pub(super) async fn find_or_start(
        settings: &Settings,
        receiver_url: &str,
    ) -> Result<Self, String> {
        match Self::find(settings, receiver_url).await {
            Ok(found) => {
                say(&format!("Found the server at {}.", found.url))?;
                Ok(found)
            }
            Err(why) => {
                let started = Self::start(settings, receiver_url).await?;
                say(&format!("{why}.\nThe demo runs a server of its own, at {}.", started.url))?;
                Ok(started)
            }
        }
    }

    /// The server that runs, or why it cannot be used.
    async fn find(settings: &Settings, receiver_url: &str) -> Result<Self, String> {
        let url = settings.local_url();
        let healthy = Client::new(&url, "", Vec::new())?.call("GET", "/healthz", None).await;
        if !matches!(healthy, Ok((200, _))) {
            return Err(format!("There is no server at {url}"));
        }
        let (key, key_file) = if let Some(given) = &settings.api_key {
            (given.clone(), None)
        } else {
            let file = settings.operator_key_file();
            let key = std::fs::read_to_string(&file).map_err(|error| {
                format!("The key of the server at {url} is not in {}: {error}", file.display())
            })?;
            (key.trim().to_owned(), Some(file))
        };
        let client = Client::new(&url, &key, Vec::new())?;
        let endpoint = add_endpoint(&client, receiver_url)
            .await
            .map_err(|why| format!("The server at {url} {why}"))?;
        Ok(Self { client, url, key_file, endpoint, own: None })
    }

    /// Starts a server on a free port and a new folder, which goes with it.
    async fn start(settings: &Settings, receiver_url: &str) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("waxseal-demo-")
            .tempdir()
            .map_err(|error| format!("a folder for the demo: {error}"))?;
        let settings = Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: folder.path().to_owned(),
            api_key: None,
            allow_loopback: true,
            public_url: None,
            ..settings.clone()
        };
        let server = start(&settings).await?;
        let url = server.local_url();
        let client = Client::new(&url, server.operator_key(), Vec::new())?;
        let endpoint = add_endpoint(&client, receiver_url)
            .await
            .map_err(|why| format!("the demo's server {why}"))?;
        let key_file = Some(settings.operator_key_file());
        Ok(Self { client, url, key_file, endpoint, own: Some(OwnServer { server, folder }) })
    }

    /// Whether the server ends with the demo.
    pub(super) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Leaves nothing behind that sends to a receiver that is gone: an own server ends, with its data, and
    /// another loses the demo's endpoint.
    pub(super) async fn leave(self) -> Result<(), String> {
        if let Some(OwnServer { server, folder }) = self.own {
            server.stop().await;
            return folder.close().map_err(|error| format!("the demo's folder: {error}"));
        }
        let path = format!("/v1/tenants/{TENANT}/endpoints/{}", self.endpoint.id);
        self.client.expect("DELETE", &path, None).await.map(|_| ())
    }
}

/// Adds the endpoint at the receiver; or why there can be none, to be read after "the server".
async fn add_endpoint(client: &Client, receiver_url: &str) -> Result<Endpoint, String> {
    let path = format!("/v1/tenants/{TENANT}/endpoints?ping=false");
    // In a second rather than in five, so that nobody waits for the retries that the demo shows.
    let retry = NewRetry { delays_s: vec![1, 1, 2, 5, 10, 30, 60], ..NewRetry::default() };
    let body = json!(EndpointChanges {
        url: Some(receiver_url.to_owned()),
        name: Some("the demo's receiver".to_owned()),
        retry: Some(retry),
        ..EndpointChanges::default()
    });
    let called = client.call("POST", &path, Some(&body)).await;
    let (status, answer) = called.map_err(|error| format!("cannot be asked: {error}"))?;
    match status {
        201 => read_endpoint(answer),
        401 | 403 => Err("does not know our API key as its operator's".to_owned()),
        422 if is_about_url(&answer) => {
            Err("allows no endpoints on loopback (--allow-loopback)".to_owned())
        }
        _ => Err(format!("adds no endpoint: {status} {answer}")),
    }
}

fn read_endpoint(answer: Value) -> Result<Endpoint, String> {
    let created: CreatedEndpoint = serde_json::from_value(answer)
        .map_err(|error| format!("answers what the demo cannot read: {error}"))?;
    let secret = created.shown.secret.ok_or("shows no secret of the new endpoint")?;
    Ok(Endpoint { id: created.endpoint.id, secret })
}

/// Whether an answer is a problem about the endpoint's URL.
fn is_about_url(answer: &Value) -> bool {
    Problem::deserialize(answer)
        .is_ok_and(|problem| problem.errors.iter().any(|fault| fault.pointer == "/url"))
}
