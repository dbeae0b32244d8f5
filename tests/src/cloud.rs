//! The real template with the release binaries, deployed by the SAM CLI on an emulator of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use waxseal_adapters::aws::AwsEngine;
use waxseal_domain::limits::{FUNCTION_TIMEOUT_S, MESSAGE_RECEIVES_MAX, MESSAGE_VISIBILITY_S};

use crate::client::Client;
use crate::emulator::{Emulator, environment};
use crate::eventually::eventually;
use crate::fixtures::SECRET;
use crate::proxy::Proxy;

/// The SAM template, deployed on the emulator.
#[derive(Debug)]
pub struct Cloud {
    /// The emulator that the deployment runs on.
    pub emulator: Emulator,
    outputs: Value,
}

/// What somebody else has made beside the shared deployment, which may send there: each an ARN, and the URL
/// of the queue where what is sent arrives.
#[derive(Debug)]
pub struct Elsewhere {
    /// A queue that an endpoint may send to: its ARN and its URL.
    pub queue: (String, String),
    /// Another, that a test may delete.
    pub doomed: (String, String),
    /// A FIFO queue that an endpoint may send to: its ARN and its URL.
    pub fifo: (String, String),
    /// A bus that an endpoint may send to: its ARN, and the URL of the queue behind it.
    pub bus: (String, String),
}

/// The deployment that is tampered with, for one test at a time: its code, its queue and its calls.
#[derive(Debug)]
pub struct TamperedCloud {
    /// The deployment that is tampered with.
    pub cloud: &'static Cloud,
    /// What stands between the functions and everything that they call on AWS.
    pub proxy: &'static Proxy,
    /// The name of the function that delivers,
    pub deliver: String,
    /// and of the one that buries.
    pub bury: String,
    _one_at_a_time: MutexGuard<'static, ()>,
}

impl TamperedCloud {
    /// Waits for its turn, and undoes what another test has left.
    pub async fn take() -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        static DEPLOYED: OnceCell<(Cloud, Proxy)> = OnceCell::const_new();
        let turn = TURN.lock().await;
        let (cloud, proxy) = DEPLOYED
            .get_or_init(async || {
                let (emulator, proxy) = Emulator::start_proxied().await;
                (Cloud::deploy_on(emulator, &[]).await, proxy)
            })
            .await;
        let (deliver, bury) = (cloud.function("Deliver").await, cloud.function("Bury").await);
        let tampered = Self { cloud, proxy, deliver, bury, _one_at_a_time: turn };
        tampered.restore().await;
        tampered
    }

    async fn restore(&self) {
        self.proxy.disturb(None);
        let restored = json!({
            "deliver": self.deliver, "bury": self.bury, "binary": build_folder().join("Deliver/bootstrap"),
            "queue": self.cloud.output("DeliveriesQueueUrl"), "receives": MESSAGE_RECEIVES_MAX,
            "visibility_s": MESSAGE_VISIBILITY_S, "timeout_s": FUNCTION_TIMEOUT_S,
        });
        self.cloud.emulator.cloud("restore", restored).await;
    }

    /// Has the queue give up on a message after so many receives, and show it again after so many seconds.
    pub async fn hasten(&self, receives: u64, visibility_s: u64) {
        let queue = self.cloud.output("DeliveriesQueueUrl");
        let hasty = json!({"queue": queue, "receives": receives, "visibility_s": visibility_s});
        self.cloud.emulator.cloud("hasten", hasty).await;
    }

    /// Puts a program in the place of `deliver`; null is one that ends at once.
    pub async fn replace_deliver(&self, program: Value) {
        let argument = json!({"function": self.deliver, "binary": program});
        self.cloud.emulator.cloud("replace_code", argument).await;
    }
}

impl Cloud {
    /// One for all tests of this binary that have tenants of their own there and leave the rest as it is. It
    /// ends with the binary.
    pub async fn shared() -> &'static Self {
        &Self::shared_with_targets().await.0
    }

    /// The same, and where it may send to beside receivers.
    pub async fn shared_with_targets() -> &'static (Self, Elsewhere) {
        static SHARED: OnceCell<(Cloud, Elsewhere)> = OnceCell::const_new();
        SHARED.get_or_init(Self::deploy_with_targets).await
    }

    /// It may send to what somebody else has made, and to one of its own queues if the operator's word
    /// sufficed.
    async fn deploy_with_targets() -> (Self, Elsewhere) {
        let emulator = Emulator::start().await;
        let made = async |name: &str| {
            let queue = emulator.cloud("make_queue", json!({"name": name})).await;
            (text(&queue, "arn"), text(&queue, "url"))
        };
        let (queue, doomed) = (made("findings").await, made("doomed").await);
        let fifo = made("in-order.fifo").await;
        let pattern = json!({"source": [{"prefix": "waxseal"}]});
        let bus = json!({"name": "security", "pattern": pattern});
        let bus = emulator.cloud("make_bus", bus).await;
        let bus = (text(&bus, "arn"), text(&bus, "caught"));
        let own = queue.0.replace("findings", "waxseal-deliveries");
        let parameters = [
            format!("TargetQueueArns={},{},{},{own}", queue.0, doomed.0, fifo.0),
            format!("TargetBusArns={}", bus.0),
        ];
        let cloud = Self::deploy_on(emulator, &parameters).await;
        (cloud, Elsewhere { queue, doomed, fifo, bus })
    }

    /// Deploys what `cargo xtask` has built, for whoever measures it.
    pub async fn deploy() -> Self {
        Self::deploy_on(Emulator::start().await, &[]).await
    }

    /// The same on an emulator that something was made on, with more parameters: `Name=value`.
    pub async fn deploy_on(emulator: Emulator, parameters: &[String]) -> Self {
        let outputs = emulator.deploy(parameters).await;
        Self { emulator, outputs }
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("no output {name}"))
    }

    /// The first label of an output that is a URL.
    pub fn label(&self, name: &str) -> &str {
        self.output(name).split("//").nth(1).unwrap().split('.').next().unwrap()
    }

    /// The operator's key and the type of the body.
    pub fn headers(&self) -> Value {
        let key = format!("Bearer {}", self.output("OperatorKey"));
        json!({"authorization": key, "content-type": "application/json"})
    }

    /// A client of the HTTP API.
    pub fn client(&self) -> Client {
        let address: SocketAddr = self.emulator.endpoint_url["http://".len()..].parse().unwrap();
        let host = format!("{}.execute-api.localhost", self.label("ApiUrl"));
        Client { address, key: self.output("OperatorKey").to_owned(), host: Some(host) }
    }

    /// A request to the HTTP API; its status and JSON.
    pub async fn http(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.client().call(method, path, body).await
    }

    /// An endpoint of a tenant, wanting everything.
    pub async fn endpoint(&self, tenant: &str, url: &str, retry: Value) -> Value {
        self.endpoint_within(tenant, url, retry, 1_000).await
    }

    /// The same, waited for so long.
    pub async fn endpoint_within(
        &self,
        tenant: &str,
        url: &str,
        retry: Value,
        timeout_ms: u32,
    ) -> Value {
        let path = format!("/v1/tenants/{tenant}/endpoints?ping=false");
        let body = json!({"url": url, "secret": SECRET, "timeout_ms": timeout_ms, "retry": retry});
        let (status, answer) = self.http("POST", &path, &body.to_string()).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// Waits until a delivery has a status, at most a minute and a half; the delivery.
    pub async fn wait_for_status(&self, path: &str, wanted: &str) -> Value {
        eventually(Duration::from_secs(90), async || {
            let (_, answer) = self.http("GET", path, "").await;
            if answer["status"] == wanted { Ok(answer) } else { Err(format!("{path}: {answer}")) }
        })
        .await
    }

    /// An engine on the deployment's tables, queue and key, beside the functions.
    pub fn engine(&self) -> AwsEngine {
        let output = |name: &str| self.output(name).to_owned();
        let mut environment = environment(&self.emulator.endpoint_url);
        environment.config_table = output("ConfigTableName");
        environment.state_table = output("StateTableName");
        environment.queue_url = output("DeliveriesQueueUrl");
        environment.critical_queue_url = output("CriticalDeliveriesQueueUrl");
        environment.rejected_queue_url = output("RejectedQueueUrl");
        AwsEngine::new(&environment).unwrap()
    }

    /// A function's name in the deployment.
    pub async fn function(&self, logical_id: &str) -> String {
        let sizes = self.emulator.cloud("sizes", json!({})).await;
        let names = sizes.as_object().unwrap().keys();
        let mut found = names.filter(|name| name.contains(&format!("-{logical_id}")));
        found.next().unwrap_or_else(|| panic!("{logical_id} is not in {sizes}")).clone()
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}")).to_owned()
}

/// What `cargo xtask` has built with the SAM CLI: a folder for each function, and the template.
pub fn build_folder() -> PathBuf {
    let built = crate::emulator::tools().parent().unwrap().join("sam");
    assert!(built.join("template.yaml").exists(), "build them first: cargo xtask build");
    built
}
