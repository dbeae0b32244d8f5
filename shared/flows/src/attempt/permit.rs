//! Bounds how many attempts to an endpoint are under way at once, by a permit that holds one of the
//! endpoint's slots.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::limits::{SLOT_WAITS_MS, TIMEOUT_MS};
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{Clock as _, Engine, EngineError, GateStore as _};

/// A permit to make one attempt to an endpoint, with the slot that it holds where the endpoint
/// bounds its concurrency. It must be used or given back; otherwise the slot stays taken until its
/// lease ends.
pub(crate) struct AttemptPermit(Option<Slot>);

impl AttemptPermit {
    /// Takes a permit, waiting briefly for a slot. None means that every slot of the endpoint stays
    /// taken for as long as there is time to wait.
    pub(crate) async fn take<E: Engine>(
        engine: &E,
        endpoint: &Endpoint,
        post_by: Timestamp,
    ) -> Result<Option<Self>, EngineError> {
        let Some(most) = endpoint.max_concurrency else { return Ok(Some(Self(None))) };
        let (tenant, id) = (&endpoint.tenant, &endpoint.id);
        // Waiting must leave time for the longest attempt that may follow, or its result could not
        // be recorded in this invocation.
        let wait_until = post_by.minus_ms(u64::from(*TIMEOUT_MS.end()));
        let holder = engine.ticket();
        // A slot is free again as soon as an attempt ends, mostly within a second. Waiting that
        // long is cheaper than holding the delivery, which costs two writes and up to a minute.
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

    /// Makes the attempt and gives the slot back, also after a panic.
    pub(crate) async fn run<E: Engine, T>(
        self,
        engine: &E,
        endpoint: &Endpoint,
        attempt: impl Future<Output = T>,
    ) -> T {
        // The message of an attempt that panics comes again before the lease of its slot ends. It
        // would find its own slot taken, be held, and be released as a new message whose receives
        // are counted anew: it would crash for ever and never be buried.
        let done = AssertUnwindSafe(attempt).catch_unwind().await;
        self.give_back(engine, endpoint).await;
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Gives the slot back. A failure is only logged: the slot is free again when its lease ends.
    pub(crate) async fn give_back<E: Engine>(self, engine: &E, endpoint: &Endpoint) {
        let Some(slot) = self.0 else { return };
        let (tenant, id) = (&endpoint.tenant, &endpoint.id);
        if let Err(error) = engine.store().give_back_slot(tenant, id, &slot).await {
            tracing::warn!(%error, %tenant, endpoint = %id, "a slot is taken until its lease is over");
        }
    }
}
