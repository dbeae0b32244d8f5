//! The embedded binary as a process: on a folder and a port of its own, ended with the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::client::Client;

/// The server's binary, beside the test's own.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("waxseal");
    assert!(path.exists(), "build it first: cargo build --package waxseal");
    path
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts it on a folder, loopback allowed, and waits until it serves.
    pub async fn start(folder: &Path) -> Self {
        let server = Self::spawn(folder);
        server.wait_until_it_serves().await;
        server
    }

    /// Starts it on a folder, and waits for nothing.
    pub fn spawn(folder: &Path) -> Self {
        let address = free_address();
        let child = command(folder, address).spawn().unwrap();
        Self { address, child }
    }

    /// A client with the operator's key.
    pub fn client(&self) -> Client {
        Client { address: self.address, key: "operator".to_owned(), host: None }
    }

    /// Ends it at once, as a crash does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop; the time that it took. Its status must be success.
    pub async fn stop(mut self) -> Duration {
        let began = Instant::now();
        let id = self.child.id().unwrap().to_string();
        let term = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(term.success());
        assert!(self.child.wait().await.unwrap().success());
        began.elapsed()
    }

    /// Waits until it answers, for twenty seconds at most.
    pub async fn wait_until_it_serves(&self) {
        let began = Instant::now();
        while self.client().try_call("GET", "/healthz", "").await.is_none() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not serve");
            crate::fixtures::nap(20).await;
        }
    }
}

/// The binary's command on a folder and an address.
pub fn command(folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(binary());
    command
        .env("WAXSEAL_DATA", folder)
        .env("WAXSEAL_LISTEN", address.to_string())
        .env("WAXSEAL_API_KEY", "operator")
        .env("WAXSEAL_ALLOW_LOOPBACK", "1")
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}

/// An address that was free a moment ago.
pub fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
