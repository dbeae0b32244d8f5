//! An embedded engine driven step by step.

use std::sync::Arc;
use std::time::Duration;

use waxseal_adapters::clock::MovableClock;
use waxseal_adapters::embedded::{EmbeddedEngine, Options};
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::address::AddressRules;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::flow_control::gate::Mode;
use waxseal_domain::id::TenantName;
use waxseal_flows::accept::accept_all;
use waxseal_flows::attempt::drive;
use waxseal_flows::ports::{Change, Clock as _, Engine as _, GateStore as _, MaxAge, Tenant};
use waxseal_flows::sweep::sweep;

use crate::fixtures;

/// An embedded engine whose messages and sweeps are driven by the test.
pub struct ByHand {
    /// The engine that the test drives by hand.
    pub engine: Arc<EmbeddedEngine>,
    /// The one tenant of the test.
    pub tenant: TenantName,
    folder: tempfile::TempDir,
}

impl ByHand {
    /// On a folder of its own, with a breaker that opens at four attempts.
    pub fn start() -> Self {
        Self::open(tempfile::tempdir().unwrap(), MovableClock::default())
    }

    fn open(folder: tempfile::TempDir, clock: MovableClock) -> Self {
        let options = Options {
            public_url: None,
            folder: folder.path().to_owned(),
            operator_key: Some("operator".to_owned()),
            address_rules: AddressRules { allow_loopback: true, ..AddressRules::default() },
            clock,
            extra_roots: Vec::new(),
            attempts_per_endpoint: 0,
            breaker: BreakerSettings { attempts_min: 4, failures_percent: 50, probe_s: 1 },
        };
        let engine = Arc::new(EmbeddedEngine::open(options).unwrap());
        Self { engine, tenant: fixtures::tenant("acme"), folder }
    }

    /// Ends the engine and does something to its file; then opens another on it, by the same clock.
    #[must_use]
    pub fn restart(self, meanwhile: impl FnOnce(&MovableClock, &rusqlite::Connection)) -> Self {
        let clock = self.engine.clock().clone();
        drop(self.engine);
        let file = rusqlite::Connection::open(self.folder.path().join("waxseal.db")).unwrap();
        meanwhile(&clock, &file);
        drop(file);
        Self::open(self.folder, clock)
    }

    /// Sets the wall clock by so many milliseconds, and has the engine look at it.
    pub async fn set_clock(&self, by_ms: i64) {
        self.engine.clock().set(by_ms);
        let jump = self.engine.follow_clock().await.unwrap().expect("it has jumped");
        assert!(jump.by_ms.abs_diff(by_ms) < 1_000, "{jump:?}");
    }

    /// A connection to the file, beside the engine's.
    pub fn file(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join("waxseal.db")).unwrap()
    }

    /// Accepts events `e0`, `e1` and so on.
    pub async fn send(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let event = fixtures::submission(&format!(r#"{{"type":"a.b","id":"e{number}"}}"#));
            let results = accept_all(&*self.engine, &self.tenant, &[event]).await.unwrap();
            assert!(results[0].is_ok());
        }
    }

    /// Writes into the stored configuration of an endpoint what no version of ours reads, as a damaged file
    /// would have it.
    pub async fn spoil(&self, endpoint: &Endpoint) {
        let file = rusqlite::Connection::open(self.folder.path().join("waxseal.db")).unwrap();
        let sql = "UPDATE config SET doc = '{\"v\":9}' WHERE id = ?1";
        assert_eq!(file.execute(sql, [endpoint.id.as_str()]).unwrap(), 1);
        // Any change of the tenant drops the copy that is kept of it.
        let now = self.engine.clock().now();
        let tenant = Tenant { name: endpoint.tenant.clone(), created_at: now };
        fixtures::change(&*self.engine, Change::CreateTenant(&tenant)).await;
    }

    /// Lets time pass, without waiting for it.
    pub fn pass(&self, time: Duration) {
        self.engine.clock().advance(time);
    }

    /// Drives every message that is visible now or becomes so meanwhile, those of critical events first.
    pub async fn deliver(&self) {
        let queue = self.engine.queue();
        loop {
            let critical = queue.inbox(Priority::Critical).receive_now();
            let next = critical.or_else(|| queue.inbox(Priority::Normal).receive_now());
            let Some(received) = next else { return };
            let receipt = received.receipt.clone();
            let deadline = self.engine.clock().now().plus_s(15);
            if drive(&self.engine, received, deadline).await
                == waxseal_flows::attempt::Disposition::Done
            {
                queue.remove(&receipt).await.unwrap();
            }
        }
    }

    /// Drives every message that is visible now, all at the same time; how many are done with.
    pub async fn deliver_together(&self) -> usize {
        let inbox = self.engine.queue().inbox(Priority::Normal);
        let mut driven = Vec::new();
        while let Some(received) = inbox.receive_now() {
            let engine = Arc::clone(&self.engine);
            driven.push(tokio::spawn(async move {
                let (receipt, deadline) =
                    (received.receipt.clone(), engine.clock().now().plus_s(15));
                let settled = drive(&engine, received, deadline).await;
                let is_done = settled == waxseal_flows::attempt::Disposition::Done;
                if is_done {
                    engine.queue().remove(&receipt).await.unwrap();
                }
                is_done
            }));
        }
        let done = futures_util::future::join_all(driven).await;
        done.into_iter().filter(|one| matches!(one, Ok(true))).count()
    }

    /// Sweeps; how many held deliveries were released.
    pub async fn sweep(&self) -> usize {
        let deadline = self.engine.clock().now().plus_s(10);
        sweep(&*self.engine, deadline).await.unwrap().released
    }

    /// Has an endpoint's gate be due now.
    pub async fn review_now(&self, endpoint: &Endpoint) {
        let store = self.engine.store();
        let Some(gate) = store.gate(&self.tenant, &endpoint.id, MaxAge::NOW).await.unwrap() else {
            return;
        };
        let now = self.engine.clock().now();
        assert!(store.put_gate(&gate.turn(gate.mode, now, now), Some(&gate)).await.unwrap());
    }

    /// What an endpoint's gate does.
    pub async fn mode(&self, endpoint: &Endpoint) -> Option<Mode> {
        let gate = self.engine.store().gate(&self.tenant, &endpoint.id, MaxAge::NOW).await.unwrap();
        gate.map(|gate| gate.mode)
    }
}
