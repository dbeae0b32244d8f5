//! A sender of events as ours should be: an event without an answer is posted again, under its id.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;

use crate::client::{Client, Session};
use crate::fixtures::nap;

/// Milliseconds from one try of a request to the next.
const AGAIN_MS: u64 = 20;
/// A server may be away for so long.
const AWAY_MAX: Duration = Duration::from_mins(1);

/// An event that was acknowledged.
#[derive(Clone, Debug)]
pub struct AcknowledgedEvent {
    /// The tenant that the event was posted for.
    pub tenant: String,
    /// The id under which the event was acknowledged.
    pub event: String,
    /// The deliveries that are owed.
    pub deliveries: Vec<String>,
    /// When it was posted first.
    pub posted: Instant,
    /// From then to its acknowledgement.
    pub took: Duration,
    /// Tries without an acknowledgement.
    pub repeated: u32,
}

/// Posts to the server that is running now.
#[derive(Debug)]
pub struct Poster {
    server: watch::Receiver<Client>,
    session: Session,
    address: SocketAddr,
}

impl Poster {
    /// At whatever server is told last.
    pub fn at(server: watch::Receiver<Client>) -> Self {
        let client = server.borrow().clone();
        Self { session: Session::of(&client), address: client.address, server }
    }

    /// Posts an event until it is acknowledged.
    pub async fn post(&mut self, tenant: &str, event: &str) -> AcknowledgedEvent {
        let path = format!("/v1/tenants/{tenant}/events");
        let body = json!({"type": "load.test", "id": event, "data": {"n": 1}}).to_string();
        let (posted, mut repeated) = (Instant::now(), 0);
        // Not `eventually`: the compiler cannot see that what its closure borrows may go to another thread, and
        // posters are tasks of their own. `AWAY_MAX` bounds it.
        loop {
            let deliveries = self.deliveries(&path, &body).await;
            if let Some(deliveries) = deliveries {
                let (tenant, event) = (tenant.to_owned(), event.to_owned());
                let took = posted.elapsed();
                return AcknowledgedEvent { tenant, event, deliveries, posted, took, repeated };
            }
            assert!(posted.elapsed() < AWAY_MAX, "{event} of {tenant} is not acknowledged");
            repeated += 1;
            nap(AGAIN_MS).await;
        }
    }

    /// One try; none unless it was acknowledged. What is not for us to repeat is no answer to expect.
    async fn deliveries(&mut self, path: &str, body: &str) -> Option<Vec<String>> {
        let client = self.server.borrow().clone();
        if client.address != self.address {
            (self.session, self.address) = (Session::of(&client), client.address);
        }
        let (status, answer) = self.session.try_call("POST", path, body).await?;
        assert!(status == 202 || status >= 500, "{status}: {answer}");
        let deliveries = answer["deliveries"].as_array().filter(|_| status == 202)?;
        Some(deliveries.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect())
    }
}
