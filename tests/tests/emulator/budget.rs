//! The budget of the design, counted on the AWS engine's calls: one event, first try, fan-out f.
//!
//! | per delivery | budget |
//! | --- | --- |
//! | DynamoDB writes | 1 + 1/f |
//! | DynamoDB reads | 0 |
//! | our own calls to AWS | 1 + (1 + ⌈f/10⌉)/f |
//! | KMS, endpoint look-ups | 0, by bounded caches |

use std::sync::Arc;

use waxseal_adapters::aws::AwsEngine;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::id::TenantName;
use waxseal_flows::attempt::{Disposition, drive};
use waxseal_flows::ports::{Clock as _, Engine as _};
use waxseal_tests::emulator::Emulator;
use waxseal_tests::fixtures;
use waxseal_tests::proxy::{Calls, Proxy};
use waxseal_tests::sink::Sink;

/// An engine whose calls are counted, and one beside it that plays the event source mapping.
struct CountedEngine {
    engine: Arc<AwsEngine>,
    mapping: AwsEngine,
    proxy: Proxy,
}

impl CountedEngine {
    async fn start() -> Self {
        let emulator = Emulator::shared().await;
        let mut environment = emulator.provision("budget").await;
        let mapping = AwsEngine::new(&environment).unwrap();
        let behind = emulator.endpoint_url["http://".len()..].parse().unwrap();
        let proxy = Proxy::start(behind);
        environment.endpoint_url = Some(format!("http://{}", proxy.address));
        let engine = Arc::new(AwsEngine::new(&environment).unwrap());
        Self { engine, mapping, proxy }
    }

    /// One event through ingest and deliver; the calls that it cost.
    async fn calls_of_one_event(&self, tenant: &TenantName, fan_out: usize) -> Calls {
        self.proxy.take();
        let request = http::Request::builder()
            .method("POST")
            .uri(format!("/v1/tenants/{tenant}/events"))
            .header("authorization", "Bearer operator")
            .header("content-type", "application/json")
            .body(r#"{"type":"a.b","data":{"n":1}}"#.into())
            .unwrap();
        let answer = waxseal_ingest::accept(&*self.engine, tenant.as_str(), &request).await;
        assert_eq!(answer.status(), 202);
        let mut left = fan_out;
        while left > 0 {
            let batch = self.mapping.queue().receive(Priority::Normal, 5).await.unwrap();
            assert!(!batch.is_empty(), "{left} messages are missing");
            for received in batch {
                let receipt = received.receipt.clone();
                let deadline = self.engine.clock().now().plus_s(15);
                assert_eq!(drive(&self.engine, received, deadline).await, Disposition::Done);
                self.mapping.queue().remove(&receipt).await.unwrap();
                left -= 1;
            }
        }
        self.proxy.take()
    }
}

#[tokio::test]
async fn a_delivery_costs_what_the_design_says() {
    let counted = CountedEngine::start().await;
    let sink = Sink::start(Vec::new()).await;
    for fan_out in [1, 3, 10, 25_usize] {
        let tenant = fixtures::tenant(&format!("fan{fan_out}"));
        for _ in 0..fan_out {
            fixtures::endpoint(&*counted.engine, &tenant, &sink.url("/"), &[]).await;
        }
        // The first event fills the caches: the key, the endpoints, their secrets.
        let first = counted.calls_of_one_event(&tenant, fan_out).await;
        assert!(first.contains_key("Decrypt"), "the count sees what it should: {first:?}");
        let calls = counted.calls_of_one_event(&tenant, fan_out).await;
        let f = u64::try_from(fan_out).unwrap();
        let budget = Calls::from([
            ("PutItem state".to_owned(), f + 1),
            ("SendMessageBatch".to_owned(), f.div_ceil(10)),
        ]);
        assert_eq!(calls, budget, "at fan-out {f}: writes f + 1, calls f + 1 + ⌈f/10⌉, no more");
    }
}
