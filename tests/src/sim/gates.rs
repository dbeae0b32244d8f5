//! Gates, and what they hold.

use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::{Gate, Mode};
use waxseal_domain::flow_control::rate::TokenRequest;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Due, EngineError, GateStore, MaxAge};

use super::broken::BrokenGuard;
use super::instance::Instance;

type StoreResult<T> = Result<T, EngineError>;

impl GateStore for Instance {
    async fn gate(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        max_age: MaxAge,
    ) -> StoreResult<Option<Gate>> {
        let now = self.world.now();
        let place = (tenant.clone(), endpoint.clone());
        if let Some((at, copy)) = self.gates.lock().unwrap().get(&place)
            && now.since_ms(*at) < max_age.as_seconds() * 1_000
        {
            return Ok(copy.clone());
        }
        let read = self.call("read gate", true, |state, _| state.gates.get(&place).cloned());
        let found = read.await?;
        self.gates.lock().unwrap().insert(place, (now, found.clone()));
        Ok(found)
    }

    async fn put_gate(&self, gate: &Gate, before: Option<&Gate>) -> StoreResult<bool> {
        let over = before.map(|before| before.version);
        let place = (gate.tenant.clone(), gate.endpoint.clone());
        self.gates.lock().unwrap().remove(&place);
        self.world.say(|| format!("gate {} {:?} over {over:?}", gate.endpoint, gate.mode));
        let mut has_written = false;
        let goes_at_once = self.world.is_broken(BrokenGuard::Linger);
        let jumps = self.world.jumps().0;
        self.call("write gate", true, |state, _| {
            let before = state.gates.get(&place);
            // The SDK's own repetition is known by the number of its write. Who writes the same gate
            // again is another.
            let is_own = has_written && before == Some(gate);
            // What was planned before the clock jumped is refused.
            let is_planned_now = self.world.jumps().0 == jumps;
            let is_written = before.map(|before| before.version) == over && is_planned_now;
            if is_written && goes_at_once && gate.mode == Mode::Closing {
                state.gates.remove(&place);
            } else if is_written {
                state.gates.insert(place.clone(), gate.clone());
            }
            has_written |= is_written;
            is_written || is_own
        })
        .await
    }

    async fn delete_gate(&self, gate: &Gate) -> StoreResult<bool> {
        let place = (gate.tenant.clone(), gate.endpoint.clone());
        self.gates.lock().unwrap().remove(&place);
        self.call("remove gate", true, |state, _| {
            let before = state.gates.get(&place).map(|before| before.version);
            let is_same = before == Some(gate.version);
            if is_same {
                state.gates.remove(&place);
            }
            is_same
        })
        .await
    }

    async fn due_gates(&self, now: Timestamp, limit: usize) -> StoreResult<Vec<Gate>> {
        self.call("read due gates", true, |state, _| {
            let due = state.gates.values().filter(|gate| gate.due_at <= now);
            let mut due: Vec<Gate> = due.cloned().collect();
            due.sort_by_key(|gate| gate.due_at);
            due.truncate(limit);
            due
        })
        .await
    }

    async fn take_tokens(&self, whose: &str, wanted: TokenRequest) -> StoreResult<u32> {
        self.call("take tokens", true, |state, _| {
            let used = state.tokens.entry((whose.to_owned(), wanted.window)).or_default();
            let granted = wanted.grant(*used);
            *used += granted;
            granted
        })
        .await
    }

    async fn take_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> StoreResult<Option<Slot>> {
        let has_no_bound = self.world.is_broken(BrokenGuard::Slots);
        let (place, wanted) = ((tenant.clone(), endpoint.clone()), wanted.clone());
        let jumps = self.world.jumps().0;
        self.call("take slot", true, move |state, _| {
            if self.world.jumps().0 != jumps {
                return None;
            }
            let most = if has_no_bound { u32::MAX } else { wanted.most };
            let wanted = SlotRequest { most, ..wanted.clone() };
            state.slots.entry(place.clone()).or_default().take(&wanted)
        })
        .await
    }

    async fn give_back_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> StoreResult<()> {
        let (place, slot) = ((tenant.clone(), endpoint.clone()), slot.clone());
        self.call("give back slot", true, move |state, _| {
            state.slots.entry(place.clone()).or_default().give_back(&slot);
        })
        .await
    }

    async fn held_deliveries(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        now: Timestamp,
        limit: usize,
    ) -> StoreResult<Vec<Due>> {
        let found = self.call("read held deliveries", true, |state, true_now| {
            state.visible_due(true_now, |due, held| {
                let is_here = due.key.tenant == *tenant && due.key.endpoint == *endpoint;
                held && is_here && due.due_at <= now
            })
        });
        found.await.map(|mut due| {
            due.truncate(limit);
            due
        })
    }
}
