//! A receiver that is not ours, running: `tests/thirds/receivers_*`.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::Language;
use crate::client::Client;
use crate::hooks::Hook;

/// A running receiver; it ends when its standard input does, with this.
#[derive(Debug)]
pub struct Receiver {
    client: Client,
    _child: Child,
}

impl Receiver {
    /// Starts one with the secrets of the systems, by name, and waits until it listens.
    pub async fn start(language: Language, name: &str, secrets: &Value) -> Self {
        let mut command = language.script(name);
        command.env("SECRETS", secrets.to_string()).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).await.unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let port = u16::try_from(said["port"].as_u64().unwrap()).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self { client: Client { address, key: String::new(), host: None }, _child: child }
    }

    /// The URL of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.client.address)
    }

    /// What one of its paths has accepted, refused and found malformed.
    pub async fn read_seen(&self, path: &str) -> Value {
        let (status, mut seen) = self.client.call("GET", "/seen", "").await;
        assert_eq!(status, 200);
        seen[path].take()
    }

    /// Sends a hook to one of its paths; the status that it answers.
    pub async fn post(&self, path: &str, hook: &Hook) -> u16 {
        hook.post(&self.client, &format!("/{path}")).await.0
    }
}
