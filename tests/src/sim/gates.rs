//! Gates, and what they hold.

use waxseal_domain::flow_control::concurrency::{Slot, SlotRequest};
use waxseal_domain::flow_control::gate::{Gate, Mode};
use waxseal_domain::flow_control::rate::Tokens;
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::{Due, EngineError, GateStore};

use super::broken::Broken;
use super::instance::Instance;

type Answer<T> = Result<T, EngineError>;

impl GateStore for Instance {
    async fn gate(
        &self,
        _: &TenantName,
        endpoint: &EndpointId,
        max_age_s: u64,
    ) -> Answer<Option<Gate>> {
        let now = self.world.now();
        if let Some((at, copy)) = self.gates.lock().unwrap().get(endpoint)
            && now.since_ms(*at) < max_age_s * 1_000
        {
            return Ok(copy.clone());
        }
        let read = self.call("read gate", true, |state, _| state.gates.get(endpoint).cloned());
        let found = read.await?;
        self.gates.lock().unwrap().insert(endpoint.clone(), (now, found.clone()));
        Ok(found)
    }

    async fn put_gate(&self, gate: &Gate, over: Option<u64>) -> Answer<bool> {
        self.gates.lock().unwrap().remove(&gate.endpoint);
        self.world.say(|| format!("gate {} {:?} over {over:?}", gate.endpoint, gate.mode));
        let goes_at_once = self.world.is_broken(Broken::Linger);
        self.call("write gate", true, |state, _| {
            let before = state.gates.get(&gate.endpoint);
            // The SDK's own repetition is known by what it wrote.
            let is_own = before == Some(gate);
            let is_written = before.map(|before| before.version) == over;
            if is_written && goes_at_once && gate.mode == Mode::Closing {
                state.gates.remove(&gate.endpoint);
            } else if is_written {
                state.gates.insert(gate.endpoint.clone(), gate.clone());
            }
            is_written || is_own
        })
        .await
    }

    async fn delete_gate(&self, gate: &Gate) -> Answer<bool> {
        self.gates.lock().unwrap().remove(&gate.endpoint);
        self.call("remove gate", true, |state, _| {
            let before = state.gates.get(&gate.endpoint).map(|before| before.version);
            let is_same = before == Some(gate.version);
            if is_same {
                state.gates.remove(&gate.endpoint);
            }
            is_same
        })
        .await
    }

    async fn due_gates(&self, now: Timestamp, limit: usize) -> Answer<Vec<Gate>> {
        self.call("read due gates", true, |state, _| {
            let due = state.gates.values().filter(|gate| gate.due_at <= now);
            due.take(limit).cloned().collect()
        })
        .await
    }

    async fn take_tokens(&self, whose: &str, wanted: Tokens) -> Answer<u32> {
        self.call("take tokens", true, |state, _| {
            let used = state.tokens.entry((whose.to_owned(), wanted.window)).or_default();
            let granted = wanted.granted(*used);
            *used += granted;
            granted
        })
        .await
    }

    async fn take_slot(
        &self,
        _: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> Answer<Option<Slot>> {
        let has_no_bound = self.world.is_broken(Broken::Slots);
        let (endpoint, wanted) = (endpoint.clone(), wanted.clone());
        self.call("take slot", true, move |state, _| {
            let most = if has_no_bound { u32::MAX } else { wanted.most };
            let wanted = SlotRequest { most, ..wanted.clone() };
            state.slots.entry(endpoint.clone()).or_default().take(&wanted)
        })
        .await
    }

    async fn give_back_slot(
        &self,
        _: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> Answer<()> {
        let (endpoint, slot) = (endpoint.clone(), slot.clone());
        self.call("give back slot", true, move |state, _| {
            state.slots.entry(endpoint.clone()).or_default().give_back(&slot);
        })
        .await
    }

    async fn held(
        &self,
        _: &TenantName,
        endpoint: &EndpointId,
        now: Timestamp,
        limit: usize,
    ) -> Answer<Vec<Due>> {
        let found = self.call("read held deliveries", true, |state, true_now| {
            state.shown(true_now, |due, held| {
                held && due.key.endpoint == *endpoint && due.due_at <= now
            })
        });
        found.await.map(|mut due| {
            due.truncate(limit);
            due
        })
    }
}
