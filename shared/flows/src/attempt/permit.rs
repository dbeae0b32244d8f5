//! The permit to make one attempt: with a slot of the endpoint, where that bounds what is under way.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::limits::{SLOT_WAITS_MS, TIMEOUT_MS};
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{Clock as _, Engine, EngineError, GateStore as _};

/// The permit to make one attempt to an endpoint, with the slot that it holds. It is to be used, or given back.
pub(crate) struct AttemptPermit(Option<Slot>);

impl AttemptPermit {
    /// None where the endpoint's slots are taken, and stay so while there is time to wait for one.
    pub(crate) async fn take<E: Engine>(
        engine: &E,
        endpoint: &Endpoint,
        post_by: Timestamp,
    ) -> Result<Option<Self>, EngineError> {
        let Some(most) = endpoint.max_concurrency else { return Ok(Some(Self(None))) };
        let (tenant, id) = (&endpoint.tenant, &endpoint.id);
        // The longest attempt that may follow.
        let wait_until = post_by.minus_ms(u64::from(*TIMEOUT_MS.end()));
        let holder = engine.ticket();
        let mut waits_ms = SLOT_WAITS_MS.into_iter();
        loop {
            let now = engine.clock().now();
            let wanted = SlotRequest::new(most, holder.clone(), now, post_by);
            if let Some(slot) = engine.store().take_slot(tenant, id, &wanted).await? {
                return Ok(Some(Self(Some(slot))));
            }
            let Some(wait_ms) = waits_ms.next() else { return Ok(None) };
            let again_at = engine.clock().now().plus_ms(wait_ms);
            if again_at > wait_until {
                return Ok(None);
            }
            engine.clock().sleep_until(again_at).await;
        }
    }

    /// Makes the attempt, and gives the slot back. After a panic too: its message comes again before the
    /// lease is over, would be held for its own slot and, as it is released as a new message, crash for
    /// ever.
    pub(crate) async fn run<E: Engine, T>(
        self,
        engine: &E,
        endpoint: &Endpoint,
        attempt: impl Future<Output = T>,
    ) -> T {
        let done = AssertUnwindSafe(attempt).catch_unwind().await;
        self.give_back(engine, endpoint).await;
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What cannot be given back is free when its lease is over.
    pub(crate) async fn give_back<E: Engine>(self, engine: &E, endpoint: &Endpoint) {
        let Some(slot) = self.0 else { return };
        let (tenant, id) = (&endpoint.tenant, &endpoint.id);
        if let Err(error) = engine.store().give_back_slot(tenant, id, &slot).await {
            tracing::warn!(%error, %tenant, endpoint = %id, "a slot is taken until its lease is over");
        }
    }
}
