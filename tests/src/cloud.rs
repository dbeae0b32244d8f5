//! The real template with the release binaries, deployed by the SAM CLI on an emulator of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use waxseal_adapters::aws::AwsEngine;

use crate::client::Client;
use crate::emulator::{Emulator, environment};
use crate::fixtures::{SECRET, nap};
use crate::proxy::Proxy;

/// A deployment.
#[derive(Debug)]
pub struct Cloud {
    /// Where it runs.
    pub emulator: Emulator,
    outputs: Value,
}

impl Cloud {
    /// Deploys what `cargo xtask` has built.
    pub async fn deploy() -> Self {
        Self::deploy_on(Emulator::start().await, &[]).await
    }

    /// The same, with a proxy between the functions and everything that they call on AWS.
    pub async fn deploy_proxied() -> (Self, Proxy) {
        let (emulator, proxy) = Emulator::start_proxied().await;
        (Self::deploy_on(emulator, &[]).await, proxy)
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
        let mut last = Value::Null;
        for _ in 0..360 {
            let (_, answer) = self.http("GET", path, "").await;
            if answer["status"] == wanted {
                return answer;
            }
            last = answer;
            nap(250).await;
        }
        panic!("{path} is not {wanted}: {last}");
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

/// What `cargo xtask` has built with the SAM CLI: a folder for each function, and the template.
pub fn built() -> PathBuf {
    let built = crate::emulator::tools().parent().unwrap().join("sam");
    assert!(built.join("template.yaml").exists(), "build them first: cargo xtask build");
    built
}
