//! The embedded binary as a process: on a folder and a port of its own, ended with the test.

use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::client::Client;
use crate::eventually::eventually;

/// Below what the system gives to whoever asks for any port.
const PORTS: RangeInclusive<u16> = 20_000..=32_000;

/// The server's binary, beside the test's own.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("waxseal");
    assert!(path.exists(), "build it first: cargo build --package waxseal");
    path
}

/// The server's release build, in the same target folder.
pub fn release_path() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let mut paths = own.ancestors().map(|folder| folder.join("release/waxseal"));
    let path = paths.find(|path| path.exists());
    path.expect("build it first: cargo build --release --package waxseal")
}

/// The server, running in a process of its own.
#[derive(Debug)]
pub struct Server {
    /// The address at which the server listens.
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts it on a folder, loopback allowed, and waits until it serves.
    pub async fn start(folder: &Path) -> Self {
        Self::start_program(&binary(), folder).await
    }

    /// The same with these settings, by the names of their variables.
    pub async fn start_with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let address = free_address();
        let child = command(folder, address).envs(settings.iter().copied()).spawn().unwrap();
        let server = Self { address, child };
        server.wait_until_it_serves().await;
        server
    }

    /// The same of another build.
    pub async fn start_program(program: &Path, folder: &Path) -> Self {
        let server = Self::spawn(program, folder);
        server.wait_until_it_serves().await;
        server
    }

    /// Starts a build on a folder, and waits for nothing.
    pub fn spawn(program: &Path, folder: &Path) -> Self {
        let address = free_address();
        let child = command_of(program, folder, address).spawn().unwrap();
        Self { address, child }
    }

    /// Starts it with a limit of open files, soft and hard, that is its own alone, and waits until it serves. What it
    /// says goes to a file.
    pub async fn start_limited(folder: &Path, handles: u32, said: std::fs::File) -> Self {
        let address = free_address();
        let mut command = command_of(Path::new("sh"), folder, address);
        let script = format!("ulimit -Sn {handles} && ulimit -Hn {handles} && exec \"$0\"");
        command.args(["-c", &script]).arg(binary()).stderr(said);
        let server = Self { address, child: command.spawn().unwrap() };
        server.wait_until_it_serves().await;
        server
    }

    /// The file handles that it has open now.
    pub fn handles(&self) -> usize {
        let id = self.child.id().expect("it runs");
        std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
    }

    /// What it holds of the machine's memory now (`VmRSS`).
    pub fn memory_kib(&self) -> u64 {
        let id = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
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
        until_it_serves(&self.client()).await;
    }
}

/// Waits until a server answers, for twenty seconds at most.
pub async fn until_it_serves(client: &Client) {
    eventually(Duration::from_secs(20), async || {
        client.try_call("GET", "/healthz", "").await.ok_or("it does not serve")
    })
    .await;
}

/// The binary's command on a folder and an address.
pub fn command(folder: &Path, address: SocketAddr) -> Command {
    command_of(&binary(), folder, address)
}

fn command_of(program: &Path, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    command
        .env("WAXSEAL_DATA", folder)
        .env("WAXSEAL_LISTEN", address.to_string())
        .env("WAXSEAL_API_KEY", "operator")
        .env("WAXSEAL_ALLOW_LOOPBACK", "1")
        // Sinks that fail on purpose are to be tried on schedule.
        .env("WAXSEAL_BREAKER_PERCENT", "100")
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs a command of the command line with the operator's key, for a tenant of a server; its exit code and what it
/// printed on both outputs.
pub async fn run_cli(
    program: &Path,
    address: SocketAddr,
    tenant: &str,
    arguments: &[&str],
) -> (i32, String, String) {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("WAXSEAL_URL", format!("http://{address}"))
        .env("WAXSEAL_KEY", "operator")
        .env("WAXSEAL_TENANT", tenant)
        .env("HOME", std::env::temp_dir().join("no-login-of-a-test"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ran = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap_or(-1), text(ran.stdout), text(ran.stderr))
}

/// An address on loopback that nobody else listens at, nor any other test of this machine is given.
///
/// The port lies below those that the system hands out itself. A UDP socket that is bound to it until our
/// process ends is the sign to other tests that it is taken.
pub fn free_address() -> SocketAddr {
    static TAKEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let mut taken = TAKEN.lock().unwrap();
    for port in PORTS {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let Ok(sign) = UdpSocket::bind(address) else { continue };
        if std::net::TcpListener::bind(address).is_ok() {
            taken.push(sign);
            return address;
        }
    }
    panic!("no port is free in {PORTS:?}");
}
