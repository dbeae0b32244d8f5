//! The AWS emulator: one process on a port of its own, ended with all that it has started.

mod keeper;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use waxseal_adapters::aws::AwsEngine;
use waxseal_adapters::environment::Environment;
use waxseal_domain::endpoint::address::AddressRules;

use crate::cloud::build_folder;
use crate::eventually::eventually;
use crate::process::free_address;
use crate::proxy::Proxy;

use keeper::Keeper;

/// The name under which the template is deployed.
const STACK: &str = "waxseal";

/// What `cargo xtask setup` has installed, beside the build.
pub fn tools() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let mut folders = test.ancestors().map(|folder| folder.join("tools"));
    let tools = folders.find(|tools| tools.join("emulator").exists());
    tools.expect("install them first: cargo xtask setup")
}

/// The AWS emulator, running in a process of its own.
#[derive(Debug)]
pub struct Emulator {
    /// The URL at which the emulator serves every AWS API.
    pub endpoint_url: String,
    keeper: Keeper,
}

impl Emulator {
    /// One for all tests of this binary that have tables, queues or tenants of their own there. It ends
    /// with the binary.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Emulator> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Starts it, and waits until it answers.
    pub async fn start() -> Self {
        let address = free_address();
        Self::start_at(address, address, &[]).await
    }

    /// The same, its functions logging all that they can.
    pub async fn start_tracing() -> Self {
        let address = free_address();
        Self::start_at(address, address, &[("RUST_LOG", "trace")]).await
    }

    /// The same with a proxy before it, by which its functions reach it, and nobody else.
    pub async fn start_proxied() -> (Self, Proxy) {
        let address = free_address();
        let proxy = Proxy::start(address);
        (Self::start_at(address, proxy.address, &[]).await, proxy)
    }

    /// Its functions are told that AWS is at `told`: it hands on what it was started with itself.
    async fn start_at(address: SocketAddr, told: SocketAddr, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(tools().join("emulator/bin/python"));
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/tools/emulator.py"))
            .env("GATEWAY_PORT", address.port().to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("IOT_MTLS_ENABLED", "0")
            .env("EMULATOR_URL", format!("http://{address}"))
            .env("PYTHONPYCACHEPREFIX", tools().join("pycache"))
            .envs(more.iter().copied())
            .env("AWS_ENDPOINT_URL", format!("http://{told}"));
        let keeper = Keeper::start(&mut command);
        eventually(Duration::from_mins(1), async || TcpStream::connect(address).await).await;
        Self { endpoint_url: format!("http://{address}"), keeper }
    }

    /// An engine on tables, queues and a key of its own.
    pub async fn engine(&self) -> AwsEngine {
        // Checks share an emulator, and each has names of its own there.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        AwsEngine::new(&self.provision(&format!("contract{number}")).await).unwrap()
    }

    /// Deploys template.yaml, as `sam build` has packaged it, with `sam deploy`, and answers with the
    /// stack's outputs. `parameters` are `Name=value`, beside those that every test needs.
    pub async fn deploy(&self, parameters: &[String]) -> Value {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = build_folder().join("template.yaml");
        let mut sam = tokio::process::Command::new(tools().join("sam/bin/sam"));
        sam.current_dir(&root)
            .args(["deploy", "--config-env", "dev", "--config-file"])
            .arg(root.join("samconfig.toml").canonicalize().unwrap())
            .arg("--template-file")
            .arg(built)
            .args(["--stack-name", STACK, "--no-confirm-changeset", "--no-progressbar"])
            .args(["--region", "us-east-1", "--parameter-overrides"])
            .args(["Stage=dev", "Architecture=x86_64", "AllowLoopback=true"])
            .args(parameters)
            .env("AWS_ENDPOINT_URL", &self.endpoint_url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("SAM_CLI_TELEMETRY", "0");
        let output = sam.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "sam deploy: {said}{errors}");
        let template = root.join("template.yaml");
        self.cloud("mend", json!({"template": template, "stack": STACK})).await;
        self.cloud("outputs", json!({ "stack": STACK })).await
    }

    /// Does one thing as a cloud would: an action of infra/tools/cloud.py.
    pub async fn cloud(&self, action: &str, argument: Value) -> Value {
        self.keeper.call(action, &argument).await
    }

    /// The processes that are environments of a function now: of this emulator's own group only.
    pub fn environments(&self, function: &str) -> Vec<u32> {
        let named = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
        let ids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // Behind the name in brackets: state, parent, group.
            let group = stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse::<u32>().ok()?;
            let environment = std::fs::read(format!("/proc/{id}/environ")).ok()?;
            let is_it = environment.split(|byte| *byte == 0).any(|one| one == named.as_bytes());
            (group == self.keeper.group && is_it).then_some(id)
        });
        ids.collect()
    }

    /// Makes tables, queues, key and secret, and answers with their names.
    pub async fn provision(&self, prefix: &str) -> Environment {
        let names = self.cloud("provision", json!({"prefix": prefix})).await;
        let text = |name: &str| names[name].as_str().unwrap().to_owned();
        Environment {
            config_table: text("config_table"),
            state_table: text("state_table"),
            queue_url: text("queue_url"),
            rejected_queue_url: text("rejected_queue_url"),
            key_id: text("key_id"),
            operator_secret: text("operator_secret"),
            ..environment(&self.endpoint_url)
        }
    }
}

/// A function's settings but for the names of tables, queues, key and secret.
pub fn environment(endpoint_url: &str) -> Environment {
    Environment {
        address_rules: AddressRules { allow_loopback: true, ..AddressRules::default() },
        region: "us-east-1".to_owned(),
        credentials: ["test".to_owned(), "test".to_owned(), String::new()],
        endpoint_url: Some(endpoint_url.to_owned()),
        ..Environment::default()
    }
}
